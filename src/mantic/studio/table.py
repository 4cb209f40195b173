"""The table of a draft, looked into piece by piece, and what was found in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from mantic.report.blocks import Report
from mantic.studio.draft_folder import PROFILE, PROGRESS, TABLE

_MOST_CHARACTERS = 200  # of a cell


@dataclass(frozen=True)
class Piece:
    """Some rows as text; None is a missing value."""

    first: int
    n_rows: int
    rows: list[list[str | None]]


def piece(folder: Path, first: int, n: int, *, columns: tuple[int, int]) -> Piece:
    """Return rows of the table, and of these some columns.

    Parameters
    ----------
    first, n : the first row, and how many.
    columns : the first column, and the one after the last.
    """
    table = pl.scan_ipc(folder / TABLE)  # uncompressed: only the rows that are asked for are read
    names = table.collect_schema().names()[slice(*columns)]
    part = table.slice(first, n).select(names).collect()
    n_rows = int(table.select(pl.len()).collect().item())
    return Piece(first, n_rows, [list(row) for row in zip(*map(_texts, part.iter_columns()), strict=True)])


def progress(folder: Path) -> Mapping[str, Any]:
    """Return how far the reading is: `share` 0 to 1, and `words`."""
    try:
        return dict(json.loads((folder / PROGRESS).read_text("utf-8")))
    except (FileNotFoundError, ValueError):
        return {"share": 0.0, "words": "Waiting"}


def profile_of(folder: Path) -> Report:
    """Return the profile of the table."""
    path = folder / PROFILE
    return _profile(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _profile(path: str, _: int) -> Report:
    return Report.from_json(Path(path).read_text("utf-8"))


def _texts(column: pl.Series) -> list[str | None]:
    return [None if value is None else _shown(value) for value in column.to_list()]


def _shown(value: object) -> str:
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
