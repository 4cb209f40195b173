"""How a decision and its value change when the costs are not what was said."""

from dataclasses import dataclass

import numpy as np

from mantic.evaluate.costs import GAIN, Costs
from mantic.evaluate.decide import Weighed, thresholds_of

_FACTORS = (2.0, 0.5)
_NAMES = {"fp": "a false alarm (fp)", "fn": "a miss (fn)", "tp": "a hit (tp)", "tn": "a row rightly left (tn)"}
_MOST_CLASSES = 4  # of more than two: the commonest


@dataclass(frozen=True)
class Change:
    """What happens when one cost is off by a factor.

    Parameters
    ----------
    what : for instance "a miss (fn) is 20 instead of 10".
    threshold, share : what would then be decided; None for more than two classes.
    value : per row, on the held-out rows, of deciding so; above 0 is a gain.
    kept : per row of deciding as now although the costs are others.
    """

    what: str
    threshold: float | None
    share: float | None
    value: float
    kept: float


def sensitivity(weighed: Weighed) -> list[Change]:
    """Return what each cost, twice and half as large, would change; nothing where no costs were given.

    Returns
    -------
    Two changes for every cost that is not 0; for more than two classes, for all mistakes on each of the commonest four.
    """
    if weighed.costs.kind == "found":
        return []
    if weighed.costs.is_binary:
        return [_of_two(weighed, cell, factor) for cell in _cells(weighed.costs) for factor in _FACTORS]
    counts = np.bincount(weighed.answers.truth, minlength=len(weighed.costs.classes))
    common = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
    return [_of_many(weighed, int(true), factor) for true in common for factor in _FACTORS]


def _cells(costs: Costs) -> list[tuple[str, int, int]]:
    """Return name, truth and decision of the costs of two classes that are not 0; mistakes first."""
    act, leave = costs.positive, 1 - costs.positive
    named = [("fp", leave, act), ("fn", act, leave), ("tp", act, act), ("tn", leave, leave)]
    return [one for one in named if costs.matrix[one[1]][one[2]] != 0]


def _of_two(weighed: Weighed, cell: tuple[str, int, int], factor: float) -> Change:
    name, true, decided = cell
    costs = weighed.costs.scaled([(true, decided)], factor)
    sign = -1.0 if costs.text.lower().startswith(GAIN) else 1.0  # as it was written
    was, now = (sign * one.matrix[true][decided] for one in (weighed.costs, costs))
    thresholds = thresholds_of(weighed.unseen, costs, weighed.capacity)
    acted = weighed.acted(thresholds)
    new, old = weighed.acting(acted), weighed.acting(weighed.acted())
    return Change(
        f"{_NAMES[name]} is {now:g} instead of {was:g}", thresholds[weighed.unseen.kept], float(acted.mean()),
        float(weighed.worth(new, costs).mean()), float(weighed.worth(old, costs).mean()),
    )  # fmt: skip


def _of_many(weighed: Weighed, true: int, factor: float) -> Change:
    n_classes = len(weighed.costs.classes)
    costs = weighed.costs.scaled([(true, to) for to in range(n_classes) if to != true], factor)
    new, old = weighed.least_cost(costs), weighed.least_cost()
    word = "twice" if factor > 1 else "half"
    return Change(
        f"mistakes on '{costs.classes[true]}' cost {word} as much", None, None,
        float(weighed.worth(new, costs).mean()), float(weighed.worth(old, costs).mean()),
    )  # fmt: skip


def worst_loss(changes: list[Change]) -> float:
    """Return the most that keeping today's decision would lose per row, 0 or more.

    >>> worst_loss([Change("fp 2 instead of 1", 0.2, 0.5, -1.0, -1.5)])
    0.5
    """
    return max([0.0, *(one.value - one.kept for one in changes)])
