"""Reads the files of a prediction log and brings them into a store, each row once."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from mantic.serve.log import ENDING
from mantic.store.predictions import Prediction
from mantic.store.store import Store

_MOST_ROWS = 2_000  # of one transaction, about
_DAMAGE = (ValueError, TypeError, KeyError, IndexError)


@dataclass
class _File:
    """How far a file is: the lines before `at` are in the store."""

    at: int = 0
    head: list[Any] = field(default_factory=list)  # what the last line about a model said


class LogReader:
    """Follows the files of one server, and those that nobody writes any more: their servers were killed.

    What it has brought away and meets again, after a crash of its own or of another reader, is kept once.

    Parameters
    ----------
    server : process id of the server; its files are read while it writes them.

    Attributes
    ----------
    n_damaged : lines that could not be read.
    """

    def __init__(self, folder: Path, *, server: int) -> None:
        self.folder = folder
        self.n_damaged = 0
        self._mine = f"-{server}{ENDING}"
        self._files: dict[Path, _File] = {}

    def bring(self, store: Store) -> int:
        """Bring some rows into the store; return how many.

        Raises
        ------
        StoreError : if they cannot be kept. They are brought again next time.
        """
        n_rows = 0
        for path in sorted(self.folder.glob(f"*{ENDING}")):
            with suppress(FileNotFoundError):  # another reader has brought it away
                n_rows += self._bring_file(path, store)
            if n_rows >= _MOST_ROWS:
                break
        return n_rows

    def _bring_file(self, path: Path, store: Store) -> int:
        n_rows = 0
        with path.open("rb") as opened:
            is_over = _is_let_go(opened)  # asked before it is read: nothing comes after
            if not is_over and not path.name.endswith(self._mine):
                return 0
            file = self._files.setdefault(path, _File())
            while found := self._some(file, opened):
                rows, end = found
                n_rows += store.predictions.absorb(rows)
                file.at = end
            if is_over:
                path.unlink(missing_ok=True)
                del self._files[path]
        return n_rows

    def _some(self, file: _File, opened: IO[bytes]) -> tuple[list[Prediction], int] | None:
        """Return the rows of the next lines, and where they end; None where there is no whole line."""
        opened.seek(file.at)
        rows: list[Prediction] = []
        end = file.at
        while len(rows) < _MOST_ROWS and (line := opened.readline()).endswith(b"\n"):
            end += len(line)
            try:
                rows += self._read(file, json.loads(line))
            except _DAMAGE:
                self.n_damaged += 1
        return None if end == file.at else (rows, end)

    def _read(self, file: _File, line: Any) -> list[Prediction]:
        if line[0] == "model":
            file.head = line
            return []
        return list(_predictions(file.head, line))


def _is_let_go(opened: IO[bytes]) -> bool:
    """Whether the server that wrote a file has ended, or gone on to another file."""
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _predictions(head: list[Any], line: list[Any]) -> Iterator[Prediction]:
    _, name, version, number, columns, dates = head
    _, moment, ids, rows, answers = line
    at = datetime.fromtimestamp(moment, UTC).isoformat()
    for identity, values, answer in zip(ids, rows, answers, strict=True):
        for place in dates:
            values[place] = _day(values[place])
        row = dict(zip(columns, values, strict=True))
        yield Prediction(name, number, row, {**answer, "version": version}, identity, at)


def _day(value: Any) -> Any:
    """Return a moment that was kept as microseconds since 1970 as people write it."""
    if not isinstance(value, int):
        return value
    return datetime.fromtimestamp(value / 1e6, UTC).replace(tzinfo=None).isoformat()
