"""The answer of scikit-learn's histogram boosting for one row."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mantic.core.table import Array, EncodedRow
from mantic.learners.table._tree_row import Nodes, Standing


def raw_of_boosted(model: Any) -> Callable[[EncodedRow], Array]:
    """Return a function from one row to raw scores, shape (n_outputs,).

    A node that parts a category by a set of its levels looks at a column of its own, 0 (left) or 1 (right), which is
    made for the row from a table of levels.
    """
    grown = [one for chunk in model._predictors for one in chunk]
    n_columns, n_outputs = model.n_features_in_, len(model._predictors[0])
    order, levels = _columns_of(model)
    nodes = Nodes.join([_nodes(one.nodes) for one in grown])
    raw = np.concatenate([one.nodes for one in grown])
    is_set = (raw["is_categorical"] != 0) & (raw["is_leaf"] == 0)
    tests = np.flatnonzero(is_set)
    column = order[nodes.column]
    sizes = np.array([len(one.nodes) for one in grown])
    maps = [grown[tree].raw_left_cat_bitsets for tree in np.repeat(np.arange(len(grown)), sizes)[tests]]
    sides = _sides(raw[tests], maps, column[tests], levels)
    column[tests] = n_columns + np.arange(len(tests))
    threshold = np.where(is_set, 0.5, nodes.threshold)
    width = n_columns + len(tests)
    standing = Standing.of(Nodes(nodes.roots, nodes.left, nodes.right, column, threshold, nodes.missing_left), width)
    value = raw["value"][standing.order]
    base = np.asarray(model._baseline_prediction, dtype=np.float64).ravel()

    def answer(row: EncodedRow) -> Array:
        full = np.empty(width)
        full[:n_columns] = row.numbers
        for place, codes, table, held in sides:
            full[n_columns + held] = table[:, codes.get(row.numbers[place], -1)]
        leaves = value.take(standing.leaves(full))
        scores: Array = base + leaves.reshape(-1, n_outputs).sum(axis=0)
        return scores

    return answer


def _nodes(nodes: Array) -> Nodes:
    is_leaf = nodes["is_leaf"] != 0
    return Nodes(
        roots=np.zeros(1, dtype=np.int64),
        left=np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(is_leaf, -1, nodes["right"].astype(np.int64)),
        column=nodes["feature_idx"],
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"],
    )


def _columns_of(model: Any) -> tuple[Array, dict[int, dict[float, int]]]:
    """Return our column behind each of the model's own, and for categories the model's number of each code."""
    if model.is_categorical_ is None:
        return np.arange(model.n_features_in_), {}
    is_code = np.asarray(model.is_categorical_, dtype=bool)
    codes = np.flatnonzero(is_code)
    known = model._preprocessor.named_transformers_["encoder"].categories_
    levels = {
        int(place): {float(code): number for number, code in enumerate(values) if not np.isnan(code)}
        for place, values in zip(codes, known, strict=True)
    }
    return np.concatenate([codes, np.flatnonzero(~is_code)]), levels


_Side = tuple[int, dict[float, int], Array, Array]  # our column, number of each code, side per test and number, tests


def _sides(tests: Array, maps: list[Array], column: Array, levels: dict[int, dict[float, int]]) -> list[_Side]:
    """Return for each category on which side of each of its tests every level goes; the last is missing or unknown."""
    found = []
    for place, codes in levels.items():
        mine = np.flatnonzero(column == place)
        table = np.ones((len(mine), len(codes) + 1))
        for number, test in enumerate(mine):
            node = tests[test]
            bits = np.unpackbits(maps[test][node["bitset_idx"]].view(np.uint8), bitorder="little")
            table[number, :-1] = 1 - bits[: len(codes)]
            table[number, -1] = 0.0 if node["missing_go_to_left"] else 1.0
        found.append((place, codes, table, mine))
    return found
