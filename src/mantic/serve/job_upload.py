"""A table on its way to the disk: never held in memory, and nothing of it left when it does not arrive."""

import asyncio
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from mantic.core.errors import ManticError
from mantic.serve.body import GoneError, Headers, Receive
from mantic.serve.problem import LateError, MediaError, RequestError, TooLargeError
from mantic.sources.sniff import content

_STEP = 1 << 20
_SPARE_BYTES = 500_000_000  # of the disk, which jobs leave to the store beside them
_UNSAID = (b"", b"application/octet-stream", b"application/x-www-form-urlencoded")  # the last one is what curl says
_KINDS: Mapping[bytes, str] = {
    **dict.fromkeys((b"text/csv", b"application/csv", b"text/plain"), "csv"),
    b"text/tab-separated-values": "tsv",
    **dict.fromkeys((b"application/x-ndjson", b"application/jsonl", b"application/x-jsonlines"), "ndjson"),
    **dict.fromkeys((b"application/vnd.apache.parquet", b"application/x-parquet"), "parquet"),
    b"application/vnd.apache.arrow.file": "arrow",
    b"application/vnd.apache.arrow.stream": "arrow",
}
_FOUND: Mapping[str, str] = {"text": "csv", "json": "ndjson", "parquet": "parquet", "arrow": "arrow"}
_SENT_AS: Mapping[str, tuple[str, ...]] = {  # a kind of table to what its first bytes may look like
    **dict.fromkeys(("csv", "tsv", "ndjson"), ("text", "json")),
    "parquet": ("parquet",),
    "arrow": ("arrow",),
}
_FIX = "send CSV, NDJSON, Parquet or Arrow, unpacked and as the whole body: curl --data-binary @FILE"


class FullError(ManticError, OSError):
    """The disk cannot take what was sent."""

    status = 507


def check_room(folder: Path, n_bytes: int = 0) -> None:
    """Refuse what would fill the disk.

    Parameters
    ----------
    n_bytes : that are to come.

    Raises
    ------
    FullError : if less than half a gigabyte would be left.
    """
    if shutil.disk_usage(folder).free < n_bytes + _SPARE_BYTES:
        raise _full("there would be too little room left")


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Let errors of the disk be a refusal.

    Raises
    ------
    FullError : says what the system said.
    """
    try:
        yield
    except (ManticError, TimeoutError):
        raise
    except OSError as error:
        raise _full(str(error.strerror)) from error


def declared_kind(headers: Headers) -> str:
    """Return which kind of table a body says to be; empty where it does not say.

    Raises
    ------
    MediaError : if it says to be none, or to be packed.

    >>> declared_kind({b"content-type": b"text/csv; charset=utf-8"}), declared_kind({})
    ('csv', '')
    """
    coding = headers.get(b"content-encoding", b"identity").lower()
    if coding != b"identity":
        shown = coding[:40].decode("latin-1")
        raise MediaError(f"the body is packed ({shown})", where="header Content-Encoding", fix="send it unpacked")
    media = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media in _UNSAID:
        return ""
    if media not in _KINDS:
        shown = media[:80].decode("latin-1")
        raise MediaError(f"the body is '{shown}', no table", where="header Content-Type", fix=_FIX)
    return _KINDS[media]


def declared_bytes(headers: Headers, most: int) -> int | None:
    """Return how long a body says to be; None where it does not say.

    Raises
    ------
    TooLargeError : if that is too long.
    """
    text = headers.get(b"content-length", b"")
    if not text.isdigit():
        return None
    if int(text[:20]) > most:
        raise _too_large(most)
    return int(text)


def found_kind(head: bytes, declared: str) -> str:
    """Return which kind of table begins with these bytes.

    Raises
    ------
    MediaError : if it is none, or not what it says to be.

    >>> found_kind(b"age,plan", ""), found_kind(b'{"age": 3}', ""), found_kind(b"age|plan", "csv")
    ('csv', 'ndjson', 'csv')
    """
    found = content(head)
    if found in _SENT_AS.get(declared, _FOUND):
        return declared or _FOUND[found]
    what = f"the body says to be {declared}, and holds" if declared else "the body holds"
    raise MediaError(f"{what} {_FOUND.get(found, found)}", where="the first bytes of the body", fix=_FIX)


@dataclass
class Upload:
    """A table that is being received into the folder of a job to be.

    Parameters
    ----------
    lock : on that folder, as `JobFolder.make` gives it.
    kind : as `declared_kind` gives it; known when the first bytes are there.
    """

    id: str
    folder: Path
    lock: int
    kind: str
    n_bytes: int = 0
    _waiting: list[bytes] = field(default_factory=list)
    _file: IO[bytes] | None = None

    @property
    def table(self) -> str:
        """Return the name of the file with the rows."""
        return f"table.{self.kind}"

    async def receive(self, receive: Receive, *, declared: int | None, most: int, seconds: float) -> None:
        """Put a body down; it is on the disk when this returns.

        Parameters
        ----------
        declared : how many bytes were announced. most : how many there may be.

        Raises
        ------
        ManticError : says why it is not taken. GoneError : if the sender went away.
        """
        try:
            with full_disk_told():
                async with asyncio.timeout(seconds):
                    await self._receive(receive, most)
                if self._file is not None:
                    await asyncio.to_thread(self._close, self._file)
        except TimeoutError as error:
            raise LateError(
                f"the table has not arrived in {seconds:,.0f} seconds", where="the request", fix="send it faster"
            ) from error
        if not self.n_bytes:
            raise RequestError("the body is empty", where="the request", fix=_FIX)
        if declared is not None and declared != self.n_bytes:
            what = f"{declared:,} bytes were announced and {self.n_bytes:,} came"
            raise RequestError(what, where="header Content-Length", fix="send the whole table again")

    async def _receive(self, receive: Receive, most: int) -> None:
        is_whole, n_waiting = False, 0
        while not is_whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise GoneError
            part, is_whole = message.get("body", b""), not message.get("more_body", False)
            self._waiting.append(part)
            self.n_bytes, n_waiting = self.n_bytes + len(part), n_waiting + len(part)
            if self.n_bytes > most:
                raise _too_large(most)
            if n_waiting >= _STEP or is_whole:
                await asyncio.to_thread(self._write)
                n_waiting = 0

    def _write(self) -> None:
        block = b"".join(self._waiting)
        self._waiting.clear()
        if self._file is None and block:
            self.kind = found_kind(block, self.kind)
            self._file = (self.folder / self.table).open("xb")
        if self._file is not None:
            self._file.write(block)

    def _drop(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what was not written yet cannot be, where the disk is full
                self._file.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _close(self, file: IO[bytes]) -> None:
        with file:
            file.flush()
            os.fsync(file.fileno())

    async def __aenter__(self) -> Self:
        """Begin; what has arrived is removed if the block does not end well."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Remove what is of no use."""
        if kind is not None:
            await asyncio.to_thread(self._drop)


def _full(why: str) -> FullError:
    return FullError(
        f"the table or its answers cannot be put down: {why}",
        where="the server's disk",
        fix="send less, remove jobs that are done, or ask the server's administrator for room",
    )


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(
        f"the table is longer than {most:,} bytes",
        where="the request",
        fix="send it in parts, or as Parquet, which is shorter; jobs.max_bytes is the setting",
    )
