"""LightGBM follows the text of a model without a look at where it points, and takes the process along: look before."""

import re
from collections.abc import Mapping

import numpy as np

from mantic.core.table import Array

_HEADER = (
    "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective", "feature_names",
    "feature_infos", "tree_sizes",
)  # fmt: skip
_OBJECTIVE = re.compile(r"regression|regression_l1|poisson|binary sigmoid:1|multiclass num_class:\d+")
_INNER = (
    "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child", "internal_value",
    "internal_weight", "internal_count",
)  # fmt: skip
_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
_CODES = ("cat_boundaries", "cat_threshold")
_PLAIN = ("num_leaves", "num_cat", "is_linear", "shrinkage")
_FLOAT = r"-?(?:\d(?:\.\d{1,20})?e(?:-\d{2,3}|\+[0-2]?\d\d|\+30[0-8])|\d{1,19}(?:\.\d{1,20})?|inf|nan)"
_FLOATS, _INTEGERS = (re.compile(rf"(?:{one}(?: |$))*+") for one in (_FLOAT, r"-?\d{1,10}"))
_WHOLE = ("split_feature", "decision_type", "left_child", "right_child", "internal_count", "leaf_count", *_CODES)
MOST_LEAVES = 1024  # of a tree; reasons are found by a walk that calls itself
_MOST_KIND = 12  # decision_type: 1 for codes, 2 for the side of missing values, 4 and 8 for what is missing
_TREES = "\n\nTree="
_PARAMETER = re.compile(r"\[\w+: .*\]")


def check_text(text: str) -> None:
    """Refuse a text that LightGBM would follow out of its own memory, or stumble over.

    Raises
    ------
    ValueError, KeyError : says what is wrong.
    """
    if not text.isascii() or "\x00" in text:
        raise ValueError("it is no text of LightGBM")
    head, mark, _ = text.partition(_TREES)
    facts = _header(head)
    n_columns, n_outputs = int(facts["max_feature_idx"]) + 1, int(facts["num_tree_per_iteration"])
    sizes = _integers(facts["tree_sizes"])
    if n_outputs < 1 or n_outputs != int(facts["num_class"]) or len(sizes) % n_outputs or not len(sizes) or not mark:
        raise ValueError("its trees are not as many as it says")
    if len(facts["feature_names"].split()) != n_columns or len(facts["feature_infos"].split()) != n_columns:
        raise ValueError("its columns are not as many as it says")
    at = len(head) + 2
    for place, size in enumerate(sizes.tolist()):
        _check_tree(text[at : at + max(0, size)], place, n_columns)
        at += size
    if not text.startswith("end of trees\n", at):
        raise ValueError("its trees are not as long as it says")
    _check_parameters(re.split(r"[\r\n]+", text[at:]))


def _check_parameters(lines: list[str]) -> None:
    """Refuse parameters that LightGBM cannot take apart: it looks for what stands behind a colon without a look for it.

    Raises
    ------
    ValueError : if one has none, or they have no end.
    """
    if "parameters:" in lines:
        first = lines.index("parameters:") + 1
        if not all(map(_PARAMETER.fullmatch, lines[first : lines.index("end of parameters", first)])):
            raise ValueError("a parameter that it was fitted with is none")


def _header(head: str) -> dict[str, str]:
    first, *lines = head.split("\n")
    facts = dict(line.split("=", 1) for line in lines if "=" in line)
    if first != "tree" or len(lines) != len(facts) or facts.keys() != set(_HEADER):
        raise ValueError("it does not begin as a model does")
    if not _OBJECTIVE.fullmatch(facts["objective"]) or facts["label_index"] != "0":
        raise ValueError("it was not fitted by mantic")
    return facts


def _check_tree(text: str, place: int, n_columns: int) -> None:
    title, *lines = text.rstrip("\n").split("\n")
    facts = dict(line.split("=", 1) for line in lines if "=" in line)
    names = {*_PLAIN, *_INNER, *_LEAVES, *(_CODES if facts.get("num_cat") != "0" else ())}
    if title != f"Tree={place}" or len(lines) != len(facts) or facts.keys() != names or facts["is_linear"] != "0":
        raise ValueError(f"tree {place} is none")
    n_leaves, n_maps = int(facts["num_leaves"]), int(facts["num_cat"])
    if not 1 <= n_leaves <= MOST_LEAVES or not 0 <= n_maps < n_leaves:
        raise ValueError(f"tree {place} has {n_leaves} leaves")
    lengths = {name: _count(facts[name], _INTEGERS if name in _WHOLE else _FLOATS) for name in names}
    if lengths["shrinkage"] != 1:
        raise ValueError(f"tree {place} is none")
    alone = {"leaf_weight": 0} if n_leaves == 1 and not lengths["leaf_weight"] else {}  # LightGBM does not write it
    wanted = dict.fromkeys(_INNER, n_leaves - 1) | dict.fromkeys(_LEAVES, n_leaves) | alone
    if any(lengths[name] != length for name, length in wanted.items()):
        raise ValueError(f"tree {place} does not hold what each of its nodes needs")
    parts = {name: _integers(facts[name]) for name in ("split_feature", "decision_type", "left_child", "right_child")}
    if not _is_inside(parts, n_columns, n_maps) or (n_maps and not _has_maps(facts, parts["decision_type"], n_maps)):
        raise ValueError(f"tree {place} points outside of itself")


def _is_inside(parts: Mapping[str, Array], n_columns: int, n_maps: int) -> bool:
    """Whether every node is the child of one before it, every leaf that of one node, and every column is there."""
    children = np.concatenate([parts["left_child"], parts["right_child"]])
    n_inner = len(parts["left_child"])
    parents, columns, kinds = np.tile(np.arange(n_inner), 2), parts["split_feature"], parts["decision_type"]
    is_node = children >= 0
    wanted = np.concatenate([np.arange(-n_inner - 1, 0) if n_inner else np.empty(0), np.arange(1, n_inner)])
    return (
        np.array_equal(np.sort(children), wanted)
        and bool((children[is_node] > parents[is_node]).all())
        and bool(((columns >= 0) & (columns < n_columns)).all())
        and bool(((kinds >= 0) & (kinds < _MOST_KIND)).all())
        and bool(n_maps > 0 or (kinds % 2 == 0).all())
    )


def _has_maps(facts: Mapping[str, str], kinds: Array, n_maps: int) -> bool:
    """Whether each node that asks for codes names a map, and the maps fill what holds them."""
    ends, asked = _integers(facts["cat_boundaries"]), np.array(facts["threshold"].split(), dtype=float)[kinds % 2 == 1]
    return (
        len(ends) == n_maps + 1
        and ends[0] == 0
        and ends[-1] == len(_integers(facts["cat_threshold"]))
        and bool((np.diff(ends) > 0).all())
        and bool(((asked >= 0) & (asked < n_maps) & (asked % 1 == 0)).all())
    )


def _count(line: str, numbers: re.Pattern[str]) -> int:
    """Return how many numbers there are."""
    if not numbers.fullmatch(line):
        raise ValueError("a number in it is none")
    return line.count(" ") + (not line.endswith(" ")) if line else 0


def _integers(line: str) -> Array:
    _count(line, _INTEGERS)
    return np.fromstring(line, dtype=np.int64, sep=" ") if line else np.empty(0, dtype=np.int64)
