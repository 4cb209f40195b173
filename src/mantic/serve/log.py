"""The prediction log: an answered row is put down in a file before it is sent, and a clerk brings it into the store.

Writing to a file takes microseconds, a transaction milliseconds. What was written outlives a kill -9 of the server, as
it is with the operating system by then; the clerk brings it to the disk within a second, which a power cut may cost.
"""

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from mantic.core.schema import Kind, Schema
from mantic.serve.question import Question
from mantic.serve.served import Served

ENDING = ".log"
_FRESH = ".new"  # of a file that is not locked yet: a reader would take it for one that is over
_ROTATE_BYTES = 8_000_000
_MOST_BYTES = 2_000_000_000  # in files that nobody has brought away
_LOOK_SECONDS = 1.0  # between two looks at how much waits, where it was too much
_encode = msgspec.json.encode


class PredictionLog:
    """Puts down what was answered; called by a server for every prediction.

    A file ends after a few megabytes, and is locked while it is open. Each line is a JSON array: first
    `["model", name, version, number, columns, dates]`, then `["rows", moment, ids, rows, answers]` for each request.

    Parameters
    ----------
    folder : of the files; made when it is not there.
    numbers : name and version of a model to its number in the store, for those that are kept there; may grow.

    Attributes
    ----------
    n_lost : rows that were answered and could not be put down: the disk is full, or the clerk is far behind.
    """

    def __init__(self, folder: Path, numbers: dict[tuple[str, str], int] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.numbers: dict[tuple[str, str], int] = {} if numbers is None else numbers
        self.n_lost = 0
        self._lock = threading.Lock()
        self._file = -1
        self._n_bytes = 0
        self._full_until = 0.0
        self._head: Any = None  # of which model the last line was

    def __call__(self, served: Served, question: Question, answers: list[dict[str, Any]]) -> None:
        """Give each answer an id, and put it down with its row."""
        moment = time.time()
        ids = new_ids(len(answers), moment)
        rows = question.values if question.frame is None else _plain(question.frame).rows()
        line = _encode(["rows", moment, ids, rows, answers]) + b"\n"
        for answer, one in zip(answers, ids, strict=True):
            answer["id"] = one
        with self._lock:
            if not self._write(served, line):
                self.n_lost += len(answers)

    def close(self) -> None:
        """Let go of the file; the clerk brings the rest away."""
        with self._lock:
            self._let_go()

    @property
    def waiting_bytes(self) -> int:
        """Return how much has not been brought into the store, of this server and of those before it."""
        return sum(_size(file) for file in self.folder.glob(f"*{ENDING}"))

    def _write(self, served: Served, line: bytes) -> bool:
        """Write a line; return whether all of it was written: a part of it is taken back."""
        try:
            if self._file < 0 or self._n_bytes > _ROTATE_BYTES:
                self._open()
            if self._head is not served:
                line = self._header(served) + line
            if os.write(self._file, line) == len(line):
                self._n_bytes += len(line)
                self._head = served
                return True
        except OSError:  # the disk is full: the file stays, else each answer would leave an empty one
            pass
        try:
            os.ftruncate(self._file, self._n_bytes)
        except OSError:
            self._let_go()
        return False

    def _open(self) -> None:
        self._let_go()
        if time.monotonic() < self._full_until:
            raise OSError("the clerk was far behind a moment ago")
        if self.waiting_bytes > _MOST_BYTES:
            self._full_until = time.monotonic() + _LOOK_SECONDS
            raise OSError("the clerk is far behind")
        path = self.folder / f"{time.time_ns():020}-{os.getpid()}{ENDING}"
        fresh = path.with_suffix(_FRESH)
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            fresh.rename(path)
        except OSError:
            os.close(file)
            fresh.unlink(missing_ok=True)
            raise
        self._file = file

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._n_bytes, self._head = -1, 0, None

    def _header(self, served: Served) -> bytes:
        names, dates = served.schema.names, _dates(served.schema)
        number = self.numbers.get((served.name, served.version))
        return _encode(["model", served.name, served.version, number, names, dates]) + b"\n"


def new_ids(n: int, moment: float) -> list[str]:
    """Return ids of 32 hexadecimal digits that sort by time, as UUID version 7 does.

    >>> one, other = new_ids(2, 1_000.0)
    >>> one[:12], len(other), one != other
    ('0000000f4240', 32, True)
    """
    head, chance = f"{int(moment * 1000):012x}", os.urandom(10 * n).hex()
    return [head + chance[start : start + 20] for start in range(0, 20 * n, 20)]


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with dates as microseconds since 1970: not every one of them is a date of Python's."""
    return frame.with_columns(pl.col(pl.Datetime("us")).to_physical())


def _dates(schema: Schema) -> list[int]:
    """Return the places of columns that are kept as microseconds since 1970."""
    return [place for place, column in enumerate(schema.columns) if column.kind is Kind.DATE]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # brought away a moment ago
        return 0
