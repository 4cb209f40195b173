"""Cast one column to how its kind is stored, and say what does not fit."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.moments import by_the_clock, in_zone, moments_of
from mantic.core.schema import STORED, UTC, Column, Kind

TRUE_WORDS = ("true", "yes", "y", "t", "1", "1.0")
FALSE_WORDS = ("false", "no", "n", "f", "0", "0.0")
DATE_FORMS = (
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %B %Y",
    "%B %d, %Y",
    "%Y-%m-%dT%H:%M:%S%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
    "%Y%m%d",
    "%b-%y",
    "%b-%Y",
    "%B %Y",
    "%Y, %B",
    "%Y-%m",
    "%m/%Y",
    "%Y",
)
OFFSET = "%#z"  # in a form: texts hold an offset, and name a moment whatever the clock showed
LOCAL = " local"  # at the end of a form: of texts with an offset the time on the wall counts, not UTC
_OFFSET = r"(\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)\s*$"
_NUMBER_FORMS = ("%Y%m%d", "%Y%m")  # of dates that may come as whole numbers
YEARS = (1000, 2200)  # of dates that are found in texts
_LATEST_SHORT_YEAR = 2030  # "Aug-62" is 1962: dates of two-digit years lie in the past more often than ahead


def cast_column(series: pl.Series, column: Column) -> tuple[pl.Series, str]:
    """Return the series as `STORED[column.kind]`, and a sentence on what does not fit (empty when all does).

    >>> cast_column(pl.Series("age", ["41", "old"]), Column("age", Kind.NUMBER))[1]
    "column 'age' should hold numbers, but 1 of 2 values do not ('old' in row 2)"
    """
    cast = _CASTS.get(column.kind, _to_text)
    try:
        done = cast(series, column).rename(column.name)
    except pl.exceptions.PolarsError:  # no way leads from lists, say, to numbers
        done = pl.Series(column.name, [None] * len(series), dtype=STORED[column.kind])
    if done.null_count() == series.null_count():
        return done, ""
    lost = done.is_null() & _is_filled(series, column)
    if not lost.any():
        return done, ""
    first = int(lost.arg_max() or 0)
    return done, (
        f"column '{column.name}' should hold {_PLURAL[column.kind]}, "
        f"but {lost.sum():,} of {len(series):,} values do not ({_shown(series, first)} in row {first + 1})"
    )


def frame_of_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, where: str) -> pl.DataFrame:
    """Return a frame of the columns from dictionaries; a column that no row has is left out.

    Numbers and texts may be mixed in one column, as JSON allows: such a column becomes text.
    """
    if not rows:
        raise SchemaError("there are no rows", where=where, fix="send at least one row")
    if not all(isinstance(row, Mapping) for row in rows):
        raise SchemaError(
            "a row is no object of column names and values", where=where, fix='send rows as {"column": value}'
        )
    present = {name for row in rows for name in row}
    found = [column for column in columns if column.name in present]
    return pl.DataFrame([series_of(column, [row.get(column.name) for row in rows]) for column in found])


def series_of(column: Column, values: list[Any]) -> pl.Series:
    """Return values as JSON or Python has them as a series that `cast_column` takes, whatever the column is to hold.

    A value becomes what it becomes alone: numbers and texts in one column become texts, each by itself.

    >>> series_of(Column("plan", Kind.CATEGORY), [1, 1.5, True, "b"]).to_list()
    ['1', '1.5', 'true', 'b']
    """
    kinds = {type(value) for value in values if value is not None}
    if kinds and all(issubclass(kind, date) for kind in kinds):
        return moments_of(column.name, values)
    if kinds == {str}:
        return pl.Series(column.name, values, dtype=pl.String)
    if kinds == {int}:  # no float holds each of them
        return _whole_series(column.name, values)
    if kinds <= ({int, float, bool} if column.kind is Kind.NUMBER else {float}):
        numbers = [None if value is None else float(value) for value in values]
        return pl.Series(column.name, numbers, dtype=pl.Float64)
    if len(kinds) == 1:
        return pl.Series(column.name, values, strict=False)
    return pl.Series(column.name, _texts_of(column, values), dtype=pl.String)


def _texts_of(column: Column, values: list[Any]) -> list[str | None]:
    """Return values of several kinds as texts, each as it is read when it comes alone."""
    is_number = column.kind is Kind.NUMBER
    fractions = [value if isinstance(value, float) else None for value in values]
    words = _to_text(pl.Series(fractions, dtype=pl.Float64), column).to_list()
    if column.kind in _CASTS:
        mark = column.form if is_number and column.form else "."
        words = [None if value is None else repr(value).replace(".", mark) for value in fractions]
    is_whole = is_number or column.kind not in _CASTS or column.form.removesuffix(LOCAL) in _NUMBER_FORMS

    def text(value: Any) -> str:
        if isinstance(value, bool):
            return str(int(value) if is_number else value).lower()
        return repr(float(value)) if isinstance(value, int) and not is_whole else str(value)

    return [
        word if value is None or isinstance(value, float) else text(value)
        for word, value in zip(words, values, strict=True)
    ]


def _whole_series(name: str, values: list[int | None]) -> pl.Series:
    try:
        return pl.Series(name, values, dtype=pl.Int64)
    except (OverflowError, TypeError):  # beyond 64 bits
        return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)


def _shown(series: pl.Series, place: int) -> str:
    try:
        return repr(series[place])
    except (ValueError, OverflowError, pl.exceptions.PanicException):
        return "a date beyond the year 9999"


def _is_filled(series: pl.Series, column: Column) -> pl.Series:
    filled = series.is_not_null()
    if series.dtype.is_float():
        return filled & series.is_not_nan()
    if series.dtype == pl.String:
        return filled & (series != "") & ~series.is_in(list(column.sentinels))
    return filled


def _to_number(series: pl.Series, column: Column) -> pl.Series:
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        text = series.str.strip_chars()
        if column.form == ",":
            text = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        number = text.cast(pl.Float64, strict=False)
        return number.set(~number.is_finite(), None)  # "nan" and "inf" are words, not numbers
    if series.dtype.is_temporal():
        return pl.Series(series.name, [None] * len(series), dtype=pl.Float64)
    return without_nan(series.cast(pl.Float64, strict=False))


def without_nan(series: pl.Series) -> pl.Series:
    """Return numbers with null in place of NaN; those that hold none come back as they are, at a tenth of the price.

    >>> without_nan(pl.Series([1.0, float("nan")])).to_list()
    [1.0, None]
    """
    total = series.sum()  # is NaN where a value is
    return series.fill_nan(None) if total != total else series


def _to_boolean(series: pl.Series, column: Column) -> pl.Series:
    if series.dtype == pl.Boolean:
        return series
    if series.dtype.is_float():
        series = series.fill_nan(None)
    text = series.cast(pl.String, strict=False).str.strip_chars().str.to_lowercase()
    frame = text.rename("text").to_frame()
    return frame.select(
        pl.when(pl.col("text").is_in(TRUE_WORDS))
        .then(True)
        .when(pl.col("text").is_in(FALSE_WORDS))
        .then(False)
        .otherwise(None)
    ).to_series()


def _to_date(series: pl.Series, column: Column) -> pl.Series:
    stored = STORED[Kind.DATE]
    if series.dtype == pl.Date:
        return series.cast(stored, strict=False)
    if isinstance(series.dtype, pl.Datetime):
        return by_the_clock(series, column.zone).cast(stored, strict=False)
    form = column.form.removesuffix(LOCAL)
    if series.dtype.is_numeric() and form in _NUMBER_FORMS:
        series = series.cast(pl.Int64, strict=False).cast(pl.String)
    if series.dtype != pl.String:
        return pl.Series(series.name, [None] * len(series), dtype=stored)
    forms = (form, *_others(form)) if form else DATE_FORMS
    text, done = series.str.strip_chars(), None
    if form != column.form:
        text = on_the_wall(text, column.zone)
    for form in forms:
        parsed = parse_date(text, form)
        if column.zone and OFFSET in form:
            parsed = by_the_clock(in_zone(parsed, column.zone))
        if column.form:
            parsed = parsed.set(~parsed.dt.year().is_between(*YEARS), None)
        done = parsed if done is None else done.zip_with(done.is_not_null(), parsed)
        if (done.is_not_null() | text.is_null() | (text == "")).all():
            break
    assert done is not None
    return done


def on_the_wall(text: pl.Series, zone: str = "") -> pl.Series:
    """Return texts of moments without an offset at their end: what the clock on the wall showed.

    Where a zone is told it is the clock there that counts: texts with an offset are converted, and stay where they
    cannot be.

    >>> on_the_wall(pl.Series(["2024-04-01T00:00:00+02:00", "2024-04-01"])).to_list()
    ['2024-04-01T00:00:00', '2024-04-01']
    """
    if not zone:
        return text.str.replace(_OFFSET, "${1}")
    text = text.str.strip_chars()
    for form in (one for one in DATE_FORMS if OFFSET in one):
        moments = by_the_clock(in_zone(parse_date(text, form), zone))
        text = moments.dt.strftime("%Y-%m-%dT%H:%M:%S%.f").zip_with(moments.is_not_null(), text)
    return text


def _others(form: str) -> list[str]:
    """Return the forms that a column of this form may also hold: none in which day and month change places."""
    return [one for one in DATE_FORMS if one[:2] == form[:2] or not exchanged(one)]


def exchanged(form: str) -> str:
    """Return the known form in which day and month change places, or nothing.

    >>> exchanged("%d/%m/%Y"), exchanged("%d.%m.%Y")
    ('%m/%d/%Y', '')
    """
    other = form.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")
    return other if other != form and other in DATE_FORMS else ""


def parse_date(text: pl.Series, form: str) -> pl.Series:
    """Read texts by one pattern; what does not fit becomes missing. Patterns without a day or month mean the first.

    Times with a zone become UTC. Years of two digits after 2030 belong to the century before.

    >>> parse_date(pl.Series(["Aug-62", "x"]), "%b-%y").dt.year().to_list()
    [1962, None]
    """
    if all(part not in form for part in ("%m", "%b", "%B")):
        text, form = "01 " + text, f"%m {form}"
    if "%d" not in form:
        text, form = "01 " + text, f"%d {form}"
    has_clock = "%H" in form
    kind = pl.Datetime("us", UTC if OFFSET in form else None) if has_clock else pl.Date()
    found = text.str.strptime(kind, form, strict=False)
    done = (found.dt.replace_time_zone(None) if has_clock else found).cast(STORED[Kind.DATE])
    if "%y" not in form:
        return done
    return done.zip_with((done.dt.year() <= _LATEST_SHORT_YEAR).fill_null(True), done.dt.offset_by("-100y"))


def _to_text(series: pl.Series, column: Column) -> pl.Series:
    if series.dtype == pl.String:
        return series.to_frame().select(pl.when(pl.first() == "").then(None).otherwise(pl.first())).to_series()
    if series.dtype.is_float():  # 3.0 and 3 name the same category
        number = series.fill_nan(None)
        is_whole = (number % 1 == 0) & (number.abs() < 2**53)
        whole = number.cast(pl.Int64, strict=False).cast(pl.String)
        return whole if is_whole.all() else whole.zip_with(is_whole, number.cast(pl.String))
    if series.dtype.is_nested() or isinstance(series.dtype, pl.Duration) or series.dtype == pl.Object:
        return pl.Series(
            series.name, [None if value is None else str(value) for value in series.to_list()], dtype=pl.String
        )
    if isinstance(series.dtype, pl.Datetime):
        series = by_the_clock(series)
    return series.cast(pl.String, strict=False)


_CASTS = {Kind.NUMBER: _to_number, Kind.BOOLEAN: _to_boolean, Kind.DATE: _to_date}
_PLURAL = {
    Kind.NUMBER: "numbers",
    Kind.BOOLEAN: "yes or no",
    Kind.DATE: "dates",
    Kind.CATEGORY: "categories",
    Kind.TEXT: "texts",
    Kind.IMAGE: "paths of pictures",
    Kind.ID: "identifiers",
    Kind.CONSTANT: "one value",
}
