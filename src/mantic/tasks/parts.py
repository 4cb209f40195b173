"""Which rows judge: locked away before anything else is looked at."""

from dataclasses import dataclass

import numpy as np

from mantic.core.run import Run
from mantic.core.table import Array
from mantic.search.split import Fold, by_time, folds, rolling, units
from mantic.search.trial import Part
from mantic.tasks.door import LEAST_ROWS, Given

NESTED_BELOW = 2_000  # rows: fewer are too few to lock a fifth away; every row judges once instead
ONE_FOLD_FROM = 20_000  # rows: from here one inner fold tells as much as five
_TEST_SHARE = 0.2
_N_FOLDS = 5
_N_NESTED = 3  # inner folds of a nested part: they only choose weights there


@dataclass(frozen=True)
class Division:
    """The parts of a search (the last holds all rows and becomes the kept model), and a sentence on how they came."""

    parts: tuple[Part, ...]
    sentence: str

    @property
    def judged(self) -> tuple[int, ...]:
        """Return the parts that hold rows out."""
        return tuple(number for number, part in enumerate(self.parts) if len(part.held_out))


def divide(given: Given, *, seed: int, run: Run) -> Division:
    """Lock a test part away: the latest rows, whole groups, or a stratified fifth; nested folds when rows are few."""
    n_rows = given.frame.height
    everything = np.arange(n_rows)
    if given.moment is not None:
        return _in_time(given, given.moment, everything, run=run)
    unit = units(given.frame, given.groups)
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
    learn, judge = _apart(by_time(moment, share=_TEST_SHARE), given.groups)
    others = "" if given.groups is None else ", and no group of them was learned from"
    if len(learn) < LEAST_ROWS:
        learn, judge = by_time(moment, share=_TEST_SHARE)
        others = ""
        run.warn("groups_in_time", "nearly every group goes on in the latest rows, so groups are on both sides")
    inner = rolling(moment[learn], n_folds=4)
    if len(learn) >= NESTED_BELOW:  # the latest fold is nearest to what will be asked
        inner = inner[-1:]
    pairs = (_apart((learn[one], learn[two]), given.groups if others else None) for one, two in inner)
    mapped = tuple((one, two) for one, two in pairs if len(one)) or ((learn, learn),)
    locked = Part(learn, judge, mapped)
    late = f"the latest {len(judge) / len(everything):.0%} of the rows in time{others}"
    parts = (locked, Part(everything, everything[:0], ()))
    return Division(parts, f"{late}; inner folds learn from the past only")


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
