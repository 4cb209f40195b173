"""A form for one row, made from the schema of a model, and the row that a filled form means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mantic.core.schema import Column, Kind, Schema
from mantic.serve.example import about_column, example_of

_MOST_LEVELS = 200  # of a category that are offered
_STEPS = 200  # of a slider
_FEW = 10  # a range below this may be of shares, whatever its ends
PREFIX = "row."  # before the names of a form's fields, so that a column may be called as it likes


@dataclass(frozen=True)
class Field:
    """One field.

    Parameters
    ----------
    kind : number, boolean, category, date or text: how it is asked.
    value : what stands in it; empty is missing.
    low, high, step : of the slider; None where there is none.
    """

    name: str
    kind: str
    about: str
    value: str
    levels: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    step: float | None = None


def fields_of(schema: Schema, row: Mapping[str, Any] | None = None, *, first: tuple[str, ...] = ()) -> list[Field]:
    """Return the fields of a form.

    Parameters
    ----------
    row : what stands in them; a row in the middle of what was seen when absent.
    first : names of columns that come first, in their order.
    """
    rank = {name: place for place, name in enumerate(first)}
    columns = sorted((one for one in schema.columns if one.is_used), key=lambda one: rank.get(one.name, len(rank)))
    return [_field(one, example_of(one) if row is None else row.get(one.name)) for one in columns]


def row_of(schema: Schema, said: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the row that a filled form means; what is no value of its column stays text, and is refused by the model.

    >>> from mantic.core.schema import Column, Kind, Schema
    >>> schema = Schema((Column("age", Kind.NUMBER), Column("plan", Kind.CATEGORY)))
    >>> row_of(schema, {"row.age": ("41",), "row.plan": ("",)})
    {'age': 41.0, 'plan': None}
    """
    texts = {one: said.get(f"{PREFIX}{one.name}", ("",))[0] for one in schema.columns if one.is_used}
    return {column.name: _value(column, text) for column, text in texts.items()}


def _value(column: Column, text: str) -> Any:
    if not text.strip():
        return None
    if column.kind is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(text, text)
    if column.kind is Kind.NUMBER:
        try:
            return float(text)
        except ValueError:
            return text
    return text


def _field(column: Column, value: Any) -> Field:
    about = about_column(column)
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if column.kind is Kind.NUMBER:
        low, high = column.low, column.high
        shown = f"{value:.10g}" if isinstance(value, float) else text
        if isinstance(low, int | float) and isinstance(high, int | float) and low < high:
            whole = float(low).is_integer() and float(high).is_integer() and high - low >= _FEW
            step = max(1.0, (high - low) // _STEPS) if whole else float(f"{(high - low) / _STEPS:.1g}")
            return Field(column.name, "number", about, shown, low=float(low), high=float(high), step=step)
        return Field(column.name, "number", about, shown)
    if column.kind is Kind.BOOLEAN:
        return Field(column.name, "boolean", about, text)
    if column.kind is Kind.CATEGORY:
        return Field(column.name, "category", about, text, levels=column.levels[:_MOST_LEVELS])
    return Field(column.name, "date" if column.kind is Kind.DATE else "text", about, text)
