"""Databases: PostgreSQL, MySQL and SQLite by SQLAlchemy."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl

from mantic.core.errors import SourceError
from mantic.core.lazy import need
from mantic.core.run import Run
from mantic.core.source import source
from mantic.sources.frames import check_names
from mantic.sources.values import from_values

_DRIVERS = {"postgresql": ("postgresql+psycopg", "psycopg"), "mysql": ("mysql+pymysql", "pymysql")}
_FIX = "end the address with ?table=NAME or ?query=SELECT ..."
_STEP = 50_000


@source("sql")
def read_sql(address: str, run: Run) -> pl.DataFrame:
    """Read a table or what a query answers: `sqlite:///sales.db?table=orders`, `postgresql://host/db?query=SELECT ...`.

    The query comes last in the address and may be written as it is; one without spaces is read as an address is written
    (%20 for a space). Nothing is ever committed.

    Raises
    ------
    SourceError : if the database, table or column is not there, or the query gives no rows. Passwords are not shown.
    """
    url, table, query = _split(address)
    sqlalchemy = need("sqlalchemy", why="reading databases")
    where = _masked(sqlalchemy, url)
    if not table and not query:
        raise SourceError("the address names no table and no query", where=where, fix=_FIX)
    try:
        engine = sqlalchemy.create_engine(_with_driver(url))
    except sqlalchemy.exc.ArgumentError as error:
        raise SourceError(
            "this is no address of a database", where=where, fix=f"write sqlite:///file.db; {_FIX}"
        ) from error
    _check_file(engine.url, where)
    try:
        with engine.connect() as connection:
            statement = (
                sqlalchemy.text(query.replace(":", r"\:"))
                if query
                else _whole_table(sqlalchemy, connection, table, where)
            )
            answer = connection.execution_options(stream_results=True).execute(statement)
            return _frame(answer, where)
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise SourceError(
            f"the database says: {reason}", where=where, fix=_FIX if query else "check host, user and name"
        ) from error
    finally:
        engine.dispose()


def _split(address: str) -> tuple[str, str, str]:
    """Return (address of the database, table, query); options of the driver stay in the address."""
    base, _, options = address.partition("?")
    before, _, query = f"&{options}".partition("&query=")
    kept, table = [], ""
    for option in before.split("&"):
        name, _, value = option.partition("=")
        if name == "table":
            table = unquote(value)
        elif option:
            kept.append(option)
    is_plain = len(query.split()) > 1  # then a % is the query's own: LIKE '%25%'
    return base + (f"?{'&'.join(kept)}" if kept else ""), table, query if is_plain else unquote(query)


def _with_driver(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme not in _DRIVERS:
        return url
    driver, package = _DRIVERS[scheme]
    need(package, why=f"reading {scheme}://")
    return f"{driver}://{rest}"


def _masked(sqlalchemy: Any, url: str) -> str:
    try:
        return str(sqlalchemy.make_url(url).render_as_string(hide_password=True))
    except sqlalchemy.exc.ArgumentError:
        return url.partition("://")[0] + "://..."


def _check_file(url: Any, where: str) -> None:
    """Refuse a SQLite file that is not there: SQLite would make an empty one."""
    if url.get_backend_name() != "sqlite":
        return
    path = Path(url.database or "")
    if not path.is_file():
        raise SourceError(
            "there is no such database file", where=where, fix="sqlite:/// stands before a path, then ?table=NAME"
        )
    with path.open("rb") as file:
        if file.read(15) not in (b"SQLite format 3", b""):
            raise SourceError("the file is no SQLite database", where=where, fix="give the path of a SQLite file")


def _whole_table(sqlalchemy: Any, connection: Any, name: str, where: str) -> Any:
    inspector = sqlalchemy.inspect(connection)
    schema, _, plain = name.rpartition(".")
    known = [*inspector.get_table_names(), *inspector.get_view_names()]
    if name in known:
        schema, plain = "", name
    elif not schema or plain not in [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]:
        shown = ", ".join(sorted(known)) or "none"
        raise SourceError(f"there is no table '{name}'", where=where, fix=f"known are: {shown}")
    quoted = sqlalchemy.sql.quoted_name(plain, quote=True)
    table = sqlalchemy.table(quoted, schema=sqlalchemy.sql.quoted_name(schema, quote=True) if schema else None)
    return sqlalchemy.select(sqlalchemy.text("*")).select_from(table)


def _frame(answer: Any, where: str) -> pl.DataFrame:
    if not answer.returns_rows:
        raise SourceError("the query gives no rows to read", where=where, fix="write a SELECT")
    names = [str(name) for name in answer.keys()]  # noqa: SIM118  (no dictionary)
    check_names(names, where=where)
    columns: list[list[Any]] = [[] for _ in names]
    for rows in answer.partitions(_STEP):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    if not columns or not columns[0]:
        raise SourceError("the query or table gives no rows", where=where, fix="check its conditions")
    return pl.DataFrame(
        [
            from_values(name, [None if value == "" else value for value in column])
            for name, column in zip(names, columns, strict=True)
        ]
    )
