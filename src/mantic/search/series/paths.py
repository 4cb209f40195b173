"""Sample paths: whole futures, whose steps go together as whole stretches of errors did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np

from mantic.core.table import Array
from mantic.search.series.spread import Spread

_MOST_PATHS = 2_000  # stretches of the past that are looked at: more say the same
_PRIOR = 20.0  # stretches of the past that weigh as much as what only knows the next step
_MOST_MEMORY = 0.99
_SURE = 1_000  # stretches for which a walk stands
_SEED = 0x9A7
_NORMAL = np.linspace(-3.7, 3.7, 741)  # an error beyond all others says no more than the ends
_NORMAL_LEVELS = np.array([NormalDist().cdf(one) for one in _NORMAL.tolist()])
GRID = np.concatenate([[0.005, 0.01], np.linspace(0.025, 0.975, 39), [0.99, 0.995]])
"""Levels at which a marginal is read."""


@dataclass(frozen=True)
class Together:
    """How the errors of a forecast go together from step to step, apart from how large they are.

    Parameters
    ----------
    root : its square, `root.T @ root`, is the correlation of steps in stretches of the past, shape (n_roots, horizon);
        None for that of a walk, which would need as many roots as steps.
    horizon : how many steps.
    n_paths : how many stretches it comes from.
    memory : correlation of an error with that of the next step, -1 to 1.
    """

    root: Array | None
    horizon: int
    n_paths: int
    memory: float

    def draws(self, shape: tuple[int, ...], chance: np.random.Generator) -> Array:
        """Return standard normal values, shape (*shape, horizon), that go together from step to step.

        A part goes together as the stretches of the past did, the rest as neighbours do; the fewer stretches there
        were, the more the rest counts.
        """
        fresh = chance.standard_normal((*shape, self.horizon))
        plain = np.empty_like(fresh)
        plain[..., 0] = fresh[..., 0]
        for step in range(1, self.horizon):
            plain[..., step] = self.memory * plain[..., step - 1] + np.sqrt(1 - self.memory**2) * fresh[..., step]
        share = self.n_paths / (self.n_paths + _PRIOR)
        return np.asarray(np.sqrt(share) * self._seen(shape, chance) + np.sqrt(1 - share) * plain)

    def _seen(self, shape: tuple[int, ...], chance: np.random.Generator) -> Array:
        """Return standard normal values that go together as stretches of the past did, or as a walk does."""
        if self.root is not None:
            return np.asarray(chance.standard_normal((*shape, len(self.root))) @ self.root)
        steps = chance.standard_normal((*shape, self.horizon))
        return np.asarray(np.cumsum(steps, axis=-1) / np.sqrt(np.arange(1, self.horizon + 1)))

    def to_facts(self) -> dict[str, Any]:
        """Return what is no array, as plain values."""
        return {"n_paths": self.n_paths, "memory": self.memory, "is_walk": self.root is None}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], root: Array | None, horizon: int) -> Self:
        """Restore what `to_facts` gave, with its array, which earlier files hold of a walk too.

        Raises
        ------
        ValueError : if it belongs to another horizon, or is missing.
        """
        if (root is None) != bool(facts.get("is_walk")) or (root is not None and root.shape[1:] != (horizon,)):
            raise ValueError("how errors go together belongs to another forecast")
        return cls(root, horizon, int(facts["n_paths"]), float(facts["memory"]))


def together(spread: Spread, missed: Array, backs: Sequence[int]) -> Together:
    """Return how errors went together.

    Parameters
    ----------
    missed : what forecasts from `backs` steps before the end missed, shape (n_origins, n_series, horizon), with NaN.
    """
    horizon = missed.shape[-1]
    whole = normal_scores(spread, missed, backs).reshape(-1, horizon)
    whole = whole[np.isfinite(whole).all(axis=1)]
    if not len(whole):
        return walking(horizon)
    n_paths = len(whole)
    chosen = np.unique(np.linspace(0, n_paths - 1, min(n_paths, _MOST_PATHS)).astype(np.int64))
    size = np.sqrt((whole[chosen] ** 2).sum(axis=0))
    unit = whole[chosen] / np.where(size > 0, size, 1.0)
    unit[0, size <= 0] = 1.0
    memory = float((unit[:, 1:] * unit[:, :-1]).sum()) / max(1, horizon - 1)
    memory = float(np.clip(memory, -_MOST_MEMORY, _MOST_MEMORY))
    return Together(np.asarray(np.linalg.qr(unit, mode="r")), horizon, n_paths, memory)


def walking(horizon: int) -> Together:
    """Return how the errors of a walk go together, which add up from step to step: where nothing else is known."""
    return Together(None, horizon, _SURE, 0.0)


def normal_scores(spread: Spread, missed: Array, backs: Sequence[int]) -> Array:
    """Return errors as values of a standard normal, in the shape of `missed`: where they lie among all of them."""
    horizon = missed.shape[-1]
    found = np.full(missed.shape, np.nan)
    for place, back in enumerate(backs):
        relative = missed[place] / spread.before(back).unit(horizon)
        level = np.interp(relative, spread.errors, spread.levels)
        found[place] = np.interp(level, _NORMAL_LEVELS, _NORMAL)  # a table: to load a library for it takes longer
    return found


def alone(together: Together, n: int, places: Sequence[int], *, seed: int) -> Array:
    """Return levels of `n` futures of series that know nothing of each other, shape (n, n_places, horizon).

    Each series has a chance of its own by its place among all: its futures are the same whoever else is asked for.
    """
    return np.concatenate(
        [by_chance(together.draws((n + 1, 1), np.random.default_rng([seed, _SEED, place]))) for place in places], axis=1
    )


def by_chance(draws: Array) -> Array:
    """Return all draws but the last as levels from 0 to 1, one in each of as many even shares.

    Where in their shares the levels of a series and step lie, the last draw says: each level is even by chance, and a
    single future is a draw whose steps go together as those of many do.
    """
    return as_levels(draws[:-1], np.interp(draws[-1], _NORMAL, _NORMAL_LEVELS))


def as_levels(draws: Array, within: Array | float = 0.5) -> Array:
    """Return draws as levels from 0 to 1 that lie evenly over the first axis: marginals have no noise of their own.

    Parameters
    ----------
    within : where in its share a level lies, 0 to 1, for all draws alike; shape of a draw.
    """
    n_draws = len(draws)
    order = np.argsort(draws, axis=0, kind="stable")
    found = np.empty(draws.shape)
    share = np.arange(n_draws).reshape(-1, *(1,) * (draws.ndim - 1))
    np.put_along_axis(found, order, np.broadcast_to((share + within) / n_draws, draws.shape), axis=0)
    return found


def at_levels(levels: Array, grid: Array, quantiles: Array) -> Array:
    """Return the quantile of each series and step at a level of its own.

    Parameters
    ----------
    levels : shape (n_draws, n_series, horizon).
    grid : levels, rising; quantiles : shape (n_series, horizon, n_levels).
    """
    place = np.interp(levels, grid, np.arange(len(grid)))
    low = np.minimum(place.astype(np.int64), len(grid) - 2)
    share = place - low
    series, step = np.ogrid[: quantiles.shape[0], : quantiles.shape[1]]
    below, above = quantiles[series, step, low], quantiles[series, step, low + 1]
    return np.asarray(below + share * (above - below))
