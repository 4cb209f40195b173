"""An ASGI application for callers that wait: frameworks without an event loop of their own, as Flask and Django."""

import asyncio
import logging
import os
import threading
import weakref
from collections.abc import Iterable, MutableMapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from mantic.core.errors import SettingsError
from mantic.serve.predict import Reply

_LOG = logging.getLogger("mantic.serve")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Bridge:
    """Asks an ASGI application from any thread of the process that made it; it lives in a loop of its own.

    >>> async def hello(scope, receive, send):
    ...     if scope["type"] == "http":
    ...         await send({"type": "http.response.start", "status": 200, "headers": []})
    ...         await send({"type": "http.response.body", "body": scope["path"].encode()})
    >>> Bridge(hello).ask("GET", "/there", [], b"").body
    b'/there'
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None

    def ask(self, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes) -> Reply:
        """Return the answer to a request.

        Raises
        ------
        SettingsError : in a forked process. Polars has begun its threads when a model is loaded; a fork has none of
            them, and would wait for ever.
        """
        if self._process != os.getpid():
            raise SettingsError(
                "the process was forked after the models had been loaded",
                where="serve",
                fix="load them in each process: gunicorn without --preload, uWSGI with lazy-apps",
            )
        loop = self._running()
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode("utf-8", "surrogateescape"),
            "root_path": "",
            "query_string": b"",
            "scheme": "http",
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "server": None,
            "client": None,
        }
        return asyncio.run_coroutine_threadsafe(self._answer(scope, body), loop).result()

    def _running(self) -> asyncio.AbstractEventLoop:
        """Return the loop, which runs in a thread of this process."""
        with self._lock:
            if self._loop is None:
                begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
                life = partial(_live, self._app, begun)
                threading.Thread(target=lambda: asyncio.run(life()), name="mantic-bridge", daemon=True).start()
                loop, end = begun.result()
                weakref.finalize(self, loop.call_soon_threadsafe, end.set)
                self._loop = loop
            return self._loop

    async def _answer(self, scope: MutableMapping[str, Any], body: bytes) -> Reply:
        start: MutableMapping[str, Any] = {}
        parts: list[bytes] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        try:
            await self._app(scope, receive, send)
        except Exception:
            if not start:
                raise
            _LOG.exception("%s %s", scope["method"], scope["path"])  # the caller is told in the server's own words
        headers = dict(start["headers"])
        media = headers.pop(b"content-type", b"application/octet-stream")
        return Reply(start["status"], media, b"".join(parts), tuple(headers.items()))


async def _live(app: Any, begun: "Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]") -> None:
    """Let an application begin, stay until nobody can ask any more, and let it end, as a server would."""
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    first: asyncio.Future[str] = loop.create_future()

    async def receive() -> MutableMapping[str, Any]:
        if not first.done():
            return {"type": "lifespan.startup"}
        await end.wait()
        return {"type": "lifespan.shutdown"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if not first.done():
            first.set_result(message["type"])

    life = asyncio.ensure_future(app({"type": "lifespan"}, receive, send))
    await asyncio.wait((life, first), return_when=asyncio.FIRST_COMPLETED)
    if first.done() and first.result() == "lifespan.startup.failed":
        await asyncio.wait((life,))
        begun.set_exception(life.exception() or RuntimeError("the application did not begin"))
        return
    begun.set_result((loop, end))  # an application that knows of no beginning has returned by now, which is fine
    await end.wait()
    await asyncio.gather(life, return_exceptions=True)
