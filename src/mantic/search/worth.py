"""Whether a search has brought more than the first, quick models, on rows that neither has seen."""

from collections.abc import Mapping, Sequence

import numpy as np

from mantic.core.table import Array
from mantic.search.blend import Blend
from mantic.search.plan import Request
from mantic.search.quick import constant
from mantic.search.refit import Recipe

_MOST_ROWS = 5_000  # of a part
_CLEARLY = 1.05  # times the skill: what was found learns from more rows in the end, a first model does not


def is_worth_it(request: Request, recipes: Sequence[Recipe], first: Mapping[int, Blend]) -> bool:
    """Return whether first models are not clearly better than recipes of their parts, on the rows of one inner fold.

    In a short time a search sees little of its candidates: of many trees a few, or of several learners the cheapest.
    Skill is what is better than always saying the same. Nothing is looked at that judges in the end.

    Parameters
    ----------
    first : by part, learned from that fold's other rows; parts without one are passed over.
    """
    losses = [_losses(request, own, first[own.part]) for own in recipes if own.part in first]
    if not losses:
        return True
    usual, found, quick = np.mean(losses, axis=0)
    return not (quick < found and usual - quick > _CLEARLY * (usual - found))


def _losses(request: Request, own: Recipe, first: Blend) -> tuple[float, float, float]:
    """Return the loss of always saying the same, of a recipe, and of a first model, on the same rows."""
    material, metric = request.material, request.metric
    rows, guess = own.out_of_fold()
    learned, judged = material.parts[own.part].folds[-1]
    shared = np.flatnonzero(np.isin(rows, judged))
    shared = shared[:: max(1, len(shared) // _MOST_ROWS)]
    truth: Array = material.target.values[rows[shared]]
    said = (
        constant(material.target.rows(learned), len(truth)),
        guess[shared],
        first.predict(material.frame[rows[shared]]),
    )
    usual, found, quick = (metric.loss(truth, one) for one in said)
    return usual, found, quick
