"""Keep scikit-learn models with skops: only types of a list shipped here are restored, whatever the file says."""

from pathlib import Path
from typing import Any

import numpy as np

from mantic.core.errors import ArtifactError
from mantic.core.lazy import need
from mantic.core.parts import read_parts, write_parts
from mantic.learners.table._classes import Classes

_WHY = "saving models of scikit-learn"
TREES = ("sklearn.tree._tree.Tree",)


def save_model(folder: Path, model: Any, classes: Classes) -> None:
    """Write `model.skops` and what classes it knows; the model file that holds it is deflated as a whole."""
    write_parts(folder, "classes", classes.facts(), {})
    need("skops.io", why=_WHY).dump(model, folder / "model.skops")


def load_model(folder: Path, *, trusted: tuple[str, ...], kinds: tuple[str, ...]) -> tuple[Any, Classes]:
    """Return the model and its classes.

    Parameters
    ----------
    trusted : full names of types, beyond skops' own short list, that may be restored.
    kinds : names of the classes that the model may be.

    Raises
    ------
    ArtifactError : if the file is damaged, or holds a type that is not in the list.
    """
    io = need("skops.io", why=_WHY)
    facts, _ = read_parts(folder, "classes")
    try:
        model, classes = io.load(folder / "model.skops", trusted=list(trusted)), Classes.from_facts(facts)
        why = _fault(model, kinds)
    except Exception as error:  # what odd content makes of skops, and of the types that it restores, has no end
        raise _refusal(folder, str(error)) from error
    if why:
        raise _refusal(folder, why)
    return model, classes


def _fault(model: Any, kinds: tuple[str, ...]) -> str:
    """Return what native code would stumble over: it follows a model unchecked, and takes the process along."""
    if type(model).__name__ not in kinds:
        return f"it holds a {type(model).__name__}, and {' or '.join(kinds)} was expected"
    if not all(is_sound(model.n_features_in_, tree) for tree in _trees(model)):
        return "a tree in it points outside of itself"
    if not all(_is_whole(part) for part in vars(model).values() if hasattr(part, "check_format")):
        return "a sparse matrix in it points outside of itself"
    if hasattr(model, "_bin_mapper") and not _has_codes(model):
        return "a code in it lies outside of its maps"
    if hasattr(model, "support_vectors_") and not _has_vectors(model):
        return "its support vectors do not fit together"
    return ""


def _has_codes(model: Any) -> bool:
    """Whether the codes of histogram boosting fit into the maps of 256 bits that its trees look them up in."""
    mapper = model._bin_mapper
    is_code = np.asarray(mapper.is_categorical_)
    codes = [mapper.bin_thresholds_[place] for place in np.flatnonzero(is_code)]
    trees = _trees(model)
    asked = [tree.nodes["feature_idx"][tree.nodes["is_categorical"] != 0] for tree in trees]
    maps = [one for tree in trees for one in (tree.raw_left_cat_bitsets, tree.binned_left_cat_bitsets)]
    return (
        is_code.shape == (model.n_features_in_,)
        and all(bool(((one >= 0) & (one < 256)).all()) for one in codes)
        and all(bool(is_code[columns].all()) for columns in asked)
        and all(one.shape[1:] == (8,) for one in maps)
    )


def _has_vectors(machine: Any) -> bool:
    """Whether a support vector machine has the vectors that it counts, and a weight for each."""
    n_vectors, counts = len(machine.support_), np.asarray(machine._n_support)
    n_classes = len(getattr(machine, "classes_", (0, 0)))
    is_counted = not hasattr(machine, "classes_") or int(counts.sum()) == n_vectors
    return (
        tuple(machine.support_vectors_.shape) == (n_vectors, machine.n_features_in_)
        and machine._dual_coef_.shape == (n_classes - 1, n_vectors)
        and machine._intercept_.shape == (n_classes * (n_classes - 1) // 2,)
        and counts.shape == (n_classes,)
        and bool((counts >= 0).all())
        and is_counted
        and machine._probA.shape == machine._probB.shape == (0,)
        and bool(machine._sparse) == hasattr(machine.support_vectors_, "indptr")
        and machine.kernel in ("rbf", "linear")
    )


def _trees(model: Any) -> list[Any]:
    """Return the decision trees of a model, as scikit-learn stores them."""
    grown = [*getattr(model, "estimators_", ()), *([model] if hasattr(model, "tree_") else [])]
    boosted = [predictor for chunk in getattr(model, "_predictors", ()) for predictor in chunk]
    return [one.tree_ for one in grown] + boosted


def is_sound(n_columns: int, tree: Any) -> bool:
    """Whether a tree's nodes point forward and each has one parent: scikit-learn and we follow them unchecked."""
    if hasattr(tree, "nodes"):  # histogram boosting
        nodes = tree.nodes
        inner, n_maps = nodes[nodes["is_leaf"] == 0], len(tree.raw_left_cat_bitsets)
        places, columns = np.flatnonzero(nodes["is_leaf"] == 0), inner["feature_idx"]
        children = [inner["left"].astype(np.int64), inner["right"].astype(np.int64)]
        has_maps = bool((inner["bitset_idx"][inner["is_categorical"] != 0] < n_maps).all())
        size = len(nodes)
    else:
        left, size, has_maps = tree.children_left, tree.node_count, tree.n_features == n_columns
        places = np.flatnonzero(left != -1)
        columns, children = tree.feature[places], [left[places], tree.children_right[places]]
    is_forward = all(bool((child > places).all()) for child in children)
    is_tree = np.array_equal(np.sort(np.concatenate(children)), np.arange(1, size))
    return size > 0 and has_maps and is_forward and is_tree and bool(((columns >= 0) & (columns < n_columns)).all())


def _is_whole(matrix: Any) -> bool:
    """Whether the indices of a sparse matrix stay inside of it: what multiplies it follows them unchecked."""
    try:
        matrix.check_format(full_check=True)
    except ValueError:
        return False
    return True


def _refusal(folder: Path, why: str) -> ArtifactError:
    return ArtifactError(
        f"a part of the saved model is refused: {why}",
        where=str(folder / "model.skops"),
        fix="load only models from a source that you trust; fit and save it anew",
    )
