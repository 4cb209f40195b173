"""Data sets: not the rows, but by what they can be known again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from mantic.core.errors import StoreError
from mantic.store.database import Database
from mantic.store.tables import DATASET
from mantic.store.value import now, pack, plain, unpack


@dataclass(frozen=True)
class Dataset:
    """A table that something was learned from; `at` is when it was first seen, counts are None when unknown."""

    fingerprint: str
    name: str
    at: str
    n_rows: int | None
    n_columns: int | None
    n_bytes: int | None
    facts: dict[str, Any]


class Datasets:
    """The data sets that a store knows.

    >>> import tempfile
    >>> from mantic.store.store import open_store
    >>> with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
    ...     store.datasets.add("sha256:1f0c", "june.csv", shape=(1000, 12)).n_rows
    1000
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        fingerprint: str,
        name: str,
        *,
        shape: tuple[int | None, int | None] = (None, None),
        n_bytes: int | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Dataset:
        """Put down a data set; one whose fingerprint is known stays as it was first seen.

        Parameters
        ----------
        fingerprint : a digest of its content, for instance the SHA-256 of its file.
        shape : rows and columns.
        """
        if not fingerprint:
            raise StoreError("the fingerprint is empty", where=name[:80], fix="give a digest of the data's content")
        counts = {"n_rows": shape[0], "n_columns": shape[1], "n_bytes": n_bytes}
        row = {"fingerprint": plain(fingerprint, "the fingerprint"), "name": plain(name, "the name"), **counts}
        with self._database.moving() as connection:
            query = select(DATASET).where(DATASET.c.fingerprint == fingerprint)
            if connection.execute(query).first() is None:
                connection.execute(insert(DATASET).values(at=now(), facts=pack(facts or {}), **row))
            return _dataset(connection.execute(query).one())

    def get(self, fingerprint: str) -> Dataset | None:
        """Return the data set of a fingerprint; None when it is not known."""
        with self._database.reading() as connection:
            row = connection.execute(select(DATASET).where(DATASET.c.fingerprint == fingerprint)).first()
        return None if row is None else _dataset(row)

    def list(self, *, limit: int = 100) -> list[Dataset]:
        """Return the data sets seen first most lately."""
        query = select(DATASET).order_by(DATASET.c.at.desc(), DATASET.c.fingerprint).limit(limit)
        with self._database.reading() as connection:
            return [_dataset(row) for row in connection.execute(query)]


def _dataset(row: Any) -> Dataset:
    counts = (row.n_rows, row.n_columns, row.n_bytes)
    return Dataset(row.fingerprint, row.name, row.at, *counts, unpack(row.facts))
