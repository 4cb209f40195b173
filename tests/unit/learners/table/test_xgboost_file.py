"""A model that XGBoost would follow out of its memory is refused before XGBoost sees it."""

import struct

import numpy as np
import pytest
import xgboost

from mantic.core.errors import ArtifactError
from mantic.core.parts import write_parts
from mantic.learners.table._packed import write_packed
from mantic.learners.table._xgboost_file import check_model
from mantic.learners.table.xgboost import XGBoost

RNG = np.random.default_rng(0)
ROWS = np.column_stack([RNG.normal(size=(300, 2)), RNG.integers(0, 30, 300)])
VALUES = ROWS[:, 0] + ROWS[:, 2] % 3
CODES = ROWS[:, 2].astype(int)


def grown(values=VALUES, **options) -> bytearray:
    rows = xgboost.DMatrix(ROWS, label=values, feature_types=["q", "q", "c"], enable_categorical=True)
    return xgboost.train({"max_depth": 4, "nthread": 1} | options, rows, 4).save_raw("ubj")


CONTENT = bytes(grown())


@pytest.mark.parametrize(
    "content",
    [
        CONTENT,
        grown(gamma=30.0),  # prunes what it has grown
        grown(CODES % 2, objective="binary:logistic"),
        grown(CODES % 3, objective="multi:softprob", num_class=3),
        grown(max_depth=1, min_child_weight=10_000),  # trees of one leaf
    ],
    ids=["codes", "pruned", "two classes", "three classes", "one leaf"],
)
def test_what_xgboost_writes_is_sound(content):
    check_model(content)


def array(name: str, place: int, number: int, *, form: str = ">i") -> bytes:
    """Return the model with another number in the first array of this name."""
    start = CONTENT.index(name.encode() + b"[$") + len(name) + 4
    start += 1 + 8 + struct.calcsize(form) * place  # behind the mark and the length
    return CONTENT[:start] + struct.pack(form, number) + CONTENT[start + struct.calcsize(form) :]


def text(name: str, value: bytes) -> bytes:
    start = CONTENT.index(name.encode() + b"SL") + len(name) + 2
    (length,) = struct.unpack_from(">q", CONTENT, start)
    return CONTENT[:start] + struct.pack(">q", len(value)) + value + CONTENT[start + 8 + length :]


GROUPS = b"tree_info[#L" + struct.pack(">q", 4)
CHANGED = {
    "left": array("left_children", 0, 10_000),
    "back to itself": array("left_children", 0, 0),
    "right": array("right_children", 1, -7),
    "column": array("split_indices", 0, 900),
    "parent": array("parents", 1, 77),
    "a second root": array("parents", 0, 1),
    "split_type": array("split_type", 0, 9, form="B"),
    "codes": array("categories_segments", 0, 10_000, form=">q"),
    "many codes": array("categories_sizes", 0, 2**40, form=">q"),
    "class": CONTENT.replace(GROUPS + b"i\x00", GROUPS + b"i\x05"),
    "columns": text("num_feature", b"2"),
    "classes": text("num_class", b"7000"),
    "trees": text("num_trees", b"3"),
    "targets": text("num_target", b"9"),
    "nodes": text("num_nodes", b"2000000000"),
    "cut": CONTENT[:-300],
    "none": b"{}",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("what", list(CHANGED))
def test_a_model_that_points_outside_of_itself_is_refused(what, tmp_path):
    assert CHANGED[what] != CONTENT
    outputs = {"n_classes": 0, "weights": [[1.0]], "base": [0.0]}
    write_parts(tmp_path, "xgboost", {"outputs": outputs, "rounds": 4, "has_trees": True}, {})
    write_packed(tmp_path / "trees.ubj.z", CHANGED[what])

    with pytest.raises(ArtifactError, match="cannot be read"):
        XGBoost.load(tmp_path)
