"""From the bytes of a request to an aligned frame: lenient about form, strict about limits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.schema import Kind, Schema
from mantic.core.strict_json import read_json
from mantic.search.row import RowPlan
from mantic.serve.problem import RequestError, TooLargeError, too_many_rows

_EXAMPLE = 'send {"rows": [{"column": value, ...}]}'
_MAX_DEPTH = 4
_MAX_FAULTS = 10
_MOST_STRANGE = 1_000  # columns of a row beyond those of the model
_LARGE = 1e300  # numbers below have no fault
FEW_ROWS = 8  # up to so many, row by row is faster than a frame


@dataclass(frozen=True)
class Limits:
    """How much one request may hold, and how many may wait.

    Parameters
    ----------
    max_rows, max_bytes : of one request.
    threads : predictions that are worked on side by side, of those that take longer than a thread is worth; beside them
        as many reasons and as many outcomes. More threads are worth it only for models whose native code leaves the
        interpreter for long: else they get in each other's way, and in that of refusals and quick answers.
    max_waiting : how many of each kind may wait for a thread.
    max_together : how many that came together are answered at once, of those that take less; the others are sent away.
    """

    max_rows: int = 10_000
    max_bytes: int = 10_000_000
    threads: int = 1
    max_waiting: int = 20
    max_together: int = 256


@dataclass(frozen=True)
class Question:
    """The rows of one request, aligned to the schema, and what was odd about them (code, column, count, text).

    Few rows for a model that answers row by row come as `values`, cast one by one, and without a frame.
    """

    frame: pl.DataFrame | None
    warnings: tuple[Mapping[str, Any], ...] = ()
    values: tuple[Sequence[Any], ...] = ()


def read_question(body: bytes, schema: Schema, limits: Limits, *, plan: RowPlan | None = None) -> Question:
    """Return the rows of a JSON body, aligned to the schema; one by one, if they are few and there is a plan for that.

    Columns that the model does not know are ignored and counted; so are categories that it has not seen.

    Raises
    ------
    RequestError : if the body is no JSON object with "rows".
    TooLargeError : if there are more than `limits.max_rows`, or far more columns than the model has.
    SchemaError : names every column and value that does not fit.
    """
    return question_of(_rows(body), schema, limits, plan=plan)


def question_of(rows: list[dict[str, Any]], schema: Schema, limits: Limits, *, plan: RowPlan | None = None) -> Question:
    """Return rows as a question; raises as `read_question` does."""
    if len(rows) > limits.max_rows:
        raise too_many_rows(len(rows), limits.max_rows)
    check_columns(max(map(len, rows), default=0), schema)
    _check_values(rows)
    spare = [column.name for column in schema.columns if not column.is_used]
    filled = [dict.fromkeys(spare) | rows[0], *rows[1:]] if rows else rows
    ignored = _ignored(rows, schema)
    if plan is not None and (values := _one_by_one(filled, schema, plan)):
        return Question(None, (*ignored, *new_levels(schema)(values)), values)
    frame = schema.align(filled, where="rows")
    return Question(frame, (*ignored, *unknown_categories(frame, schema)))


def read_lines(body: bytes, limits: Limits) -> list[dict[str, Any]]:
    """Return the rows of a body that holds one JSON object per line; empty lines are passed over.

    Raises
    ------
    RequestError : names the lines that are no JSON object. TooLargeError : if there are more than `limits.max_rows`.
    """
    rows: list[dict[str, Any]] = []
    faults = []
    for number, line in enumerate(body.split(b"\n")):
        if not line.strip():
            continue
        try:
            row = read_json(line, max_depth=_MAX_DEPTH)
            if not isinstance(row, dict):
                raise ValueError("it is no object")
        except ValueError as error:
            faults.append(f"line {number + 1}: {_shown(error)}")
            if len(faults) == _MAX_FAULTS:
                break
            continue
        rows.append(row)
        if len(rows) > limits.max_rows:
            raise too_many_rows(len(rows), limits.max_rows)
    if faults:
        fix = 'send one object per line: {"column": value, ...}'
        raise RequestError("; ".join(faults), where="the request (the first line is line 1)", fix=fix)
    return rows


def check_columns(n_columns: int, schema: Schema) -> None:
    """Refuse rows that have far more columns than the model.

    Raises
    ------
    TooLargeError : says how many there may be.
    """
    most = len(schema) + _MOST_STRANGE
    if n_columns > most:
        raise TooLargeError(
            f"{n_columns:,} columns are too many", where="rows", fix=f"send the {len(schema):,} columns of the model"
        )


def _one_by_one(rows: Sequence[Mapping[str, Any]], schema: Schema, plan: RowPlan) -> tuple[Sequence[Any], ...]:
    """Return the cast values of each row, or nothing where rows are many, or a column holds values of several kinds."""
    if not 0 < len(rows) <= FEW_ROWS:
        return ()
    if len(rows) == 1:
        return (plan.values(rows[0], where="rows"),)
    spare = dict.fromkeys(column.name for column in schema.columns if not column.is_used)
    for column in schema.columns:
        kinds = {type(row.get(column.name)) for row in rows} - {type(None)}
        if column.is_used and len(kinds) > 1:
            return ()
    try:
        return tuple(plan.values({**spare, **row}, where="rows") for row in rows)
    except SchemaError:  # the frame of all rows says it with the row's number
        return ()


def _rows(body: bytes) -> list[dict[str, Any]]:
    try:
        content = read_json(body, max_depth=_MAX_DEPTH)
    except ValueError as error:
        raise RequestError(f"the body cannot be read: {_shown(error)}", where="the request", fix=_EXAMPLE) from error
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


def _shown(error: ValueError) -> str:
    return str(error) if len(str(error)) < 200 else "it is no JSON"


def _check_values(rows: Sequence[Mapping[str, Any]]) -> None:
    if not any(map(_fault, set().union(*rows))) and all(_is_plain(row.values()) for row in rows):
        return
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


def _is_plain(values: Iterable[Any]) -> bool:
    """Whether a look at types and sizes is enough to say that no value has a fault."""
    for value in values:
        kind = type(value)
        if kind is float or kind is int:
            if not -_LARGE < value < _LARGE:
                return False
        elif kind is str:
            if not value.isascii():
                return False
        elif value is not None and kind is not bool:
            return False
    return True


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
    return ignored_columns(counts)


def ignored_columns(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return a warning for each column that the model does not know, from how many rows have it."""
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
        levels = frozenset((*column.levels, None))
        counts[column.name] = sum(value not in levels for value in frame[column.name].to_list())
    return _unknown(counts, frame.height)


def new_levels(schema: Schema) -> Callable[[Sequence[Sequence[Any]]], tuple[Mapping[str, Any], ...]]:
    """Return a function from cast rows to what `unknown_categories` says of their frame."""
    known = [
        (place, column.name, frozenset((*column.levels, None)))
        for place, column in enumerate(schema.columns)
        if column.kind == Kind.CATEGORY and len(column.levels) >= column.n_levels
    ]

    def warn(rows: Sequence[Sequence[Any]]) -> tuple[Mapping[str, Any], ...]:
        counts = {name: sum(row[place] not in levels for row in rows) for place, name, levels in known}
        return tuple(_unknown(counts, len(rows))) if any(counts.values()) else ()

    return warn


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
