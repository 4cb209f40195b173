"""JSON with one object a line, piece by piece."""

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from mantic.sources.frames import check_names, to_polars
from mantic.sources.piece import Piece, Place
from mantic.sources.sniff import letters
from mantic.sources.table.json import parse_line

_LINES = 50_000
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode  # keys, and values as they are written


def json_pieces(path: Path, start: Place) -> Iterator[Piece] | None:
    """Return the pieces of a file with one object a line, or None where it is written otherwise.

    A key that some lines have and others lack is missing there, as in the whole.
    """
    if letters(path).oddity(path.name) or not _is_by_line(path):
        return None
    return _pieces(path, start)


def _is_by_line(path: Path) -> bool:
    """Whether the first line is an object by itself and another follows."""
    with path.open(encoding="utf-8-sig") as file:
        first, second = file.readline(), file.readline()
    try:
        return isinstance(json.loads(first), dict) and second.lstrip()[:1] == "{"
    except (ValueError, RecursionError):
        return False


def _pieces(path: Path, start: Place) -> Iterator[Piece]:
    size, names = path.stat().st_size, _keys(path)
    with path.open("rb") as file:
        file.seek(start.at)
        line = max(1, start.line)
        while raw := list(islice(file, _LINES)):
            texts = [text.decode("utf-8-sig" if line + at == 1 else "utf-8") for at, text in enumerate(raw)]
            rows = [parse_line(text, str(path), line + at) for at, text in enumerate(texts) if text.strip()]
            line += len(raw)
            place = Place(file.tell(), line)
            if rows:
                frame = to_polars(rows)
                absent = [name for name in names if name not in frame.columns]
                frame = frame.with_columns(pl.lit(None).alias(name) for name in absent).select(names)
                yield Piece(frame, place, place.at / size)


def _keys(path: Path) -> list[str]:
    """Return the keys of all lines, as the whole has them; what is wrong with a line is told when it is reached."""
    seen = dict[str, None]()
    with path.open("rb") as file:
        for line in file:
            row: Any = None
            try:
                row = _object(line)
            except (
                msgspec.MsgspecError,
                UnicodeDecodeError,
                RecursionError,
            ):  # what only Python reads, as NaN or a mark at the start
                with suppress(ValueError, RecursionError):
                    row = json.loads(line)
            seen |= dict.fromkeys(row) if isinstance(row, dict) else {}
    names = list(seen)
    check_names(names, where="the table")
    return names
