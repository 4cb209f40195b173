"""Measure the pages of a Parquet file before they are read: a reader sets aside what a page says to hold, and dies."""

import mmap
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from mantic.core.errors import SourceError
from mantic.sources.memory import free_bytes

_MAGIC = b"PAR1"
_LONGEST_FOOTER = 4_000_000  # bytes; what a longer one says is left to the reader: it would take seconds here
_DEEPEST = 32  # structs and lists in each other
_BYTES = 16  # of memory for a value, as a reader sets it aside
_ALWAYS_TRIED = 1 << 24  # values
_GROUPS, _COLUMNS, _ABOUT = 4, 1, 3  # fields of FileMetaData, RowGroup and ColumnChunk, as parquet.thrift numbers them
_N_BYTES, _DATA, _DICTIONARY = 7, 9, 11  # of ColumnMetaData
_UNPACKED, _PACKED, _HEADERS, _N_VALUES = 2, 3, (5, 7, 8), 1  # of PageHeader, and of each kind of page

Fields = dict[int, Any]


def check_pages(path: Path) -> None:
    """Refuse a file with a page that says to hold fewer values than none, or more than memory does.

    What cannot be followed, and what comes after it, is left to the reader.

    Raises
    ------
    SourceError : says so.
    """
    pages: list[tuple[int, int, int]] = []
    with (
        suppress(OSError, ValueError, struct.error, LookupError, TypeError, AttributeError),
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        for start, end in _chunks(content):
            pages.extend(_pages(content, start, end))  # those before one that cannot be followed too
    free = free_bytes()
    if any(min(numbers) < 0 for numbers in pages):
        raise SourceError("a page holds fewer than no values", where=str(path), fix="write the file again")
    most = max((numbers[0] for numbers in pages), default=0)
    if most > _ALWAYS_TRIED and free is not None and most * _BYTES > free:
        raise SourceError(f"a page says to hold {most:,} values", where=str(path), fix="write the file again")


def _chunks(content: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Return from where to where the pages of each column in each group of rows stand."""
    (length,) = struct.unpack("<I", content[-8:-4])
    if content[-4:] != _MAGIC or length > min(_LONGEST_FOOTER, len(content) - 8):
        raise ValueError("no footer")
    footer, _ = _struct(content, len(content) - 8 - length)
    for group in footer.get(_GROUPS, []):
        for column in group.get(_COLUMNS, []):
            about = column[_ABOUT]
            start = min(place for place in (about[_DATA], about.get(_DICTIONARY) or about[_DATA]) if place > 0)
            yield start, start + about[_N_BYTES]


def _pages(content: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Return of each page how many values it says to hold, and its bytes unpacked and packed."""
    at = start
    while at < min(end, len(content)):
        header, at = _struct(content, at)
        n_values = next((header[one].get(_N_VALUES, 0) for one in _HEADERS if one in header), 0)
        numbers = (n_values, header[_UNPACKED], header[_PACKED])
        if not all(isinstance(one, int) for one in numbers):
            raise TypeError("a field of another kind")
        yield numbers
        at += max(0, header[_PACKED])


def _struct(content: mmap.mmap, at: int, depth: int = 0) -> tuple[Fields, int]:
    """Return the fields of a struct in Thrift's compact protocol by their numbers, and where it ends."""
    fields: Fields = {}
    number = 0
    while (head := content[at]) != 0:
        at += 1
        number += head >> 4
        if not head >> 4:
            number, at = _signed(content, at)
        fields[number], at = _value(content, at, head & 15, depth)
    return fields, at + 1


def _value(content: mmap.mmap, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    if kind in (1, 2):
        return kind == 1, at
    if kind == 3:
        return content[at], at + 1
    if kind in (4, 5, 6):
        return _signed(content, at)
    if kind == 7:
        return None, at + 8
    if kind == 8:
        length, at = _unsigned(content, at)
        return None, at + length
    if kind in (9, 10):
        return _list(content, at, depth + 1)
    if kind == 12:
        return _struct(content, at, depth + 1)
    raise ValueError("no such kind")


def _list(content: mmap.mmap, at: int, depth: int) -> tuple[list[Any], int]:
    head, at = content[at], at + 1
    length, kind = head >> 4, head & 15
    if length == 15:
        length, at = _unsigned(content, at)
    if length > len(content):
        raise ValueError("too long")
    found = []
    for _ in range(length):
        one, at = _value(content, at + (kind in (1, 2)), kind, depth)  # a flag in a list takes a byte
        found.append(one)
    return found, at


def _unsigned(content: mmap.mmap, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte, at = content[at], at + 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, at
        shift += 7
        if shift > 63:
            raise ValueError("too long a number")


def _signed(content: mmap.mmap, at: int) -> tuple[int, int]:
    found, at = _unsigned(content, at)
    return (found >> 1) ^ -(found & 1), at
