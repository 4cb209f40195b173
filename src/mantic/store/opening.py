"""What happens before a store can be used: it is made, recognised, checked, and brought up to date."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from mantic.core.errors import StoreError
from mantic.core.files import write_atomic
from mantic.store import migration
from mantic.store.blobs import Blobs
from mantic.store.database import Database
from mantic.store.engine import FILE, MARK, lock_registry
from mantic.store.owner import claim
from mantic.store.tables import REVISION
from mantic.store.value import now


def make_folder(folder: Path) -> None:
    """Make the folder of an embedded store and its empty database, for this user only.

    Raises
    ------
    StoreError : if that cannot be done.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(
            f"a store cannot be made here: {error.strerror or error}",
            where=str(folder),
            fix="set store.url to a folder that can be written, for instance MANTIC_STORE_URL=~/mantic",
        ) from error


def prepare(database: Database, blobs: Blobs) -> None:
    """Make the tables, or bring them up to date; what is as it should be is left alone.

    Raises
    ------
    StoreError : if the database is another program's, damaged, or a newer mantic's, or its models are another store's.
    """
    with database.reading() as connection:
        _check_ours(connection, database)
        reached = migration.found(connection)
    migration.check_known(reached, str(database.address))
    if reached == REVISION:
        return
    if not reached and next(blobs.listed(), None) is not None:
        raise StoreError(
            "the store's database is empty, though there are models beside it: it was cut off or replaced",
            where=str(database.address),
            fix="restore a backup into a new folder: mantic restore FILE --to FOLDER",
        )
    with database.writing() as connection:
        lock_registry(connection)
        reached = migration.found(connection)  # another process may have been faster
        if reached != REVISION:
            if reached and database.address.folder:
                _copy(database.address.folder, reached)
            migration.upgrade(connection)
            mark(connection)
    if reached:  # a store from before there were owners; a new one claims its place with its first model
        with database.reading() as connection:
            claim(connection, blobs)


def mark(connection: Connection) -> None:
    """Say that a SQLite database is ours."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA application_id={MARK}")


def _check_ours(connection: Connection, database: Database) -> None:
    if connection.dialect.name != "sqlite":
        return
    found = connection.exec_driver_sql("PRAGMA application_id").scalar()
    is_new = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0
    if found != MARK and not is_new:
        raise StoreError(
            "this is a database of something else", where=str(database.address), fix="choose another folder"
        )


def _copy(folder: Path, reached: str) -> None:
    """Keep the database as it was before it is changed."""
    stamp = now()[:19].replace(":", "")
    with (
        write_atomic(folder / f"before-{reached}-{stamp}.sqlite", mode=0o600) as part,
        closing(sqlite3.connect(folder / FILE)) as source,
        closing(sqlite3.connect(part)) as target,
    ):
        source.backup(target)
