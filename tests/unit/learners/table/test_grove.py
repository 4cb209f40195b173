import pickle

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor

from mantic.learners.table._grove import Bare, Grove

RNG = np.random.default_rng(0)
ROWS = np.where(RNG.random((400, 5)) < 0.1, np.nan, RNG.normal(size=(400, 5)))
LETTERS = (np.nan_to_num(ROWS[:, 0]) * 4 + np.nan_to_num(ROWS[:, 1]) * 3).round().astype(int) % 11


def grove_of(model, n_classes):
    return Grove.of([Bare.of(one.tree_, n_classes) for one in model.estimators_], n_classes)


@pytest.fixture(scope="module")
def forest():
    return ExtraTreesClassifier(30, min_samples_leaf=2, random_state=0).fit(ROWS, LETTERS)


@pytest.fixture
def arrays(forest):
    return grove_of(forest, 11).arrays()


def test_it_says_what_the_forest_says(forest):
    said = grove_of(forest, 11).predict(ROWS)

    np.testing.assert_allclose(said, forest.predict_proba(ROWS), atol=1e-12)


def test_it_says_the_values_of_a_regression_to_float32():
    forest = RandomForestRegressor(20, random_state=0).fit(ROWS, 1e5 + np.nan_to_num(ROWS[:, 0]))

    said = grove_of(forest, 0).predict(ROWS)

    np.testing.assert_allclose(said[:, 0], forest.predict(ROWS), rtol=1e-7)


def test_it_holds_no_values_in_its_nodes(forest):
    grove = grove_of(forest, 11)

    n_nodes = sum(one.tree_.node_count for one in forest.estimators_)
    assert grove.said.nbytes == 11 * (n_nodes + len(forest.estimators_)) / 2  # a byte for each class of each leaf
    assert sum(tree.value.size for tree in grove.trees) == n_nodes


def test_it_travels_and_says_the_same(forest):
    grove = grove_of(forest, 11)

    again = pickle.loads(pickle.dumps(grove))

    np.testing.assert_array_equal(again.predict(ROWS), grove.predict(ROWS))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("n_nodes", lambda one: one[:-1]),
        ("column", lambda one: np.where(one < 0, one, 90).astype(np.int8)),
        ("right", lambda one: one * 0 + 1),
        ("value", lambda one: one[:-1]),
        ("value", lambda one: -one),
        ("value", lambda one: one * 0),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(arrays, name, change):
    arrays[name] = change(arrays[name])

    with pytest.raises(ValueError, match=r"in it|fill it"):
        Grove.from_arrays(arrays, n_columns=5, n_classes=11)
