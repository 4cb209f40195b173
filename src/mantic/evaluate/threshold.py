"""From which probability on to act: by costs, by capacity, and how it is chosen from rows with known answers."""

import math

import numpy as np

from mantic.core.table import Array
from mantic.evaluate.costs import Costs

NOBODY = math.nextafter(1.0, 2.0)  # no probability reaches it


def by_cost(chance: Array, is_case: Array, costs: Costs) -> float:
    """Return the threshold that pays: theory's, unless these rows clearly say another.

    Of all thresholds whose value is within one standard error of the best one on these rows (of the paired difference),
    the nearest to theory's is taken, in log-odds. So right probabilities are not spoilt by the noise of few rows, and
    wrong ones are mended where the rows show it.

    Parameters
    ----------
    chance : probability of the class that is acted on; shape (n_rows,), on rows that the model had not seen.
    is_case : whether a row is of that class.

    Source: Elkan (2001) for the theory; Breiman et al. (1984), section 3.4.3, for the one standard error.

    >>> costs = Costs(((0.0, 1.0), (4.0, 0.0)), ("no", "yes"))
    >>> by_cost(np.array([0.9, 0.4, 0.1]), np.array([True, True, False]), costs)
    0.2
    """
    saved, lost = costs.edges
    if saved + lost <= 0 or not len(chance):
        return theory(costs)
    order = np.argsort(-chance, kind="stable")
    sorted_chance = chance[order].astype(np.float64)
    step = np.where(is_case[order], saved, -lost)
    ends = np.flatnonzero(np.append(np.diff(sorted_chance) != 0, True))
    total = np.append(0.0, np.cumsum(step)[ends])
    spread = np.append(0.0, np.cumsum(step**2)[ends])
    best = int(total.argmax())
    behind = total[best] - total
    error = np.sqrt(np.maximum(0.0, np.abs(spread[best] - spread) - behind**2 / len(chance)))
    # Tried on simulated rows (400 to 6,000; fn 3, 10, 50 times fp), cost above the least possible. Right probabilities:
    # the rows' own best 0.4 to 11 %, one error 0.1 to 5 %, two errors 0 to 3.5 %. Confidence off by a factor of 1.6:
    # 0.4 to 12 %, 1 to 29 %, 2 to 50 %; theory alone 3 to 54 %.
    fine = behind <= error
    highest = np.append(NOBODY, sorted_chance[ends])  # acting on a run: from its own value down to the next one's
    lowest = np.append(np.nextafter(sorted_chance[ends], 2.0), 0.0)
    aim = theory(costs)
    nearest = np.clip(aim, lowest, highest)
    distance = np.where(fine, np.abs(_log_odds(nearest) - _log_odds(np.array(aim))), np.inf)
    return float(nearest[int(distance.argmin())])


def by_capacity(chance: Array, share: float) -> float:
    """Return the threshold that at most this share of the rows reaches; the highest run of equal ones always does.

    >>> by_capacity(np.array([0.75, 0.25, 0.25, 0.0]), 0.5)
    0.5
    """
    if not len(chance):
        return 0.0
    falling = np.sort(chance.astype(np.float64))[::-1]
    ends = np.flatnonzero(np.append(np.diff(falling) != 0, True)) + 1
    fitting = ends[ends <= max(1, math.floor(share * len(falling) + 1e-9))]
    n_acted = int(fitting[-1]) if len(fitting) else int(ends[0])
    return 0.0 if n_acted == len(falling) else float(falling[n_acted - 1] + falling[n_acted]) / 2


def theory(costs: Costs) -> float:
    """Return the threshold that pays if probabilities are right; also where acting always pays, or never.

    >>> theory(Costs(((0.0, 1.0), (0.0, 0.0)), ("no", "yes"))) > 1
    True
    """
    saved, lost = costs.edges
    if saved <= 0:
        return NOBODY
    return 0.0 if lost <= 0 else costs.threshold


def _log_odds(chance: Array) -> Array:
    inside = np.clip(chance, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(inside) - np.log1p(-inside))
