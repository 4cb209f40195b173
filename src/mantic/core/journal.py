"""What a long piece of work has finished, kept in one SQLite file: after a crash it goes on from there."""

import io
import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.errors import ArtifactError, SettingsError, StoreError
from mantic.core.strict_json import read_json
from mantic.core.table import Array

_MARK = 0x6D6E746A  # "mntj": says that a database is ours
_TABLES = """
CREATE TABLE about (facts TEXT NOT NULL);
CREATE TABLE done (number INTEGER PRIMARY KEY, seconds REAL NOT NULL, facts TEXT NOT NULL, arrays BLOB NOT NULL);
"""


@dataclass(frozen=True)
class Done:
    """Something finished: what it was, as plain JSON values, and its arrays."""

    facts: dict[str, Any]
    arrays: dict[str, Array]


class Journal:
    """An append-only file of finished pieces; each is safe on disk before the next begins.

    Nothing in the file is run or unpickled. While it is open no other process can open it.

    Parameters
    ----------
    path : the file; what is there is gone on with (`discard` begins anew), else it is made.
    started : when this sitting began, on `time.monotonic`; now by default.

    Attributes
    ----------
    n_done : how many pieces earlier sittings finished.
    spent : seconds of earlier sittings, up to the last piece that they finished.

    Raises
    ------
    StoreError : if another process has it open, or it cannot be written.
    ArtifactError : if the file is no journal, or is damaged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Journal(Path(folder) / "a.journal") as first:
    ...         first.begin({"seed": 0})
    ...         first.add({"trial": 1})
    ...     with Journal(Path(folder) / "a.journal") as again:
    ...         again.begin({"seed": 0})
    ...         [one.facts for one in again.done()]
    [{'trial': 1}]
    """

    def __init__(self, path: str | Path, *, started: float | None = None) -> None:
        self.path = Path(path)
        self.spent = 0.0
        self.n_done = 0
        self._started = time.monotonic() if started is None else started
        try:
            self._base = sqlite3.connect(self.path, timeout=0.2, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._unwritten(error) from error
        try:
            self._open()
        except sqlite3.OperationalError as error:
            self._base.close()
            raise self._unwritten(error) from error
        except sqlite3.DatabaseError as error:
            self._base.close()
            raise self._damaged(error) from error
        except ArtifactError:
            self._base.close()
            raise

    def _open(self) -> None:
        run = self._base.execute
        run("PRAGMA trusted_schema=OFF")
        run("PRAGMA locking_mode=EXCLUSIVE")
        run("BEGIN EXCLUSIVE")
        mark = run("PRAGMA application_id").fetchone()[0]
        is_new = mark == 0 and run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not is_new and mark != _MARK:
            raise self._damaged("it is a database of something else")
        if is_new:
            run(f"PRAGMA application_id={_MARK}")
            for statement in filter(str.strip, _TABLES.split(";")):
                run(statement)
        else:
            self.n_done, spent = run("SELECT count(*), max(seconds) FROM done").fetchone()
            self.spent = float(spent or 0.0)
        run("COMMIT")

    def done(self) -> list[Done]:
        """Return what earlier sittings finished, in order.

        Raises
        ------
        ArtifactError : if the journal is damaged.
        """
        rows = "SELECT facts, arrays FROM done ORDER BY number LIMIT ?"
        try:
            found = self._base.execute(rows, (self.n_done,)).fetchall()
            return [Done(_facts(facts), _arrays(arrays)) for facts, arrays in found]
        except (sqlite3.DatabaseError, ValueError, TypeError, OSError, EOFError, KeyError) as error:
            raise self._damaged(error) from error

    def begin(self, about: Mapping[str, Any]) -> None:
        """Say what the work is; what was done before must have been for the very same.

        Raises
        ------
        SettingsError : if it was not; names every difference.
        """
        kept = self._base.execute("SELECT facts FROM about").fetchone()
        if kept is None:
            self._base.execute("INSERT INTO about VALUES (?)", (_text(about),))
            return
        before, now = _facts(kept[0]), json.loads(_text(about))
        if differences := [
            f"{key} was {_brief(before.get(key))}, now {_brief(now.get(key))}"
            for key in sorted({*before, *now})
            if before.get(key) != now.get(key)
        ]:
            raise SettingsError(
                f"the unfinished fit was another one: {'; '.join(differences)}",
                where=str(self.path),
                fix="ask for the same again, or leave --resume out to begin anew",
            )

    def discard(self) -> None:
        """Forget what earlier sittings did."""
        self._base.execute("DELETE FROM about")
        self._base.execute("DELETE FROM done")
        self.n_done, self.spent = 0, 0.0

    def add(self, facts: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> None:
        """Put down a finished piece; it is on disk when this returns.

        Raises
        ------
        StoreError : if it cannot be written.
        """
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, **(arrays or {}))
        seconds = self.spent + time.monotonic() - self._started
        row = seconds, _text(facts), packed.getvalue()
        try:
            self._base.execute("INSERT INTO done (seconds, facts, arrays) VALUES (?, ?, ?)", row)
        except sqlite3.Error as error:
            raise self._unwritten(error) from error

    def close(self) -> None:
        """Let go of the file, and remove it if nothing is in it."""
        try:
            is_empty = self._base.execute("SELECT count(*) FROM done").fetchone()[0] == 0
        except sqlite3.ProgrammingError:  # closed already
            return
        self._base.close()
        if is_empty:
            self.path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the file: the work is complete."""
        self._base.close()
        self.path.unlink(missing_ok=True)

    def _unwritten(self, error: Exception) -> StoreError:
        if "locked" in str(error):
            what, fix = "another process is writing this journal", "wait for it, or stop it"
        else:
            what, fix = f"the journal cannot be written: {error}", "check the rights of the folder and the free space"
        return StoreError(what, where=str(self.path), fix=fix)

    def _damaged(self, why: object) -> ArtifactError:
        what = f"this is no journal of a fit, or it is damaged: {why}"
        return ArtifactError(what, where=str(self.path), fix="move it away; the fit then begins anew")

    def __enter__(self) -> Self:
        """Start; the file is let go of when the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        self.close()


def _text(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, default=lambda value: value.item())


def _brief(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _facts(text: str) -> dict[str, Any]:
    return dict(read_json(text))


def _arrays(packed: bytes) -> dict[str, Array]:
    with np.load(io.BytesIO(packed), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}
