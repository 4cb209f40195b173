"""JSON with one object a line, piece by piece."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from mantic.sources.frames import to_polars
from mantic.sources.piece import START, Piece, Place
from mantic.sources.sniff import letters
from mantic.sources.table.json import parse_line

_LINES = 50_000


def json_pieces(path: Path, start: Place) -> Iterator[Piece] | None:
    """Return the pieces of a file with one object a line, or None where it is written otherwise.

    A key that earlier lines had and later ones lack is missing there, as in the whole.
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
    size, seen = path.stat().st_size, dict[str, None]()
    with path.open("rb") as file:
        if start != START:
            seen |= dict.fromkeys(parse_line(file.readline().decode("utf-8-sig"), str(path), 1))
        file.seek(start.at)
        line = max(1, start.line)
        while raw := list(islice(file, _LINES)):
            texts = [text.decode("utf-8-sig" if line + at == 1 else "utf-8") for at, text in enumerate(raw)]
            rows = [parse_line(text, str(path), line + at) for at, text in enumerate(texts) if text.strip()]
            line += len(raw)
            place = Place(file.tell(), line)
            if rows:
                frame = to_polars(rows)
                absent = [name for name in seen if name not in frame.columns]
                seen |= dict.fromkeys(frame.columns)
                yield Piece(frame.with_columns(pl.lit(None).alias(name) for name in absent), place, place.at / size)
