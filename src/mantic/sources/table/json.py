"""JSON: an array of objects, an object of columns, or one object a line (NDJSON)."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from mantic.core.errors import SourceError
from mantic.core.run import Run
from mantic.core.source import source
from mantic.sources.frames import to_polars
from mantic.sources.sniff import broken, letters

_FIX = "write an array of objects, [{...}, {...}], an object of columns, or one object a line"


@source("json")
def read_json(address: str, run: Run) -> pl.DataFrame:
    """Read `[{"a": 1}, ...]`, `{"a": [1, ...]}` or one object a line; null and an absent key are missing.

    Nested lists and objects become JSON texts. Numbers and texts mixed in a column become texts.

    Raises
    ------
    SourceError : names the line and place where it is no JSON, or says what it is instead of a table.
    """
    path = Path(address)
    found = letters(path)
    if oddity := found.oddity(path.name):
        run.warn("encoding", oddity)
    try:
        encoding = "utf-8-sig" if found.encoding == "utf-8" else found.encoding
        text = path.read_text(encoding, found.errors)
    except UnicodeError as error:
        raise broken(path, found.encoding) from error
    if not text.strip():
        raise SourceError("the file is empty", where=address, fix="export the table again")
    data = _parse(text, address)
    if isinstance(data, dict) and not (data and all(isinstance(values, list) for values in data.values())):
        data = [data]
    if not isinstance(data, (list, dict)) or (
        isinstance(data, list) and not all(isinstance(row, dict) for row in data)
    ):
        raise SourceError("the JSON is no table", where=address, fix=_FIX)
    try:
        frame = to_polars(data)
    except RecursionError as error:
        raise _too_deep(address) from error
    if frame.height == 0 or frame.width == 0:
        raise SourceError("the JSON holds no rows", where=address, fix=_FIX)
    return frame


def _parse(text: str, where: str) -> Any:
    """Return the document; where a second one follows, the list of all lines."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise _fault(where, error.lineno, f"{error.msg}, character {error.colno}") from error
    except RecursionError as error:
        raise _too_deep(where) from error
    except ValueError as error:  # a number of thousands of digits
        raise _fault(where, 1, str(error)) from error
    lines = enumerate(text.split("\n"), start=1)
    return [parse_line(line, where, number) for number, line in lines if line.strip()]


def parse_line(text: str, where: str, number: int) -> dict[str, Any]:
    """Return the object in a line.

    Raises
    ------
    SourceError : names the line, if it holds no JSON or no object.
    """
    try:
        row = json.loads(text)
    except json.JSONDecodeError as error:
        raise _fault(where, number, f"{error.msg}, character {error.colno}") from error
    except RecursionError as error:
        raise _too_deep(f"{where}, line {number:,}") from error
    except ValueError as error:
        raise _fault(where, number, str(error)) from error
    if not isinstance(row, dict):
        raise _fault(where, number, "this line is no object")
    return row


def _too_deep(where: str) -> SourceError:
    return SourceError("the JSON is nested too deep for a table", where=where, fix=_FIX)


def _fault(where: str, line: int, what: str) -> SourceError:
    return SourceError(f"the file is no JSON: {what}", where=f"{where}, line {line:,}", fix=_FIX)
