"""Measure an Arrow file before it is opened: a reader sets aside what a buffer says to hold, and dies."""

import mmap
import struct
from collections.abc import Iterator

_CONTINUES, _ENDS = b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"
_MAGIC = b"ARROW1"
_BLOCKS = (2, 3)  # fields of a file's Footer: dictionaries and batches
Content = bytes | mmap.mmap
_DICTIONARY, _BATCH = 2, 3  # kinds of a message, as Arrow's Message.fbs numbers them
_NODES, _BUFFERS, _COMPRESSION = 1, 2, 3  # fields of a RecordBatch
_RATIO = 10_000  # of bytes unpacked to packed, beyond what is free: zstd packs equal values that well
_FREE = 1 << 26


def check_lengths(content: Content) -> bool:
    """Refuse an Arrow file or stream with a buffer that says to be larger than the file allows, packed or unpacked.

    Returns
    -------
    Whether it is a file; else it is a stream. It has to be read as what it is: its other end was not looked at.

    Raises
    ------
    ValueError : if there is such a buffer, or the messages cannot be followed.
    """
    most = max(_FREE, _RATIO * len(content))
    total = 0
    try:
        is_file = bytes(content[: len(_MAGIC)]) == _MAGIC
        for place in _blocks(content) if is_file else _messages(content):
            is_new = bytes(content[place : place + 4]) == _CONTINUES
            at = place + (4 if is_new else 0)  # files of before 2019 leave the mark out
            (size,) = struct.unpack_from("<i", content, at)
            message = at + 4 + struct.unpack_from("<I", content, at + 4)[0]
            total += _size(content, message, at + 4 + size)
            if total > most:
                raise ValueError(f"it would unpack to {total:,} bytes")
    except (struct.error, IndexError) as error:
        raise ValueError("it is cut off") from error
    return is_file


def check_file(content: Content) -> None:
    """Refuse what `check_lengths` refuses, and a stream.

    Raises
    ------
    ValueError : if it is one of these.
    """
    if not check_lengths(content):
        raise ValueError("it is no Arrow file")


def check_stream(content: Content) -> None:
    """Refuse what `check_lengths` refuses, and a file.

    Raises
    ------
    ValueError : if it is one of these.
    """
    if check_lengths(content):
        raise ValueError("it is no Arrow stream")


def _blocks(content: Content) -> Iterator[int]:
    """Return where the messages of a file stand, by its footer."""
    end = len(content) - len(_MAGIC) - 4
    if end < len(_MAGIC) or bytes(content[-len(_MAGIC) :]) != _MAGIC:
        raise ValueError("it is cut off")
    (size,) = struct.unpack_from("<i", content, end)
    start = end - size
    if size < 0 or start < 0:
        raise ValueError("it is cut off")
    footer = start + struct.unpack_from("<I", content, start)[0]
    for number in _BLOCKS:
        if field := field_at(content, footer, number):
            vector = field + struct.unpack_from("<I", content, field)[0]
            for place in range(struct.unpack_from("<I", content, vector)[0]):
                yield struct.unpack_from("<q", content, vector + 4 + 24 * place)[0]


def _messages(content: Content) -> Iterator[int]:
    """Return where the messages of a stream stand, one after the other."""
    place = 0
    while place < len(content) and bytes(content[place : place + 4]) != _ENDS:
        if bytes(content[place : place + 4]) != _CONTINUES:  # a reader would take these bytes for a length
            raise ValueError("it is no Arrow stream, or one of before 2019")
        (size,) = struct.unpack_from("<i", content, place + 4)
        if size == 0:
            return
        message = place + 8 + struct.unpack_from("<I", content, place + 8)[0]
        at = field_at(content, message, 3)
        n_bytes = struct.unpack_from("<q", content, at)[0] if at else 0
        if size < 0 or n_bytes < 0:
            raise ValueError("it is cut off")
        yield place
        place += 8 + size + n_bytes


def _size(content: Content, message: int, body: int) -> int:
    """Return how many bytes the buffers of a message say to unpack to; each of them lies inside of its body."""
    kind, header, at = (field_at(content, message, number) for number in (1, 2, 3))
    n_bytes = struct.unpack_from("<q", content, at)[0] if at else 0
    if body + n_bytes > len(content) or n_bytes < 0:
        raise ValueError("it is cut off")
    if not kind or not header or content[kind] not in (_DICTIONARY, _BATCH):
        return 0
    table = header + struct.unpack_from("<I", content, header)[0]
    if content[kind] == _DICTIONARY:
        inner = field_at(content, table, 1)
        table = inner + struct.unpack_from("<I", content, inner)[0]
    buffers = list(_pairs(content, table, _BUFFERS))
    lengths = [length for length, _ in _pairs(content, table, _NODES)]
    if any(offset < 0 or length < 0 or offset + length > n_bytes for offset, length in buffers):
        raise ValueError("a buffer lies outside of it")
    if any(not 0 <= length <= max(_FREE, _RATIO * len(content)) for length in lengths):
        raise ValueError("a column has more rows than it can hold")
    if not field_at(content, table, _COMPRESSION):
        return 0
    sizes = [struct.unpack_from("<q", content, body + offset)[0] for offset, length in buffers if length]
    if any(size < -1 for size in sizes):
        raise ValueError("a buffer has no size")
    return sum(size for size in sizes if size > 0)  # -1: it is not packed


def _pairs(content: Content, table: int, number: int) -> Iterator[tuple[int, int]]:
    """Return the pairs of numbers in a field."""
    if field := field_at(content, table, number):
        vector = field + struct.unpack_from("<I", content, field)[0]
        (n_pairs,) = struct.unpack_from("<I", content, vector)
        if 16 * n_pairs > len(content):
            raise ValueError("it is cut off")
        yield from struct.iter_unpack("<qq", content[vector + 4 : vector + 4 + 16 * n_pairs])


def field_at(content: Content, table: int, number: int) -> int:
    """Return where a field of a flatbuffer's table stands, 0 if it has none.

    Raises
    ------
    ValueError, struct.error : if the table does not lie in the content.
    """
    index = table - struct.unpack_from("<i", content, table)[0]
    offset = 4 + 2 * number
    if index < 0:
        raise ValueError("it is cut off")
    if offset >= struct.unpack_from("<H", content, index)[0]:
        return 0
    (found,) = struct.unpack_from("<H", content, index + offset)
    return table + found if found else 0
