"""What each column means: frame -> Schema."""

import re
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from mantic.core.cast import OFFSET, cast_column
from mantic.core.schema import UTC, Column, Kind, Schema
from mantic.features.wording import find_date_form, find_number_form

MOST_LEVELS = 1_000
_FEW_ROWS = 20  # below, that every value is different says little
_WORDS_OF_TEXT = 3
_ID_NAME = re.compile(r"(?i:(^|[\s_.\-])(p|u|gu|uu)?id)$|[a-z](Id|ID)$|^(?i:uuid|guid|key|index|idx|row|rownum|rowid)$")
_PICTURE = r"(?i)\.(png|jpe?g|gif|bmp|webp|tiff?)$"
_YES_NO = ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"})


def infer(frame: pl.DataFrame) -> Schema:
    """Find what each column means; `schema.align(frame)` then succeeds without a fault.

    Returns
    -------
    A Schema in the order of the frame. Decisions worth knowing: whole numbers with few values stay numbers, 0 and 1
    too; texts of nothing but numbers are numbers, and the few that are none ("?", " ") become the column's sentinels;
    digits that begin with 0 are categories (postcodes); a column of one value with gaps is no constant, for the gaps
    may tell something; texts of three words or more, mostly different, are text.

    >>> infer(pl.DataFrame({"age": ["41", "7", "?"] * 9, "vip": ["yes", "no", None] * 9})).columns[1].kind.value
    'boolean'
    """
    return Schema(tuple(infer_column(series) for series in frame.iter_columns()))


def infer_column(series: pl.Series) -> Column:
    """Find what one column means (see `infer`).

    >>> infer_column(pl.Series("total", ["1", " ", "2.5", "3"])).sentinels
    (' ',)
    """
    seen = see(series)
    if seen.n_filled == 0 or (seen.n_levels == 1 and seen.n_filled == len(series)):
        return leveled(seen, Kind.CONSTANT)
    dtype = series.dtype
    if dtype == pl.Boolean:
        return leveled(seen, Kind.BOOLEAN)
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        return ranged(seen, Column(series.name, Kind.DATE))
    if dtype.is_integer():
        return _whole(seen)
    if dtype.is_numeric():
        return ranged(seen, Column(series.name, Kind.NUMBER))
    return _text(seen)


@dataclass(frozen=True)
class Seen:
    """A column with what is asked of it more than once; `texts` are its values as texts, null where missing."""

    series: pl.Series
    filled: pl.Series  # without what is missing
    n_levels: int

    @property
    def name(self) -> str:
        """Return the column's name."""
        return self.series.name

    @property
    def n_filled(self) -> int:
        """Return how many values are not missing."""
        return len(self.filled)

    @property
    def share_missing(self) -> float:
        """Return which share of the rows has no value, 0 to 1."""
        return 1 - self.n_filled / len(self.series) if len(self.series) else 0.0

    @property
    def is_unique(self) -> bool:
        """Whether no value occurs twice."""
        return self.n_levels == self.n_filled


def see(series: pl.Series) -> Seen:
    """Return a column without what is missing."""
    dtype = series.dtype
    if dtype.is_float():
        filled = series.fill_nan(None).drop_nulls()
    elif dtype.is_integer() or dtype == pl.Boolean or dtype == pl.Date or isinstance(dtype, pl.Datetime):
        filled = series.drop_nulls()
    else:
        filled = cast_column(series, Column(series.name, Kind.CATEGORY))[0].drop_nulls()
    return Seen(series, filled, filled.n_unique())


def leveled(seen: Seen, kind: Kind) -> Column:
    """Return a column with its levels, commonest first, as `align` will write them."""
    texts = cast_column(seen.filled, Column(seen.name, Kind.CATEGORY))[0]
    return Column(
        seen.name,
        kind,
        share_missing=seen.share_missing,
        levels=tuple(_counts(texts).head(MOST_LEVELS)["value"].to_list()),
        n_levels=seen.n_levels,
    )


def _counts(texts: pl.Series) -> pl.DataFrame:
    """Return columns value and n: how often each text stands there, commonest first, then in order of the alphabet."""
    return texts.alias("value").value_counts(name="n").sort(["n", "value"], descending=[True, False])


def ranged(seen: Seen, column: Column) -> Column:
    """Return a number or date with its range, measured on what it is cast to, and a date with its time zone."""
    if column.kind is Kind.DATE:
        column = replace(
            column, zone=UTC if OFFSET in column.form else getattr(seen.series.dtype, "time_zone", "") or ""
        )
    values = cast_column(seen.filled, column)[0].drop_nulls()
    low: float | str | None
    high: float | str | None
    if column.kind is Kind.DATE:
        low, high = (None if moment is None else moment.isoformat() for moment in (values.min(), values.max()))  # type: ignore[union-attr]
    else:
        finite = values.filter(values.is_finite())
        low, high = finite.min(), finite.max()  # type: ignore[assignment]
    missing = 1 - len(values) / len(seen.series)
    return Column(
        seen.name,
        column.kind,
        share_missing=missing,
        n_levels=seen.n_levels - len(column.sentinels),
        low=low,
        high=high,
        form=column.form,
        sentinels=column.sentinels,
        zone=column.zone,
    )


def _whole(seen: Seen) -> Column:
    """Tell row numbers and keys from numbers."""
    has_id_name = _ID_NAME.search(seen.name.strip()) is not None
    if seen.is_unique and seen.n_filled == len(seen.series):
        if has_id_name or (seen.n_filled >= _FEW_ROWS and _is_counter(seen.filled)):
            return bare(seen, Kind.ID)
    elif has_id_name and seen.n_levels > 2:
        return leveled(seen, Kind.CATEGORY)  # a key that repeats: its size means nothing
    return ranged(seen, Column(seen.name, Kind.NUMBER))


def _is_counter(filled: pl.Series) -> bool:
    low, high = filled.min(), filled.max()
    return low in (0, 1) and high == low + len(filled) - 1  # type: ignore[operator]


def bare(seen: Seen, kind: Kind) -> Column:
    """Return a column of which only its kind, its gaps and the number of its values matter."""
    return Column(seen.name, kind, share_missing=seen.share_missing, n_levels=seen.n_levels)


def _text(seen: Seen) -> Column:
    if seen.is_unique:  # sorting them would only cost time
        counts = pl.DataFrame({"value": seen.filled, "n": np.ones(seen.n_filled, dtype=np.uint32)})
    else:
        counts = _counts(seen.filled)
    if 2 <= seen.n_levels <= 4 and set(counts["value"].str.strip_chars().str.to_lowercase()) in _YES_NO:
        return leveled(seen, Kind.BOOLEAN)
    if (number := find_number_form(counts)) is not None:
        return ranged(seen, Column(seen.name, Kind.NUMBER, form=number.form, sentinels=number.sentinels))
    if (date := find_date_form(counts)) is not None:
        return ranged(seen, Column(seen.name, Kind.DATE, form=date.form, sentinels=date.sentinels))
    if counts["value"].head(MOST_LEVELS).str.contains(_PICTURE).all():
        return bare(seen, Kind.IMAGE)
    n_words = _median_words(seen.filled)
    if (n_words >= _WORDS_OF_TEXT and _is_varied(seen)) or (n_words >= 2 and _is_rarely_repeated(seen)):
        return bare(seen, Kind.TEXT)
    if seen.is_unique and seen.n_filled >= _FEW_ROWS:
        return bare(seen, Kind.ID if n_words < 2 else Kind.TEXT)
    if seen.is_unique and seen.n_filled > 2 and _ID_NAME.search(seen.name.strip()):
        return bare(seen, Kind.ID)
    return Column(
        seen.name,
        Kind.CATEGORY,
        share_missing=seen.share_missing,
        levels=tuple(counts["value"].head(MOST_LEVELS).to_list()),
        n_levels=seen.n_levels,
    )


def _median_words(filled: pl.Series) -> float:
    rows = filled.gather_every(max(1, len(filled) // 10_000))
    return float(rows.str.count_matches(r"\S+").median() or 0)  # type: ignore[arg-type]


def _is_varied(seen: Seen) -> bool:
    """Whether sentences differ as free text does; a few long answers are categories."""
    return seen.n_levels > MOST_LEVELS or seen.n_levels > max(min(20, seen.n_filled - 1), 0.3 * seen.n_filled)


def _is_rarely_repeated(seen: Seen) -> bool:
    return seen.n_filled >= _FEW_ROWS and seen.n_levels > 0.5 * seen.n_filled
