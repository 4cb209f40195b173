"""The gate before all addresses: keys, the short way of predictions, headers for browsers, and counting."""

import time
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from mantic.core.errors import ManticError
from mantic.serve.body import GoneError
from mantic.serve.keyring import Guard, has_own_header
from mantic.serve.metrics import Metrics
from mantic.serve.predict import Predict, Reply
from mantic.serve.problem import MEDIA, BusyError, ForbiddenError, broken, problem_bytes, problem_headers
from mantic.serve.route import CLEARED, GRANTED, PREDICT, address_of

_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_SAFE = tuple((name.encode(), value.encode()) for name, value in _HEADERS.items())
_ELSEWHERE = "elsewhere"  # one name for all addresses that do not exist: strangers must not fill the memory
_LOOKS = ("GET", "HEAD")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


@dataclass(frozen=True)
class Gate:
    """An ASGI application; predictions go no further than here, all else to the application behind it.

    Parameters
    ----------
    lifespan : of the application behind it. One that mounts this has to be given it: Starlette begins nothing that is
        mounted, so models are not warm, `/readyz` says so, and there are no jobs.
    hosts : names by which it may be called; any when empty. A page from elsewhere, whose name was made to point at this
        machine, calls it by that name.
    """

    app: Any
    predict: Predict
    guard: Guard | None
    metrics: Metrics
    lifespan: Callable[[Any], AbstractAsyncContextManager[None]]
    hosts: frozenset[bytes] = frozenset()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        method, path = scope["method"], scope["path"].removeprefix(scope.get("root_path", ""))
        address, name = address_of(method, path)
        headers = dict(reversed(scope["headers"]))  # of a header that is given twice, the first counts
        answer = _Answer(send)
        self.metrics.in_flight += 1
        try:
            if self.hosts and _host_of(headers) not in self.hosts:
                raise ForbiddenError("the server has another name", where="header Host", fix=_call_by(self.hosts))
            if method not in _LOOKS and (self.guard is not None or self.hosts):
                _check_ours(headers)
            scope[GRANTED] = None if self.guard is None else self.guard.check(address, headers)
            if address is not None and address.path == PREDICT:
                await answer.reply(await self.predict(name, headers, receive))
            else:
                scope[CLEARED] = address
                await self.app(scope, receive, answer.send)
        except ManticError as error:
            if isinstance(error, BusyError):
                self.metrics.count("mantic_refused_total", (("reason", "busy"),))
            await answer.reply(_refusal(error))
        except GoneError:
            answer.status = 499  # nobody hears it; the number is the one that others use for this
        except Exception:
            await answer.reply(_refusal(broken(method, path)))
            raise
        finally:
            self.metrics.in_flight -= 1
            known = _ELSEWHERE if address is None else address.path
            took = time.perf_counter() - started
            self.metrics.answered(known, method if method in _METHODS else _ELSEWHERE, answer.status, took)

    def close(self) -> None:
        """Let what has begun be finished, where the application behind is not told when it ends."""
        self.predict.close()


class _Answer:
    """What is sent to the caller: at most one answer, with the headers that every answer has."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self.status = 0

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Send a message of the application behind the gate."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(one for one in _SAFE if one[0] not in present)]
        await self._send(message)

    async def reply(self, reply: Reply) -> None:
        """Send an answer, unless one has begun."""
        if self.status:
            return
        self.status, body = reply.status, reply.body
        headers = [
            (b"content-type", reply.media), (b"content-length", b"%d" % len(body)), *reply.headers, *_SAFE,
        ]  # fmt: skip
        await self._send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _host_of(headers: Mapping[bytes, bytes]) -> bytes:
    """Return the name in the header Host, without the port."""
    name, _, port = headers.get(b"host", b"").rpartition(b":")
    return name.lower() if name and port.isdigit() else headers.get(b"host", b"").lower()


def _check_ours(headers: Mapping[bytes, bytes]) -> None:
    """Refuse what a page of another site makes a browser send, which adds the password that it keeps.

    Raises
    ------
    ForbiddenError : unless the key is where no browser puts it by itself.
    """
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:  # where a browser says so: behind a proxy the server may have another name
        is_ours = site in (b"same-origin", b"none")
    else:
        is_ours = origin is None or origin.partition(b"://")[2].lower() == headers.get(b"host", b"").lower()
    if not is_ours and not has_own_header(headers):
        fix = "send the key in the header 'Authorization: Bearer KEY'"
        raise ForbiddenError("a page of another site has sent this", where="header Origin", fix=fix)


def _call_by(hosts: frozenset[bytes]) -> str:
    return f"call it by {' or '.join(sorted(name.decode() for name in hosts))}"


def _refusal(error: ManticError) -> Reply:
    headers: Mapping[str, str] = problem_headers(error)
    more = tuple((name.encode(), value.encode()) for name, value in headers.items())
    return Reply(error.status, MEDIA.encode(), problem_bytes(error), more)
