"""What every part of a profile looks at: the table as it came, as it is understood, and a sample of it."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from mantic.core.schema import Column, Kind, Schema
from mantic.report.blocks import Alert

SAMPLE_ROWS = 50_000


@dataclass(frozen=True)
class View:
    """A table under inspection.

    Parameters
    ----------
    frame : as it was read.
    schema : what its columns mean.
    table : `schema.align(frame)`.
    sample : rows of `table`, at most `SAMPLE_ROWS`, evenly spread; for what need not be exact.
    target : name of the column to be predicted, or None.
    """

    frame: pl.DataFrame
    schema: Schema
    table: pl.DataFrame
    sample: pl.DataFrame
    target: str | None = None

    @property
    def n_rows(self) -> int:
        """Return the number of rows."""
        return self.frame.height

    @property
    def is_sampled(self) -> bool:
        """Whether the sample is less than the table."""
        return self.sample.height < self.n_rows

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Return the columns by name."""
        return {column.name: column for column in self.schema.columns}

    def of_kind(self, *kinds: Kind) -> list[Column]:
        """Return the columns of these kinds, in order."""
        return [column for column in self.schema.columns if column.kind in kinds]


def spread(frame: pl.DataFrame, n_rows: int = SAMPLE_ROWS) -> pl.DataFrame:
    """Return at most so many rows, evenly spread over the table and in its order.

    >>> spread(pl.DataFrame({"a": range(10)}), 3)["a"].to_list()
    [0, 3, 6]
    """
    if frame.height <= n_rows:
        return frame
    step = frame.height / n_rows
    return frame[[int(at * step) for at in range(n_rows)]]


def percent(share: float) -> str:
    """Return a share for people.

    >>> percent(0.25), percent(0.0004), percent(0.9999)
    ('25 %', '< 0.1 %', '> 99.9 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.3g} %"


def listed(names: list[str], most: int = 6) -> str:
    """Return names for a sentence.

    >>> listed(["a", "b", "c"], 2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


Problems = list[Alert]
