"""Engines: SQLite set so that what was committed stays, PostgreSQL in a schema of its own."""

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError

from mantic.core.errors import SettingsError
from mantic.core.lazy import need
from mantic.store.address import Address

FILE = "store.sqlite"
MARK = 0x6D6E7473  # "mnts": says that a database is a store of ours
WAIT_SECONDS = 30  # for other writers: SQLite has no queue, and who looks at the wrong moment waits on

_PRAGMAS = (
    "PRAGMA auto_vacuum=INCREMENTAL",  # of a new file: it gets smaller when rows go
    "PRAGMA trusted_schema=OFF",
    f"PRAGMA busy_timeout={WAIT_SECONDS * 1000}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # in WAL the default would lose the last commits with the power
)


def make_engine(address: Address) -> Engine:
    """Return the engine of a store; nothing is connected yet."""
    return _sqlite(address) if address.folder else _postgresql(address)


def lock_registry(connection: Connection) -> None:
    """Let one transaction at a time move versions and aliases; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MARK}, hashtext(current_schema()))")


def _sqlite(address: Address) -> Engine:
    assert address.folder is not None
    url = URL.create("sqlite", database=str(address.folder / FILE))  # as text, "?" and "%" in it would mean something
    engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # BEGIN is ours, below: Python's own would come too late for a writer
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_writer = connection.get_execution_options().get("is_writer")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


def _postgresql(address: Address) -> Engine:
    need("psycopg", why="a store on PostgreSQL")
    try:
        engine = create_engine(address.server, pool_pre_ping=True)
    except (ArgumentError, ValueError) as error:
        raise SettingsError(
            "this is no address of a database", where="store.url", fix="write postgresql://user@host/database"
        ) from error

    @event.listens_for(engine, "connect", insert=True)  # before SQLAlchemy asks which schema is in use
    def prepare(connection: Any, _: object) -> None:
        was, connection.autocommit = connection.autocommit, True
        if not connection.execute("SELECT to_regnamespace(%s)", (address.schema,)).fetchone()[0]:
            connection.execute("SELECT pg_advisory_lock(%s)", (MARK,))
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {address.schema}")
            connection.execute("SELECT pg_advisory_unlock(%s)", (MARK,))
        connection.execute(f"SET search_path TO {address.schema}")
        connection.execute(f"SET lock_timeout TO {WAIT_SECONDS * 1000}")
        connection.autocommit = was

    return engine
