"""From the bytes of a plain request to its question, by a decoder that is made from the schema.

It answers only where it is certain that `question.read_question` would say the same, and leaves all else to it: a value
that is nested, huge or no number, a column that is missing, unknown or given twice, a name with an escape.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import polars as pl
from msgspec import UNSET, UnsetType

from mantic.core.cast import series_of
from mantic.core.cast_row import OddError, caster
from mantic.core.errors import SchemaError
from mantic.core.schema import Column, Kind, Schema
from mantic.serve.question import FEW_ROWS, Question, new_levels, unknown_categories

_NUMBER = Annotated[float, msgspec.Meta(gt=-1e300, lt=1e300)]  # beyond, `read_question` has to judge
_PLAIN = _NUMBER | str | bool | None
_CANNOT_BE_NAMED = '"\\'  # by msgspec, nor may there be control characters
_ABSENT = {type(None), UnsetType}
_WHOLE = 2**53  # from here on a float may be another number than what was written
_BY_VALUE = (Kind.BOOLEAN, Kind.DATE)  # to them 1 and 1.0 are not the same, and a float is what both have become


class PlainReader:
    """Reads plain bodies for the models of one schema; says nothing when in doubt.

    >>> reader = PlainReader(Schema((Column("age", Kind.NUMBER), Column("plan", Kind.TEXT))))
    >>> reader.few(b'{"rows": [{"plan": "a", "age": 41}]}').values
    ([41.0, 'a'],)
    >>> reader.few(b'{"rows": [{"plan": ["a"], "age": 41}]}')
    """

    def __init__(self, schema: Schema) -> None:
        self._schema, self._columns = schema, schema.columns
        self._can_be_named = not any(sign in _CANNOT_BE_NAMED or sign < " " for name in schema.names for sign in name)
        self._decode = msgspec.json.Decoder(_body_type(schema)).decode if self._can_be_named else None
        self._casts = [caster(column) if column.is_used else _nothing for column in schema.columns]
        self._new_levels = new_levels(schema)

    def few(self, body: bytes) -> Question | None:
        """Return a question of cast values, if the body holds no more than `FEW_ROWS` rows."""
        if body.count(b"{") > FEW_ROWS + 1:
            return None
        rows = self._rows(body)
        if not 0 < len(rows) <= FEW_ROWS:
            return None
        kinds = [list(map(type, row)) for row in rows]
        if body.count(b'"') != _n_quotes(kinds) or not (len(rows) == 1 or self._is_uniform(kinds)):
            return None
        try:
            values = tuple([cast(value) for cast, value in zip(self._casts, row, strict=True)] for row in rows)
        except OddError:
            return None
        return Question(None, self._new_levels(values), values)

    def many(self, body: bytes, *, max_rows: int) -> Question | None:
        """Return a question with a frame, if the body holds more than `FEW_ROWS` rows."""
        if body.count(b"{") <= FEW_ROWS + 1:
            return None
        rows = self._rows(body)
        if not FEW_ROWS < len(rows) <= max_rows:
            return None
        columns = list(zip(*rows, strict=True))
        kinds = [list(map(type, values)) for values in columns]
        if body.count(b'"') != _n_quotes(kinds):
            return None
        done = {}
        for column, values, found in zip(self._columns, columns, kinds, strict=True):
            if not _is_exact(column, values, set(found) - _ABSENT):
                return None
            plain = [None if value is UNSET else value for value in values] if UnsetType in found else list(values)
            done[column.name] = series_of(column, plain)
        try:
            frame = self._schema.align(pl.DataFrame(done))
        except SchemaError:
            return None
        return Question(frame, tuple(unknown_categories(frame, self._schema)))

    def _rows(self, body: bytes) -> list[tuple[Any, ...]]:
        """Return the values of each row; none where there is a doubt."""
        if self._decode is None or b"\\" in body:  # an escape may hide a quotation mark, or half a character
            return []
        try:
            return list(map(msgspec.structs.astuple, self._decode(body).rows))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return []

    def _is_uniform(self, rows: list[list[type]]) -> bool:
        """Return whether each value can be cast by itself, whatever stands in the same column of the other rows."""
        for column, found in zip(self._columns, zip(*rows, strict=True), strict=True):
            if column.is_used and len(set(found) - _ABSENT) > 1:
                return False
        return True


def _is_exact(column: Column, values: Sequence[Any], kinds: set[type]) -> bool:
    """Return whether a column is read as if its numbers had come as they were written, whole or not."""
    if len(kinds) > 1:
        return False
    if float not in kinds or column.kind is Kind.NUMBER:
        return True
    return column.kind not in _BY_VALUE and all(abs(value) < _WHOLE for value in values if type(value) is float)


def _nothing(value: Any) -> None:
    """Cast a value that no model looks at."""


def _n_quotes(rows: list[list[type]]) -> int:
    """Return how many quotation marks stand around the names and texts of a body that holds these values only.

    One more, and the body has something that was passed over: a column that is unknown, or that is given twice.
    """
    n_texts = 1  # "rows"
    for kinds in rows:
        n_texts += len(kinds) - kinds.count(UnsetType) + kinds.count(str)
    return 2 * n_texts


def _body_type(schema: Schema) -> type[Any]:
    """Return the type of a body: a row has a field per column, in order; what no model looks at may be left out."""
    fields = [_field(f"column{place}", column) for place, column in enumerate(schema.columns)]
    names = {f"column{place}": name for place, name in enumerate(schema.names)}
    row = msgspec.defstruct("Row", fields, rename=names, kw_only=True)
    return msgspec.defstruct("Body", [("rows", list[row])], forbid_unknown_fields=True)  # type: ignore[valid-type]


def _field(name: str, column: Column) -> Any:
    return (name, _PLAIN) if column.is_used else (name, _PLAIN | UnsetType, UNSET)
