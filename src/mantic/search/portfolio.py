"""What to try, in which order: strong fixed configurations first, then neighbours of the best."""

from collections.abc import Iterator, Sequence

import numpy as np

from mantic.core.learner import LEARNERS, Choice, Params, Range

# Ordered by what each adds to those before it (tabular literature and our own folds on training parts).
_PORTFOLIO: tuple[tuple[str, Params], ...] = (
    ("linear", {}),
    ("boosting", {}),
    ("boosting", {"num_leaves": 8, "learning_rate": 0.05, "min_data_in_leaf": 10}),
    ("forest", {"n_estimators": 100, "min_samples_leaf": 5}),  # small enough to be kept and asked quickly
    ("boosting", {"num_leaves": 96, "learning_rate": 0.04, "min_data_in_leaf": 40, "feature_fraction": 0.6}),
    ("mlp", {}),
    ("histgb", {}),
    ("svm", {}),
    ("boosting", {"num_leaves": 20, "learning_rate": 0.02, "min_data_in_leaf": 5, "feature_fraction": 0.5}),
    ("knn", {}),
    ("naive_bayes", {}),
)
_NEIGHBOURS = 40
_LEADERS = 2


def portfolio(task: str, names: Sequence[str] | None, fixed: dict[str, Params]) -> list[tuple[str, Params]]:
    """Return the configurations to try first.

    Parameters
    ----------
    task : "classify" or "regress"; learners for other tasks are left out.
    names : use only these learners; a learner that the portfolio does not know is tried with its defaults.
    fixed : parameters that must hold, per learner.

    >>> portfolio("regress", ["tree"], {})
    [('tree', {})]
    """
    rows = [(name, params) for name, params in _PORTFOLIO if names is None or name in names]
    rows += [(name, {}) for name in names or () if name not in {known for known, _ in rows}]
    able = [(name, params) for name, params in rows if task in LEARNERS.get(name).tasks]
    merged = [(name, params | fixed.get(name, {})) for name, params in able]
    return [row for place, row in enumerate(merged) if row not in merged[:place]]


def neighbours(
    leaders: Sequence[tuple[str, Params]], fixed: dict[str, Params], seed: int
) -> Iterator[tuple[str, Params]]:
    """Yield configurations near the leaders, in turn (`leaders` may be reordered by the caller between two)."""
    chance = np.random.default_rng(seed)
    for turn in range(_NEIGHBOURS):
        if not leaders:
            return
        name, params = leaders[turn % min(_LEADERS, len(leaders))]
        space = LEARNERS.get(name)().space()
        free = [key for key in space if key not in fixed.get(name, {})]
        if not free:
            return
        moved = dict(params)
        for key in chance.choice(free, size=min(2, len(free)), replace=False):
            moved[str(key)] = _move(space[str(key)], moved.get(str(key), space[str(key)].default), chance)
        yield name, moved


def _move(one: Range | Choice, value: object, chance: np.random.Generator) -> object:
    if isinstance(one, Choice):
        return one.values[int(chance.integers(len(one.values)))]
    now = float(value) if isinstance(value, int | float) else float(one.default)
    if one.log:
        spread = np.log(one.high / one.low) / 6
        moved = float(np.exp(np.log(now) + chance.normal(0, spread)))
    else:
        moved = now + chance.normal(0, (one.high - one.low) / 6)
    moved = min(max(moved, one.low), one.high)
    return round(moved) if one.is_whole else moved
