"""How far apart the scores of two versions are, and how sure that is."""

import math
from dataclasses import dataclass

from mantic.core.metric import METRICS
from mantic.store.version import Version


@dataclass(frozen=True)
class Difference:
    """A score less another one, and where it may lie on new rows.

    Parameters
    ----------
    words : "better", "worse", or "may be chance" where zero is in the interval.
    """

    value: float
    low: float
    high: float
    words: str


def difference(one: Version, other: Version) -> Difference | None:
    """Return how much a version's score differs from another one's; None where they cannot be compared.

    The interval is made from those of both scores as if they were of different rows (MOVER): where both were judged by
    the same rows it is wider than it had to be, so that what is called no chance is none.

    Source: Zou & Donner (2008), Construction of confidence limits about effect measures.
    """
    questions = {(each.task, each.target, each.metric) for each in (one, other)}
    mine, its = one.interval, other.interval
    if len(questions) > 1 or mine is None or its is None or one.score is None or other.score is None:
        return None
    value = one.score - other.score
    low = value - math.hypot(one.score - mine[0], its[1] - other.score)
    high = value + math.hypot(mine[1] - one.score, other.score - its[0])
    if low <= 0 <= high or one.metric not in METRICS.names():
        return Difference(value, low, high, "may be chance" if low <= 0 <= high else "more than chance")
    is_higher = value > 0
    is_better = is_higher == METRICS.get(one.metric).higher_is_better
    return Difference(value, low, high, "better" if is_better else "worse")
