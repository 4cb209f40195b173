"""From the bytes of a request to an aligned frame: lenient about form, strict about limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.schema import Kind, Schema
from mantic.core.strict_json import read_json
from mantic.search.row import RowPlan
from mantic.serve.problem import MediaError, RequestError, TooLargeError

if TYPE_CHECKING:
    from starlette.requests import Request

_EXAMPLE = 'send {"rows": [{"column": value, ...}]}'
_MEDIA = ("application/json", "text/plain", "application/x-www-form-urlencoded", "")  # the third is what curl -d says
_MAX_DEPTH = 4
_MAX_FAULTS = 10
_FEW_ROWS = 8  # up to so many, row by row is faster than a frame
_TEXTS = (Kind.CATEGORY, Kind.TEXT)  # of numbers, only all together tell whether 3 is written "3" or "3.0"


@dataclass(frozen=True)
class Limits:
    """How much one request may hold."""

    max_rows: int = 10_000
    max_bytes: int = 10_000_000


@dataclass(frozen=True)
class Question:
    """The rows of one request, aligned to the schema, and what was odd about them (code, column, count, text).

    Few rows for a model that answers row by row come as `values`, cast one by one, and without a frame.
    """

    frame: pl.DataFrame | None
    warnings: tuple[Mapping[str, Any], ...] = ()
    values: tuple[Sequence[Any], ...] = ()


async def read_body(request: "Request", limits: Limits) -> bytes:
    """Return the body of a request, reading no more than is allowed.

    Raises
    ------
    MediaError : if it says to be anything but plain JSON.
    TooLargeError : if it is longer than `limits.max_bytes`.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity").lower()
    if media not in _MEDIA and not media.endswith("+json"):
        raise MediaError(
            f"the body is '{media}', not JSON",
            where="header Content-Type",
            fix="send the header 'Content-Type: application/json'",
        )
    if coding != "identity":
        raise MediaError(f"the body is packed ({coding})", where="header Content-Encoding", fix="send it unpacked")
    declared = request.headers.get("content-length", "")
    body = bytearray()
    if not (declared.isdecimal() and int(declared[:20]) > limits.max_bytes):
        async for part in request.stream():
            body += part
            if len(body) > limits.max_bytes:
                break
        else:
            return bytes(body)
    raise TooLargeError(
        f"the body is longer than {limits.max_bytes:,} bytes",
        where="the request",
        fix="send fewer rows at a time, or score a file with 'mantic predict'",
    )


def read_question(body: bytes, schema: Schema, limits: Limits, *, plan: RowPlan | None = None) -> Question:
    """Return the rows of a body, aligned to the schema; one by one, if they are few and there is a plan for that.

    Columns that the model does not know are ignored and counted; so are categories that it has not seen.

    Raises
    ------
    RequestError : if the body is no JSON object with "rows".
    TooLargeError : if there are more than `limits.max_rows`.
    SchemaError : names every column and value that does not fit.
    """
    rows = _rows(body)
    if len(rows) > limits.max_rows:
        raise TooLargeError(
            f"{len(rows):,} rows are too many for one request",
            where="rows",
            fix=f"send at most {limits.max_rows:,} at a time",
        )
    _check_values(rows)
    spare = [column.name for column in schema.columns if not column.is_used]
    filled = [dict.fromkeys(spare) | rows[0], *rows[1:]] if rows else rows
    ignored = _ignored(rows, schema)
    if plan is not None and (values := _one_by_one(filled, schema, plan)):
        return Question(None, (*ignored, *_unknown(_new_levels(values, schema), len(values))), values)
    frame = schema.align(filled, where="rows")
    return Question(frame, (*ignored, *unknown_categories(frame, schema)))


def _one_by_one(rows: Sequence[Mapping[str, Any]], schema: Schema, plan: RowPlan) -> tuple[Sequence[Any], ...]:
    """Return the cast values of each row, or nothing where rows are many, or only all together tell what a value is."""
    if not 0 < len(rows) <= _FEW_ROWS:
        return ()
    if len(rows) == 1:
        return (plan.values(rows[0], where="rows"),)
    spare = dict.fromkeys(column.name for column in schema.columns if not column.is_used)
    for column in schema.columns:
        kinds = {type(row.get(column.name)) for row in rows} - {type(None)}
        if (column.is_used and len(kinds) > 1) or (kinds <= {int, float} and kinds and column.kind in _TEXTS):
            return ()
    try:
        return tuple(plan.values({**spare, **row}, where="rows") for row in rows)
    except SchemaError:  # the frame of all rows says it with the row's number
        return ()


def _new_levels(values: Sequence[Sequence[Any]], schema: Schema) -> dict[str, int]:
    counts = {}
    for place, column in enumerate(schema.columns):
        if column.kind == Kind.CATEGORY and len(column.levels) >= column.n_levels:
            counts[column.name] = sum(row[place] is not None and row[place] not in column.levels for row in values)
    return counts


def _rows(body: bytes) -> list[dict[str, Any]]:
    try:
        content = read_json(body, max_depth=_MAX_DEPTH)
    except ValueError as error:
        text = str(error) if len(str(error)) < 200 else "it is no JSON"
        raise RequestError(f"the body cannot be read: {text}", where="the request", fix=_EXAMPLE) from error
    if not isinstance(content, dict) or not isinstance(content.get("rows"), list):
        raise RequestError('the body is no object with a list "rows"', where="the request", fix=_EXAMPLE)
    if others := [key for key in content if key != "rows"]:
        raise RequestError(
            f'the body holds {", ".join(repr(key[:40]) for key in others[:_MAX_FAULTS])} beside "rows"',
            where="the request",
            fix=_EXAMPLE,
        )
    faults = [f"row {place} is no object" for place, row in enumerate(content["rows"]) if not isinstance(row, dict)]
    if faults:
        raise RequestError("; ".join(faults[:_MAX_FAULTS]), where="rows (the first is row 0)", fix=_EXAMPLE)
    return list(content["rows"])


def _check_values(rows: Sequence[Mapping[str, Any]]) -> None:
    faults = [
        f"row {place}, column '{name[:80]}' {fault}"
        for place, row in enumerate(rows)
        for name, value in row.items()
        if (fault := _fault(name) or _fault(value))
    ]
    if faults:
        more = f"; and {len(faults) - _MAX_FAULTS:,} more" if len(faults) > _MAX_FAULTS else ""
        raise SchemaError(
            "; ".join(faults[:_MAX_FAULTS]) + more,
            where="rows (the first is row 0)",
            fix="send numbers, texts, true, false or null",
        )


def _fault(value: Any) -> str:
    if isinstance(value, list | dict):
        return "holds a list or an object"
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
        return "holds half a character"
    if (isinstance(value, int) and value.bit_length() > 1000) or value in (float("inf"), float("-inf")):
        return "holds a number that is too large"
    return ""


def _ignored(rows: Sequence[Mapping[str, Any]], schema: Schema) -> list[dict[str, Any]]:
    known, counts = set(schema.names), dict[str, int]()
    for row in rows:
        for name in row.keys() - known:
            counts[name] = counts.get(name, 0) + 1
    return [
        {
            "code": "unknown_column",
            "column": name,
            "count": count,
            "text": f"'{name}' is no column of the model and is ignored",
        }
        for name, count in sorted(counts.items())[:100]
    ]


def unknown_categories(frame: pl.DataFrame, schema: Schema) -> list[dict[str, Any]]:
    """Return a warning for each column that holds categories which were not there when the model was fitted."""
    counts = {}
    for column in schema.columns:
        if column.kind != Kind.CATEGORY or len(column.levels) < column.n_levels:
            continue  # where only the commonest levels are kept, nobody knows which are new
        values = frame[column.name].drop_nulls()
        counts[column.name] = len(values) - int(values.is_in(list(column.levels)).sum())
    return _unknown(counts, frame.height)


def _unknown(counts: Mapping[str, int], n_rows: int) -> list[dict[str, Any]]:
    text = "{count:,} of {n_rows:,} rows hold a category of '{name}' that the model has not seen"
    return [
        {
            "code": "unknown_category",
            "column": name,
            "count": count,
            "text": text.format(count=count, n_rows=n_rows, name=name),
        }
        for name, count in counts.items()
        if count
    ]
