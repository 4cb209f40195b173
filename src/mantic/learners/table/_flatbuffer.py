"""Reads flatbuffers, and never outside of them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mantic.core.table import Array

_MOST_TIMES = 8  # parts may be shared, but not so often that a small file becomes a large model


@dataclass
class _Bytes:
    """The content, and how much of it has been read, each byte as often as it was."""

    content: bytes
    n_read: int = field(default=0)

    def take(self, at: int, n_bytes: int) -> memoryview:
        self.n_read += n_bytes
        if at < 0 or n_bytes < 0 or at + n_bytes > len(self.content):
            raise ValueError("it points outside of itself")
        if self.n_read > _MOST_TIMES * len(self.content):
            raise ValueError("it holds the same parts again and again")
        return memoryview(self.content)[at : at + n_bytes]

    def number(self, at: int, form: str) -> Any:
        return struct.unpack(form, self.take(at, struct.calcsize(form)))[0]

    def follow(self, at: int) -> int:
        return at + int(self.number(at, "<I"))


class Record:
    """A table of a flatbuffer; its fields are asked for by their number in the schema.

    Every method raises ValueError where the content ends before what is asked for.

    Source: FlatBuffers, "Internals", Google.
    """

    def __init__(self, content: _Bytes, at: int) -> None:
        self._content, self._at = content, at
        self._names = at - int(content.number(at, "<i"))  # where the places of the fields are listed
        self._n_bytes = int(content.number(self._names, "<H"))

    @classmethod
    def root(cls, content: bytes) -> "Record":
        """Return the table with which a flatbuffer begins."""
        held = _Bytes(content)
        return cls(held, held.follow(0))

    def number(self, number: int, form: str, *, default: float = 0) -> Any:
        """Return a number in a form of `struct`."""
        at = self._place(number)
        return default if at is None else self._content.number(at, form)

    def record(self, number: int) -> "Record":
        """Return a table; it is there, or a ValueError says that it is not."""
        at = self._place(number)
        if at is None:
            raise ValueError("a part of it is missing")
        return Record(self._content, self._content.follow(at))

    def records(self, number: int) -> list["Record"]:
        """Return the tables of a list; empty when there is none."""
        return [Record(self._content, at) for at in self._each(number)]

    def text(self, number: int) -> str:
        """Return a text; empty when there is none."""
        return bytes(self.array(number, np.dtype("u1"))).decode()

    def texts(self, number: int) -> list[str]:
        """Return the texts of a list; empty when there is none."""
        return [bytes(self._content.take(at + 4, self._content.number(at, "<I"))).decode() for at in self._each(number)]

    def array(self, number: int, kind: "np.dtype[Any]") -> Array:
        """Return a list of numbers; empty when there is none."""
        at = self._place(number)
        if at is None:
            return np.empty(0, dtype=kind)
        at = self._content.follow(at)
        n_items = int(self._content.number(at, "<I"))
        return np.frombuffer(self._content.take(at + 4, n_items * kind.itemsize), kind)

    def has(self, number: int) -> bool:
        """Whether a field was written."""
        return self._place(number) is not None

    def _each(self, number: int) -> Iterator[int]:
        at = self._place(number)
        if at is not None:
            at = self._content.follow(at)
            for place in range(int(self._content.number(at, "<I"))):
                yield self._content.follow(at + 4 + 4 * place)

    def _place(self, number: int) -> int | None:
        """Return where a field lies; None where it was not written."""
        if 4 + 2 * number + 2 > self._n_bytes:
            return None
        offset = int(self._content.number(self._names + 4 + 2 * number, "<H"))
        return self._at + offset if offset else None
