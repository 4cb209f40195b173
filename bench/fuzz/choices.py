"""Bytes as decisions: a fuzzer that changes one changes one step of a case, and the same bytes make the same case."""

import random
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

One = TypeVar("One")

NUMBERS = (
    "0", "-1", "1", "2", "3", "127", "128", "255", "256", "65535", "65536", "2147483647", "-2147483648", "4294967295",
    "9223372036854775807", "-9223372036854775808", "18446744073709551616", "1e999", "-1e999", "1e308", "5e-324", "NaN",
    "Infinity", "-Infinity", "inf", "nan", "0.1", "1" * 400, "00", "-0", "1,5", "1.2.3", "0x10", "1_000", "",
)  # fmt: skip
TEXTS = (
    "", " ", "\x00", "a\x00b", "\ud800", "\U0001f600", "é", "rows", "id", "null", "NaN", "x" * 300, "0000-01-01",
    "9999-12-31", "-0001-01-01", "10000-01-01", "2024-02-30", "2024-01-31", "2024-01-31T25:61:61", "1677-09-21",
    "2262-04-12", "\ufeff", "'", '"', "\\", "../x", "/x", "a,b", "\r", "\n", "\u2028", "true", "1,5", "1.234,5",
    "9" * 30,
)  # fmt: skip
_INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


class Choices:
    r"""Takes decisions from bytes; when they are used up, goes on by chance, which the bytes seed.

    >>> Choices(b"\x05\x00").below(3)
    2
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0
        self._more = random.Random(zlib.crc32(data))

    def below(self, n: int) -> int:
        """Return a whole number from 0 to n - 1."""
        if n <= 1:
            return 0
        found = 0
        for _ in range((n.bit_length() + 7) // 8):
            found = found << 8 | self._byte()
        return found % n

    def pick(self, some: Sequence[One]) -> One:
        """Return one of several."""
        return some[self.below(len(some))]

    def once_in(self, n: int) -> bool:
        """Whether this is the one time of so many."""
        return self.below(n) == n - 1

    def bytes(self, n: int) -> bytes:
        """Return some bytes."""
        return bytes(self._byte() for _ in range(n))

    def _byte(self) -> int:
        if self._place < len(self._data):
            self._place += 1
            return self._data[self._place - 1]
        return self._more.randrange(256)


def damaged(content: bytes, choices: Choices) -> bytes:
    """Return the bytes with one to four places changed."""
    for _ in range(1 + choices.below(4)):
        content = choices.pick(_EDITS)(content, choices)
    return content


def odd_json(value: Any, choices: Choices) -> Any:
    """Return a JSON value with one place in it changed."""
    if isinstance(value, dict) and value and not choices.once_in(6):
        key = choices.pick(list(value))
        if choices.once_in(8):
            return {name: one for name, one in value.items() if name != key}
        if choices.once_in(12):
            return value | {choices.pick(TEXTS): value[key]}
        return value | {key: odd_json(value[key], choices)}
    if isinstance(value, list) and value and not choices.once_in(6):
        place = choices.below(len(value))
        if choices.once_in(8):
            return value[:place] + value[place + 1 :]
        if choices.once_in(10):
            return value[:place] + [value[place]] * choices.pick((2, 3, 100)) + value[place + 1 :]
        return [*value[:place], odd_json(value[place], choices), *value[place + 1 :]]
    return odd_value(choices)


def odd_value(choices: Choices) -> Any:
    """Return a value that is seldom where it is expected."""
    kind = choices.below(4)
    if kind == 0:
        return choices.pick(TEXTS)
    if kind == 1:
        return choices.pick((None, True, False, [], {}, [[]], [None], {"a": 1}, [1, "a"], {"": None}))
    if kind == 2:
        return choices.pick(
            (0, 1, -1, 2, 3, 7, 255, 2**31, -(2**31) - 1, 2**53 + 1, 2**63, -(2**63) - 1, 2**70, 10**400)
        )
    return choices.pick((0.0, -0.0, 0.5, -1.5, 1e-320, 1e308, -1e308, float("nan"), float("inf"), float("-inf"), 1e18))


def _flipped(content: bytes, choices: Choices) -> bytes:
    place = choices.below(len(content))
    return content[:place] + bytes([choices.below(256)]) + content[place + 1 :]


def _cut(content: bytes, choices: Choices) -> bytes:
    return content[: choices.below(len(content) + 1)]


def _without(content: bytes, choices: Choices) -> bytes:
    place = choices.below(len(content) + 1)
    return content[:place] + content[place + 1 + choices.below(16) :]


def _doubled(content: bytes, choices: Choices) -> bytes:
    place, length = choices.below(len(content) + 1), 1 + choices.below(64)
    return (
        content[: place + length]
        + content[place : place + length] * choices.pick((1, 1, 1, 50))
        + content[place + length :]
    )


def _integer(content: bytes, choices: Choices) -> bytes:
    place, size = choices.below(len(content) + 1), choices.pick((1, 2, 4, 8))
    value = choices.pick(_INTEGERS) & (1 << 8 * size) - 1
    return content[:place] + value.to_bytes(size, choices.pick(("little", "little", "big"))) + content[place + size :]


def _number(content: bytes, choices: Choices) -> bytes:
    """Write another number in place of one that is written in digits."""
    start = choices.below(len(content) + 1)
    found = _NUMBER.search(content, start) or _NUMBER.search(content)
    if found is None:
        return _flipped(content, choices)
    return content[: found.start()] + choices.pick(NUMBERS).encode() + content[found.end() :]


def _text(content: bytes, choices: Choices) -> bytes:
    place = choices.below(len(content) + 1)
    return content[:place] + choices.pick(TEXTS).encode("utf-8", "surrogatepass") + content[place + choices.below(3) :]


def _line(content: bytes, choices: Choices) -> bytes:
    lines = content.split(b"\n")
    place = choices.below(len(lines))
    if choices.once_in(2):
        return b"\n".join(lines[:place] + lines[place + 1 :])
    lines.insert(choices.below(len(lines) + 1), lines[place])
    return b"\n".join(lines)


_EDITS: tuple[Callable[[bytes, Choices], bytes], ...] = (
    _flipped, _flipped, _cut, _without, _doubled, _integer, _integer, _number, _number, _number, _text, _line,
)  # fmt: skip
