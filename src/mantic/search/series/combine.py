"""Weights of methods: as simple as the past allows, as particular as it proves."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mantic.core.panel import blocks, evenly
from mantic.core.table import Array
from mantic.search.series.backtest import REFERENCE, Backtest
from mantic.search.series.loss import Yardstick, mean, yardstick

MOST_JUDGED, MOST_LEARNED = 4_000, 1_000  # series by which weights are judged, and learned: more say the same
_N_STEPS = 12  # of the greedy search
_N_FOLDS = 5  # of series, to judge weights on series that did not choose them
_SHARP = (0.0, 1.0, 2.0, 4.0, 8.0)  # how much a series' own past moves its weights; 0 not at all
_GOOD = 1.15  # a method that loses more than this much of the best one's loss is no voice among equals
_MOST_EQUAL = 5
_N_TO_LEARN = 8  # series and origins together that weights need


@dataclass(frozen=True)
class Mixture:
    """How the forecasts of methods become one.

    Parameters
    ----------
    names : of the methods.
    weights : shape (n_series, n_methods), each row adds up to 1.
    is_median : whether the weighted median counts, else the weighted mean.
    level : "reference", "equal", "all series" or "each series".
    losses : the loss of each level that was considered, on the past; 1 is seasonal naive.
    """

    names: tuple[str, ...]
    weights: Array
    is_median: bool
    level: str
    losses: dict[str, float]

    def mix(self, forecasts: Array) -> Array:
        """Return one forecast per series and step, shape (..., n_series, horizon).

        Parameters
        ----------
        forecasts : shape (n_methods, ..., n_series, horizon); NaN where a method has none, which leaves its weight to
            the others.
        """
        return _mixed(forecasts, self.weights, is_median=self.is_median)


def mixture(found: Backtest, scale: Array) -> tuple[Mixture, Array]:
    """Return the weights that the past calls for, and what such weights said of the past without having seen it.

    Equal weights of the good methods first; weights learned on all series if they are better by more than a standard
    error on series that did not choose them; weights that follow each series' own past if those are better again on
    origins that they have not seen. If nothing beats seasonal naive, it is seasonal naive. Of very many series a part
    that lies evenly among them decides for all.

    Returns
    -------
    The mixture, and forecasts of shape (n_origins, n_series, horizon) for honest errors.
    """
    return _mixture(found, scale, _richer)


def equal_mixture(found: Backtest, scale: Array) -> tuple[Mixture, Array]:
    """Return the same without weights that are learned, where there is no time to learn any."""
    return _mixture(found, scale, lambda judge, best: (best, {}))


def _mixture(found: Backtest, scale: Array, richer: "_Richer") -> tuple[Mixture, Array]:
    n_series = len(scale)
    reference = found.names.index(REFERENCE)
    some = evenly(n_series, MOST_JUDGED)
    few = found if len(some) == n_series else found.rows(some)
    judge = _Judge(few, yardstick(few.truth, few.past[reference], scale[some]), scale[some])
    pooled = np.array([mean(one) for one in judge.each])
    if not np.isfinite(pooled[reference]):
        blind = _without_past(found, n_series)
        return blind, blind.mix(found.past)
    pooled[~np.isfinite(pooled)] = np.inf
    best = _equal(judge, pooled)
    losses = {"equal": mean(best.loss)}
    best, more = richer(judge, best)
    losses |= more | {"reference": mean(judge.each[reference])}
    if mean(best.loss) >= losses["reference"]:
        best = judge.alone("reference", reference)
    weights, past = best.weights, best.past
    if len(some) < n_series:
        weights, past = _elsewhere(best, found, scale, judge.unit)
        weights[some], past[:, some] = best.weights, best.past
    return Mixture(found.names, weights, best.is_median, best.name, losses), past


def _richer(judge: "_Judge", best: "_Level") -> tuple["_Level", dict[str, float]]:
    """Return the best of equal and learned weights, and what the learned ones lost."""
    losses: dict[str, float] = {}
    if judge.n_judged >= _N_TO_LEARN:
        learned = _learned(judge)
        losses["all series"] = mean(learned.loss)
        best = _better(best, learned)
        if judge.found.truth.shape[0] > 1:
            own = _own(judge, best)
            losses["each series"] = mean(own.loss)
            best = _better(best, own)
    return best, losses


def _elsewhere(best: "_Level", found: Backtest, scale: Array, unit: Yardstick) -> tuple[Array, Array]:
    """Return weights and past of all series by the rule of a level that a part of them has chosen."""
    n_origins, n_series, horizon = found.truth.shape
    weights, past = np.empty((n_series, len(found.names))), np.empty(found.truth.shape)
    for rows in blocks(np.arange(n_series), len(found.names) * n_origins * horizon):
        judge = _Judge(found.rows(rows), unit, scale[rows])
        weights[rows], past[:, rows] = best.rule(judge)
    return weights, past


@dataclass(frozen=True)
class _Level:
    name: str
    weights: Array  # (n_series, n_methods)
    past: Array  # (n_origins, n_series, horizon), by weights that had not seen what they are judged by
    loss: Array  # (n_origins, n_series)
    is_median: bool
    rule: "_Rule"  # to weights and past of series that had no say in it


@dataclass(frozen=True)
class _Judge:
    found: Backtest
    unit: Yardstick
    scale: Array

    @property
    def n_series(self) -> int:
        return len(self.scale)

    @property
    def n_methods(self) -> int:
        return len(self.found.names)

    @property
    def n_judged(self) -> int:
        return int((~np.isnan(self.found.truth).all(axis=2)).sum())

    @cached_property
    def each(self) -> Array:
        """Return the loss of each method, shape (n_methods, n_origins, n_series)."""
        return np.stack([self.unit.loss(self.found.truth, one, self.scale) for one in self.found.past])

    def past(self, weights: Array, *, is_median: bool) -> Array:
        return _mixed(self.found.past, weights, is_median=is_median)

    def constant(self, name: str, weights: Array, *, is_median: bool) -> _Level:
        """Return the level of weights that are alike for all series, shape (n_methods,)."""

        def rule(judge: _Judge) -> tuple[Array, Array]:
            rows = np.repeat(weights[None], judge.n_series, axis=0)
            return rows, judge.past(rows, is_median=is_median)

        rows, past = rule(self)
        return self.level(_Level(name, rows, past, np.empty(0), is_median, rule))

    def alone(self, name: str, place: int) -> _Level:
        """Return the level of a single method, which says nothing where the method does not."""

        def rule(judge: _Judge) -> tuple[Array, Array]:
            return np.repeat(np.eye(judge.n_methods)[place][None], judge.n_series, axis=0), judge.found.past[place]

        rows, past = rule(self)
        return self.level(_Level(name, rows, past, np.empty(0), False, rule))

    def level(self, known: _Level) -> _Level:
        """Return a level with its loss."""
        return replace(known, loss=self.unit.loss(self.found.truth, known.past, self.scale))


_Rule = Callable[[_Judge], tuple[Array, Array]]
_Richer = Callable[[_Judge, _Level], tuple[_Level, dict[str, float]]]


def _without_past(found: Backtest, n_series: int) -> Mixture:
    """Return weights where nothing can be judged: the robust pair of theta and naive."""
    chosen = np.array([name in ("quick_theta", "naive", REFERENCE) for name in found.names], dtype=float)
    weights = np.repeat((chosen / chosen.sum())[None], n_series, axis=0)
    return Mixture(found.names, weights, True, "equal", {})


def _equal(judge: _Judge, pooled: Array) -> _Level:
    """Return equal weights of the best few methods, by mean or median, whichever lost less.

    One alone only where it is better by a standard error: the best of many by chance is not the best tomorrow.
    """
    order = np.argsort(pooled, kind="stable")
    good = [place for place in order if pooled[place] <= _GOOD * pooled[order[0]]][:_MOST_EQUAL]
    tried = []
    for n_voices in sorted({min(n_voices, len(good)) for n_voices in (2, 3, _MOST_EQUAL)}):
        weights = np.zeros(judge.n_methods)
        weights[good[:n_voices]] = 1 / n_voices
        tried += [judge.constant("equal", weights, is_median=is_median) for is_median in (True, False)]
    several = min(tried, key=lambda one: mean(one.loss))
    return _better(several, judge.alone("equal", int(good[0])))


def _learned(judge: _Judge) -> _Level:
    """Return weights by greedy selection on all series, judged on the fold of series that did not choose."""
    fold = np.arange(judge.n_series) % min(_N_FOLDS, judge.n_series)
    past = np.full(judge.found.truth.shape, np.nan)
    if judge.n_series > 1:
        for number in range(int(fold.max()) + 1):
            weights = _greedy(judge, fold != number)
            rows = np.repeat(weights[None], judge.n_series, axis=0)
            past[:, fold == number] = judge.past(rows, is_median=False)[:, fold == number]
    else:
        for origin in range(len(past)):
            is_other = np.arange(len(past)) != origin
            weights = _greedy(judge, np.ones(1, dtype=bool), origins=is_other if is_other.any() else ~is_other)
            past[origin] = judge.past(weights[None], is_median=False)[origin]
    whole = _greedy(judge, np.ones(judge.n_series, dtype=bool))
    return judge.level(replace(judge.constant("all series", whole, is_median=False), past=past))


def _greedy(judge: _Judge, series: Array, *, origins: Array | None = None) -> Array:
    """Return weights that grow by the method whose addition helps most, shape (n_methods,).

    Source: Caruana et al. (2004), Ensemble selection from libraries of models.
    """
    places = np.flatnonzero(series)
    series = places[evenly(len(places), MOST_LEARNED)]
    chosen_origins = np.ones(judge.found.truth.shape[0], dtype=bool) if origins is None else origins
    past = judge.found.past[:, chosen_origins][:, :, series]
    truth, scale = judge.found.truth[chosen_origins][:, series], judge.scale[series]
    fallback = _fallback(past)
    filled = np.where(np.isnan(past), fallback, past)
    total, counts, best = np.zeros_like(filled[0]), np.zeros(judge.n_methods), (np.inf, np.zeros(judge.n_methods))
    for step in range(1, _N_STEPS + 1):
        tried = [mean(judge.unit.loss(truth, (total + one) / step, scale)) for one in filled]
        place = int(np.argmin(tried))
        total += filled[place]
        counts[place] += 1
        if tried[place] < best[0] - 1e-9:
            best = (tried[place], counts / step)
    return best[1] if np.isfinite(best[0]) else np.full(judge.n_methods, 1 / judge.n_methods)


def _fallback(past: Array) -> Array:
    """Return what stands for a method that has no forecast of a series: the mean of those that have one."""
    is_there = ~np.isnan(past)
    return np.asarray(np.where(is_there, past, 0.0).sum(axis=0) / np.maximum(1, is_there.sum(axis=0)))


def _own(judge: _Judge, before: _Level) -> _Level:
    """Return weights that each series' own past tilts, judged origin by origin with the others' losses."""
    base, is_median, tried = np.maximum(before.weights[:1], 1e-3), before.is_median, []
    for sharp in _SHARP[1:]:
        rule = _own_rule(base, sharp, is_median=is_median)
        weights, past = rule(judge)
        tried.append(judge.level(_Level("each series", weights, past, np.empty(0), is_median, rule)))
    return min(tried, key=lambda one: mean(one.loss))


def _own_rule(base: Array, sharp: float, *, is_median: bool) -> _Rule:
    """Return the rule that tilts weights, shape (1, n_methods), by each series' own past, so sharply."""

    def rule(judge: _Judge) -> tuple[Array, Array]:
        each = judge.each
        past, n_origins = np.full(judge.found.truth.shape, np.nan), each.shape[1]
        for origin in range(n_origins):
            others = each[:, np.arange(n_origins) != origin]
            past[origin] = _mixed(judge.found.past[:, origin], _tilted(base, others, sharp), is_median=is_median)
        return _tilted(base, each, sharp), past

    return rule


def _tilted(base: Array, each: Array, sharp: float) -> Array:
    """Return weights moved towards what lost less on a series: w exp(-sharp x relative loss)."""
    is_there = ~np.isnan(each)
    own = np.where(is_there, each, 0.0).sum(axis=1) / np.maximum(1, is_there.sum(axis=1))  # (n_methods, n_series)
    own = np.where(is_there.any(axis=1), own, np.nan)
    middle = np.nanmedian(np.where(np.isnan(own).all(axis=0), 1.0, own), axis=0)
    relative = np.where(np.isnan(own), 1.0, own / np.maximum(1e-9, middle)).T
    weights = base * np.exp(-sharp * np.clip(relative - 1.0, -2.0, 4.0))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _better(simple: _Level, rich: _Level) -> _Level:
    """Return the richer level only if it is better by more than one standard error over series."""
    gain = simple.loss - rich.loss
    per_series = gain[:, ~np.isnan(gain).all(axis=0)]
    if not per_series.size:
        return simple
    found = np.nanmean(per_series, axis=0)
    found = found if len(found) > 1 else per_series[~np.isnan(per_series)]
    error = float(found.std(ddof=1)) / np.sqrt(len(found)) if len(found) > 1 else float("inf")
    return rich if float(found.mean()) > error else simple


def _mixed(forecasts: Array, weights: Array, *, is_median: bool) -> Array:
    """Return the weighted mean or median over the first axis, of what is there; block by block of very many series."""
    parts = blocks(np.arange(len(weights)), forecasts.size // max(1, len(weights)))
    mixed = [_mixed_block(forecasts[..., one, :], weights[one], is_median=is_median) for one in parts]
    return mixed[0] if len(mixed) == 1 else np.concatenate(mixed, axis=-2)


def _mixed_block(forecasts: Array, weights: Array, *, is_median: bool) -> Array:
    shape = (weights.shape[1], *(1,) * (forecasts.ndim - 3), weights.shape[0], 1)
    own = np.where(np.isnan(forecasts), 0.0, weights.T.reshape(shape))
    total = own.sum(axis=0)
    is_lost = (total <= 0) & ~np.isnan(forecasts).all(axis=0)
    if is_lost.any():  # all the weight lies on methods that have no answer here
        own = np.where(is_lost & ~np.isnan(forecasts), 1.0, own)
        total = own.sum(axis=0)
    if not is_median:
        whole = np.where(np.isnan(forecasts), 0.0, forecasts * own).sum(axis=0)
        return np.asarray(whole / np.where(total > 0, total, np.nan))
    order = np.argsort(forecasts, axis=0)  # NaN last
    values, mass = np.take_along_axis(forecasts, order, 0), np.take_along_axis(own, order, 0)
    reached = np.cumsum(mass, axis=0) / np.where(total > 0, total, np.nan)
    low = np.argmax(reached >= 0.5 - 1e-9, axis=0)[None]
    high = np.argmax(reached > 0.5 + 1e-9, axis=0)[None]
    middle = (np.take_along_axis(values, low, 0) + np.take_along_axis(values, high, 0)) / 2
    return np.asarray(middle[0])
