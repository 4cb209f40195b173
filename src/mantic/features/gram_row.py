"""The n-grams of one text and their weights."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from mantic.core.table import Array
from mantic.features.cut import CUTS
from mantic.features.text import Grams

Marks = tuple[Array, Array]  # places, in order, and weights
_WHOLE = np.zeros(1, dtype=np.intp)  # as one segment: scipy adds the squares of a row so
NO_MARKS: Marks = (np.empty(0, dtype=np.intp), np.empty(0))


def weigher(grams: Grams) -> Callable[[str], Marks]:
    """Return a function from a text to the places of its n-grams and their weights, as `Grams.encode` gives them.

    They agree to the last bit (numbers are added in the same order): a tree may part texts by the last bit.

    >>> places, weights = weigher(Grams("words", ("big", "big cat", "cat"), np.ones(3)))("Big cat, big cat!")
    >>> places.tolist(), weights.round(3).tolist()
    ([0, 1, 2], [0.577, 0.577, 0.577])
    """
    if not grams.terms:
        return lambda _: NO_MARKS
    known = {term: place for place, term in enumerate(grams.terms)}
    cut, weight_of = CUTS[grams.kind], grams.weights

    def weigh(text: str) -> Marks:
        counts = Counter(filter(known.__contains__, cut(text)))
        if not counts:
            return NO_MARKS
        found = sorted((known[term], n_times) for term, n_times in counts.items())
        places = np.array([place for place, _ in found], dtype=np.intp)
        weights = (1 + np.log([float(n_times) for _, n_times in found])) * weight_of[places]
        return places, weights / np.sqrt(np.add.reduceat(weights * weights, _WHOLE))

    return weigh
