"""Forecasts of sums and of what they are made of, moved so that they add up."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from mantic.core.lazy import absent, need, quietly
from mantic.core.panel import Panel
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.features.series.hierarchy import Hierarchy
from mantic.search.series.paths import GRID, Together, as_levels, at_levels, by_chance

LIBRARY, LIBRARY_SECONDS = "hierarchicalforecast", 2.5  # of processor time, to load it
_MOST_DENSE = 3_000  # nodes: of more, the matrices of the library would fill the memory
_N_DRAWS, _LEAST_DRAWS = 1_000, 100  # paths from which quantiles are taken
_MOST_VALUES, _VALUE_SECONDS = 50_000_000, 4e-7  # of these paths, and what one takes
_PRIOR = 6.0  # moments of the past that as many of their own weigh as much as nodes that know nothing of each other
_LEAST_MOMENTS = 4  # of errors, for a covariance
_T_95 = (6.31, 2.92, 2.35)  # of Student's t, one-sided, by degrees of freedom: two origins, three, four
_TRUST = 0.75  # 0: a sum errs as its series do apart; 1: it errs no more than one of them
_DEFAULT, _SIMPLE = "structure", "bottom_up"
_SEED = 0xADD
_ARRAYS = ("across", "base", "levels", "values")


@dataclass(frozen=True)
class Coherent:
    """How forecasts of nodes are made to add up, and what comes of it.

    Parameters
    ----------
    hierarchy : which series add up to what.
    name : "structure" (by how many series a node holds, and how much they change), "mint" (by the errors of the past),
        or "bottom_up".
    losses : of each way on the past: root mean squared scaled error, averaged over levels.
    reason : why there was no other way to try; empty where there was.
    back : from nodes to series, shape (n_bottom, n_nodes); None where series stay as they are.
    across : errors of nodes at moments of the past as normal scores, shape (n_moments, n_nodes).
    base : what was expected of each node before it was made to add up, shape (n_nodes, horizon).
    levels, values : quantiles, shapes (n_levels,) and (n_nodes, horizon, n_levels), rising.
    """

    hierarchy: Hierarchy
    name: str
    losses: Mapping[str, float]
    reason: str
    back: Array | None
    across: Array
    base: Array
    levels: Array
    values: Array

    def forecast(self, panel: Panel) -> Array:
        """Return what is expected of each node, so that it adds up, shape (n_nodes, horizon)."""
        return applied(self.hierarchy, self.back, self.base, is_floored=panel.is_floored)

    def quantiles(self, levels: Array) -> Array:
        """Return quantiles, shape (n_nodes, horizon, n_levels)."""
        return between(self.values, self.levels, levels)

    def paths(self, together: Together, marginals: Array, panel: Panel, *, n: int, seed: int) -> Array:
        """Return futures of all nodes, drawn by chance, that add up each for itself, shape (n, n_nodes, horizon).

        Parameters
        ----------
        marginals : quantiles of the nodes at `paths.GRID`, before they add up, shape (n_nodes, horizon, n_levels).
        """
        chance = np.random.default_rng([seed, _SEED])
        levels = by_chance(_drawn(together, self.across, n + 1, chance))
        return self._added(levels, marginals, panel, chance)

    def _added(self, levels: Array, marginals: Array, panel: Panel, chance: np.random.Generator) -> Array:
        bottom = _bottom(self.hierarchy, self.back, at_levels(levels, GRID, marginals))
        bottom = np.maximum(bottom, 0.0) if panel.is_floored else bottom
        if panel.is_count:  # rounded by chance: sums stay whole numbers, and right on average
            bottom = np.floor(bottom + chance.random(bottom.shape))
        return self.hierarchy.sums(bottom)

    def spread_out(self, together: Together, marginals: Array, panel: Panel, *, n: int) -> Self:
        """Return the same with the quantiles of so many paths, whose levels lie in the middle of their shares."""
        chance = np.random.default_rng([0, _SEED])
        drawn = self._added(as_levels(_drawn(together, self.across, n, chance)), marginals, panel, chance)
        return replace(self, levels=GRID, values=np.moveaxis(np.quantile(drawn, GRID, axis=0), 0, -1))

    def to_facts(self) -> dict[str, Any]:
        """Return what is no array, as plain values."""
        return {
            "levels": list(self.hierarchy.levels), "name": self.name, "losses": dict(self.losses),
            "reason": self.reason, "has_back": self.back is not None,
        }  # fmt: skip

    def to_arrays(self) -> dict[str, Array]:
        """Return the arrays by name."""
        found = {name: getattr(self, name) for name in _ARRAYS} | {"owner": self.hierarchy.owner}
        return found if self.back is None else {**found, "back": self.back}

    @classmethod
    def from_parts(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """Restore what `to_facts` and `to_arrays` gave.

        Raises
        ------
        ValueError, KeyError : if they do not fit together.
        """
        owner = arrays["owner"]
        hierarchy = Hierarchy(tuple(map(str, facts["levels"])), owner)
        back = arrays["back"] if facts["has_back"] else None
        if owner.ndim != 2 or owner.dtype.kind != "i" or len(owner) != len(hierarchy.levels) or owner.min() < 0:
            raise ValueError("the levels of the hierarchy do not fit together")
        n_nodes = hierarchy.n_nodes
        if owner.max() >= n_nodes or (back is not None and back.shape != (hierarchy.n_bottom, n_nodes)):
            raise ValueError("the sums of the hierarchy do not fit together")
        across, base, levels, values = (arrays[name] for name in _ARRAYS)
        if (
            base.shape != values.shape[:2]
            or values.shape[::2] != (n_nodes, len(levels))
            or across.ndim != 2
            or across.shape[1] != n_nodes
        ):
            raise ValueError("the quantiles of the hierarchy do not fit together")
        losses = {str(name): float(loss) for name, loss in facts["losses"].items()}
        return cls(hierarchy, str(facts["name"]), losses, str(facts["reason"]), back, across, base, levels, values)


@dataclass(frozen=True)
class Past:
    """What the past says of ways to make forecasts add up.

    Parameters
    ----------
    truth, guess : shape (n_origins, n_nodes, horizon), with NaN.
    unit : root of the mean squared change over a season of each node, shape (n_nodes,).
    """

    truth: Array
    guess: Array
    unit: Array

    def without(self, origin: int) -> "Past":
        """Return the past without one origin."""
        kept = np.arange(len(self.truth)) != origin
        return Past(self.truth[kept], self.guess[kept], self.unit)

    def applied(self, origin: int, name: str, hierarchy: Hierarchy, *, is_floored: bool) -> Array:
        """Return the forecasts of an origin made to add up by what the other origins say; NaN where there was none.

        Raises
        ------
        ValueError : if the others say nothing.
        """
        guess = self.guess[origin]
        back = projection(name, hierarchy, self.without(origin))
        found = applied(hierarchy, back, np.nan_to_num(guess), is_floored=is_floored)  # what had not begun was 0
        return np.where(np.isfinite(guess), found, np.nan)


def chosen(hierarchy: Hierarchy, past: Past, run: Run) -> tuple[str, dict[str, float], str]:
    """Return the way in which forecasts are made to add up, the loss of each on the past, and why no more were tried.

    The one that needs no errors of the past, unless another is better by more than chance (Student's t at 95 %) at the
    origins, whose own errors it did not see.
    """
    reason = _no_library(hierarchy, run)
    names = (_SIMPLE,) if reason else (_DEFAULT, _SIMPLE, "mint")
    origins = np.flatnonzero(np.isfinite(past.truth - past.guess).any(axis=(1, 2)))
    if len(origins) < 2:
        return names[0], {}, reason
    losses: dict[str, Array] = {}
    for name in names:
        try:
            guesses = [past.applied(int(origin), name, hierarchy, is_floored=False) for origin in origins]
        except ValueError as error:
            reason = str(error)
            continue
        pairs = zip(past.truth[origins], guesses, strict=True)
        losses[name] = np.array([level_loss(hierarchy, truth, guess, past.unit) for truth, guess in pairs])
    gains = {name: losses[names[0]] - own for name, own in losses.items()}
    limit = _T_95[min(len(origins) - 2, len(_T_95) - 1)] / np.sqrt(len(origins))
    proven = [name for name, gain in gains.items() if gain.mean() > limit * gain.std(ddof=1) and gain.mean() > 0]
    best = max(proven, key=lambda name: float(gains[name].mean()), default=names[0])
    return best, {name: float(own.mean()) for name, own in losses.items()}, reason


def _no_library(hierarchy: Hierarchy, run: Run) -> str:
    if absent((LIBRARY,)):
        return f"{LIBRARY} is not installed"
    if LIBRARY not in sys.modules and run.deadline.left() < LIBRARY_SECONDS:
        return f"there was no time to load {LIBRARY}, which takes about {LIBRARY_SECONDS:.1f} s"
    return f"more than {_MOST_DENSE:,} series and sums" if hierarchy.n_nodes > _MOST_DENSE else ""


def n_draws(n_values: int, seconds: float) -> int:
    """Return how many paths of so many values there is time and memory for."""
    most = min(_MOST_VALUES, seconds / _VALUE_SECONDS) / n_values
    return int(np.clip(most, _LEAST_DRAWS, _N_DRAWS))


def seconds_of(n_values: int) -> float:
    """Return how long it takes to load the library and to draw as many paths as are wanted, of so many values."""
    return LIBRARY_SECONDS + 2 * _VALUE_SECONDS * n_values * n_draws(n_values, float("inf"))


def projection(name: str, hierarchy: Hierarchy, past: Past) -> Array | None:
    """Return how series come from forecasts of all nodes, shape (n_bottom, n_nodes); None where they stay as they are.

    Source: Wickramasuriya, Athanasopoulos and Hyndman (2019), Optimal forecast reconciliation, by hierarchicalforecast.

    Raises
    ------
    ValueError : if the past gives no covariance of errors.
    """
    if name == _SIMPLE:
        return None
    with quietly():
        ways = need(f"{LIBRARY}.methods", why="forecasts that add up")
        sums = hierarchy.matrix.toarray()
        nothing = np.zeros((hierarchy.n_nodes, 1))  # these ways do not look at forecasts
        if name == _DEFAULT:
            n_each = sums.sum(axis=1)
            variance = sums @ past.unit[-hierarchy.n_bottom :] / n_each**_TRUST
            error = np.sqrt(variance / variance.mean())[:, None]  # one error of each node gives the library a variance
            return np.asarray(ways.MinTrace("wls_var").fit(sums, nothing, error, nothing).P)
        truth, guess = (np.moveaxis(one, 1, 0).reshape(len(sums), -1) for one in (past.truth, past.guess))
        is_whole = np.isfinite(truth - guess).all(axis=0)
        if is_whole.sum() < _LEAST_MOMENTS:
            raise ValueError("too few moments of the past have errors of all nodes")
        try:
            return np.asarray(ways.MinTrace("mint_shrink").fit(sums, nothing, truth[:, is_whole], guess[:, is_whole]).P)
        except Exception as error:  # the library raises bare ones where errors are all alike
            raise ValueError(f"errors of the past have no covariance: {error}") from error


def applied(hierarchy: Hierarchy, back: Array | None, nodes: Array, *, is_floored: bool) -> Array:
    """Return nodes that add up: series from all nodes, none below 0 where no value was, and their sums."""
    bottom = _bottom(hierarchy, back, nodes)
    return hierarchy.sums(np.maximum(bottom, 0.0) if is_floored else bottom)


def _bottom(hierarchy: Hierarchy, back: Array | None, nodes: Array) -> Array:
    return nodes[..., -hierarchy.n_bottom :, :] if back is None else back @ nodes


def level_loss(hierarchy: Hierarchy, truth: Array, guess: Array, unit: Array) -> float:
    """Return the root mean squared scaled error, averaged over the nodes of each level, then over levels."""
    away = (truth - guess) ** 2
    is_there = np.isfinite(away)
    squared = np.where(is_there, away, 0.0).sum(axis=1) / np.maximum(1, is_there.sum(axis=1))
    found = np.where(is_there.any(axis=1), np.sqrt(squared) / unit, np.nan)
    return float(np.mean([np.nanmean(found[own]) for own in _nodes(hierarchy) if np.isfinite(found[own]).any()]))


def _nodes(hierarchy: Hierarchy) -> Sequence[Array]:
    return [np.unique(own) for own in hierarchy.owner]


def squared_scale(panel: Panel) -> Array:
    """Return the root of the mean squared change over a season of each series, its size where it never changes."""
    found = panel.scale(panel.season)
    for place in range(len(panel)):
        own = panel.one(place)
        change = own[panel.season :] - own[: -panel.season]
        if len(change) and (change != 0).any():
            found[place] = np.sqrt(np.mean(change**2))
    return found


def moments(scores: Array) -> Array:
    """Return normal scores of all nodes at each moment of the past that has them, shape (n_moments, n_nodes).

    Parameters
    ----------
    scores : shape (n_origins, n_nodes, horizon), with NaN.
    """
    flat = np.moveaxis(scores, 1, 2).reshape(-1, scores.shape[1])
    flat = np.nan_to_num(flat[np.isfinite(flat).any(axis=1)])
    return np.asarray(flat / np.sqrt(np.maximum((flat**2).mean(axis=0), 1e-12))) if len(flat) else flat


def between(values: Array, grid: Array, levels: Array) -> Array:
    """Return quantiles between those that are known, shape (..., n_levels) from (..., n_known)."""
    place = np.clip(np.interp(levels, grid, np.arange(len(grid))), 0, len(grid) - 1)
    low = np.minimum(place.astype(np.int64), len(grid) - 2)
    share = place - low
    return np.asarray(values[..., low] * (1 - share) + values[..., low + 1] * share)


def _drawn(together: Together, across: Array, n: int, chance: np.random.Generator) -> Array:
    """Return standard normal values that go together from step to step and from node to node.

    A part is a random sum of the moments that were seen, the rest is each node's own. Shape (n, n_nodes, horizon).
    """
    n_moments, n_nodes = across.shape
    own = together.draws((n, n_nodes), chance)
    if not n_moments:
        return own
    share = n_moments / (n_moments + _PRIOR)
    seen = (across.T / np.sqrt(n_moments)) @ together.draws((n, n_moments), chance)
    rest = 1 - share * (across**2).mean(axis=0)  # all of a node that no moment says anything of
    return np.asarray(np.sqrt(share) * seen + np.sqrt(rest)[:, None] * own)
