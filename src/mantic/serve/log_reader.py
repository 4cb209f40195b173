"""Reads the files of a prediction log and brings them into a store, each row once."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from mantic.core.errors import StoreError
from mantic.serve.log import ENDING
from mantic.store.predictions import Prediction, packed
from mantic.store.store import Store

_MOST_ROWS = 2_000  # of one transaction, about
_EPOCH = datetime(1970, 1, 1)
_DAMAGE = (ValueError, TypeError, KeyError, IndexError)


@dataclass
class _Part:
    """Some lines of a file: their rows, and how far they lead.

    Parameters
    ----------
    at : where they end.
    head : what the last line about a model said.
    n_damaged : lines that could not be read, and rows that no store can keep.
    why : what was wrong with the last of these.
    """

    at: int = 0
    head: list[Any] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    n_damaged: int = 0
    why: str = ""


class LogReader:
    """Follows the files of one server, and those that nobody writes any more: their servers were killed.

    What it has brought away and meets again, after a crash of its own or of another reader, is kept once.

    Parameters
    ----------
    server : process id of the server; its files are read while it writes them.

    Attributes
    ----------
    n_damaged : lines that could not be read, and rows that no store can keep.
    why : what was wrong with the last of these.
    """

    def __init__(self, folder: Path, *, server: int) -> None:
        self.folder = folder
        self.n_damaged = 0
        self.why = ""
        self._mine = f"-{server}{ENDING}"
        self._files: dict[Path, _Part] = {}  # how far they are in the store

    def bring(self, store: Store) -> int:
        """Bring some rows into the store; return how many.

        Raises
        ------
        StoreError : if the database cannot keep them now. They are brought again next time.
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
            last = self._files.get(path, _Part())
            while (part := _read(last, opened)).at > last.at:
                n_rows += store.predictions.absorb(part.rows)
                self.n_damaged += part.n_damaged
                self.why = part.why or self.why
                last = self._files[path] = _Part(part.at, part.head)  # not before: else it would be read with this head
            if is_over:
                path.unlink(missing_ok=True)
                self._files.pop(path, None)
        return n_rows


def _read(last: _Part, opened: IO[bytes]) -> _Part:
    """Return the next lines behind a part; without any where there is no whole line."""
    opened.seek(last.at)
    part = _Part(last.at, last.head)
    while len(part.rows) < _MOST_ROWS and (line := opened.readline()).endswith(b"\n"):
        part.at += len(line)
        try:
            _take(part, json.loads(line))
        except _DAMAGE as error:
            part.n_damaged += 1
            part.why = f"a line of the log cannot be read ({error})"
    return part


def _take(part: _Part, line: Any) -> None:
    if line[0] == "model":
        part.head = line
        return
    for one in list(_predictions(part.head, line)):
        try:
            part.rows.append(packed(one))
        except StoreError as error:  # it would stop all that comes behind it, for ever
            part.n_damaged += 1
            part.why = error.what


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
    """Return a moment that was kept as microseconds since 1970 as people write it; as it is, where it has no year."""
    try:
        return (_EPOCH + timedelta(microseconds=value)).isoformat() if isinstance(value, int) else value
    except OverflowError:
        return value
