"""Read a CSV file record by record: slower than polars, but it knows the line of every fault."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import polars as pl

from mantic.core.errors import SourceError
from mantic.sources.dialect import Dialect

_MOST_FAULTS = 5
_END = "\x1eend of file\x1e"  # a record of its own, unless a quote before it is still open


def read_records(path: Path, dialect: Dialect, *, names: Sequence[str], where: str) -> pl.DataFrame:
    """Return the texts below the header, empty ones as null; blank lines count only in a single column.

    Raises
    ------
    SourceError : names the lines whose number of fields is not the header's, or the line where a quote is left open.
    """
    return records_frame(records(path, dialect, where), dialect, names=names, where=where)


Record = tuple[int, list[str]]  # the line where it begins, and its fields


def records_frame(found: Iterable[Record], dialect: Dialect, *, names: Sequence[str], where: str) -> pl.DataFrame:
    """Return records as texts, as `read_records` does."""
    columns: list[list[str | None]] = [[] for _ in names]
    faults: list[tuple[int, int]] = []
    for line, record in found:
        fields = record or [""]  # a blank line
        if len(fields) == len(columns):
            for column, value in zip(columns, fields, strict=True):
                column.append(value or None)
        elif record:
            faults.append((line, len(record)))
    if faults:
        shown = ", ".join(f"line {line:,} has {width}" for line, width in faults[:_MOST_FAULTS])
        more = f" and {len(faults) - _MOST_FAULTS:,} more lines are wrong" if len(faults) > _MOST_FAULTS else ""
        raise SourceError(
            f"expected {len(columns)} fields in every line, as in the header; {shown}{more}",
            where=f"{where}, line {faults[0][0]:,}",
            fix=f"quote texts that hold the delimiter ({dialect.delimiter!r}), and give every line as many",
        )
    return pl.DataFrame([pl.Series(name, column, dtype=pl.String) for name, column in zip(names, columns, strict=True)])


def records(path: Path, dialect: Dialect, where: str) -> Iterator[Record]:
    """Yield (line where it begins, record) below the header."""
    line, has_header = 1, False
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = chain(_ended(file), [_END])
        reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote)
        while True:
            try:
                record = next(reader, None)
            except csv.Error as error:
                raise _left_open(dialect, where, line) from error
            if record is None or record == [_END]:
                return
            if record and record[-1].endswith(_END):
                raise _left_open(dialect, where, line)
            if has_header:
                yield line, record
            has_header = has_header or bool(record)
            line = reader.line_num + 1


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith(("\n", "\r")) else f"{line}\n"


def _left_open(dialect: Dialect, where: str, line: int) -> SourceError:
    return SourceError(
        f"a quote ({dialect.quote}) is opened and never closed",
        where=f"{where}, line {line:,}",
        fix="close the quote, or write it twice where it is part of a text",
    )
