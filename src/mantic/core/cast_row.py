"""Cast one value to how its kind is stored, without a frame; what is not plain goes the way of `core/cast.py`."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from mantic.core.cast import DATE_FORMS, FALSE_WORDS, LOCAL, TRUE_WORDS, YEARS, cast_column, series_of
from mantic.core.schema import Column, Kind

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
_MOST_DIGITS = 40  # of a number's text: none that is shorter can be beyond float64
_SPACE = " \t\n\r\x0b\x0c"
_WHOLE = 2**53
_MONTHS = {
    name: number + 1
    for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"))
}
_DIRECTIVES = {
    "%Y": r"(?P<year>\d{4})",
    "%y": r"(?P<short>\d{2})",
    "%m": r"(?P<month>\d{2})",
    "%d": r"(?P<day>\d{2})",
    "%b": r"(?P<name>[A-Za-z]{3})",
    "%H": r"(?P<hour>\d{2})",
    "%M": r"(?P<minute>\d{2})",
    "%S": r"(?P<second>\d{2})",
}
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SECOND = 1_000_000  # microseconds
_CENTURY_TURN, _LATEST_SHORT_YEAR = 70, 2030  # as strptime reads two digits, and what `parse_date` makes of it
_TEXTS_KEPT = 4_096  # dates are seen again and again

Caster = Callable[[Any], Any]


class OddError(Exception):
    """A value that only the cast of a whole frame can judge."""


def caster(column: Column) -> Caster:
    """Return a function from a value, as JSON or Python has it, to what the cast of a frame stores.

    Numbers become float (NaN where missing), booleans True, False or None, dates microseconds since 1970 or None, and
    all else text or None. The function raises `OddError` where the value may be at fault.

    >>> caster(Column("price", Kind.NUMBER, form=","))(" 1.234,5 ")
    1234.5
    """
    make = _CASTERS.get(column.kind, _text if column.is_used else _passed)
    return make(column)


def _in_a_frame(column: Column, value: Any) -> Any:
    """Return what the cast of a frame makes of one value."""
    series, fault = cast_column(series_of(column, [value]), column)
    if fault:
        raise OddError(fault)
    if column.kind is Kind.NUMBER:
        return math.nan if series[0] is None else series[0]
    return series.to_physical()[0]


def _number(column: Column) -> Caster:
    sentinels, has_comma = frozenset(column.sentinels), column.form == ","

    def cast(value: Any) -> Any:
        kind = type(value)
        if kind is float:
            return value
        if kind is int or kind is bool:
            try:
                return float(value)
            except OverflowError:
                return _in_a_frame(column, value)
        if value is None or (kind is str and not value):
            return math.nan
        if kind is not str:
            return _in_a_frame(column, value)
        text = value.strip(_SPACE)
        if has_comma:
            text = text.replace(".", "").replace(",", ".", 1)
        if len(text) <= _MOST_DIGITS and _NUMBER.fullmatch(text):
            return float(text)
        return math.nan if value in sentinels else _in_a_frame(column, value)

    return cast


def _boolean(column: Column) -> Caster:
    words = dict.fromkeys(TRUE_WORDS, True) | dict.fromkeys(FALSE_WORDS, False)

    def cast(value: Any) -> Any:
        kind = type(value)
        if kind is bool:
            return value
        if value is None or (kind is str and not value):
            return None
        if kind is str and value.isascii():
            found = words.get(value.strip(_SPACE).lower())
            if found is not None:
                return found
        if (kind is int or kind is float) and value in (0, 1):
            found = words.get(str(float(value)))  # minus zero is no word
            if found is not None:
                return found
        return _in_a_frame(column, value)

    return cast


def _text(column: Column) -> Caster:
    def cast(value: Any) -> Any:
        kind = type(value)
        if kind is str:
            if not value.isascii():
                _check_whole(value)
            return value or None
        if value is None:
            return None
        if kind is bool:
            return "true" if value else "false"
        if (kind is int or kind is float) and value % 1 == 0 and -_WHOLE < value < _WHOLE:
            return str(int(value))
        return _in_a_frame(column, value)

    return cast


def _passed(column: Column) -> Caster:
    """Return a caster for a column that no model looks at: only what cannot be kept at all is odd."""
    plain = (str, int, float, bool, type(None))

    def cast(value: Any) -> Any:
        return None if type(value) in plain else _in_a_frame(column, value)

    return cast


def _check_whole(text: str) -> None:
    """Refuse half characters, which no frame can hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise OddError("half a character") from error


def _date(column: Column) -> Caster:
    read = _reader(column.form.removesuffix(LOCAL) or DATE_FORMS[0])

    @lru_cache(maxsize=_TEXTS_KEPT)
    def of_text(text: str) -> int | None:
        found = read(text.strip(_SPACE)) if read else None
        is_odd = found is None or (column.form and not _FIRST <= found < _END)
        return _in_a_frame(column, text) if is_odd else found

    def cast(value: Any) -> Any:
        kind = type(value)
        if value is None or (kind is str and not value):
            return None
        if kind is str:
            return of_text(value)
        if kind is date or (kind is datetime and value.tzinfo is None):
            return _moment(value)
        return _in_a_frame(column, value)

    return cast


def _moment(value: date) -> int:
    """Return microseconds since 1970.

    >>> _moment(datetime(1970, 1, 2, 0, 0, 1))
    86401000000
    """
    seconds = (value.toordinal() - _EPOCH_DAY) * 86_400
    if isinstance(value, datetime):
        seconds += value.hour * 3600 + value.minute * 60 + value.second
        return seconds * _SECOND + value.microsecond
    return seconds * _SECOND


_FIRST, _END = _moment(date(YEARS[0], 1, 1)), _moment(date(YEARS[1] + 1, 1, 1))


def _reader(form: str) -> Callable[[str], int | None] | None:
    """Return a strict reader of one pattern (None: not by it), or None where only the frame's own can read it."""
    pattern = re.escape(form)
    for directive, group in _DIRECTIVES.items():
        pattern = pattern.replace(directive, group)
    if "%" in pattern:
        return None
    match = re.compile(pattern, re.ASCII).fullmatch

    def read(text: str) -> int | None:
        found = match(text)
        if found is None:
            return None
        parts = found.groupdict()
        try:
            day, hour, minute, second = (int(parts.get(name) or least) for name, least in _LEAST.items())
            moment = datetime(_year(parts), _month(parts), day, hour, minute, second)
        except ValueError:
            return None
        return _moment(moment)

    return read


_LEAST = {"day": 1, "hour": 0, "minute": 0, "second": 0}


def _month(parts: dict[str, str]) -> int:
    """Return the month that was read; a pattern without one means the first."""
    if "name" in parts:
        return _MONTHS.get(parts["name"].lower(), 0)
    return int(parts.get("month", 1))


def _year(parts: dict[str, str]) -> int:
    if "year" in parts:
        return int(parts["year"])
    short = int(parts["short"])
    year = short + (2000 if short < _CENTURY_TURN else 1900)
    return year - 100 if year > _LATEST_SHORT_YEAR else year


_CASTERS: dict[Kind, Callable[[Column], Caster]] = {Kind.NUMBER: _number, Kind.BOOLEAN: _boolean, Kind.DATE: _date}
