"""Restore a backup into an empty place; it becomes visible as a whole, or not at all."""

import shutil
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, inspect, select, text

from mantic.core.errors import StoreError
from mantic.core.files import names_to_disk
from mantic.store import migration
from mantic.store.address import Address, where
from mantic.store.audit import note_deed
from mantic.store.blobs import Blobs, open_blobs
from mantic.store.database import Database
from mantic.store.dump import STEP, Dump, damaged, faults, open_dump
from mantic.store.engine import lock_registry
from mantic.store.opening import make_folder, mark
from mantic.store.owner import claim
from mantic.store.tables import COUNTED, METADATA, STORE
from mantic.store.value import author
from mantic.store.verify import count_rows

_AT_ONCE = 500  # rows


def restore(path: str | Path, url: str | Path = "", *, blobs: str | Path = "", by: str | None = None) -> str:
    """Restore a backup to where no store is yet; return that place.

    Parameters
    ----------
    path : what `back_up` wrote.
    url, blobs : as for `open_store`; the folder must be empty or absent, the tables on a server too.

    Raises
    ------
    StoreError : if the backup is damaged (names every fault), or there is something in the place already.
    """
    address = where(str(url), str(blobs))
    with open_dump(Path(path)) as dump:
        migration.check_known(dump.revision, str(path))
        if found := faults(dump):
            raise damaged(Path(path), "; ".join(found[:10]))
        fill = _into_folder if address.folder else _into_server
        fill(dump, address, author(by))
    database = Database(address)
    try:
        with database.reading() as connection:
            claim(connection, open_blobs(address.blobs))  # at the end: what failed before leaves the place to a retry
    finally:
        database.close()
    return str(address)


def _into_folder(dump: Dump, address: Address, by: str) -> None:
    folder = address.folder
    assert folder is not None
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise _taken(str(address), "give a folder that is empty or not there yet: mantic restore FILE --to FOLDER")
    is_inside = Path(address.blobs).is_relative_to(folder)
    if not is_inside:
        _check_blobs(dump, address)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder if folder.is_mount() else folder.parent))
        try:
            inner = str(made / Path(address.blobs).relative_to(folder)) if is_inside else address.blobs
            make_folder(made)
            _fill(dump, Address(made, "", "", inner), by)
            _put_in_place(made, folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        what = f"the store cannot be restored here: {error.strerror or error}"
        raise StoreError(what, where=str(folder), fix="choose a folder that can be written and has room") from error


def _put_in_place(made: Path, folder: Path) -> None:
    """Give a folder its name; where a mount point has it, which cannot be replaced, its entries move into that."""
    if made.parent == folder:
        for entry in sorted(made.iterdir()):  # the database is the last
            entry.rename(folder / entry.name)
        made.rmdir()
    else:
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    names_to_disk(made.parent)


def _into_server(dump: Dump, address: Address, by: str) -> None:
    _check_blobs(dump, address)
    _fill(dump, address, by)


def _fill(dump: Dump, address: Address, by: str) -> None:
    """Bring blobs, then rows; the rows become visible with the end of one transaction."""
    database, blobs = Database(address), open_blobs(address.blobs)
    try:
        with database.writing() as connection:
            lock_registry(connection)
            if migration.found(connection):
                _check_rows_empty(connection, str(address))
            for sha256 in dump.blobs:
                _bring(dump, sha256, blobs)
            _insert(dump, connection)
            unread: list[str] = []
            count_rows(connection, unread)
            if unread:
                raise damaged(dump.path, "; ".join(unread[:10]))
            detail = {"backup_of": dump.at, "n_rows": sum(dump.n_rows.values()), "n_blobs": len(dump.blobs)}
            note_deed(connection, "restore", "store", by=by, detail=detail)
            mark(connection)
    finally:
        database.close()


def _bring(dump: Dump, sha256: str, blobs: Blobs) -> None:
    with tempfile.TemporaryDirectory(prefix="mantic-restore-") as folder:
        target = Path(folder) / sha256
        with dump.archive.open(f"blobs/{sha256}") as source, target.open("wb") as out:
            shutil.copyfileobj(source, out, STEP)
        blobs.put(sha256, target)


def _insert(dump: Dump, connection: Connection) -> None:
    if not migration.found(connection):
        migration.upgrade(connection, dump.revision)
    then = MetaData()
    then.reflect(connection)  # the tables as they were when the backup was made
    for table in then.sorted_tables:
        if f"rows/{table.name}.jsonl" not in dump.members:
            continue
        rows = dump.rows(table.name)
        while part := list(islice(rows, _AT_ONCE)):
            _check_columns(dump, table, part)
            try:
                connection.execute(table.insert(), part)
            except (OverflowError, ValueError, TypeError) as error:  # values that no database holds
                raise damaged(dump.path, f"a row of '{table.name}' cannot be kept ({error})") from error
    if connection.dialect.name == "postgresql":
        for table in COUNTED:  # what the database counts up by itself goes on behind what was brought
            count = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"
            connection.execute(text(f"{count} HAVING max(id) IS NOT NULL"))
    migration.upgrade(connection)


def _check_columns(dump: Dump, table: Table, rows: list[dict[str, Any]]) -> None:
    if any(row.keys() != set(table.columns.keys()) for row in rows):
        raise damaged(dump.path, f"a row of '{table.name}' has other columns than the table")


def _check_rows_empty(connection: Connection, place: str) -> None:
    there = set(inspect(connection).get_table_names()) - {STORE.name}  # every store has an id
    for table in METADATA.sorted_tables:
        if table.name in there and connection.execute(select(table).limit(1)).first() is not None:
            raise _taken(place, "give another database, or another ?schema=NAME")


def _check_blobs(dump: Dump, address: Address) -> None:
    """Refuse a place with blobs in it, unless they are all of this backup: left by a restore that came to no end."""
    blobs, ours = open_blobs(address.blobs), set(dump.blobs)
    if blobs.owner() or any(name.lstrip(".")[:64] not in ours for name, _ in blobs.listed()):
        raise _taken(address.blobs, "give another place for the blobs: no two stores may share one")


def _taken(place: str, fix: str) -> StoreError:
    return StoreError(
        "there is something here already; a backup is only restored into an empty place", where=place, fix=fix
    )
