"""A row to try, and what each column holds in words, from the schema."""

import math
from collections.abc import Mapping
from typing import Any

from mantic.core.schema import Column, Kind, Schema
from mantic.report.numbers import say, say_range

_KIND_IN_WORDS: Mapping[Kind, str] = {
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "date",
    Kind.CATEGORY: "category",
    Kind.TEXT: "text",
}


def example_row(schema: Schema) -> dict[str, Any]:
    """Return a row in the middle of what was seen: half-way numbers, the commonest categories.

    >>> example_row(
    ...     Schema((Column("age", Kind.NUMBER, low=18.0, high=95.0), Column("plan", Kind.CATEGORY, levels=("b",))))
    ... )
    {'age': 56, 'plan': 'b'}
    """
    return {column.name: example_of(column) for column in schema.columns if column.is_used}


def about_column(column: Column) -> str:
    """Return what a column holds, in words.

    >>> about_column(Column("age", Kind.NUMBER, low=18.0, high=95.0, share_missing=0.1))
    'number; 18 to 95 when fitted; 10 % were missing'
    """
    parts = [_KIND_IN_WORDS.get(column.kind, "not used")]
    if column.unit:
        parts[0] += f" in {column.unit}"
    if column.kind == Kind.NUMBER and column.low is not None and column.high is not None:
        parts.append(f"{say_range(column.low, column.high)} when fitted")
    elif column.kind == Kind.DATE and column.low is not None:
        parts.append(f"{_day(column.low)} to {_day(column.high)} when fitted")
    if column.kind == Kind.CATEGORY and column.n_levels:
        parts.append(f"{column.n_levels:,} seen when fitted; others are allowed")
    if column.share_missing:
        parts.append(f"{say(column.share_missing, 'share')} were missing")
    return "; ".join(parts)


def example_of(column: Column) -> Any:
    """Return a value in the middle of what was seen in a column."""
    if column.kind == Kind.NUMBER:
        if column.low is None or column.high is None:
            return None
        low, high = float(column.low), float(column.high)
        exact = low / 2 + high / 2
        rounded = float(f"{exact:.3g}")
        middle = rounded if math.isfinite(rounded) else exact
        return round(middle) if low.is_integer() and high.is_integer() and abs(middle) < 2**53 else middle
    if column.kind == Kind.BOOLEAN:
        return True
    if column.kind == Kind.DATE:
        return _day(column.high)
    if column.kind == Kind.TEXT:
        return column.levels[0] if column.levels else "some text"
    return column.levels[0] if column.levels else None


def _day(moment: float | str | None) -> str | None:
    """Return a moment without a clock that stands at midnight."""
    return None if moment is None else str(moment).removesuffix("T00:00:00")
