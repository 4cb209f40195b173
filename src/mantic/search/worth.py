"""Whether a search has brought more than the first, quick models, on rows that neither has seen."""

from collections.abc import Mapping, Sequence

import numpy as np

from mantic.core.table import Array
from mantic.search.blend import Blend
from mantic.search.plan import Request
from mantic.search.refit import Recipe

_MOST_ROWS = 5_000  # of a part


def is_worth_it(request: Request, recipes: Sequence[Recipe], first: Mapping[int, Blend]) -> bool:
    """Return whether recipes are at least as good as the first models of their parts, on the rows of one inner fold.

    In a short time a search sees little of its candidates: of many trees a few, or of several learners the cheapest.
    Nothing is looked at that judges in the end.

    Parameters
    ----------
    first : by part, learned from that fold's other rows; parts without one are passed over.
    """
    losses = [_losses(request, own, first[own.part]) for own in recipes if own.part in first]
    if not losses:
        return True
    found, quick = np.mean(losses, axis=0)
    return not quick < found


def _losses(request: Request, own: Recipe, first: Blend) -> tuple[float, float]:
    """Return the loss of a recipe and of a first model on the same rows."""
    material, metric = request.material, request.metric
    rows, guess = own.out_of_fold()
    shared = np.flatnonzero(np.isin(rows, material.parts[own.part].folds[-1][1]))
    shared = shared[:: max(1, len(shared) // _MOST_ROWS)]
    truth: Array = material.target.values[rows[shared]]
    return metric.loss(truth, guess[shared]), metric.loss(truth, first.predict(material.frame[rows[shared]]))
