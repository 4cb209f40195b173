"""Remove old predictions some at a time, so that nobody who writes waits for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from mantic.store.audit import note_deed
from mantic.store.database import Database
from mantic.store.tables import OUTCOME, PREDICTION

_AT_ONCE = 2_000  # rows of one transaction: some 20 ms
_PAGES = 2_000  # of a SQLite file, given back in one transaction
_WORDS = 500  # SQLite allows so many in one question
_INCREMENTAL = 2  # SQLite's word for a file that can be cut off by and by


@dataclass(frozen=True)
class Pruning:
    """What is to be removed.

    Parameters
    ----------
    before : the moment (as the store writes them) from which on predictions stay.
    keeps_outcomes : whether those stay whose outcome is known; else their outcomes go with them.
    by : who wants it.
    """

    before: str
    keeps_outcomes: bool
    by: str


def prune(database: Database, wanted: Pruning) -> Iterator[int]:
    """Remove them; yield after each transaction how many went in it. What is not asked for any more is left.

    The audit says what is wanted with the first that go, and at the end how many they were. A SQLite file becomes
    smaller at the end, by and by; PostgreSQL's autovacuum gives the room to new rows.
    """
    n_rows = 0
    for ids in _old(database, wanted.before):
        with database.writing() as connection:
            going = _without_outcome(connection, ids) if wanted.keeps_outcomes else ids
            n_gone = _remove(connection, going)
            if n_gone and not n_rows:
                detail = {"before": wanted.before, "keeps_outcomes": wanted.keeps_outcomes}
                note_deed(connection, "prune", "predictions", by=wanted.by, detail=detail)
        n_rows += n_gone
        yield n_gone
    if n_rows:
        with database.writing() as connection:
            note_deed(connection, "pruned", "predictions", by=wanted.by, detail={"n_rows": n_rows})
        yield from _give_back(database)


def free_bytes(database: Database) -> int:
    """Return how much of a SQLite file is free for new rows; 0 on PostgreSQL, which looks after that by itself."""
    with database.reading() as connection:
        if connection.dialect.name != "sqlite":
            return 0
        return _pragma(connection, "freelist_count") * _pragma(connection, "page_size")


def _old(database: Database, before: str) -> Iterator[list[str]]:
    """Yield the ids of predictions before a moment, model by model, oldest first."""
    name = ""
    while name := _name_after(database, name):
        at, last = "", ""
        while True:
            of_name = (PREDICTION.c.name == name) & (PREDICTION.c.at < before)
            behind = (PREDICTION.c.at > at) | ((PREDICTION.c.at == at) & (PREDICTION.c.id > last))
            query = select(PREDICTION.c.at, PREDICTION.c.id).where(of_name & (PREDICTION.c.at >= at) & behind)
            with database.reading() as connection:
                rows = connection.execute(query.order_by(PREDICTION.c.at, PREDICTION.c.id).limit(_AT_ONCE)).all()
            if not rows:
                break
            at, last = rows[-1]
            yield [identity for _, identity in rows]


def _name_after(database: Database, name: str) -> str:
    with database.reading() as connection:
        found = connection.execute(select(func.min(PREDICTION.c.name)).where(PREDICTION.c.name > name)).scalar()
    return found or ""


def _without_outcome(connection: Connection, ids: Sequence[str]) -> list[str]:
    known: set[str] = set()
    for start in range(0, len(ids), _WORDS):
        some = OUTCOME.c.prediction.in_(ids[start : start + _WORDS])
        known |= set(connection.execute(select(OUTCOME.c.prediction).where(some)).scalars())
    return [one for one in ids if one not in known]


def _remove(connection: Connection, ids: Sequence[str]) -> int:
    """Remove predictions with their outcomes; return how many were still there."""
    n_rows = 0
    for start in range(0, len(ids), _WORDS):
        some = ids[start : start + _WORDS]
        connection.execute(delete(OUTCOME).where(OUTCOME.c.prediction.in_(some)))
        n_rows += connection.execute(delete(PREDICTION).where(PREDICTION.c.id.in_(some))).rowcount
    return n_rows


def _give_back(database: Database) -> Iterator[int]:
    """Cut the free end off a SQLite file; one that was made before this was possible stays as long as it is."""
    with database.reading() as connection:
        if connection.dialect.name != "sqlite" or _pragma(connection, "auto_vacuum") != _INCREMENTAL:
            return
    free = 1
    while free:
        with database.writing() as connection:
            connection.exec_driver_sql(f"PRAGMA incremental_vacuum({_PAGES})").close()
            before, free = free, _pragma(connection, "freelist_count")
        if free == before:  # nothing more is to be had
            return
        yield 0


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
