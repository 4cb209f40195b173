"""The body of a request: how long it may be, how long it may take to come, and how much may come at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from mantic.serve.admission import busy, late
from mantic.serve.problem import MediaError, SlowError, too_many_bytes
from mantic.serve.question import Limits

Headers = Mapping[bytes, bytes]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_MOST_SECONDS = 60.0  # that a body may take to come
_MOST_AT_ONCE = 20  # bodies of full length, of those that are being read


class GoneError(Exception):
    """The caller went away before the question was complete."""


class Bodies:
    """Reads bodies, no more of each and of all together than is allowed. Called in the event loop only."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.max_bytes
        self._n_bytes = 0  # that are held of bodies which have not come as a whole

    async def read(self, headers: Headers, receive: Receive, *, until: float | None) -> bytes:
        """Return the body of a request.

        Parameters
        ----------
        until : on `time.monotonic`; the caller's deadline.

        Raises
        ------
        MediaError : if it is packed. TooLargeError : if it is too long. LateError : if the deadline passes.
        SlowError : if it takes too long to come. BusyError : if too much comes at once. GoneError : if the caller left.
        """
        coding = headers.get(b"content-encoding", b"identity").lower()
        if coding != b"identity":
            shown = coding[:40].decode("latin-1")
            raise MediaError(f"the body is packed ({shown})", where="header Content-Encoding", fix="send it unpacked")
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > self._most:
            raise too_many_bytes(self._most)
        message = await receive()
        body = _part(message)
        if message.get("more_body", False):  # seldom, and a clock costs more than all else here
            return await self._read_by(body, receive, until)
        if len(body) > self._most:
            raise too_many_bytes(self._most)
        return body

    async def _read_by(self, first: bytes, receive: Receive, until: float | None) -> bytes:
        """Read what follows the first part, before the time is over."""
        seconds = _MOST_SECONDS if until is None else min(_MOST_SECONDS, until - time.monotonic())
        try:
            async with asyncio.timeout(seconds):
                return await self._read_parts(first, receive)
        except TimeoutError as error:
            if until is not None and time.monotonic() >= until:
                raise late() from error
            raise SlowError(
                f"the body has not come in {seconds:,.0f} seconds", where="the request", fix="send less, or faster"
            ) from error

    async def _read_parts(self, first: bytes, receive: Receive) -> bytes:
        parts, n_bytes, is_whole = [first], 0, False
        try:
            while True:
                n_bytes += len(parts[-1])
                self._n_bytes += len(parts[-1])
                if n_bytes > self._most:
                    raise too_many_bytes(self._most)
                if self._n_bytes > _MOST_AT_ONCE * self._most:
                    raise busy(0)
                if is_whole:
                    return b"".join(parts)
                message = await receive()
                parts.append(_part(message))
                is_whole = not message.get("more_body", False)
        finally:
            self._n_bytes -= n_bytes


def _part(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise GoneError
    part: bytes = message.get("body", b"")
    return part
