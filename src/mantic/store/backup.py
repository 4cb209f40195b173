"""Back a store up while it is in use."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from mantic.core.errors import StoreError
from mantic.core.files import write_atomic
from mantic.store.blobs import Blobs, fetched
from mantic.store.database import Database
from mantic.store.dump import Writer, damaged, faults, open_dump
from mantic.store.tables import METADATA, PASSING, REVISION, VERSION
from mantic.store.value import now


@dataclass(frozen=True)
class Backup:
    """A backup that was written and read again."""

    path: Path
    n_rows: int
    n_blobs: int
    n_bytes: int


def back_up(database: Database, blobs: Blobs, path: str | Path) -> Backup:
    """Write everything that a store holds at this moment to one file, atomically.

    Writers go on meanwhile. The file is read again from end to end before it gets its name.

    Raises
    ------
    StoreError : if a blob is gone or damaged, or the file cannot be written.
    """
    path = Path(path)
    try:
        with write_atomic(path, mode=0o600) as part:
            counts, n_blobs = _write(database, blobs, part)
            with open_dump(part) as dump:
                if found := faults(dump):
                    raise damaged(path, "; ".join(found[:10]))
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(
            f"the backup cannot be written: {error.strerror or error}",
            where=str(path),
            fix="choose a folder that can be written and has room",
        ) from error
    return Backup(path, sum(counts.values()), n_blobs, path.stat().st_size)


def _write(database: Database, blobs: Blobs, part: Path) -> tuple[dict[str, int], int]:
    with (
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive,
        database.reading() as connection,  # one moment for all tables
    ):
        writer = Writer(archive)
        kept = [table for table in METADATA.sorted_tables if table not in PASSING]
        counts = {table.name: writer.rows(table.name, _rows(connection, table)) for table in kept}
        query = select(VERSION.c.sha256).where(VERSION.c.deleted.is_(None)).distinct()
        wanted = sorted(connection.execute(query).scalars())
        for sha256 in wanted:
            with fetched(blobs, sha256) as file:
                writer.blob(sha256, file)
        writer.manifest({"revision": REVISION, "at": now(), "n_rows": counts})
    return counts, len(wanted)


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    query = select(table).order_by(*table.primary_key.columns)
    answer = connection.execution_options(yield_per=1000).execute(query)
    for row in answer.mappings():
        yield dict(row)
