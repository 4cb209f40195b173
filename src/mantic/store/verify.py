"""Look at everything that a store holds, byte by byte, and name every fault."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from mantic.core.errors import StoreError
from mantic.store.blobs import Blobs, fetched
from mantic.store.database import Database
from mantic.store.dump import faults, open_dump
from mantic.store.tables import ALIAS, METADATA, VERSION
from mantic.store.value import unpack

_JSON = ("facts", "detail", "row", "answer", "truth")  # columns that hold JSON


@dataclass(frozen=True)
class Verified:
    """What was looked at, and what is wrong; `garbage` are blobs that nothing points at, which is no fault."""

    n_rows: int
    n_blobs: int
    faults: tuple[str, ...]
    garbage: tuple[str, ...] = ()


def verify(database: Database, blobs: Blobs) -> Verified:
    """Check the database, every row, and every blob of a store.

    >>> Verified(0, 0, ()).faults
    ()
    """
    found: list[str] = []
    n_rows = 0
    with database.reading() as connection:
        found += _database_faults(connection)
        if found:  # a damaged database gives no rows to rely on
            return Verified(0, 0, tuple(found))
        n_rows = count_rows(connection, found)
        found += _alias_faults(connection)
        query = select(VERSION.c.name, VERSION.c.number, VERSION.c.sha256, VERSION.c.n_bytes)
        alive = connection.execute(query.where(VERSION.c.deleted.is_(None))).all()
    owners: dict[str, list[str]] = {}
    for row in alive:
        owners.setdefault(row.sha256, []).append(f"{row.name}/{row.number}")
        if blobs.size(row.sha256) not in (row.n_bytes, None):
            found.append(f"{row.name}/{row.number}: its content has another length than it had")
    for sha256, names in owners.items():
        found += _blob_faults(blobs, sha256, ", ".join(names[:5]))
    garbage = tuple(name for name, _ in blobs.listed() if name not in owners)
    return Verified(n_rows, len(owners), tuple(found), garbage)


def verify_backup(path: str | Path) -> Verified:
    """Check every byte of a backup.

    Raises
    ------
    StoreError : if the file is no backup at all.
    """
    with open_dump(Path(path)) as dump:
        return Verified(sum(dump.n_rows.values()), len(dump.blobs), tuple(faults(dump)))


def _database_faults(connection: Connection) -> Iterator[str]:
    if connection.dialect.name != "sqlite":
        return  # PostgreSQL checks its own pages when it was set up to; keys are checked with every write
    for (said,) in connection.exec_driver_sql("PRAGMA integrity_check(20)").all():
        if said != "ok":
            yield f"database: {said}"
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        yield f"database: a row of '{row[0]}' points to nothing in '{row[2]}'"


def count_rows(connection: Connection, found: list[str]) -> int:
    """Return how many rows there are; every fact in them is read."""
    n_rows = 0
    for table in METADATA.sorted_tables:
        names = [name for name in _JSON if name in table.c]
        keys = [*table.primary_key.columns]
        query = select(*keys, *(table.c[name] for name in names)).execution_options(yield_per=1000)
        for row in connection.execute(query):
            n_rows += 1
            for place, name in enumerate(names, start=len(keys)):
                try:
                    unpack(row[place])
                except (ValueError, TypeError) as error:
                    key = "/".join(str(value) for value in row[: len(keys)])
                    found.append(f"{table.name} {key}: '{name}' cannot be read ({error})")
    return n_rows


def _alias_faults(connection: Connection) -> Iterator[str]:
    joined = (VERSION.c.name == ALIAS.c.name) & (VERSION.c.number == ALIAS.c.number)
    query = select(ALIAS.c.name, ALIAS.c.alias, ALIAS.c.number).outerjoin(VERSION, joined)
    for row in connection.execute(query.where(VERSION.c.name.is_(None) | VERSION.c.deleted.is_not(None))):
        yield f"{row.name}@{row.alias} points to {row.name}/{row.number}, which is not there"


def _blob_faults(blobs: Blobs, sha256: str, owners: str) -> Iterator[str]:
    try:
        with fetched(blobs, sha256):
            pass
    except StoreError as error:
        yield f"{owners}: {error.what} ({error.where})"
