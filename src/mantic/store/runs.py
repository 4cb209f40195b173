"""Runs: pieces of work and their story, readable while they are told."""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from mantic.core.errors import AbsentError, StoreError
from mantic.core.process import is_there
from mantic.store.database import Database
from mantic.store.tables import EVENT, RUN
from mantic.store.value import moment, now, pack, plain, unpack

RUNNING, DONE, FAILED = "running", "done", "failed"
CUT_OFF = "cut off"  # how one stands whose process was killed
MOST = 10_000  # events that one reading gives


_ID = re.compile(r"[0-9a-f]{32}")


def new_run() -> str:
    """Return an id that no run has.

    >>> is_run(new_run()), is_run("../x")
    (True, False)
    """
    return uuid.uuid4().hex


def is_run(text: str) -> bool:
    """Whether a text may be the id of a run."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class KeptRun:
    """A run as it is kept; `ended` is None while it works, or when it was killed."""

    id: str
    name: str
    kind: str
    state: str
    started: str
    ended: str | None
    facts: dict[str, Any]

    @property
    def is_cut_off(self) -> bool:
        """Whether it has not ended, and the process that worked on it is gone: it was killed."""
        return self.state == RUNNING and is_there(self.facts) is False

    @property
    def standing(self) -> str:
        """Return how it stands, in words; "begun" where nobody can tell from here whether it is still worked on."""
        if self.state != RUNNING:
            return self.state
        where = f" on {self.facts['host']}" if self.facts.get("host") else ""
        return {True: RUNNING, False: CUT_OFF, None: f"begun{where}"}[is_there(self.facts)]


@dataclass(frozen=True)
class KeptEvent:
    """One event of a run; numbers count up from 1 without a gap."""

    number: int
    at: str
    kind: str
    facts: dict[str, Any]


class Runs:
    """The runs of a store.

    >>> import tempfile
    >>> from mantic.store.store import open_store
    >>> with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
    ...     run = store.runs.start("churn", "fit")
    ...     store.runs.append(run, [("measured", {"score": 0.31}), ("warned", {"text": "few rows"})])
    ...     store.runs.finish(run).state
    2
    'done'
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(
        self, name: str, kind: str, facts: Mapping[str, Any] | None = None, *, at: str | None = None, run: str = ""
    ) -> str:
        """Put down that a run begins; return its id.

        Parameters
        ----------
        at : when, if that moment has passed; now when absent.
        run : the id, as `new_run` makes them; a new one when empty.

        Raises
        ------
        StoreError : if there is a run of this id, or it is no id.
        """
        row = {"name": plain(name, "the name"), "kind": plain(kind, "the kind"), "facts": pack(facts or {})}
        identity = run or new_run()
        if not is_run(identity):
            raise StoreError(f"'{run[:40]}' is no id of a run", where="store", fix="give 32 of the digits 0-9, a-f")
        with self._database.writing() as connection:
            if connection.execute(select(RUN.c.id).where(RUN.c.id == identity)).first() is not None:
                raise StoreError("there is a run of this id already", where=identity, fix="leave the id out")
            connection.execute(insert(RUN).values(id=identity, state=RUNNING, started=moment(at), ended=None, **row))
        return identity

    def take_up(self, run: str, facts: Mapping[str, Any]) -> None:
        """Go on with a run whose process was killed; `facts` replace those of its start.

        Raises
        ------
        StoreError : if there is no such run, or it has ended.
        """
        with self._database.writing() as connection:
            _check_running(connection, run)
            connection.execute(update(RUN).where(RUN.c.id == run).values(facts=pack(facts)))

    def append(self, run: str, events: Iterable[tuple[str, Mapping[str, Any]]]) -> int:
        """Add events, each a kind and its facts, as a whole; return the number of the last one.

        Raises
        ------
        StoreError : if there is no such run, or it has ended.
        """
        packed = [(plain(kind, "the kind"), pack(facts)) for kind, facts in events]
        with self._database.writing() as connection:
            _check_running(connection, run)
            query = select(func.max(EVENT.c.number)).where(EVENT.c.run == run)
            last = int(connection.execute(query).scalar() or 0)
            rows = [
                {"run": run, "number": last + place, "at": now(), "kind": kind, "facts": facts}
                for place, (kind, facts) in enumerate(packed, start=1)
            ]
            if rows:
                connection.execute(insert(EVENT), rows)
        return last + len(packed)

    def finish(self, run: str, state: str = DONE, facts: Mapping[str, Any] | None = None) -> KeptRun:
        """Put down that a run ended, well or not; `facts` replace those of the start when given.

        Raises
        ------
        StoreError : if there is no such run, or it has ended.
        """
        if state not in (DONE, FAILED):
            raise StoreError(f"a run cannot end as '{state[:40]}'", where=run, fix=f"say {DONE} or {FAILED}")
        with self._database.writing() as connection:
            _check_running(connection, run)
            change = {"state": state, "ended": now()} | ({} if facts is None else {"facts": pack(facts)})
            connection.execute(update(RUN).where(RUN.c.id == run).values(change))
            return _run(connection, run)

    def get(self, run: str) -> KeptRun:
        """Return a run.

        Raises
        ------
        StoreError : if there is none of this id.
        """
        with self._database.reading() as connection:
            return _run(connection, run)

    def knows(self, run: str) -> bool:
        """Return whether there is a run of this id."""
        with self._database.reading() as connection:
            return connection.execute(select(RUN.c.id).where(RUN.c.id == run)).first() is not None

    def find(self, beginning: str) -> KeptRun:
        """Return the run whose id begins so.

        Raises
        ------
        StoreError : if there is none, or more than one.
        """
        query = select(RUN).where(RUN.c.id.startswith(beginning, autoescape=True)).limit(2)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        if len(rows) != 1 or not beginning:
            what = "several runs begin so" if rows else f"there is no run '{beginning[:40]}'"
            raise StoreError(what, where="store", fix="'mantic runs' lists them; give more of the id")
        return _kept(rows[0])

    def events(self, run: str, *, after: int = 0, limit: int = MOST) -> list[KeptEvent]:
        """Return the events of a run with a number above `after`, in order: how to follow one while it works."""
        query = select(EVENT).where(EVENT.c.run == run, EVENT.c.number > after).order_by(EVENT.c.number).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [KeptEvent(row.number, row.at, row.kind, unpack(row.facts)) for row in rows]

    def list(self, *, limit: int = 100) -> list[KeptRun]:
        """Return the latest runs, newest first."""
        query = select(RUN).order_by(RUN.c.started.desc(), RUN.c.id).limit(limit)
        with self._database.reading() as connection:
            return [_kept(row) for row in connection.execute(query)]


def _kept(row: Any) -> KeptRun:
    return KeptRun(row.id, row.name, row.kind, row.state, row.started, row.ended, unpack(row.facts))


def _run(connection: Connection, run: str) -> KeptRun:
    row = connection.execute(select(RUN).where(RUN.c.id == run)).first()
    if row is None:
        raise AbsentError(f"there is no run '{run[:40]}'", where="store", fix="store.runs.list() names those that are")
    return _kept(row)


def _check_running(connection: Connection, run: str) -> None:
    # On PostgreSQL the row is held until the transaction ends, so that two who append do not take one number twice.
    query = select(RUN.c.state).where(RUN.c.id == run).with_for_update()
    if connection.execute(query).scalar() != RUNNING:
        ended = _run(connection, run)
        raise StoreError("the run has ended", where=f"{ended.name} ({run})", fix="start a run of its own")
