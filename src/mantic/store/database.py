"""Transactions on a store's database, and its complaints in our own words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from mantic.core.errors import StoreError
from mantic.store.address import Address
from mantic.store.engine import lock_registry, make_engine

# what a database says -> what that means, and what to do
_COMPLAINTS = (
    (r"locked|deadlock|lock timeout", "another process keeps the store busy", "try again"),
    (r"disk is full|No space left|disk full", "the disk is full", "make room, then try again; nothing was half kept"),
    (r"disk I/O error|could not (extend|write)", "the disk cannot be written", "check the disk, then 'mantic verify'"),
    (r"readonly|read-only|permission denied", "the store cannot be written", "check the rights of its folder"),
    (r"malformed|not a database|file is encrypted", "the store's database is damaged", "restore a backup into a new "
     "folder: mantic restore FILE --to FOLDER"),
    (r"unable to open database", "the store cannot be opened", "check the rights of its folder"),
    (r"append-only", "the audit only grows", "leave its rows as they are"),
    (r"connection|server closed|could not translate|authentication|does not exist|timeout expired",
     "the server cannot be reached", "check host, port, user, password and name of the database"),
)  # fmt: skip


class Database:
    """The rows of a store.

    Every block is one transaction: it is kept as a whole when the block ends, or not at all.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.engine = make_engine(address)
        self._writer = self.engine.execution_options(is_writer=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a block that sees the rows of one moment."""
        with self._told(), self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a block that adds rows."""
        with self._told(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def moving(self) -> Iterator[Connection]:
        """Open a block that moves versions and aliases: there is one at a time."""
        with self.writing() as connection:
            lock_registry(connection)
            yield connection

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise self.complaint(error) from error

    def complaint(self, error: SQLAlchemyError) -> StoreError:
        """Return what the database says as an error of ours."""
        said = str(error.orig if isinstance(error, DBAPIError) else error).strip().partition("\n")[0]
        for pattern, what, fix in _COMPLAINTS:
            if re.search(pattern, said):
                return StoreError(f"{what} ({said})", where=str(self.address), fix=fix)
        return StoreError(f"the database says: {said}", where=str(self.address), fix="'mantic verify' looks for damage")
