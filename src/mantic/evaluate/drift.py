"""Are the judged rows like those learned from? A model that tells them apart says no, and how."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from mantic.core.auc import auc
from mantic.core.run import Run
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Array, Target
from mantic.features.leaks.alone import Halves, Slots, guess_of, numbers_of, usual_of
from mantic.features.leaks.together import Together
from mantic.report.numbers import say

_MOST_ROWS = 2_500  # of each side
_LEAST_ROWS = 40
_Z = 1.96
_Z_ALARM = 2.58  # one of 200 random splits gets so far by chance, and the least size is asked beside
_LEAST_AREA = 0.55
_CLOCK = 0.98  # a column that alone tells the sides apart so well is a clock, or it names the side
_SHOWN = 8
_LEAST_SHIFT = 0.03  # of a column's area beyond one half, to be shown


@dataclass(frozen=True)
class Moved:
    """A column that differs: how well it tells the sides apart alone (area, 0.5 is chance), and a sentence."""

    column: str
    auc: float
    what: str


@dataclass(frozen=True)
class Drift:
    """How well judged rows can be told from learned ones, with a 95 % interval, and by what.

    Parameters
    ----------
    auc, low, high : area under the curve of a model that guesses on which side a row stands; 0.5 is chance.
    columns : those that moved, most telling first.
    clocks : columns that told the sides apart by themselves and were left out: what the split was made by.
    error : standard error of the area.
    """

    auc: float
    low: float
    high: float
    columns: tuple[Moved, ...] = ()
    clocks: tuple[str, ...] = ()
    error: float = 0.0

    @property
    def is_calm(self) -> bool:
        """Whether the two sides could come from one source."""
        return self.auc < _LEAST_AREA or self.auc - _Z_ALARM * self.error <= 0.5

    def facts(self) -> dict[str, Any]:
        """Return plain values: auc, interval, is_calm, columns, clocks."""
        return {
            "auc": self.auc, "interval": [self.low, self.high], "is_calm": self.is_calm,
            "columns": [asdict(one) for one in self.columns], "clocks": list(self.clocks),
        }  # fmt: skip


def find_drift(learned: pl.DataFrame, judged: pl.DataFrame, schema: Schema, *, run: Run) -> Drift | None:
    """Hold judged rows against those learned from (adversarial validation), without looking at the target.

    Parameters
    ----------
    learned, judged : aligned rows; at most 2,500 of each are used.
    run : its seed, and its deadline.

    Returns
    -------
    None when either side has fewer than 40 rows, no column can be used, or time is up.

    Source: the classifier two-sample test (Lopez-Paz and Oquab, 2017); interval by DeLong et al. (1988).
    """
    chance = np.random.default_rng(run.seed)
    if min(learned.height, judged.height) < _LEAST_ROWS or run.deadline.passed:
        return None
    sides = [side[np.sort(chance.permutation(side.height)[:_MOST_ROWS])] for side in (learned, judged)]
    frame = pl.concat(sides)
    side = Target(np.repeat([0, 1], [one.height for one in sides]), 2)
    turn = chance.permutation(frame.height)
    halves = Halves(np.sort(turn[: len(turn) // 2]), np.sort(turn[len(turn) // 2 :]))
    areas = _areas(frame, side, schema, halves)
    clocks = {place for place, area in areas.items() if area >= _CLOCK}
    rest = [place for place in areas if place not in clocks]
    if not rest or run.deadline.passed:
        return None
    area, error = _told_apart(frame, side, _only(schema, rest), halves=halves, run=run)
    drift = Drift(
        area, max(0.0, area - _Z * error), min(1.0, area + _Z * error),
        clocks=tuple(schema.columns[place].name for place in sorted(clocks)), error=error,
    )  # fmt: skip
    if drift.is_calm:
        return drift
    ranked = sorted((place for place in rest if areas[place] >= 0.5 + _LEAST_SHIFT), key=lambda one: -areas[one])
    columns = (
        Moved(schema.columns[place].name, areas[place], how_it_moved(schema.columns[place], *_pair(sides, place)))
        for place in ranked[:_SHOWN]
    )
    return replace(drift, columns=tuple(columns))


def _areas(frame: pl.DataFrame, side: Target, schema: Schema, halves: Halves) -> dict[int, float]:
    """Return how well each used column tells the sides apart alone, learned on one half and judged on the other."""
    learned, judged = side.rows(halves.learn), side.rows(halves.judge)
    usual = usual_of(learned)
    found = {}
    for place, column in enumerate(schema.columns):
        if column.is_used and column.kind is not Kind.TEXT:
            slots = Slots.of(frame.to_series(place), column, halves.learn)
            guess = guess_of(slots, learned, usual, halves)[:, 1]
            area = auc(judged.values == 1, guess)
            found[place] = area if np.isfinite(area) else 0.5
    return found


def _only(schema: Schema, places: list[int]) -> Schema:
    kept = set(places)
    columns = schema.columns
    return Schema(tuple(one if at in kept else replace(one, kind=Kind.ID) for at, one in enumerate(columns)))


def _told_apart(frame: pl.DataFrame, side: Target, schema: Schema, *, halves: Halves, run: Run) -> tuple[float, float]:
    """Return the area and its standard error; each half is judged by a model of the other."""
    found = []
    for one in (halves, Halves(halves.judge, halves.learn)):
        used = [place for place, column in enumerate(schema.columns) if column.is_used]
        guess = Together.of(frame, side, schema, halves=one, run=run).ask(used).guess[:, 1]
        found.append(_area(side.values[one.judge] == 1, guess))
    areas, variances = zip(*found, strict=True)
    return float(np.mean(areas)), float(np.sqrt(np.mean(variances) / len(variances)))


def _area(positive: Array, guess: Array) -> tuple[float, float]:
    """Return the area and its variance, from how each row is placed among those of the other side."""
    area = auc(positive, guess)
    high, low = np.sort(guess[positive]), np.sort(guess[~positive])
    if min(len(high), len(low)) < 2:
        return 0.5, 1.0
    beaten = (np.searchsorted(low, guess[positive], "left") + np.searchsorted(low, guess[positive], "right")) / 2
    beating = (np.searchsorted(high, guess[~positive], "left") + np.searchsorted(high, guess[~positive], "right")) / 2
    spread = np.var(beaten / len(low), ddof=1) / len(high) + np.var(beating / len(high), ddof=1) / len(low)
    return area, float(spread)


# --------------------------------------------------------------------------------------------------------- sentences


def how_it_moved(column: Column, before: pl.Series, now: pl.Series, *, rows: str = "judged rows") -> str:
    """Say in one sentence how a column of aligned rows moved.

    Parameters
    ----------
    before, now : its values in the rows learned from, and in those that are held against them.
    rows : what the latter are called.
    """
    gone, empty = (float(one.is_null().mean()) for one in (before, now))  # type: ignore[arg-type]
    if abs(empty - gone) >= 0.1:
        return f"'{column.name}' is empty in {say(empty, 'share')} of the {rows}, against {say(gone, 'share')}"
    if column.kind in (Kind.NUMBER, Kind.DATE):
        return _number_moved(column, numbers_of(before), numbers_of(now))
    return _levels_moved(column.name, before, now, rows)


def _pair(sides: list[pl.DataFrame], place: int) -> list[pl.Series]:
    return [side.to_series(place) for side in sides]


def _number_moved(column: Column, before: Array, now: Array) -> str:
    old, new = (float(np.mean(one[np.isfinite(one)])) for one in (before, now))
    if column.kind is Kind.DATE:
        way = "later" if new > old else "earlier"
        return f"'{column.name}' lies {say(round(abs(new - old)))} days {way} on average"
    spread = float(np.std(before[np.isfinite(before)]))
    width = float(np.std(now[np.isfinite(now)]))
    stretched = abs(np.log(width / spread)) if width > 0 and spread > 0 else 0.0
    if abs(new - old) < min(0.25, stretched) * spread:
        return f"'{column.name}' spreads {'more' if width > spread else 'less'} widely round nearly the same mean"
    way = "higher" if new > old else "lower"
    if old > spread / 2 and new > 0 and 0.01 <= abs(new / old - 1) < 10:  # near zero a share says nothing
        return f"'{column.name}' is {say(abs(new / old - 1), 'share')} {way} on average ({say(new)} against {say(old)})"
    return f"'{column.name}' is {way} on average ({say(new)} against {say(old)})"


def _levels_moved(name: str, before: pl.Series, now: pl.Series, rows: str) -> str:
    shares = [_shares(one) for one in (before, now)]
    unseen = sum(share for level, share in shares[1].items() if level not in shares[0])
    if unseen >= 0.1:
        return f"'{name}' holds values that were not learned from in {say(unseen, 'share')} of the {rows}"
    gaps = {level: shares[1].get(level, 0.0) - shares[0].get(level, 0.0) for level in {**shares[0], **shares[1]}}
    level = max(gaps, key=lambda one: (abs(gaps[one]), one))
    was, is_now = (say(one.get(level, 0.0), "share") for one in shares)
    return f"'{name}' is '{level}' in {is_now} of the {rows}, against {was}"


def _shares(series: pl.Series) -> dict[str, float]:
    filled = series.drop_nulls().cast(pl.String)
    counts = filled.alias("level").value_counts(name="n", sort=True)
    return {level: n / max(1, len(filled)) for level, n in counts.iter_rows()}
