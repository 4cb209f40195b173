"""Intervals from what the same mixture missed in the past."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np

from mantic.core.panel import Panel, spans
from mantic.core.table import Array
from mantic.search.series.size import expected, moved

FEW = 40  # errors below which an interval is a guess, and says so
_LEAST_SEASON, _TURNS = 4, 10.0  # steps of a cycle that has places; turns that all places together count as
_MANY_ZEROS = 0.2  # share
_QUICK, _SLOW, _ENOUGH = 0.5, 0.03, 20.0  # how fast intervals follow: with very many series, with one; series between
_MOST_REACH = 20.0
_FRESH = 3.0  # how many old errors a new one weighs
_N_FOLDS = 5  # of series
_SIDED = 0.25  # of what makes one side other than the other, that will last
_N_FREE = 2.0  # errors of its own that a stretch of steps holds
_GRID = np.concatenate([[0.005, 0.01], np.linspace(0.025, 0.975, 39), [0.99, 0.995]])
_NORMAL = np.array([NormalDist().inv_cdf(level) for level in _GRID.tolist()])


@dataclass(frozen=True)
class Spread:
    """How far the truth lay from the forecast.

    Parameters
    ----------
    width : a series' own unit of error, above 0; shape (n_series,).
    growth : how errors grow with the step, 1 at the first; shape (horizon,).
    cycle : how errors differ with the place in the cycle, 1 on average; column 0 is the first step after the end; shape
        (n_series, season).
    levels, errors : quantiles of what was missed, in units of width and growth, rising; shape (n_levels,).
    n_errors : how many errors these come from.
    reach : by how much each quantile was moved away from the middle, or to it, since truth arrived; shape (n_levels,).
    """

    width: Array
    growth: Array
    cycle: Array
    levels: Array
    errors: Array
    n_errors: int
    reach: Array = field(default_factory=lambda: np.ones(len(_GRID)))

    def quantiles(self, forecast: Array, levels: Array) -> Array:
        """Return the quantiles of each series and step, shape (n_series, horizon, n_levels), rising with the level."""
        away = np.interp(levels, self.levels, self.reached())
        return np.asarray(forecast[:, :, None] + self.unit(forecast.shape[1])[:, :, None] * away)

    def reached(self) -> Array:
        """Return the quantiles of errors as they hold now, rising; shape (n_levels,)."""
        middle = float(np.interp(0.5, self.levels, self.errors))
        return np.asarray(np.sort(middle + self.reach * (self.errors - middle)))

    def followed(self, missed: Array) -> "Spread":
        """Return the spread whose quantiles follow how often the truth lay below them: adaptive conformal prediction.

        Step by step each quantile moves outwards if more of the truth lay beyond it than promised, and a little inwards
        if not; a level of 95 % holds in the long run whatever the series do.

        Parameters
        ----------
        missed : errors in units of width and growth, shape (n_series, horizon); NaN where nothing arrived.

        Source: Gibbs and Candès (2021), Adaptive conformal inference under distribution shift; Angelopoulos, Candès and
        Tibshirani (2023), Conformal PID control, for the quantile that is tracked itself.
        """
        found, outwards = self, np.sign(self.levels - 0.5)
        for step in range(missed.shape[1]):
            own = missed[np.isfinite(missed[:, step]), step]
            if len(own):
                below = (own[:, None] <= found.reached()).mean(axis=0)
                pace = _SLOW + _QUICK * len(own) / (len(own) + _ENOUGH)
                reach = found.reach * np.exp(pace * outwards * (self.levels - below))
                found = replace(found, reach=np.clip(reach, 1 / _MOST_REACH, _MOST_REACH))
        return found

    def unit(self, horizon: int) -> Array:
        """Return the size of errors of each series and step, shape (n_series, horizon)."""
        places = np.arange(horizon) % self.cycle.shape[1]
        return np.asarray(self.width[:, None] * self.growth[:horizon] * self.cycle[:, places])

    def rows(self, index: Array) -> "Spread":
        """Return the spread of these series."""
        return replace(self, width=self.width[index], cycle=self.cycle[index])

    def before(self, n_back: int) -> "Spread":
        """Return the spread of forecasts from `n_back` steps before each series' end."""
        return replace(self, cycle=np.roll(self.cycle, n_back % self.cycle.shape[1], axis=1))

    def learned(self, missed: Array) -> "Spread":
        """Return the spread with errors that arrived since, which count more than old ones.

        Parameters
        ----------
        missed : errors in units of width and growth, of any shape; NaN where nothing arrived.
        """
        fresh = missed[np.isfinite(missed)]
        if not len(fresh):
            return self
        edges = np.concatenate([[0.0], (self.levels[1:] + self.levels[:-1]) / 2, [1.0]])
        values = np.concatenate([self.errors, fresh])
        mass = np.concatenate([np.diff(edges) * max(1, self.n_errors), np.full(len(fresh), _FRESH)])
        order = np.argsort(values, kind="stable")
        reached = (np.cumsum(mass[order]) - mass[order] / 2) / mass.sum()
        errors = np.interp(self.levels, reached, values[order])
        return replace(self, errors=errors, n_errors=self.n_errors + len(fresh))


def spread(panel: Panel, truth: Array, past: Array, *, backs: Sequence[int], cycle: Array, known: Array) -> Spread:
    """Return what the errors of the past say about those to come.

    Parameters
    ----------
    truth, past : shape (n_origins, n_series, horizon), with NaN; the mixture's forecasts from the origins.
    backs : steps between each origin and the series' ends.
    cycle : what `cycle_of` says of the farthest origin.
    known : what `sizes` says at each origin and, last, where the forecast starts.

    Quantiles are those of split conformal prediction, with the correction for a finite sample: (n + 1) in place of n.
    Source: Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world.
    """
    missed = truth - past
    horizon = truth.shape[2]
    if not np.isfinite(missed).any():
        return _walk(panel, horizon, panel.scale(1))
    places = [(np.arange(horizon) - back) % cycle.shape[1] for back in backs]
    missed = missed / np.stack([cycle[:, own] for own in places])
    growth = _growth(missed, np.exp(known[:-1, :, 0]))
    missed = missed / growth
    told, over = expected(known, missed)
    width = told.copy()
    if len(over) > 1:  # an error is held against a width that it has not made wider itself
        width[:-1] += np.stack([moved(np.delete(over, at, axis=0)) for at in range(len(over))])
        width[-1] += moved(over)
    width = np.maximum(np.exp(width), 1e-9)
    relative = missed / width[:-1, :, None]
    found = relative[np.isfinite(relative)]
    n_stretches = int(np.isfinite(relative).any(axis=-1).sum())
    errors = _corrected(found, _N_FREE * n_stretches, is_skewed=is_skewed(panel))
    return Spread(width[-1], growth, cycle, _GRID, errors, len(found))


def cycle_of(panel: Panel, n_back: int) -> Array:
    """Return how much more each place of the cycle changes from turn to turn than the others, shape (n_series, season).

    Nights and Sundays are steadier than mornings. Nothing after the earliest origin is looked at. Ten turns count as
    much as all places together.
    """
    season = panel.season
    found = np.ones((len(panel), season))
    lengths = panel.lengths - n_back
    chosen = np.flatnonzero(lengths >= 3 * season)
    if season < _LEAST_SEASON or not len(chosen):
        return found
    n_changes = lengths[chosen] - season
    flat = spans(panel.bounds[:-1][chosen] + season, n_changes)
    change = np.abs(panel.values[flat] - panel.values[flat - season])
    owner = np.repeat(np.arange(len(chosen)), n_changes)
    at = owner * season + (flat - panel.bounds[1:][chosen][owner]) % season
    total, count = (np.bincount(at, one, minlength=len(chosen) * season) for one in (change, None))
    usual = np.maximum(np.bincount(owner, change) / n_changes, 1e-300)[:, None]
    own = (total.reshape(-1, season) + _TURNS * usual) / (count.reshape(-1, season) + _TURNS)
    found[chosen] = own / own.mean(axis=1, keepdims=True)
    return found


def is_skewed(panel: Panel) -> bool:
    """Return whether errors to both sides are wholly kept apart: where most values are small counts or 0."""
    return panel.is_floored and float(np.mean(panel.values == 0)) > _MANY_ZEROS


def _walk(panel: Panel, horizon: int, simple: Array) -> Spread:
    """Return the spread of a random walk with the changes that were seen, where nothing can be judged."""
    growth = np.sqrt(np.arange(1, horizon + 1))
    normal = np.array([-2.58, -1.96, -1.64, -1.28, -0.67, 0.0, 0.67, 1.28, 1.64, 1.96, 2.58])
    levels = np.array([0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.995])
    ones = np.ones((len(panel), 1))
    return Spread(np.maximum(simple, 1e-9), growth, ones, levels, normal * 1.25, 0, np.ones(len(levels)))


def _growth(missed: Array, size: Array) -> Array:
    """Return how much larger errors are at each step than at the first; it never falls.

    Parameters
    ----------
    missed, size : shapes (n_origins, n_series, horizon), with NaN, and (n_origins, n_series).
    """
    relative = np.abs(missed) / size[..., None]
    found = np.array([_middle(relative[..., step]) for step in range(missed.shape[-1])])
    found = np.where(np.isnan(found) | (found <= 0), np.nan, found)
    if np.isnan(found).all():
        return np.ones(missed.shape[-1])
    place = np.arange(len(found))
    found = np.interp(place, place[~np.isnan(found)], found[~np.isnan(found)])
    rising = np.maximum.accumulate(_smooth(found))
    return np.asarray(rising / rising[0])


def _middle(values: Array) -> float:
    found = values[np.isfinite(values)]
    return float(found.mean()) if len(found) else float("nan")


def _smooth(values: Array) -> Array:
    """Return running means over five steps: single steps of a few origins are mostly noise."""
    half = 2
    padded = np.pad(values, half, mode="edge")
    return np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")


def _corrected(found: Array, n_free: float, *, is_skewed: bool) -> Array:
    """Return quantiles of errors, moved outwards as a sample of this size asks.

    Most of what makes one side other than the other is held for chance, if they are not skewed by nature: series share
    the shocks of the few stretches that they are judged on. Errors of neighbouring steps say the same, so that few
    stretches get the longer tails of Student's t.

    Parameters
    ----------
    found : shape (n_errors,).
    n_free : how many errors of their own these are.
    """
    level = np.where(_GRID < 0.5, _GRID * (len(found) + 1) - 1, _GRID * (len(found) + 1)) / len(found)
    level = np.clip(level, 0.0, 1.0)
    errors = np.quantile(found, level)
    if not is_skewed:
        even = np.sign(_GRID - 0.5) * np.quantile(np.abs(found), np.abs(2 * level - 1))
        errors = _SIDED * errors + (1 - _SIDED) * even
    middle = float(np.interp(0.5, _GRID, errors))
    return np.maximum.accumulate(middle + (1 + (_NORMAL**2 + 3) / (4 * n_free)) * (errors - middle))


def past_quantiles(
    panel: Panel, truth: Array, past: Array, *, backs: Sequence[int], levels: Array, known: Array
) -> Array:
    """Return the quantiles that the errors of other origins would have given, or of other series where there is one.

    Shape (n_origins, n_series, horizon, n_levels): how intervals of this kind hold on what they have not seen.
    """
    n_origins, n_series, horizon = truth.shape
    cycle = cycle_of(panel, max(backs))
    found = np.full((n_origins, n_series, horizon, len(levels)), np.nan)
    if n_origins > 1:
        for origin in range(n_origins):
            others = [*range(origin), *range(origin + 1, n_origins)]
            own = spread(
                panel, truth[others], past[others], backs=[backs[one] for one in others], cycle=cycle,
                known=known[[*others, origin]],
            )  # fmt: skip
            found[origin] = own.before(backs[origin]).quantiles(past[origin], levels)
        return found
    fold = np.arange(n_series) % min(_N_FOLDS, n_series)
    for number in range(int(fold.max()) + 1):
        elsewhere = np.where((fold == number)[:, None], np.nan, truth[0])[None]
        own = spread(panel, elsewhere, past, backs=backs, cycle=cycle, known=known[[0, 0]]).before(backs[0])
        found[0, fold == number] = own.quantiles(past[0], levels)[fold == number]
    return found
