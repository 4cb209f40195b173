"""A model that CatBoost would follow out of its memory is refused before CatBoost sees it."""

import struct
import subprocess
import sys

import numpy as np
import pytest

from mantic.core.errors import ArtifactError
from mantic.core.parts import write_parts
from mantic.core.run import Run
from mantic.core.table import Table, Target
from mantic.learners.table._catboost_file import _BUCKET, _sized, check_model
from mantic.learners.table._flatbuffer import Record
from mantic.learners.table._packed import write_packed
from mantic.learners.table.catboost import CatBoost

RNG = np.random.default_rng(0)
ROWS = np.column_stack([RNG.normal(size=(300, 2)), RNG.integers(0, 40, 300), RNG.integers(0, 7, 300)])
TABLE = Table(ROWS, ("a", "b", "c", "d"), np.arange(4), categorical=(2, 3))
VALUES = Target(ROWS[:, 0] + ROWS[:, 2] % 3)
CODES = ROWS[:, 2].astype(int)


def grown(target=VALUES, table=TABLE, **params) -> bytes:
    model = CatBoost().fit(table, target, {"rounds": 20, "one_hot_max_size": 10, "depth": 4} | params, Run())
    return bytes(model.trees_._serialize_model())


CONTENT = grown()
CORE, REST = (bytes(part) for part in _sized(memoryview(CONTENT)[4:]))
TREES = Record.root(CORE).record(1)


@pytest.mark.parametrize(
    ("content", "n_raw"),
    [
        (CONTENT, 1),
        (grown(one_hot_max_size=2, max_ctr_complexity=4), 1),
        (grown(Target(CODES % 2, 2)), 1),
        (grown(Target((CODES + ROWS[:, 3].astype(int)) % 3, 3)), 3),
        (grown(table=Table(ROWS[:, :2], ("a", "b"), np.arange(2))), 1),
        (grown(table=Table(ROWS[:, 2:], ("c", "d"), np.arange(2), categorical=(0, 1))), 1),
    ],
    ids=["both", "tables of codes", "two classes", "three classes", "numbers only", "codes only"],
)
def test_what_catboost_writes_is_sound(content, n_raw):
    check_model(content, n_raw=n_raw)


def array(number: int, change, *, kind: str = "<i4") -> bytes:
    """Return the model with another list of numbers in its trees."""
    found = TREES.array(number, np.dtype(kind))
    before = struct.pack("<I", len(found)) + found.tobytes()
    assert CONTENT.count(before) == 1
    after = change(found.copy())
    return CONTENT.replace(before, struct.pack("<I", len(after)) + after.tobytes())


def first(number):
    def change(found):
        found[0] = number
        return found

    return change


def table(**changes) -> bytes:
    """Return the model with another bucket in its first table of codes."""
    raw = Record.root(bytes(_sized(memoryview(REST)[4:])[0])).array(1, np.dtype("u1"))
    buckets = raw.view(_BUCKET).copy()
    full = np.flatnonzero(buckets["hash"] != 2**64 - 1)
    for name, number in changes.items():
        buckets[name][full[0] if name == "place" else slice(None)] = number
    return CONTENT.replace(raw.tobytes(), buckets.tobytes())


CHANGED = {
    "split": array(1, first(100_000)),
    "split before the first": array(1, first(-1)),
    "deep": array(2, first(31)),
    "negative depth": array(2, first(-5)),
    "start": array(3, first(7)),
    "leaves": array(8, lambda found: found[:-1], kind="<f8"),
    "weights": array(9, lambda found: found[:-1], kind="<f8"),
    "length": CONTENT.replace(struct.pack("<I", 20) + TREES.array(2, np.dtype("<i4")).tobytes()[:8], b"\xff" * 12),
    "bucket": table(place=1_000_000),
    "no bucket is empty": table(hash=5),
    "cut": CONTENT[:-300],
    "more": CONTENT + b"\x00",
    "another part": CONTENT.replace(b"static_provider_v1", b"text_processing_v1"),
    "facts": CONTENT.replace(b'{"name":"experiment"', b"[" * 20),
    "a table that points away": CONTENT[: 8 + len(CORE) + 8] + struct.pack("<I", 2**31) + CONTENT[20 + len(CORE) :],
    "none": b"CBM1",
}


@pytest.mark.parametrize("what", list(CHANGED))
def test_a_model_that_points_outside_of_itself_is_refused(what, tmp_path):
    assert CHANGED[what] != CONTENT
    outputs = {"n_classes": 0, "weights": [[1.0]], "base": [0.0]}
    write_parts(tmp_path, "catboost", {"outputs": outputs, "rounds": 20, "has_trees": True}, {})
    write_packed(tmp_path / "trees.cbm.z", CHANGED[what])

    with pytest.raises(ArtifactError, match="cannot be read"):
        CatBoost.load(tmp_path)


def test_a_small_file_does_not_become_a_large_model():
    names = struct.pack("<HHHxx", 6, 8, 4)  # of both tables: one field, behind the first four bytes
    n_shared, n_bytes = 2_000, 8_000
    shared_at = 24 + 4 * n_shared
    offsets = [shared_at - (24 + 4 * place) for place in range(n_shared)]
    root = struct.pack("<iII", 8, 4, n_shared) + struct.pack(f"<{n_shared}I", *offsets)
    shared = struct.pack("<iII", shared_at - 4, 4, n_bytes) + bytes(n_bytes)

    many = Record.root(struct.pack("<I", 12) + names + root + shared).records(0)

    with pytest.raises(ValueError, match="again and again"):
        [one.array(0, np.dtype("u1")) for one in many]


_CHILD = """
import random, struct, sys
from pathlib import Path
import numpy as np
import catboost
from mantic.learners.table._catboost_file import check_model

whole, chance = Path(sys.argv[1]).read_bytes(), random.Random(int(sys.argv[2]))
numbers = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
words = np.array([[str(row).encode(), b"3"] for row in range(20)], dtype=object)
pool = catboost.Pool(catboost.FeaturesData(num_feature_data=numbers, cat_feature_data=words))
odd = (0, 1, 2, 16, 255, 65535, 2**31 - 1, 2**31, 2**32 - 1)
n_answered = 0
for case in range(600):
    content = bytearray(whole)
    for _ in range(chance.choice((1, 2))):
        at = 4 * chance.randrange(1, len(content) // 4)
        struct.pack_into("<I", content, at, chance.choice(odd))
    try:
        check_model(content, n_raw=1)
        model = catboost.CatBoost().load_model(blob=bytes(content))
        model.predict(pool, prediction_type="RawFormulaVal", thread_count=1)
        n_answered += 1
    except (ValueError, catboost.CatBoostError):
        pass
print(n_answered)
"""


def test_no_change_of_a_file_takes_the_process_along(tmp_path):
    path = tmp_path / "trees.cbm"
    path.write_bytes(grown(one_hot_max_size=2, depth=3, rounds=20))

    done = subprocess.run([sys.executable, "-c", _CHILD, str(path), "4"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    assert 50 < int(done.stdout) < 600  # some are refused, some are other models


def test_without_a_look_such_a_model_ends_the_process(tmp_path):
    path = tmp_path / "trees.cbm"
    path.write_bytes(CHANGED["split"])
    program = f"import catboost; catboost.CatBoost().load_model({str(path)!r})"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert done.returncode < 0  # a signal; where this fails, CatBoost looks by itself
