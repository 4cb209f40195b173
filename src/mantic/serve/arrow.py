"""Rows and answers as an Arrow IPC stream. What a stranger sends is measured before it is unpacked."""

import io
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from mantic.core.arrow_lengths import check_stream, field_at
from mantic.core.errors import SchemaError
from mantic.core.schema import Schema
from mantic.serve.problem import RequestError, too_many_bytes, too_many_rows
from mantic.serve.question import Limits, Question, check_columns, ignored_columns, unknown_categories

_FIX = "send a stream (not a file) of plain columns without compression, as pyarrow.ipc.new_stream writes it"
_CONTINUES = b"\xff\xff\xff\xff"
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3  # kinds of a message, as Arrow's Message.fbs numbers them
_LENGTH, _COMPRESSION = 0, 3  # fields of a RecordBatch
_PLAIN = (pl.Utf8, pl.Boolean, pl.Date, pl.Datetime, pl.Categorical, pl.Enum, pl.Null)


def read_arrow(body: bytes, schema: Schema, limits: Limits) -> Question:
    """Return the rows of an Arrow stream, aligned to the schema.

    Raises
    ------
    RequestError : if it is no such stream, is compressed, or holds lists or objects.
    TooLargeError : if there are too many rows or columns. SchemaError : names every column and value that does not fit.
    """
    n_rows = 0
    for n_found in _lengths(body):
        n_rows += n_found
        if n_rows > limits.max_rows:
            raise too_many_rows(n_rows, limits.max_rows)
    try:
        check_stream(body)
        frame = pl.read_ipc_stream(io.BytesIO(body))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError) as error:
        raise _no_stream("it cannot be read") from error
    if frame.is_empty():
        raise SchemaError("there are no rows", where="rows", fix="send at least one row")
    check_columns(len(frame.columns), schema)
    nested = [name for name, kind in frame.schema.items() if not (kind.is_numeric() or isinstance(kind, _PLAIN))]
    if nested:
        raise _no_stream(f"the column '{nested[0][:80]}' holds no numbers, texts, dates or truth values")
    texts = frame.select(pl.col(pl.String, pl.Categorical, pl.Enum).cast(pl.String).str.len_bytes().sum())
    if texts.width and sum(texts.row(0)) > limits.max_bytes:  # many rows may point at the same long text
        raise too_many_bytes(limits.max_bytes)
    spare = [one.name for one in schema.columns if not one.is_used and one.name not in frame.columns]
    ignored = ignored_columns(dict.fromkeys(set(frame.columns) - set(schema.names), frame.height))
    aligned = schema.align(frame.with_columns(pl.lit(None).alias(name) for name in spare), where="rows")
    return Question(aligned, (*ignored, *unknown_categories(aligned, schema)))


def write_arrow(predictions: list[dict[str, Any]]) -> bytes:
    """Return answers as an Arrow stream with a column for each field: `probability.yes`, `interval.low`.

    >>> data = write_arrow([{"prediction": 2.0, "interval": [1.0, 3.0], "level": 0.9}])
    >>> pl.read_ipc_stream(io.BytesIO(data)).row(0, named=True)
    {'prediction': 2.0, 'interval.low': 1.0, 'interval.high': 3.0, 'level': 0.9}
    """
    data = io.BytesIO()
    pl.DataFrame([dict(_flat(one)) for one in predictions], infer_schema_length=None).write_ipc_stream(data)
    return data.getvalue()


def _flat(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in answer.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", one) for key, one in value.items())
        elif isinstance(value, list):
            yield from ((f"{name}.{end}", one) for end, one in zip(("low", "high"), value, strict=True))
        else:
            yield name, value


def _lengths(body: bytes) -> Iterator[int]:
    """Return how many rows each batch says to hold, and refuse what would be larger in memory than it is here."""
    place = 0
    try:
        while place + 8 <= len(body) and body[place : place + 4] == _CONTINUES:
            size = _int32(body, place + 4)
            if size == 0:
                return
            start = place + 8
            message = start + _uint32(body, start)
            kind = body[_field(body, message, 1)] if _field(body, message, 1) else 0
            header = _field(body, message, 2)
            if kind not in (_SCHEMA, _DICTIONARY, _BATCH) or size < 0 or not header:
                raise _no_stream("it has a message of an unknown kind")
            table = header + _uint32(body, header)
            if kind == _DICTIONARY:
                inner = _field(body, table, 1)
                table = inner + _uint32(body, inner)
            if kind != _SCHEMA:
                if _field(body, table, _COMPRESSION):
                    raise _no_stream("it is compressed")
                length = _field(body, table, _LENGTH)
                yield max(0, struct.unpack_from("<q", body, length)[0]) if length else 0
            n_bytes = _field(body, message, 3)
            place = start + size + (struct.unpack_from("<q", body, n_bytes)[0] if n_bytes else 0)
            if place < start + size:
                raise _no_stream("it is cut off")
    except (struct.error, IndexError) as error:
        raise _no_stream("it is cut off") from error
    if place != len(body) or place == 0:
        raise _no_stream("it is none")


def _field(body: bytes, table: int, number: int) -> int:
    try:
        return field_at(body, table, number)
    except ValueError as error:
        raise _no_stream("it is cut off") from error


def _int32(body: bytes, place: int) -> int:
    return int(struct.unpack_from("<i", body, place)[0])


def _uint32(body: bytes, place: int) -> int:
    return int(struct.unpack_from("<I", body, place)[0])


def _no_stream(why: str) -> RequestError:
    return RequestError(f"the body is no Arrow stream that can be taken: {why}", where="the request", fix=_FIX)
