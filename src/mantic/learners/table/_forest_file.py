"""Trees of scikit-learn as plain arrays: what answers need, in a fraction of the bytes, and nothing that runs."""

from pathlib import Path
from typing import Any

import numpy as np

from mantic.core.errors import ArtifactError
from mantic.core.lazy import need
from mantic.core.parts import read_parts, write_parts
from mantic.core.table import Array
from mantic.learners.table._classes import Classes
from mantic.learners.table._skops import is_sound
from mantic.learners.table._tree_row import Nodes

_WHY = "forests"


def shorten(model: Any) -> None:
    """Round the values of a regression's leaves to what a file holds: it answers before saving as after loading."""
    for one in model.estimators_:
        one.tree_.value[:] = one.tree_.value.astype(np.float32)


def nodes_of(trees: list[Any]) -> Nodes:
    """Return the nodes of fitted `sklearn.tree._tree.Tree`s."""
    return Nodes.join(
        [
            Nodes(
                roots=np.zeros(1, dtype=np.int64),
                left=one.children_left,
                right=one.children_right,
                column=one.feature,
                threshold=one.threshold,
                missing_left=one.missing_go_to_left,
            )
            for one in trees
        ]
    )


def save_forest(folder: Path, model: Any, classes: Classes) -> None:
    """Write a forest's trees into `forest.npz`.

    A left child follows its node, so only right ones are kept. Rows are compared in float32, so thresholds rounded
    down to float32 part them alike. Classes are kept as counts of rows in the leaves, values as float32.
    """
    trees = [one.tree_ for one in model.estimators_]
    is_leaf = np.concatenate([one.children_left < 0 for one in trees])
    right = np.concatenate([one.children_right - np.arange(one.node_count) for one in trees])[~is_leaf]
    weight = np.concatenate([one.weighted_n_node_samples for one in trees])[is_leaf]
    value = np.concatenate([one.value[:, 0, :] for one in trees])[is_leaf]
    if classes.n:
        value = np.rint(value * weight[:, None])
    arrays = {
        "n_nodes": np.array([one.node_count for one in trees]),
        "column": np.concatenate([one.feature for one in trees]),
        "right": right,
        "missing_left": np.packbits(np.concatenate([one.missing_go_to_left for one in trees])),
        "weight": weight.astype(np.int64),
        "value": value.astype(np.int64) if classes.n else value,
    }
    arrays = {name: _small(array) for name, array in arrays.items()}
    arrays["threshold"] = _rounded_down(np.concatenate([one.threshold for one in trees])[~is_leaf])
    facts = classes.facts() | {"kind": type(model).__name__, "n_columns": model.n_features_in_}
    write_parts(folder, "forest", facts, arrays)


def load_forest(folder: Path, *, kinds: tuple[str, ...]) -> tuple[Any, Classes]:
    """Return the forest and its classes.

    Raises
    ------
    ArtifactError : if the file is damaged, or a tree in it points outside of itself.
    """
    facts, arrays = read_parts(folder, "forest")
    try:
        if facts["kind"] not in kinds:
            raise ValueError(f"it holds a {facts['kind']}")
        classes, n_columns = Classes.from_facts(facts), int(facts["n_columns"])
        grown = _grown_again(arrays, n_columns, len(classes.seen))
        model = getattr(need("sklearn.ensemble", why=_WHY), facts["kind"])(n_estimators=len(grown))
        _fill(model, grown, n_columns, classes)
        if not all(is_sound(model, one.tree_) for one in model.estimators_):
            raise ValueError("a tree in it points outside of itself")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ArtifactError(
            f"a part of the saved model is refused: {error}",
            where=str(folder / "forest.npz"),
            fix="load only models from a source that you trust; fit and save it anew",
        ) from error
    return model, classes


def _fill(model: Any, trees: list[Any], n_columns: int, classes: Classes) -> None:
    """Give a new forest what fitting would have given it."""
    about: dict[str, Any] = {"n_features_in_": n_columns, "n_outputs_": 1}
    if classes.n:
        labels = np.arange(len(classes.seen))
        about |= {"classes_": labels, "n_classes_": len(labels)}
    kind = type(model.estimator)
    model.estimators_ = [kind() for _ in trees]
    for one, tree in zip(model.estimators_, trees, strict=True):
        vars(one).update({"n_classes_": 1, **about, "tree_": tree, "max_features_": n_columns})
    vars(model).update(about)


def _grown_again(arrays: dict[str, Array], n_columns: int, n_classes: int) -> list[Any]:
    """Return the trees as scikit-learn holds them."""
    kind = need("sklearn.tree._tree", why=_WHY).Tree
    sizes = arrays["n_nodes"].astype(np.int64)
    ends = np.cumsum(sizes)
    column, inner = arrays["column"].astype(np.int64), np.flatnonzero(arrays["column"] >= 0)
    total = len(column)
    if not len(sizes) or sizes.min() < 1 or ends[-1] != total:
        raise ValueError("its trees do not fill it")
    is_leaf = column < 0
    own = np.arange(total) - np.repeat(ends - sizes, sizes)  # position in its own tree
    nodes = np.zeros(total, dtype=kind(1, np.array([1], dtype=np.intp), 1).__getstate__()["nodes"].dtype)
    nodes["left_child"], nodes["right_child"] = np.where(is_leaf, -1, own + 1), -1
    nodes["right_child"][inner] = own[inner] + arrays["right"]
    nodes["feature"], nodes["threshold"] = np.where(is_leaf, -2, column), -2.0
    nodes["threshold"][inner] = arrays["threshold"]
    nodes["missing_go_to_left"] = np.unpackbits(arrays["missing_left"], count=total)
    n_outputs = max(1, n_classes)
    weight, values = np.zeros(total), np.zeros((total, n_outputs))
    weight[is_leaf] = arrays["weight"]
    leaves = arrays["value"].reshape(-1, n_outputs).astype(np.float64)
    values[is_leaf] = leaves / leaves.sum(axis=1, keepdims=True) if n_classes else leaves
    trees = []
    for start, end in zip(ends - sizes, ends, strict=True):
        mine, held = nodes[start:end], slice(start, end)
        _gather(mine, weight[held], values[held])
        mine["weighted_n_node_samples"], mine["n_node_samples"] = weight[held], weight[held]
        tree = kind(n_columns, np.array([n_outputs], dtype=np.intp), 1)
        state = {"max_depth": 0, "node_count": len(mine), "nodes": mine.copy(), "values": values[held, None].copy()}
        tree.__setstate__(state)
        trees.append(tree)
    return trees


def _gather(nodes: Array, weight: Array, values: Array) -> None:
    """Fill weights and values of inner nodes from their leaves, level by level from below."""
    children = np.concatenate([nodes[side][nodes["left_child"] >= 0] for side in ("left_child", "right_child")])
    if not np.array_equal(np.sort(children), np.arange(1, len(nodes))):
        raise ValueError("a tree in it has a branch too many")
    levels = [np.zeros(1, dtype=np.int64)]
    while (inner := levels[-1][nodes["left_child"][levels[-1]] >= 0]).size:
        levels.append(np.concatenate([nodes["left_child"][inner], nodes["right_child"][inner]]))
    for level in levels[::-1]:
        inner = level[nodes["left_child"][level] >= 0]
        left, right = nodes["left_child"][inner], nodes["right_child"][inner]
        weight[inner] = weight[left] + weight[right]
        mass = weight[left, None] * values[left] + weight[right, None] * values[right]
        values[inner] = mass / np.maximum(weight[inner, None], 1e-300)


def _small(array: Array) -> Array:
    """Return whole numbers in as few bytes as hold them, other numbers as float32."""
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    if array.dtype == np.uint8:
        return array
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    kinds = (np.int8, np.int16, np.int32, np.int64)
    return array.astype(next(kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max))


def _rounded_down(threshold: Array) -> Array:
    """Return the largest float32 that is no larger: a float32 is below the one exactly where it is below the other."""
    near = threshold.astype(np.float32)
    return np.where(near.astype(np.float64) > threshold, np.nextafter(near, np.float32(-np.inf)), near)
