"""Pairs of number columns that determine the target jointly, though neither does alone: an instalment and its loan."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mantic.core.budget import Deadline
from mantic.core.schema import Kind
from mantic.core.table import Array, Target
from mantic.features.leaks.alone import Halves, Slots, numbers_of, power
from mantic.features.leaks.sample import Sample

_MOST_COLUMNS = 40
_LEAST_LEVELS = 20  # counts of next to nothing determine nothing
_FIRST_ROWS, _ROWS = 500, 1_500  # per half: to pass most pairs over, and to measure the others
_SLACK = 0.15  # that the first look may be wrong by
_WORDS: dict[str, Callable[[Array, Array], Array]] = {
    "divided by": np.divide,
    "times": np.multiply,
    "minus": np.subtract,
    "plus": np.add,
}


@dataclass(frozen=True)
class Pair:
    """Two columns (by place), what joins them, and the share of the target that the result explains."""

    one: int
    other: int
    word: str
    skill: float
    gain: float  # over the better of the two alone


def find_pairs(
    sample: Sample, alone: dict[int, float], *, least: float, least_gain: float, deadline: Deadline
) -> list[Pair]:
    """Return the pairs that explain `least` of the target and `least_gain` more than either alone, best first.

    Parameters
    ----------
    alone : the columns to try, by place, and what each explains by itself.
    """
    columns = sample.schema.columns
    able = [
        place
        for place in alone
        if columns[place].kind in (Kind.NUMBER, Kind.DATE) and columns[place].n_levels >= _LEAST_LEVELS
    ]
    values = {place: numbers_of(sample.frame.to_series(place)) for place in able[:_MOST_COLUMNS]}
    found = []
    for one in values:
        if deadline.passed:
            break
        for other in (place for place in values if place > one):
            if _best(sample, (one, other), values, _short(sample, _FIRST_ROWS)).skill < least - _SLACK:
                continue
            best = _best(sample, (one, other), values, _short(sample, _ROWS))
            gain = best.skill - max(alone[one], alone[other])
            if best.skill >= least and gain >= least_gain:
                found.append(Pair(one, other, best.word, best.skill, gain))
    return sorted(found, key=lambda pair: -pair.skill)


def _short(sample: Sample, n_rows: int) -> Halves:
    return Halves(sample.halves.learn[:n_rows], sample.halves.judge[:n_rows])


def _best(sample: Sample, places: tuple[int, int], values: dict[int, Array], halves: Halves) -> Pair:
    one, other = places
    dates = [sample.schema.columns[place].kind is Kind.DATE for place in places]
    words = ("minus",) if all(dates) else () if any(dates) else tuple(_WORDS)
    rows = np.concatenate([halves.learn, halves.judge])
    mine = Halves(np.arange(len(halves.learn)), np.arange(len(halves.learn), len(rows)))
    target = sample.even.rows(rows)
    tried = [Pair(one, other, "", 0.0, 0.0)]
    for word in words:
        with np.errstate(all="ignore"):
            joined = _WORDS[word](values[one][rows], values[other][rows])
        joined = np.where(np.isfinite(joined), joined, np.nan)
        tried.append(Pair(one, other, word, _power(joined, target, mine), 0.0))
    return max(tried, key=lambda pair: pair.skill)


def _power(values: Array, target: Target, halves: Halves) -> float:
    return power(Slots.of_numbers(values, halves.learn), target, halves)
