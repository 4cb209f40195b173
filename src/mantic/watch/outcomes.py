"""How predictions turned out, from a table that somebody brings."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mantic.core.errors import SchemaError
from mantic.core.run import Run
from mantic.sources.pieces import pieces

if TYPE_CHECKING:
    import polars as pl

    from mantic.store.store import Store


def keep_outcomes(
    store: "Store", address: str, run: Run, *, id_column: str, value_column: str, by: str | None = None
) -> int:
    """Keep what was true, piece by piece; rows without an id or a value are left out. Return how many were kept.

    Parameters
    ----------
    address : of the table, as `mantic.read` takes it.
    id_column, value_column : hold the id of the prediction, and what was true.
    by : who says so; this process's user when absent.

    Raises
    ------
    SchemaError : if a column is not there. SourceError : if the table cannot be read.
    """
    n_kept = 0
    for known in outcome_pieces(address, run, id_column=id_column, value_column=value_column):
        ids = map(str, known[id_column])
        n_kept += store.outcomes.add(dict(zip(ids, known[value_column], strict=True)), by=by)
    return n_kept


def outcome_pieces(address: str, run: Run, *, id_column: str, value_column: str) -> "Iterator[pl.DataFrame]":
    """Yield the two columns of a table, piece by piece, without rows that lack one; raises as `keep_outcomes` does."""
    for piece in pieces(address, run):
        known = piece.frame
        if missing := [name for name in (id_column, value_column) if name not in known.columns]:
            there = ", ".join(f"'{name}'" for name in known.columns[:10])
            raise SchemaError(
                f"there is no column '{missing[0]}'",
                where="the table of outcomes",
                fix=f"name one of those there: {there}",
            )
        yield known.select(id_column, value_column).drop_nulls()
