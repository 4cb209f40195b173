"""From the bytes of a request to an aligned frame: lenient about form, strict about limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.schema import Kind, Schema
from mantic.core.strict_json import read_json
from mantic.serve.problem import MediaError, RequestError, TooLargeError

if TYPE_CHECKING:
    from starlette.requests import Request

_EXAMPLE = 'send {"rows": [{"column": value, ...}]}'
_MEDIA = ("application/json", "text/plain", "application/x-www-form-urlencoded", "")  # the third is what curl -d says
_MAX_DEPTH = 4
_MAX_FAULTS = 10


@dataclass(frozen=True)
class Limits:
    """How much one request may hold."""

    max_rows: int = 10_000
    max_bytes: int = 10_000_000


@dataclass(frozen=True)
class Question:
    """The rows of one request, aligned to the schema, and what was odd about them (code, column, count, text)."""

    frame: pl.DataFrame
    warnings: tuple[Mapping[str, Any], ...] = ()


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


def read_question(body: bytes, schema: Schema, limits: Limits) -> Question:
    """Return the rows of a body, aligned to the schema.

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
    frame = schema.align(filled, where="rows")
    return Question(frame, (*_ignored(rows, schema), *unknown_categories(frame, schema)))


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
    found = []
    for column in schema.columns:
        if column.kind != Kind.CATEGORY or len(column.levels) < column.n_levels:
            continue  # where only the commonest levels are kept, nobody knows which are new
        values = frame[column.name].drop_nulls()
        count = len(values) - int(values.is_in(list(column.levels)).sum())
        if count:
            text = f"{count:,} of {frame.height:,} rows hold a category of '{column.name}' that the model has not seen"
            found.append({"code": "unknown_category", "column": column.name, "count": count, "text": text})
    return found
