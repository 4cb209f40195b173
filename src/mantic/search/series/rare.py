"""Series that are mostly 0: what may come is what came lately, of the series itself and of others as rare as it."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Self

import numpy as np

from mantic.core.panel import Panel, blocks, evenly
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.search.series.cut import cut_back, judged_after
from mantic.search.series.loss import mean
from mantic.search.series.rare_pool import can_learn, learned_quantiles

_RARE = 0.1  # share of zeros from which a series counts as rare
_GRID = np.concatenate([[0.005, 0.01], np.linspace(0.025, 0.975, 39), [0.99, 0.995]])
_HALVES = (3.0, 5.0, 8.0, 12.0, 20.0)  # steps after which a value counts half as much
_SHARED = (0.0, 3.0, 6.0, 12.0, 24.0, 48.0)  # latest own values that the others together weigh as much as
_LONGEST = 104  # values of a series
_N_SHARED = 60  # values that stand for the others
_LEAST_UNIT = 0.05  # of a series that hardly has any
_N_KINDS = 12  # groups of series, by how much there is of them on average
_DEFAULT = (5.0, 12.0)  # did best on car parts, with the last steps of their training rows held back
_MOST_CHOSEN = 1_500  # series by which half-life and weight are chosen: more say the same
_SECONDS = 2e-7  # of the processor, for one value of a sample, measured
_N_ORIGINS, _LEAST_ORIGINS, _LEAST = 3, 2, 8  # from where the choice is judged; values that a series had by then


@dataclass(frozen=True)
class Rare:
    """What may come of rare series, at every step alike.

    Parameters
    ----------
    half, shared : steps after which a value counts half as much, and how many own ones the others together weigh.
    levels, values : quantiles, shapes (n_levels,) and (n_series, n_levels), rising; NaN for series that are not rare.
    means : shape (n_series,); NaN likewise.
    has_means, has_quantiles : whether means and quantiles did better on the past than those of other methods.
    is_learned : whether quantiles come from trees that learned from all rare series, in place of the latest values.
    """

    half: float
    shared: float
    levels: Array
    values: Array
    means: Array
    has_means: bool
    has_quantiles: bool
    is_learned: bool = False

    @property
    def is_rare(self) -> Array:
        """Return which series are meant, shape (n_series,)."""
        return np.isfinite(self.means)

    def quantiles(self, levels: Array) -> Array:
        """Return quantiles of all series, shape (n_series, n_levels); NaN for those that are not rare."""
        place = np.clip(np.searchsorted(self.levels, levels, side="right") - 1, 0, len(self.levels) - 2)
        low, high = self.levels[place], self.levels[place + 1]
        below, above = self.values[:, place], self.values[:, place + 1]
        found = (above - below) / (high - low) * (np.minimum(levels, self.levels[-1]) - low) + below
        found = np.where(levels >= self.levels[-1], self.values[:, -1:], found)
        return np.asarray(np.where(levels <= self.levels[0], self.values[:, :1], found))

    def rows(self, index: Array) -> Self:
        """Return the same of these series."""
        return replace(self, values=self.values[index], means=self.means[index])

    def used(self, *, for_means: bool, for_quantiles: bool) -> Self:
        """Return the same, for what it did better than other methods."""
        return replace(self, has_means=for_means, has_quantiles=for_quantiles)

    def to_facts(self) -> dict[str, Any]:
        """Return what is no array, as plain values."""
        names = ("half", "shared", "has_means", "has_quantiles", "is_learned")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_facts(cls, facts: dict[str, Any], levels: Array, values: Array, means: Array) -> Self:
        """Restore what `to_facts` gave, with its arrays."""
        flags = bool(facts["has_means"]), bool(facts["has_quantiles"])
        is_learned = bool(facts.get("is_learned", False))
        return cls(float(facts["half"]), float(facts["shared"]), levels, values, means, *flags, is_learned)

    def renewed(self, panel: Panel, horizon: int, run: Run) -> "Rare":
        """Return the same of series that have grown; what trees said learns again, or ends where there is no time."""
        grown = past_of(self, panel, 0, least=1)
        if not self.is_learned:
            return grown
        return learned(grown, panel, horizon, run) or replace(grown, is_learned=False)


def rare(panel: Panel, horizon: int) -> Rare | None:
    """Return what may come of the rare series of a panel; None where there are none.

    Half-life and weight are the usual ones, or those whose pinball loss was lower at every one of several origins: one
    stretch of the past says more about itself than about the next.
    """
    is_rare = rare_series(panel)
    if not is_rare.any():
        return None
    rows = panel.rows(is_rare)
    return _by(panel, is_rare, _chosen(rows.rows(evenly(len(rows), _MOST_CHOSEN)), horizon))


def usual_rare(panel: Panel) -> Rare | None:
    """Return the same by the usual half-life and weight, where there is no time to choose them."""
    is_rare = rare_series(panel)
    return _by(panel, is_rare, _DEFAULT) if is_rare.any() else None


def seconds_of_rare(panel: Panel, n_origins: int) -> tuple[float, float]:
    """Return the processor seconds that it takes to sample rare series at so many origins, and to choose how."""
    n_rare = int(rare_series(panel).sum())
    each = _SECONDS * (_LONGEST + _N_SHARED)
    n_forms = len(_HALVES) * len(_SHARED) + 1
    return each * n_rare * (2 + 2 * n_origins), each * min(n_rare, _MOST_CHOSEN) * n_forms * _N_ORIGINS


def _by(panel: Panel, is_rare: Array, memory: tuple[float, float]) -> Rare:
    values, means = np.full((len(panel), len(_GRID)), np.nan), np.full(len(panel), np.nan)
    values[is_rare], means[is_rare] = _sampled(panel.rows(is_rare), *memory)
    return Rare(*memory, _GRID, values, means, has_means=True, has_quantiles=True)


def past_of(found: Rare, panel: Panel, back: int, *, least: int) -> Rare:
    """Return what the same would have said `back` steps before the end; NaN for series that had hardly begun."""
    chosen = np.flatnonzero(found.is_rare)
    cut, there = cut_back(panel.rows(chosen), back, least=least, horizon=1)
    values, means = np.full_like(found.values, np.nan), np.full_like(found.means, np.nan)
    if len(there):
        values[chosen[there]], means[chosen[there]] = _sampled(cut, found.half, found.shared)
    return replace(found, values=values, means=means)


def learned(found: Rare, panel: Panel, horizon: int, run: Run, *, back: int = 0, least: int = 1) -> Rare | None:
    """Return the same with quantiles that trees learned from all rare series until `back` steps before the end.

    None where there is not enough to learn from, or no time.
    """
    chosen = np.flatnonzero(found.is_rare)
    cut, there = cut_back(panel.rows(chosen), back, least=least, horizon=1)
    own = learned_quantiles(cut, horizon, _GRID, run) if can_learn(cut) else None
    if own is None:
        return None
    values = np.full_like(found.values, np.nan)
    values[chosen[there]] = own
    return replace(found, values=values, is_learned=True)


def rare_series(panel: Panel) -> Array:
    """Return which series are mostly small counts or 0, shape (n_series,)."""
    if not panel.is_floored:
        return np.zeros(len(panel), dtype=bool)
    zeros = np.add.reduceat((panel.values == 0).astype(float), panel.bounds[:-1])
    return np.asarray(zeros / panel.lengths >= _RARE)


def _chosen(panel: Panel, horizon: int) -> tuple[float, float]:
    """Return the half-life and the weight of the others that lost least, in units of each series' mean."""
    middle = int(np.median(panel.lengths))
    backs = [number * horizon for number in range(1, _N_ORIGINS + 1) if middle - number * horizon >= _LEAST]
    past = [(cut_back(panel, back, least=_LEAST, horizon=1), back) for back in backs]
    judged = [(cut, judged_after(panel, back, horizon, there)) for (cut, there), back in past if len(there)]
    if len(judged) < _LEAST_ORIGINS:
        return _DEFAULT
    usual = _losses(judged, *_DEFAULT)
    best, least = _DEFAULT, float(usual.mean())
    for half, shared in product(_HALVES, _SHARED):
        losses = _losses(judged, half, shared)
        if losses.mean() < least and (losses < usual).all():
            best, least = (half, shared), float(losses.mean())
    return best


def _losses(judged: list[tuple[Panel, Array]], half: float, shared: float) -> Array:
    """Return the mean pinball loss at each origin, in units of each series' mean."""
    found = []
    for cut, truth in judged:
        values, _ = _sampled(cut, half, shared)
        unit = np.maximum(np.add.reduceat(cut.values, cut.bounds[:-1]) / cut.lengths, _LEAST_UNIT)
        found.append(mean(pinball(truth, values[:, None], _GRID) / unit[:, None]))
    return np.array(found)


def pinball(truth: Array, quantiles: Array, levels: Array) -> Array:
    """Return the mean pinball loss over levels, in the shape of the truth; NaN where nothing was observed.

    Parameters
    ----------
    quantiles : as the truth, with the levels as a last axis more.
    """
    away = truth[..., None] - quantiles
    return np.asarray(np.maximum(levels * away, (levels - 1) * away).mean(axis=-1))


def _sampled(panel: Panel, half: float, shared: float) -> tuple[Array, Array]:
    """Return quantiles and means of own and others' values, shapes (n_series, n_levels) and (n_series,).

    The older a value, the less it counts: half as much `half` steps before another.
    """
    own = panel.recent(_LONGEST)
    is_there = ~np.isnan(own)
    own = np.where(is_there, own, 0.0)
    weight = np.where(is_there, 0.5 ** (np.arange(_LONGEST - 1, -1, -1) / half), 0.0)
    kind = _kinds((own * weight).sum(axis=1) / weight.sum(axis=1))
    others = np.empty((len(panel), _N_SHARED))
    for one in np.unique(kind):
        others[kind == one] = _spread_out(own[kind == one], weight[kind == one])
    found, means = np.empty((len(panel), len(_GRID))), np.empty(len(panel))
    for rows in blocks(np.arange(len(panel)), own.shape[1] + _N_SHARED):
        values = np.concatenate([own[rows], others[rows]], axis=1)
        mass = np.concatenate([weight[rows], np.full((len(rows), _N_SHARED), shared / _N_SHARED)], axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        values, mass = np.take_along_axis(values, order, 1), np.take_along_axis(mass, order, 1)
        reached = np.cumsum(mass, axis=1) / mass.sum(axis=1, keepdims=True)
        for column, level in enumerate(_GRID):
            place = np.argmax(reached >= level - 1e-9, axis=1)
            found[rows, column] = values[np.arange(len(rows)), place]
        means[rows] = (values * mass).sum(axis=1) / mass.sum(axis=1)
    return found, means


def _spread_out(values: Array, weight: Array) -> Array:
    """Return a few values that stand for many weighted ones, rising."""
    order = np.argsort(values, axis=None, kind="stable")
    reached = np.cumsum(weight.ravel()[order])
    places = (np.arange(_N_SHARED) + 0.5) / _N_SHARED
    return np.asarray(values.ravel()[order][np.searchsorted(reached, places * reached[-1])])


def _kinds(size: Array) -> Array:
    """Return a group for each series: as many in each as can be, by how much there is of them."""
    edges = np.unique(np.quantile(size, np.linspace(0, 1, min(_N_KINDS, max(1, len(size) // 5)) + 1)[1:-1]))
    return np.searchsorted(edges, size, side="right")
