import functools
import zipfile

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeRegressor

from mantic.core.errors import ArtifactError
from mantic.learners.table._classes import Classes
from mantic.learners.table._skops import TREES, is_sound, load_model, save_model
from mantic.learners.table.histgb import HistGB
from mantic.learners.table.tree import Tree

ROWS = np.random.default_rng(0).normal(size=(200, 3))
VALUES = ROWS[:, 0] * 2
REGRESSION = Classes(0, ())


def tree_with(**changed):
    """Return a grown tree some of whose nodes were changed by hand."""
    tree = DecisionTreeRegressor(max_depth=4, random_state=0).fit(ROWS, VALUES)
    state = tree.tree_.__getstate__()
    for name, (place, value) in changed.items():
        state["nodes"][name][place] = value
    tree.tree_.__setstate__(state)
    return tree


def test_a_grown_tree_is_sound():
    tree = tree_with()

    assert is_sound(tree.n_features_in_, tree.tree_)


@pytest.mark.parametrize(
    "changed",
    [
        {"left_child": (0, 10_000)},
        {"right_child": (0, -7)},
        {"left_child": (1, 0)},  # back to the root: a walk without end
        {"right_child": (0, 1)},  # a node with two parents, and one with none
        {"feature": (0, 99)},
        {"feature": (0, -3)},
    ],
)
def test_a_tree_that_points_outside_or_back_is_refused(changed, tmp_path):
    save_model(tmp_path, tree_with(**changed), REGRESSION)

    with pytest.raises(ArtifactError, match="outside of itself"):
        Tree.load(tmp_path)


@pytest.mark.parametrize(("name", "value"), [("left", 10_000), ("right", 0), ("feature_idx", 50)])
def test_a_boosted_tree_that_points_outside_or_back_is_refused(name, value, tmp_path):
    model = HistGradientBoostingRegressor(max_iter=3).fit(ROWS, VALUES)
    model._predictors[1][0].nodes[name][0] = value
    save_model(tmp_path, model, REGRESSION)

    with pytest.raises(ArtifactError, match="outside of itself"):
        HistGB.load(tmp_path)


def test_a_type_that_is_not_in_our_list_is_refused_whatever_the_file_says(tmp_path):
    save_model(tmp_path, FunctionTransformer(functools.partial(np.clip, a_min=0)), REGRESSION)

    with pytest.raises(ArtifactError, match="Untrusted"):
        load_model(tmp_path, trusted=TREES, kinds=("FunctionTransformer",))


def test_another_model_than_expected_is_refused(tmp_path):
    save_model(tmp_path, FunctionTransformer(), REGRESSION)

    with pytest.raises(ArtifactError, match="FunctionTransformer"):
        Tree.load(tmp_path)


def test_a_sparse_matrix_that_points_outside_is_refused(tmp_path):
    model = SVR().fit(csr_matrix(np.round(ROWS)), VALUES)
    model.support_vectors_.indices[0] = 10**6
    save_model(tmp_path, model, REGRESSION)

    with pytest.raises(ArtifactError, match="sparse matrix in it points outside"):
        load_model(tmp_path, trusted=("scipy.sparse._csr.csr_matrix",), kinds=("SVR",))


def machine_with(**changed):
    """Return a support vector machine some of whose parts were changed by hand."""
    machine = SVR().fit(ROWS, VALUES)
    vars(machine).update({name: change(getattr(machine, name)) for name, change in changed.items()})
    return machine


@pytest.mark.parametrize(
    "changed",
    [
        {"support_": lambda found: found[:3]},
        {"support_vectors_": lambda found: found[:, :1].copy()},
        {"_dual_coef_": lambda found: found[:, :2].copy()},
        {"_intercept_": lambda found: found[:0]},
        {"_n_support": lambda found: found[:1]},
        {"_probA": lambda found: np.ones(1)},
        {"_sparse": lambda found: True},
    ],
)
def test_a_machine_whose_vectors_do_not_fit_together_is_refused(changed, tmp_path):
    save_model(tmp_path, machine_with(**changed), REGRESSION)

    with pytest.raises(ArtifactError, match="do not fit together"):
        load_model(tmp_path, trusted=(), kinds=("SVR",))


@pytest.mark.parametrize("machine", [SVR(), SVC()], ids=["values", "classes"])
@pytest.mark.parametrize("rows", [ROWS, csr_matrix(ROWS)], ids=["numbers", "words"])
def test_a_machine_that_was_fitted_is_restored(machine, rows, tmp_path):
    machine.fit(rows, np.arange(len(VALUES)) % 3)
    save_model(tmp_path, machine, REGRESSION)

    again, _ = load_model(tmp_path, trusted=("scipy.sparse._csr.csr_matrix",), kinds=("SVR", "SVC"))

    np.testing.assert_array_equal(again.predict(rows), machine.predict(rows))


def test_codes_outside_of_the_maps_of_histogram_boosting_are_refused(tmp_path):
    rows = np.column_stack([ROWS, np.arange(len(ROWS)) % 5])
    model = HistGradientBoostingRegressor(max_iter=3, categorical_features=[3]).fit(rows, VALUES + rows[:, 3])
    model._bin_mapper.bin_thresholds_[0][0] = 1e6
    model._preprocessor = None
    save_model(tmp_path, model, REGRESSION)

    with pytest.raises(ArtifactError, match="outside of its maps"):
        HistGB.load(tmp_path)


@pytest.mark.parametrize("schema", [b"[]", b"\xff", b"{", b"{}", b'{"__module__": 1}', b"[" * 100_000])
def test_a_file_of_skops_that_holds_anything_is_refused(schema, tmp_path):
    save_model(tmp_path, tree_with(), REGRESSION)
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("schema.json", schema)

    with pytest.raises(ArtifactError, match="refused"):
        Tree.load(tmp_path)
