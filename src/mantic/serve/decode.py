"""From the bytes of a plain request to its question, by a decoder that is made from the schema.

It answers only where it is certain that `question.read_question` would say the same, and leaves all else to it: a value
that is nested, huge or no number, a column that is missing, unknown or given twice, a name with an escape.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from mantic.core.cast_row import OddError, caster
from mantic.core.schema import Column, Schema
from mantic.serve.question import FEW_ROWS, Question, new_levels

_NUMBER = Annotated[float, msgspec.Meta(gt=-1e300, lt=1e300)]  # beyond, `read_question` has to judge
_PLAIN = _NUMBER | str | bool | None
_CANNOT_BE_NAMED = '"\\'  # by msgspec, nor may there be control characters
Decode = Callable[[bytes], Question | None]


def decoder(schema: Schema) -> Decode:
    """Return a function from a body of a few rows to a question of cast values; it returns None when in doubt.

    >>> from mantic.core.schema import Kind
    >>> decode = decoder(Schema((Column("age", Kind.NUMBER), Column("plan", Kind.TEXT))))
    >>> decode(b'{"rows": [{"plan": "a", "age": 41}]}').values
    ([41.0, 'a'],)
    >>> decode(b'{"rows": [{"plan": ["a"], "age": 41}]}')
    """
    if any(sign in _CANNOT_BE_NAMED or sign < " " for name in schema.names for sign in name):
        return lambda body: None
    return _Decoder(schema)


class _Decoder:
    def __init__(self, schema: Schema) -> None:
        self._decode = msgspec.json.Decoder(_body_type(schema)).decode
        self._casts = [caster(column) if column.is_used else _nothing for column in schema.columns]
        self._columns = schema.columns
        self._new_levels = new_levels(schema)

    def __call__(self, body: bytes) -> Question | None:
        if b"\\" in body:  # an escape may hide a quotation mark, or half a character
            return None
        if body.count(b"{") > FEW_ROWS + 1:
            return None
        try:
            rows = list(map(msgspec.structs.astuple, self._decode(body).rows))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
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

    def _is_uniform(self, rows: list[list[type]]) -> bool:
        """Return whether each value can be cast by itself, whatever stands in the same column of the other rows."""
        for column, found in zip(self._columns, zip(*rows, strict=True), strict=True):
            kinds = set(found) - {type(None), UnsetType}
            if column.is_used and len(kinds) > 1:
                return False
        return True


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
