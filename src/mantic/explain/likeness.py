"""How far two rows are apart, column by column: 0 is equal, 1 is as far as it goes."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from mantic.core.schema import Kind, Schema
from mantic.core.table import Array

_RANKED = (Kind.NUMBER, Kind.DATE)


@dataclass(frozen=True)
class Likeness:
    """Distances in the measure of some rows: for numbers and dates the share of these rows that lies between.

    Categories are equal or not; texts are as far apart as the share of their words that they do not have in common. A
    missing value is equal to a missing one and as far as it goes from any other.

    Source: Gower (1971), A General Coefficient of Similarity, with ranks for ranges: an outlier squeezes nothing.
    """

    schema: Schema
    sorted_values: dict[str, Array]

    @classmethod
    def of(cls, schema: Schema, background: pl.DataFrame) -> "Likeness":
        """Take the measure of these aligned rows."""
        ranked = [column.name for column in schema.columns if column.kind in _RANKED]
        return cls(schema, {name: np.sort(_places(background[name].drop_nulls())) for name in ranked})

    def rank(self, series: pl.Series) -> Array:
        """Return the share of rows below each value of a ranked column; NaN for missing."""
        known, places = self.sorted_values[series.name], _places(series)
        below = np.searchsorted(known, places, "left") + np.searchsorted(known, places, "right")
        return np.where(series.is_null().to_numpy(), np.nan, below / (2 * max(1, len(known))))

    def apart(self, column: str, one: pl.Series, others: pl.Series) -> Array:
        """Return how far one value is from each of the others; shape (n_others,).

        >>> from mantic.core.schema import Column
        >>> frame = pl.DataFrame({"age": [10.0, 20.0, 30.0, 40.0]})
        >>> likeness = Likeness.of(Schema((Column("age", Kind.NUMBER),)), frame)
        >>> likeness.apart("age", frame["age"][:1], frame["age"]).tolist()
        [0.0, 0.25, 0.5, 0.75]
        """
        kind = self.schema[column].kind
        if kind in _RANKED:
            gap = np.abs(self.rank(one.alias(column)) - self.rank(others.alias(column)))
            gap = np.where(_places(others) == _places(one), 0.0, gap)
        elif kind is Kind.TEXT:
            gap = _words_apart(one, others)
        else:
            gap = (
                (others != one[0]).fill_null(True).to_numpy().astype(float)
                if one[0] is not None
                else np.ones(len(others))
            )
        lack, lacks = one.is_null()[0], others.is_null().to_numpy()
        return np.where(lacks & lack, 0.0, np.where(lacks | lack, 1.0, gap))

    def distances(self, row: pl.DataFrame, others: pl.DataFrame) -> Array:
        """Return how far one row is from others in each used column; shape (n_others, n_used)."""
        used = [column.name for column in self.schema.columns if column.is_used]
        parts = [self.apart(name, row[name], others[name]) for name in used]
        return np.stack(parts, axis=1) if parts else np.zeros((others.height, 0))


def _places(series: pl.Series) -> Array:
    if series.dtype.is_temporal():
        series = series.cast(pl.Int64)
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _words_apart(one: pl.Series, others: pl.Series) -> Array:
    own = set(str(one[0] or "").lower().split())
    found = []
    for text in others.to_list():
        words = set(str(text or "").lower().split())
        both = len(own | words)
        found.append(1 - len(own & words) / both if both else 0.0)
    return np.array(found)
