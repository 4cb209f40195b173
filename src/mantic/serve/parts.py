"""Answers in parts, and how parts become one file."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import polars as pl

_BUFFER = 1 << 20
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that a spreadsheet may take for a formula


@dataclass(frozen=True)
class Form:
    """How answers stand in a file: how a part is written, and how parts become the file."""

    write: Callable[[pl.DataFrame, Path], Any]
    join: Callable[[Sequence[Path], Path], Any]


def _join_csv(parts: Sequence[Path], whole: Path) -> None:
    """Put the parts behind each other, with the header of the first."""
    with whole.open("wb") as out:
        for number, part in enumerate(parts):
            with part.open("rb") as file:
                header = _header(file)
                if number == 0:
                    out.write(header)
                shutil.copyfileobj(file, out, _BUFFER)


def _header(file: IO[bytes]) -> bytes:
    """Read the names of the columns; one with a line break in it stands in quotes."""
    header = file.readline()
    while header.count(b'"') % 2 and (more := file.readline()):
        header += more
    return header


def _join_lines(parts: Sequence[Path], whole: Path) -> None:
    with whole.open("wb") as out:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, out, _BUFFER)


def _join_json(parts: Sequence[Path], whole: Path) -> None:
    """Make one array of what is one array in each part."""
    with whole.open("wb") as out:
        for number, part in enumerate(parts):
            out.write(b"," if number else b"[")
            out.write(part.read_bytes().strip()[1:-1])
        out.write(b"]")


def _join_parquet(parts: Sequence[Path], whole: Path) -> None:
    """Put the parts behind each other; an identifier that is a number in some and a text in others becomes a text."""
    kinds: dict[str, set[pl.DataType]] = {}
    for part in parts:
        for name, kind in pl.read_parquet_schema(part).items():
            kinds.setdefault(name, set()).add(kind)
    mixed = [name for name, found in kinds.items() if len(found) > 1]
    frames = [pl.scan_parquet(part, glob=False).with_columns(pl.col(mixed).cast(pl.String)) for part in parts]
    pl.concat(frames).sink_parquet(whole)


def write_spreadsheet(table: pl.DataFrame, part: Path | BytesIO) -> None:
    """Write CSV in which no text is a formula: a spreadsheet shows what follows an apostrophe, and runs nothing."""
    texts = pl.col(pl.String)
    is_formula = texts.str.slice(0, 1).is_in(_FORMULA)
    safe = table.with_columns(pl.when(is_formula).then("'" + texts).otherwise(texts).name.keep())
    safe.rename({name: f"'{name}" for name in safe.columns if name.startswith(_FORMULA)}).write_csv(part)


FORMS: Mapping[str, Form] = {
    ".csv": Form(pl.DataFrame.write_csv, _join_csv),
    ".parquet": Form(pl.DataFrame.write_parquet, _join_parquet),
    ".json": Form(pl.DataFrame.write_json, _join_json),
    ".ndjson": Form(pl.DataFrame.write_ndjson, _join_lines),
    "spreadsheet": Form(write_spreadsheet, _join_csv),
}
