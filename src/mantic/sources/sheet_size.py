"""Measure the sheets of a book before they are read: one cell far from all others makes a rectangle of billions."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from mantic.core.errors import SourceError
from mantic.sources.memory import free_bytes

_PLACE = re.compile(rb' r="([A-Za-z]{0,3})([0-9]{1,7})"')  # that it begins with four plain bytes makes it fast
_NO_PLACE = re.compile(rb' r="(?:[A-Za-z]{4}|[A-Za-z]*[0-9]{8})')  # in no sheet, and yet followed by the reader
_FAR = 1 << 32  # as many rows as a reader counts to
_STEP = 1 << 22
_LONGEST = 16  # bytes of a place, where one step ends and the next begins
_BYTES = 64  # of memory for a cell of the rectangle, empty or not
_ALWAYS_TRIED = 1 << 20  # cells
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError
)  # fmt: skip


def check_sheets(path: Path) -> None:
    """Refuse a book (.xlsx, .xlsm) with a sheet whose rectangle needs more memory than is free.

    Raises
    ------
    SourceError : says how large it is. What cannot be measured is left to the reader.
    """
    for name, n_rows, n_columns in _rectangles(path):
        free = free_bytes()
        n_cells = n_rows * n_columns
        if n_cells > _ALWAYS_TRIED and free is not None and n_cells * _BYTES > free:
            raise SourceError(
                f"a sheet ({name}) reaches over {n_rows:,} rows and {n_columns:,} columns, more than memory holds",
                where=str(path),
                fix="delete the cell that stands far away from the table, or export the table as CSV",
            )


def _rectangles(path: Path) -> Iterator[tuple[str, int, int]]:
    try:
        with zipfile.ZipFile(path) as book:
            for name in book.namelist():
                if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                    yield name, *_rectangle(book, name)
    except _UNREADABLE:
        return


def _rectangle(book: zipfile.ZipFile, name: str) -> tuple[int, int]:
    """Return how many rows and columns lie between the outermost cells of a sheet."""
    rows, columns, rest = set[int](), set[bytes](), b""
    with book.open(name) as sheet:
        while part := sheet.read(_STEP):
            text = (rest + part).replace(b"'", b'"')
            if _NO_PLACE.search(text):
                return _FAR, 1
            found = set(_PLACE.findall(text))
            columns.update(column.upper() for column, _ in found if column)
            rows.update(map(int, {row for _, row in found}))
            rest = part[-_LONGEST:]
    if not rows:
        return 0, 0
    places = [_place(column) for column in columns] or [1]
    return max(rows) - min(rows) + 1, max(places) - min(places) + 1


def _place(column: bytes) -> int:
    """Return the number of a column: A is 1, Z 26, AA 27."""
    place = 0
    for letter in column:
        place = 26 * place + letter - 64
    return place
