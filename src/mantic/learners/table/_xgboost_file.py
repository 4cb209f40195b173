"""XGBoost follows a model in its binary JSON without a look at where it points, and takes the process along: look."""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from mantic.core.table import Array

_WHOLE = {b"i": "b", b"U": "B", b"I": ">h", b"l": ">i", b"L": ">q", b"d": ">f", b"D": ">d"}
_MOST_DEPTH = 12
_PER_NODE = (
    "left_children", "right_children", "parents", "split_indices", "split_conditions", "default_left", "split_type",
    "base_weights", "loss_changes", "sum_hessian",
)  # fmt: skip
_ROOT = 2**31 - 1  # stands for the parent of the first node


def check_model(content: bytes | bytearray) -> None:
    """Refuse a model with a tree that points outside of itself.

    Raises
    ------
    ValueError, KeyError, IndexError, TypeError, AttributeError : says what is wrong.
    """
    learner = _Reader(content).value(0)["learner"]
    n_columns = int(learner["learner_model_param"]["num_feature"])
    n_classes = int(learner["learner_model_param"]["num_class"])
    booster, n_bases = learner["gradient_booster"], learner["learner_model_param"]["base_score"].count(",") + 1
    if booster["name"] != "gbtree":
        raise ValueError("it holds no trees")
    model = booster["model"]
    trees, groups = model["trees"], np.asarray(model["tree_info"])
    if int(model["gbtree_model_param"]["num_trees"]) != len(trees) or groups.shape != (len(trees),):
        raise ValueError("its trees are not as many as it says")
    if int(model["gbtree_model_param"]["num_parallel_tree"]) != 1 or n_classes < 0 or n_columns < 1:
        raise ValueError("it was not fitted by mantic")
    if n_bases not in (1, n_classes) or int(learner["learner_model_param"]["num_target"]) != 1 or model["cats"]["enc"]:
        raise ValueError("it was not fitted by mantic")
    if len(groups) and not 0 <= groups.min() <= groups.max() < max(1, n_classes):
        raise ValueError("a tree in it is for a class that is not there")
    ends = np.asarray(model["iteration_indptr"])
    if ends.shape[0] < 1 or ends[0] != 0 or ends[-1] != len(trees) or (np.diff(ends) != max(1, n_classes)).any():
        raise ValueError("its rounds do not hold its trees")
    for place, tree in enumerate(trees):
        if tree["id"] != place or not _is_sound(tree, n_columns):
            raise ValueError(f"tree {place} points outside of itself")


def _is_sound(tree: Mapping[str, Any], n_columns: int) -> bool:
    about = {name: int(value) for name, value in tree["tree_param"].items()}
    parts = {name: np.asarray(tree[name]) for name in _PER_NODE}
    n_nodes = about["num_nodes"]
    if n_nodes < 1 or any(part.shape != (n_nodes,) for part in parts.values()):
        return False
    left, right = parts["left_children"], parts["right_children"]
    inner = np.flatnonzero(left != -1)  # what was cut off again stays behind as a leaf without a parent
    children = np.concatenate([left[inner], right[inner]])
    if not bool(((children > np.tile(inner, 2)) & (children < n_nodes)).all()):
        return False
    columns = parts["split_indices"][inner]
    return (
        len(np.unique(children)) == len(children)
        and about["num_feature"] == n_columns
        and about["size_leaf_vector"] in (0, 1)
        and bool((right[left == -1] == -1).all())
        and int(parts["parents"][0]) == _ROOT
        and np.array_equal(parts["parents"][children], np.tile(inner, 2))
        and bool(((columns >= 0) & (columns < n_columns)).all())
        and _has_codes(tree, parts, inner)
    )


def _has_codes(tree: Mapping[str, Any], parts: Mapping[str, Array], inner: Array) -> bool:
    """Whether the nodes that ask for codes are those that have some, and the codes are there."""
    nodes, starts, sizes, codes = (
        np.asarray(tree[name]) for name in ("categories_nodes", "categories_segments", "categories_sizes", "categories")
    )
    asked = np.flatnonzero(parts["split_type"] == 1)
    ends = np.cumsum(sizes)
    return (
        bool((parts["split_type"] <= 1).all())
        and np.array_equal(nodes, asked)
        and bool(np.isin(asked, inner).all())
        and starts.shape == sizes.shape == nodes.shape
        and bool((sizes > 0).all())
        and np.array_equal(starts, ends - sizes)
        and len(codes) == int(sizes.sum())
        and bool(((codes >= 0) & (codes < 1 << 24)).all())
    )


class _Reader:
    """Reads UBJSON, as far as XGBoost writes it: typed arrays as NumPy's."""

    def __init__(self, content: bytes | bytearray) -> None:
        self._content, self._place = bytes(content), 0

    def value(self, depth: int) -> Any:
        """Return the value that begins here."""
        mark = self._take(1)
        if mark in _WHOLE:
            return self._number(mark)
        if mark == b"S":
            return self._take(self._length()).decode()
        if mark in (b"T", b"F", b"Z"):
            return {b"T": True, b"F": False, b"Z": None}[mark]
        if depth > _MOST_DEPTH or mark not in (b"{", b"["):
            raise ValueError("it is no binary JSON")
        return self._object(depth) if mark == b"{" else self._array(depth)

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._content[self._place : self._place + 1] != b"}":
            name = self._take(self._length()).decode()
            if name in found:
                raise ValueError(f"'{name[:40]}' stands twice in it")
            found[name] = self.value(depth + 1)
        self._take(1)
        return found

    def _array(self, depth: int) -> Any:
        if self._content[self._place : self._place + 1] == b"$":
            kind = np.dtype(_WHOLE[self._take(2)[1:]])
            if self._take(1) != b"#":
                raise ValueError("it is no binary JSON")
            return np.frombuffer(self._take(self._length() * kind.itemsize), kind)
        n_items = None
        if self._content[self._place : self._place + 1] == b"#":
            self._take(1)
            n_items = self._length()
        found: list[Any] = []
        while len(found) != n_items and self._content[self._place : self._place + 1] != b"]":
            found.append(self.value(depth + 1))
        if n_items is None:
            self._take(1)
        return found

    def _length(self) -> int:
        length = self._number(self._take(1))
        if not isinstance(length, int) or length < 0:
            raise ValueError("it is no binary JSON")
        return length

    def _number(self, mark: bytes) -> int | float:
        form = _WHOLE[mark]
        number: int | float = struct.unpack(form, self._take(struct.calcsize(form)))[0]
        return number

    def _take(self, n_bytes: int) -> bytes:
        found = self._content[self._place : self._place + n_bytes]
        if len(found) != n_bytes:
            raise ValueError("it is cut off")
        self._place += n_bytes
        return found
