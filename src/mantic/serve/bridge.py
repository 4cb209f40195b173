"""An ASGI application for callers that wait: frameworks without an event loop of their own, as Flask and Django."""

import asyncio
import os
import threading
from collections.abc import Iterable, MutableMapping
from typing import Any

from mantic.serve.predict import Reply

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Bridge:
    """Asks an ASGI application from any thread; it lives in a loop of its own, which a forked process starts anew.

    >>> async def hello(scope, receive, send):
    ...     await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    ...     await send({"type": "http.response.body", "body": scope["path"].encode()})
    >>> Bridge(hello).ask("GET", "/there", [], b"").body
    b'/there'
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._process = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def ask(self, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes) -> Reply:
        """Return the answer to a request."""
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
        return asyncio.run_coroutine_threadsafe(self._answer(scope, body), self._running()).result()

    def _running(self) -> asyncio.AbstractEventLoop:
        """Return the loop, which runs in a thread of this process."""
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                loop = asyncio.new_event_loop()
                threading.Thread(target=loop.run_forever, name="mantic-bridge", daemon=True).start()
                asyncio.run_coroutine_threadsafe(self._start(), loop).result()
                self._process, self._loop = os.getpid(), loop
            return self._loop

    async def _start(self) -> None:
        """Let the application begin, as a server would; it ends with the process."""
        begun = asyncio.get_running_loop().create_future()

        async def receive() -> MutableMapping[str, Any]:
            if begun.done():
                await asyncio.Event().wait()
            return {"type": "lifespan.startup"}

        async def send(message: MutableMapping[str, Any]) -> None:
            begun.set_result(message)

        self._life = asyncio.ensure_future(self._app({"type": "lifespan"}, receive, send))
        await asyncio.wait((self._life, begun), return_when=asyncio.FIRST_COMPLETED)
        if not begun.done():
            await self._life  # its error says why it did not begin; an application without a beginning just returns

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

        await self._app(scope, receive, send)
        headers = dict(start["headers"])
        media = headers.pop(b"content-type", b"application/octet-stream")
        return Reply(start["status"], media, b"".join(parts), tuple(headers.items()))
