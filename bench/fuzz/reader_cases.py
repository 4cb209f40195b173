"""Files of every kind that a table can come in, with something changed inside of them."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import xlsxwriter
from choices import NUMBERS, TEXTS, Choices, damaged, odd_json, odd_value

from mantic.core.errors import ManticError
from mantic.core.run import Run
from mantic.sources.pieces import pieces
from mantic.sources.read import read

_NAMES = ("a", "b", "rows", "", "ä", "x" * 300, "a,b", 'q"', "\n", "column_1", " ", "\ufeff", "\x00")
_PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def changed(choices: Choices) -> tuple[str, bytes]:
    """Return the name and the content of a file."""
    kind = choices.pick(sorted(_KINDS))
    content = _KINDS[kind](choices)
    if choices.once_in(6):
        kind = choices.pick(sorted(_KINDS))
    if choices.once_in(6):
        ending = choices.pick(("gz", "bz2", "xz", "zip"))
        content = _zipped(f"t.{kind}", content, choices) if ending == "zip" else _PACKERS[ending](content)
        content += choices.pick((b"", b"", b"\x00" * 9, b"junk", content[:20]))
        content, kind = damaged(content, choices) if choices.once_in(4) else content, f"{kind}.{ending}"
    return f"t.{kind}", content


def take(path: Path) -> None:
    """Read a file as a whole and in pieces; where both can, they hold as many rows."""
    with Run() as run:
        try:
            whole: int | None = read(path, run=run).height
        except ManticError:
            whole = None
    with Run() as run:
        try:
            parts: int | None = sum(piece.frame.height for piece in pieces(str(path), run))
        except ManticError:
            parts = None
    if whole is not None and parts is not None and whole != parts:
        raise AssertionError(f"{whole} rows as a whole, {parts} in pieces")


def _csv(choices: Choices) -> bytes:
    mark, end = choices.pick((",", ";", "\t", "|")), choices.pick(("\n", "\r\n", "\r", "\n\r"))
    quote = choices.pick(('"', '"', "'", ""))
    width = choices.pick((1, 2, 3, 5, 2000)) if choices.once_in(9) else 1 + choices.below(4)
    lines = []
    for _ in range(1 + choices.below(8)):
        cells = [choices.pick(choices.pick((TEXTS, NUMBERS, _NAMES))) for _ in range(width)]
        lines.append(
            mark.join(
                f"{quote}{cell.replace(quote, 2 * quote)}{quote}" if quote and choices.once_in(2) else cell
                for cell in cells
            )
        )
    text = end.join(lines) + choices.pick(("", end, end * 3))
    content = text.encode(choices.pick(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1")), "replace")
    return damaged(content, choices) if choices.once_in(3) else content


def _json(choices: Choices) -> bytes:
    names = [choices.pick(_NAMES) for _ in range(1 + choices.below(3))]
    rows: Any = [{name: _cell(choices) for name in names} for _ in range(1 + choices.below(5))]
    if choices.once_in(4):
        rows = {name: [_cell(choices) for _ in range(3)] for name in names}
    if choices.once_in(3):
        rows = odd_json(rows, choices)
    text = json.dumps(rows, ensure_ascii=choices.once_in(2))
    if choices.once_in(12):
        text = '{"a":' * 100_000 if choices.once_in(2) else "[" * choices.pick((900, 5000, 100_000))
    return _encoded(text, choices)


def _lines(choices: Choices) -> bytes:
    text = "\n".join(
        json.dumps({choices.pick(_NAMES): _cell(choices) for _ in range(3)}) for _ in range(1 + choices.below(6))
    )
    return _encoded(text, choices)


def _encoded(text: str, choices: Choices) -> bytes:
    content = text.encode(choices.pick(("utf-8", "utf-8", "utf-8-sig", "utf-16")), "surrogatepass")
    return damaged(content, choices) if choices.once_in(3) else content


def _cell(choices: Choices) -> Any:
    return odd_value(choices) if choices.once_in(2) else choices.pick((1, 2.5, "a", None, True, "2024-01-31"))


def _parquet(choices: Choices) -> bytes:
    return _damaged(choices.pick(_parquets()), choices)


def _arrow(choices: Choices) -> bytes:
    return _damaged(choices.pick(_arrows()), choices)


def _damaged(content: bytes, choices: Choices) -> bytes:
    return content if choices.once_in(10) else damaged(content, choices)


def _excel(choices: Choices) -> bytes:
    content = choices.pick(_books())
    if choices.once_in(4):
        return damaged(content, choices)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = choices.pick(sorted(members))
    members[name] = damaged(members[name], choices)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, each in members.items():
            archive.writestr(one, each)
    return out.getvalue()


def _zipped(name: str, content: bytes, choices: Choices) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(
        out, "w", choices.pick((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA))
    ) as archive:
        archive.writestr(
            choices.pick((name, name, f"../{name}", f"/tmp/{name}", f"d/{name}", "d/..", "..", "a\\b.csv", "x" * 300)),
            content,
        )
        for place in range(choices.pick((0, 0, 0, 1, 300))):
            archive.writestr(choices.pick((f"__MACOSX/{place}", f".{place}", f"{place}.csv")), b"")
    return out.getvalue()


@cache
def _tables() -> tuple[pa.Table, ...]:
    """Return tables of plain types, of odd ones, and of nested ones."""
    moment = datetime(2024, 1, 31, 12, tzinfo=UTC)
    plain = {"a": [1, 2, None], "b": [1.5, float("nan"), float("inf")], "c": ["x", "", None], "d": [True, None, False]}
    dates = {
        "day": pa.array([date(1, 1, 1), date(9999, 12, 31), None]),
        "ns": pa.array([-(2**63) + 1, 2**63 - 1, 0], pa.timestamp("ns")),
        "s": pa.array([-(2**62), 2**62, 0], pa.timestamp("s")),
        "zone": pa.array([moment, None, moment], pa.timestamp("us", "Europe/Berlin")),
        "zone?": pa.array([moment, None, moment], pa.timestamp("ms", "+05:30")),
        "time": pa.array([time(1, 2, 3), None, time(23, 59, 59)]),
        "span": pa.array([timedelta(days=1), None, timedelta(days=-99999)]),
        "date64": pa.array([0, 2**60, -(2**60)], pa.date64()),
    }
    odd = {
        "decimal": pa.array([Decimal("1.50"), None, Decimal("-99999999999999999.99")], pa.decimal128(38, 2)),
        "wide": pa.array([Decimal(1), None, Decimal(10) ** 60], pa.decimal256(70, 0)),
        "binary": pa.array([b"\xff\x00", b"", None], pa.binary()),
        "fixed": pa.array([b"ab", b"cd", None], pa.binary(2)),
        "word": pa.array(["a", "b", None]).dictionary_encode(),
        "null": pa.nulls(3),
        "uint64": pa.array([2**64 - 1, 0, None], pa.uint64()),
        "half": pa.array([1.0, None, 2.0], pa.float16()),
        "large": pa.array(["x", None, "y"], pa.large_string()),
    }
    nested = {
        "list": pa.array([[1, None], [], None]),
        "struct": pa.array([{"x": 1, "y": [b"z"]}, None, {"x": None, "y": []}]),
        "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        "lists": pa.array([[[date(2024, 1, 1)]], [[]], None]),
        "fixed": pa.array([[1, 2], [3, 4], None], pa.list_(pa.int8(), 2)),
    }
    tables = [pa.table({name: one}) for part in (dates, odd, nested) for name, one in part.items()]
    return (pa.table(plain), *tables)


@cache
def _parquets() -> tuple[bytes, ...]:
    found = []
    for table in _tables():
        for options in (
            {},
            {"use_deprecated_int96_timestamps": True},
            {"compression": "none", "use_dictionary": False},
        ):
            out = io.BytesIO()
            try:
                pyarrow.parquet.write_table(table, out, **options)
            except (pa.ArrowException, OverflowError):
                continue
            found.append(out.getvalue())
    return tuple(found)


@cache
def _arrows() -> tuple[bytes, ...]:
    found = []
    for table in _tables():
        for kind in (pa.ipc.new_file, pa.ipc.new_stream):
            out = io.BytesIO()
            with kind(out, table.schema) as writer:
                writer.write_table(table)
            found.append(out.getvalue())
    return tuple(found)


@cache
def _books() -> tuple[bytes, ...]:
    """Return books with numbers, texts, dates, formulas and errors."""
    found = []
    for n_sheets in (1, 3):
        out = io.BytesIO()
        book = xlsxwriter.Workbook(out, {"nan_inf_to_errors": True})
        for _ in range(n_sheets):
            sheet = book.add_worksheet()
            form = book.add_format({"num_format": "yyyy-mm-dd"})
            sheet.write_row(0, 0, ["a", "b", "day", "f", "e", "t"])
            for row in range(1, 4):
                sheet.write_number(row, 0, row)
                sheet.write_string(row, 1, ("x", "", "1,5")[row - 1])
                sheet.write_number(row, 2, (0, 60, 2958466)[row - 1], form)
                sheet.write_formula(row, 3, "=A1/0", None, ("#DIV/0!", 2, "text")[row - 1])
                sheet.write_number(row, 4, float("inf"))
                sheet.write_boolean(row, 5, True)
        book.close()
        found.append(out.getvalue())
    frame = io.BytesIO()
    pl.DataFrame({"a": [1, 2], "b": ["x", None]}).write_excel(frame)
    return (*found, frame.getvalue())


_KINDS: dict[str, Callable[[Choices], bytes]] = {
    "csv": _csv, "tsv": _csv, "json": _json, "ndjson": _lines, "parquet": _parquet, "arrow": _arrow, "xlsx": _excel,
}  # fmt: skip
