"""Keep scikit-learn models with skops: only types of a list shipped here are restored, whatever the file says."""

import zipfile
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
        model = io.load(folder / "model.skops", trusted=list(trusted))
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        io.exceptions.UntrustedTypesFoundException,
    ) as error:
        raise _refusal(folder, str(error)) from error
    if type(model).__name__ not in kinds:
        raise _refusal(folder, f"it holds a {type(model).__name__}, and {' or '.join(kinds)} was expected")
    if not all(is_sound(model.n_features_in_, tree) for tree in _trees(model)):
        raise _refusal(folder, "a tree in it points outside of itself")
    if not all(_is_whole(part) for part in vars(model).values() if hasattr(part, "check_format")):
        raise _refusal(folder, "a sparse matrix in it points outside of itself")
    return model, Classes.from_facts(facts)


def _trees(model: Any) -> list[Any]:
    """Return the decision trees of a model, as scikit-learn stores them."""
    grown = [*getattr(model, "estimators_", ()), *([model] if hasattr(model, "tree_") else [])]
    boosted = [predictor for chunk in getattr(model, "_predictors", ()) for predictor in chunk]
    return [one.tree_ for one in grown] + boosted


def is_sound(n_columns: int, tree: Any) -> bool:
    """Whether a tree's nodes point forward and stay inside of it: scikit-learn follows them unchecked."""
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
    is_inside = all(bool(((child > places) & (child < size)).all()) for child in children)
    return size > 0 and has_maps and is_inside and bool(((columns >= 0) & (columns < n_columns)).all())


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
