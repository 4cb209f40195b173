"""The Schema: a frozen list of columns that fitting, serving, drift and forms all read."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import polars as pl

from mantic.core.errors import SchemaError


class Kind(StrEnum):
    """What a column means, which is not always how it is stored."""

    NUMBER = "number"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATE = "date"
    TEXT = "text"
    IMAGE = "image"  # path of a picture
    ID = "id"  # a different value in (nearly) every row: names a row, explains nothing
    CONSTANT = "constant"


STORED: Mapping[Kind, pl.DataType] = {
    Kind.NUMBER: pl.Float64(),
    Kind.CATEGORY: pl.String(),
    Kind.BOOLEAN: pl.Boolean(),
    Kind.DATE: pl.Datetime("us"),
    Kind.TEXT: pl.String(),
    Kind.IMAGE: pl.String(),
    Kind.ID: pl.String(),
    Kind.CONSTANT: pl.String(),
}
"""How an aligned frame stores each kind."""
UTC = "UTC"


@dataclass(frozen=True)
class Column:
    """One column: what it means and what was seen in it.

    Parameters
    ----------
    name, kind : as the user calls it; what it means.
    share_missing : 0 to 1, over the rows seen.
    levels : the values of a category or boolean, commonest first (at most 1,000 are kept).
    n_levels : how many different values were seen in all.
    low, high : range of a number; of a date in ISO form.
    unit : for people, for instance "kg"; empty when unknown.
    form : how texts become values: a strptime pattern for dates (of whole numbers, too, like 20240131), with " local"
        at its end where offsets are left out; "," for decimal commas; empty otherwise.
    sentinels : texts in a column of numbers that are no numbers (" ", "?"); they count as missing and are reported.
    zone : the time zone whose clock on the wall moments are read by; moments of another zone, and texts with an offset,
        are converted to it. Empty where none was told: then the clock counts that a moment comes with, and of a text
        with an offset UTC.
    """

    name: str
    kind: Kind
    share_missing: float = 0.0
    levels: tuple[str, ...] = ()
    n_levels: int = 0
    low: float | str | None = None
    high: float | str | None = None
    unit: str = ""
    form: str = ""
    sentinels: tuple[str, ...] = ()
    zone: str = ""

    @property
    def is_used(self) -> bool:
        """Whether a model can learn from it."""
        return self.kind not in (Kind.ID, Kind.CONSTANT, Kind.IMAGE)


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in their order.

    >>> schema = Schema((Column("age", Kind.NUMBER), Column("plan", Kind.CATEGORY, levels=("a", "b"))))
    >>> schema.align([{"plan": "b", "age": "41", "extra": 0}]).rows()
    [(41.0, 'b')]
    """

    columns: tuple[Column, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names in order."""
        return tuple(column.name for column in self.columns)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        """Return the column of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(f"there is no column '{name}'", where="schema", fix=f"known are: {', '.join(self.names)}")

    def align(self, rows: pl.DataFrame | Sequence[Mapping[str, Any]], *, where: str = "the table") -> pl.DataFrame:
        """Select the columns by name and cast them to how their kind is stored; other columns are left out.

        Parameters
        ----------
        rows : a polars frame, or a list of dictionaries as JSON has them (an absent key or None is missing).
        where : named in errors.

        Returns
        -------
        A polars frame with exactly the columns of the schema, types as in `STORED`. Values that a category has not
        shown before stay as they are: encoders treat them as unknown.

        Raises
        ------
        SchemaError : names *all* faults at once: missing columns, and values that are not of the column's kind.
        """
        from mantic.core.cast import cast_column, frame_of_rows

        frame = rows if isinstance(rows, pl.DataFrame) else frame_of_rows(rows, self.columns, where=where)
        present = set(frame.columns)
        missing = [name for name in self.names if name not in present]
        faults = [f"column '{name}' is missing" for name in missing]
        done: list[pl.Series] = []
        for column in self.columns:
            if column.name not in present:
                continue
            series, fault = cast_column(frame[column.name], column)
            faults += [fault] if fault else []
            done.append(series)
        if faults:
            fits = len(self) - len(faults)
            raise SchemaError(
                "; ".join(faults),
                where=f"{where} ({fits} of {len(self)} columns fit)",
                fix=_advice(missing, frame.columns),
            )
        return pl.DataFrame({series.name: series for series in done})  # a list would rename a column called ""

    def to_json(self) -> str:
        """Return the schema as JSON text."""
        return json.dumps([asdict(column) for column in self.columns], ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Schema":
        """Restore what `to_json` wrote.

        Raises
        ------
        ValueError, TypeError, KeyError : if it is none of that.
        """
        columns = []
        for item in json.loads(text):
            item |= {key: tuple(item[key]) for key in ("levels", "sentinels")}
            columns.append(_checked(Column(**item | {"kind": Kind(item["kind"])})))
        return cls(tuple(columns))


def is_zone(name: str) -> bool:
    """Return whether moments can be converted to a time zone of this name."""
    try:
        pl.Series([], dtype=pl.Datetime("us", UTC)).dt.convert_time_zone(name)
    except pl.exceptions.PolarsError:
        return False
    return True


def _checked(column: Column) -> Column:
    """Return a column that holds what its fields are for; others would be found out long after they came."""
    texts = (column.name, column.unit, column.form, column.zone, *column.levels, *column.sentinels)
    ends: Any = {Kind.NUMBER: int | float, Kind.DATE: str}.get(column.kind, int | float | str)
    found = [one for one in (column.low, column.high) if one is not None]
    numbers: list[Any] = [column.share_missing, column.n_levels, *(one for one in found if not isinstance(one, str))]
    if (
        not all(isinstance(one, str) for one in texts)
        or not all(isinstance(one, ends) for one in found)
        or not all(isinstance(one, int | float) and abs(one) <= sys.float_info.max for one in numbers)
        or not is_zone(column.zone or UTC)
    ):
        raise ValueError(f"what is said of the column {column.name!r} is none of what a column has")
    return column


def _advice(missing: list[str], present: list[str]) -> str:
    from difflib import get_close_matches

    near = {name: get_close_matches(name, present, n=1) for name in missing}
    renames = [f"rename '{found[0]}' to '{name}'" for name, found in near.items() if found]
    adds = [f"'{name}'" for name, found in near.items() if not found]
    added = [f"add {', '.join(adds)} (may be empty)"] if adds else []
    return "; ".join(renames + added) or "mend these values, or fit again on today's data"
