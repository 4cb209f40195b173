"""CatBoost follows a model in its binary form without a look at where it points, and takes the process along: look.

Source: the schemas of CatBoost 1.2, `catboost/libs/model/flatbuffers`; the numbers of the fields are theirs.
"""

import struct
from dataclasses import dataclass

import numpy as np

from mantic.core.strict_json import read_json
from mantic.core.table import Array
from mantic.learners.table._flatbuffer import Record

_MARK, _FORMAT, _TABLES = b"CBM1", "FlabuffersModel_v1", "static_provider_v1"
_I4, _U1, _F4, _F8 = (np.dtype(one) for one in ("<i4", "u1", "<f4", "<f8"))
_FLOAT_SPLIT, _CODE_SPLIT = (
    np.dtype([("column", "<i4"), ("border", "<f4")]),
    np.dtype([("column", "<i4"), ("code", "<i4")]),
)
_BUCKET = np.dtype([("hash", "<u8"), ("place", "<u4")])
_NOBODY = np.uint64(2**64 - 1)  # the hash of a bucket that is empty
_MOST_DEPTH = 16  # of a tree
_JSON_DEPTH = 12
_PLAIN = frozenset({"catboost_version_info", "model_guid", "train_finish_time"})  # other facts are JSON
# of the trees: what mantic never fits
_FOREIGN = {10: "trees of another shape", 11: "trees of another shape", 12: "texts", 13: "texts", 18: "embeddings"}
_BORDERS, _BUCKETS, _MEANS, _COUNTS = 0, 1, (2, 3), (4, 5)  # kinds of a table of codes


def check_model(content: bytes | bytearray, *, n_raw: int) -> None:
    """Refuse a model that points outside of itself, or that mantic would not have fitted.

    Parameters
    ----------
    n_raw : outputs that the model has to have.

    Raises
    ------
    ValueError : says what is wrong.
    """
    held, rest = _sized(memoryview(content)[4:])
    core = Record.root(bytes(held))
    if content[:4] != _MARK or core.text(0) != _FORMAT:
        raise ValueError("it is no model of CatBoost")
    for fact in core.records(2):
        if fact.text(0) not in _PLAIN:
            read_json(fact.text(1).encode(), max_depth=_JSON_DEPTH)
    parts = core.texts(3)
    if parts not in ([], [_TABLES]):
        raise ValueError("it holds parts that mantic does not fit")
    columns = _columns(core.record(1))
    tables = _tables(rest) if parts else {}
    if rest and not parts:
        raise ValueError("something follows it")
    n_splits = columns.n_splits + sum(_check_ctr(one, columns, tables) for one in core.record(1).records(7))
    _check_trees(core.record(1), n_splits, n_raw)


@dataclass(frozen=True)
class _Columns:
    """The columns of a model: numbers come first, with their borders, then codes."""

    borders: tuple[Array, ...]
    is_used: tuple[bool, ...]  # of the codes
    codes: dict[int, Array]  # those that are asked for one by one

    @property
    def n_splits(self) -> int:
        return sum(map(len, self.borders)) + sum(map(len, self.codes.values()))


def _columns(trees: Record) -> _Columns:
    borders, used = [], []
    for place, one in enumerate(trees.records(5)):
        if (one.number(1, "<i", default=-1), one.number(2, "<i", default=-1)) != (place, place):
            raise ValueError("its columns are not in their order")
        if one.number(0, "B") > 1 or one.number(5, "B") > 2:
            raise ValueError("a column of numbers in it is none")
        borders.append(one.array(3, _F4))
    for place, one in enumerate(trees.records(4)):
        if (one.number(0, "<i", default=-1), one.number(1, "<i", default=-1)) != (place, len(borders) + place):
            raise ValueError("its columns are not in their order")
        used.append(bool(one.number(3, "B", default=1)))
    codes: dict[int, Array] = {}
    for one in trees.records(6):
        column = one.number(0, "<i", default=-1)
        if not 0 <= column < len(used) or not used[column] or column in codes:
            raise ValueError("it asks for codes of a column that is not there")
        codes[column] = one.array(1, _I4)
        if len(one.texts(2)) not in (0, len(codes[column])):
            raise ValueError("its codes have not the names that they should")
    return _Columns(tuple(borders), tuple(used), codes)


def _check_trees(trees: Record, n_splits: int, n_raw: int) -> None:
    for number, what in _FOREIGN.items():
        if len(trees.array(number, _U1)):
            raise ValueError(f"it holds {what}, which mantic does not fit")
    sizes, starts, splits = (trees.array(number, _I4) for number in (2, 3, 1))
    if trees.number(0, "<i") != n_raw:
        raise ValueError("its outputs are not as many as they should be")
    if len(sizes) and not 0 <= sizes.min() <= sizes.max() <= _MOST_DEPTH:
        raise ValueError("a tree in it is too deep")
    ends = np.cumsum(sizes, dtype=np.int64)
    if not np.array_equal(starts, ends - sizes) or len(splits) != sizes.sum(dtype=np.int64):
        raise ValueError("its trees do not hold their splits")
    if len(splits) and not 0 <= splits.min() <= splits.max() < n_splits:
        raise ValueError("a tree in it asks for a split that is not there")
    n_leaves = int(np.left_shift(1, sizes.astype(np.int64)).sum())
    if len(trees.array(8, _F8)) != n_leaves * n_raw or len(trees.array(9, _F8)) not in (0, n_leaves):
        raise ValueError("its trees do not hold their leaves")
    if len(trees.array(16, _F8)) not in (0, n_raw):
        raise ValueError("its outputs are not as many as they should be")


_Key = tuple[bytes, bytes, bytes, int, int]  # what a table of codes is about


def _key(base: Record) -> _Key:
    about = base.record(0)
    parts = (about.array(0, _I4), about.array(1, _FLOAT_SPLIT), about.array(2, _CODE_SPLIT))
    columns, numbers, codes = (part.tobytes() for part in parts)
    return columns, numbers, codes, base.number(1, "B"), base.number(2, "<i")


def _check_ctr(feature: Record, columns: _Columns, tables: dict[_Key, int]) -> int:
    """Return how many splits there are on what a table of codes says; its columns and its table are there."""
    ctr = feature.record(0)
    about = ctr.record(0).record(0)
    n_codes = len(columns.is_used)
    codes, asked, chosen = about.array(0, _I4), about.array(1, _FLOAT_SPLIT), about.array(2, _CODE_SPLIT)
    is_there = all(0 <= code < n_codes and columns.is_used[code] for code in codes.tolist())
    for column, border in zip(asked["column"].tolist(), asked["border"], strict=True):
        is_there = is_there and 0 <= column < len(columns.borders) and bool((columns.borders[column] == border).any())
    for column, code in chosen.tolist():
        is_there = is_there and column in columns.codes and bool((columns.codes[column] == code).any())
    key, border = _key(ctr.record(0)), ctr.number(1, "<i")
    if not is_there or not len(codes) + len(asked) + len(chosen) or key not in tables:
        raise ValueError("it asks for a table of codes that is not there")
    n_classes, kind = tables[key], key[3]
    if (kind == _BORDERS and not 0 <= border < n_classes - 1) or (kind == _BUCKETS and not 0 <= border < n_classes):
        raise ValueError("it asks a table of codes for a class that is not there")
    return len(feature.array(1, _F4))


def _tables(content: memoryview) -> dict[_Key, int]:
    """Return for each table of codes how many classes it counts; each bucket has its place in it."""
    (n_tables,) = struct.unpack("<I", _taken(content, 4))
    rest = content[4:]
    found: dict[_Key, int] = {}
    for _ in range(n_tables):
        table, rest = _sized(rest)
        key, n_classes = _checked_table(Record.root(bytes(table)))
        if key in found:
            raise ValueError("a table of codes stands twice in it")
        found[key] = n_classes
    if rest:
        raise ValueError("something follows it")
    return found


def _checked_table(table: Record) -> tuple[_Key, int]:
    key, n_classes = _key(table.record(0)), table.number(4, "<i")
    kind, raw, blob = key[3], table.array(1, _U1), table.array(2, _U1)
    if kind not in (_BORDERS, _BUCKETS, *_MEANS, *_COUNTS) or not table.has(2):
        raise ValueError("a table of codes in it is of no known kind")
    n_buckets = len(raw) // _BUCKET.itemsize
    if len(raw) % _BUCKET.itemsize or n_buckets.bit_count() != 1:
        raise ValueError("a table of codes in it has no buckets")
    if kind in (_BORDERS, _BUCKETS) and not 2 <= n_classes <= 1 << 20:
        raise ValueError("a table of codes in it counts no classes")
    buckets = raw.view(_BUCKET)
    full = buckets["hash"] != _NOBODY
    n_bytes = 8 if kind in _MEANS else 4 if kind in _COUNTS else 4 * n_classes
    if full.all() or (full.any() and int(buckets["place"][full].max()) >= len(blob) // n_bytes):
        raise ValueError("a table of codes in it points outside of itself")
    return key, n_classes


def _sized(content: memoryview) -> tuple[memoryview, memoryview]:
    """Return what has its size before it, and what follows."""
    (n_bytes,) = struct.unpack("<I", _taken(content, 4))
    return _taken(content[4:], n_bytes), content[4 + n_bytes :]


def _taken(content: memoryview, n_bytes: int) -> memoryview:
    if len(content) < n_bytes:
        raise ValueError("it is cut off")
    return content[:n_bytes]
