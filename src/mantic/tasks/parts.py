"""Which rows judge: locked away before anything else is looked at."""

from dataclasses import dataclass

import numpy as np

from mantic.core.run import Run
from mantic.core.table import Array
from mantic.search.split import Fold, by_time, folds, rolling, units
from mantic.search.trial import Part
from mantic.tasks.door import LEAST_ROWS, Given, used

NESTED_BELOW = 2_000  # rows: fewer are too few to lock a fifth away; every row judges once instead
ONE_FOLD_FROM = 20_000  # rows: from here one inner fold tells as much as five
_TEST_SHARE = 0.2
_N_FOLDS = 5
_LEAST_APART = 0.2  # of the rows that a fold in time learns from, where groups that judge are left out of them
_LEAST_REHEARSED = 100  # rows to learn from, for a score that says something
_N_NESTED = 3  # inner folds of a nested part: they only choose weights there


@dataclass(frozen=True)
class Division:
    """The parts of a search (the last holds all rows and becomes the kept model), and a sentence on how they came."""

    parts: tuple[Part, ...]
    sentence: str

    @property
    def judged(self) -> tuple[int, ...]:
        """Return the parts that hold rows out for the score."""
        return tuple(n for n, part in enumerate(self.parts) if len(part.held_out) and not part.is_rehearsal)

    @property
    def rehearsals(self) -> tuple[int, ...]:
        """Return the parts that stand for earlier periods, the latest first."""
        return tuple(n for n, part in enumerate(self.parts) if part.is_rehearsal)


def divide(given: Given, *, seed: int, run: Run) -> Division:
    """Lock a test part away: the latest rows, whole groups, or a stratified fifth; nested folds when rows are few."""
    n_rows = given.frame.height
    everything = np.arange(n_rows)
    if given.moment is not None:
        return _in_time(given, given.moment, everything, run=run)
    unit = units(used(given.frame, given.schema), given.groups)
    n_units = int(unit.max()) + 1
    n_outer = min(_N_FOLDS, n_units)
    if n_outer < 2:
        unit, n_outer = everything, min(_N_FOLDS, n_rows)
        run.warn("one_group", "all rows belong to one group, so rows of it are on both sides of the split")
    outer = folds(unit, given.target, n_folds=n_outer, seed=seed)
    how = "whole groups" if given.groups is not None else "stratified by the target"
    if n_rows < NESTED_BELOW:
        parts = tuple(
            Part(learn, judge, _inner(given, unit, learn, n_folds=_N_NESTED, seed=seed)) for learn, judge in outer
        )
        whole = Part(everything, everything[:0], _inner(given, unit, everything, n_folds=_N_FOLDS, seed=seed))
        return Division(
            (*parts, whole),
            f"{len(outer)} nested folds ({how}): every row was judged once, by a model whose search had not seen it",
        )
    learn, judge = outer[0]
    locked = Part(learn, judge, _inner(given, unit, learn, n_folds=_N_FOLDS, seed=seed))
    return Division(
        (locked, Part(everything, everything[:0], ())),
        f"{len(judge) / n_rows:.0%} of the rows, locked away before anything else ({how}; copies stay together)",
    )


def _in_time(given: Given, moment: Array, everything: Array, *, run: Run) -> Division:
    early, judge = by_time(moment, share=_TEST_SHARE)
    learn, _ = _apart((early, judge), given.groups)
    others = "" if given.groups is None else ", and no group of them was learned from"
    if len(learn) < max(LEAST_ROWS, _LEAST_APART * len(early)):
        learn, others = early, ""
        run.warn("groups_in_time", "nearly every group goes on in the latest rows, so groups are on both sides")
    inner = rolling(moment[learn], n_folds=4)
    if len(learn) >= NESTED_BELOW:  # the latest fold is nearest to what will be asked
        inner = inner[-1:]
    pairs = [(learn[one], learn[two]) for one, two in inner]
    apart = [_apart(pair, given.groups if others else None) for pair in pairs]
    enough = (two for two, one in zip(apart, pairs, strict=True) if len(two[0]) >= _LEAST_APART * len(one[0]))
    mapped = tuple(enough) or tuple(pairs) or ((learn, learn),)
    locked = Part(learn, judge, mapped)
    late = f"the latest {len(judge) / len(everything):.0%} of the rows in time{others}"
    parts = (locked, *_rehearsals(given, moment, learn), Part(everything, everything[:0], ()))
    return Division(parts, f"{late}; inner folds learn from the past only")


def _rehearsals(given: Given, moment: Array, learn: Array) -> list[Part]:
    """Return earlier periods as long as the judged one, each with the rows before it."""
    found = []
    for n_left in range(round(1 / _TEST_SHARE) - 1, 1, -1):
        before, then = by_time(moment[learn], share=1 / n_left)
        known, judged = _apart((learn[before], learn[then]), given.groups)
        if len(known) < _LEAST_REHEARSED or len(judged) < LEAST_ROWS:
            break
        found.append(Part(known, judged, (), is_rehearsal=True))
        learn = learn[before]
    return found


def _apart(fold: Fold, groups: Array | None) -> Fold:
    """Return a fold that learns from no group that judges."""
    learn, judge = fold
    return (learn, judge) if groups is None else (learn[~np.isin(groups[learn], groups[judge])], judge)


def _inner(given: Given, unit: Array, rows: Array, *, n_folds: int, seed: int) -> tuple[tuple[Array, Array], ...]:
    n_units = len(np.unique(unit[rows]))
    cut = folds(unit[rows], given.target.rows(rows), n_folds=min(n_folds, n_units), seed=seed + 1)
    if len(rows) >= ONE_FOLD_FROM:
        cut = cut[:1]
    mapped = tuple((rows[learn], rows[judge]) for learn, judge in cut if len(learn))
    return mapped or ((rows, rows),)
