"""A text that LightGBM would follow out of its memory is refused before LightGBM sees it."""

import re
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from mantic import Classifier
from mantic.core.errors import ArtifactError, SettingsError
from mantic.core.parts import write_parts
from mantic.learners.table._lightgbm_text import check_text
from mantic.learners.table.boosting import Boosting

RNG = np.random.default_rng(0)
ROWS = np.column_stack([RNG.normal(size=(400, 2)), RNG.integers(0, 40, 400)])
VALUES = ROWS[:, 0] + ROWS[:, 2] % 3


def grown(values=VALUES, **options) -> str:
    rows = lightgbm.Dataset(ROWS, label=values, categorical_feature=[2])
    common = {"verbose": -1, "num_leaves": 6, "cat_smooth": 1, "max_cat_to_onehot": 2, "min_data_in_leaf": 5}
    return lightgbm.train(common | options, rows, 4).model_to_string()


TEXT = grown()
CODES = ROWS[:, 2].astype(int)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        grown(np.abs(VALUES), objective="poisson"),
        grown(CODES % 2, objective="binary"),
        grown(CODES % 3, objective="multiclass", num_class=3),
        grown(min_data_in_leaf=1000),  # trees of one leaf
        grown(VALUES * 1e30),
    ],
    ids=["codes", "poisson", "binary", "three classes", "one leaf", "huge values"],
)
def test_what_lightgbm_writes_is_sound(text):
    check_text(text)


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r"split_feature=\d+", "split_feature=900"),
        (r"split_feature=\d+", "split_feature=-1"),
        (r"left_child=-?\d+", "left_child=99"),
        (r"left_child=-?\d+", "left_child=0"),  # to itself: a walk without end
        (r"right_child=-?\d+", "right_child=-77"),
        (r"decision_type=\d+", "decision_type=1"),  # asks a map of codes that is not there
        (r"decision_type=\d+", "decision_type=66"),
        (r"leaf_value=-?[\d.]+ ", "leaf_value="),
        (r"leaf_value=-?[\d.]+ ", "leaf_value=1e999 "),
        (r"num_leaves=\d+", "num_leaves=2000000000"),
        (r"num_leaves=\d+", "num_leaves=-1"),
        (r"cat_boundaries=0 \d+", "cat_boundaries=0 9000"),
        (r"cat_boundaries=0", "cat_boundaries=5"),
        (r"is_linear=0", "is_linear=1"),
        (r"tree_sizes=\d+", "tree_sizes=999999999"),
        (r"tree_sizes=\d+ ", "tree_sizes="),
        (r"max_feature_idx=2", "max_feature_idx=1"),
        (r"num_class=1", "num_class=900"),
        (r"num_tree_per_iteration=1", "num_tree_per_iteration=0"),
        (r"objective=regression", "objective=\u0446"),
        (r"Tree=1", "Tree=7"),
        (r"shrinkage=1\n", "shrinkage=\n"),
        (r"end of trees", "no end"),
        (r"\[num_class: 1\]", "[num_class\n 1]"),  # which ended the process
        (r"\[num_class: 1\]", "[num_class:1]"),
        (r"\[num_class: 1\]", "\r[num_class\r"),
        (r"end of parameters", "no end"),
        (r"version=v4\n", ""),
    ],
)
def test_a_text_that_points_outside_of_itself_is_refused(pattern, instead, tmp_path):
    changed = re.sub(pattern, instead, TEXT, count=1)
    assert changed != TEXT
    write_parts(tmp_path, "boosting", {"n_classes": 0, "rounds": 4, "centre": 0.0, "spread": 1.0}, {})
    Path(tmp_path / "trees.txt").write_text(changed, encoding="utf-8")

    with pytest.raises(ArtifactError, match="cannot be read"):
        Boosting.load(tmp_path)


def test_more_leaves_than_can_be_loaded_are_refused_before_anything_is_fitted():
    with pytest.raises(SettingsError, match=r"boosting\.num_leaves' cannot be 2000") as caught:
        Classifier(params={"boosting.num_leaves": 2000}).fit(np.zeros((4, 1)), [0, 1, 0, 1])

    assert "boosting.num_leaves (now 31, at most 1024)" in caught.value.fix
