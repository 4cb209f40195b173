"""The decision of scikit-learn's support vector machines (exact, or by landmarks) for one row."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from mantic.core.table import Array

_Decision = Callable[[Array], Array]  # from (n_columns,) to (n_outputs,)


def decision_of_row(model: Any) -> _Decision:
    """Return a function from one row to what `decision_function` (or a regression's `predict`) says of it."""
    if hasattr(model, "steps"):
        landmarks, last = (step for _, step in model.steps)
        kernel = _kernel("rbf", landmarks.components_, landmarks.gamma)
        turn, linear = landmarks.normalization_.T, _linear(last)
        return lambda row: linear(kernel(row) @ turn)
    if not hasattr(model, "support_vectors_"):
        return _linear(model)
    kernel, base = _kernel(model.kernel, model.support_vectors_, model.gamma), model.intercept_
    n_classes = len(getattr(model, "classes_", ()))
    if n_classes <= 2:
        weights = _dense(model.dual_coef_)
        return lambda row: weights @ kernel(row) + base
    pairs = _pairs(model, n_classes)
    first, second = np.triu_indices(n_classes, k=1)
    return lambda row: _votes(pairs(kernel(row)) + base, first, second, n_classes)


def _linear(model: Any) -> _Decision:
    weights, base = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    return lambda row: weights @ row + base


def _dense(matrix: Any) -> Array:
    """Return a matrix that may be sparse as an array."""
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)


def _kernel(name: str, vectors: Any, gamma: float) -> _Decision:
    """Return how alike a row is to each of the vectors, which may be sparse."""
    if name == "linear":
        return lambda row: vectors @ row
    squares = np.asarray(
        (vectors.multiply(vectors) if hasattr(vectors, "multiply") else vectors**2).sum(axis=1)
    ).ravel()

    def radial(row: Array) -> Array:
        distance = squares - 2 * (vectors @ row) + row @ row
        return np.asarray(np.exp(-gamma * np.maximum(distance, 0.0)))

    return radial


def _pairs(model: Any, n_classes: int) -> _Decision:
    """Return a function from what each support vector says to what each pair of classes does, shape (n_pairs,).

    A pair asks the vectors of its two classes alone. Each class is summed once for all pairs that it belongs to: a
    matrix of all pairs and all vectors would be zeros for the most part, and takes longer to read than all the rest.
    """
    ends = np.cumsum([0, *model.n_support_])
    coefficients = _dense(model.dual_coef_)
    own = [
        (slice(start, end), np.ascontiguousarray(coefficients[:, start:end])) for start, end in itertools.pairwise(ends)
    ]
    first, second = np.triu_indices(n_classes, k=1)
    places = first * (n_classes - 1) + second - 1, second * (n_classes - 1) + first  # as scikit-learn orders them

    def decision(said: Array) -> Array:
        sums = np.concatenate([weights @ said[rows] for rows, weights in own])
        return np.asarray(sums.take(places[0]) + sums.take(places[1]))

    return decision


def _votes(pairs: Array, first: Array, second: Array, n_classes: int) -> Array:
    """Return votes of all pairs, ties broken by how sure they are: scikit-learn's own rule."""
    wins = np.bincount(np.where(pairs < 0, second, first), minlength=n_classes)
    sure = np.bincount(first, pairs, n_classes) - np.bincount(second, pairs, n_classes)
    return np.asarray(wins + sure / (3 * (np.abs(sure) + 1)))
