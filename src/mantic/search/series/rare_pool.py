"""What may come of rare series, learned from all of them: the chance of each count, by boosted trees."""

import numpy as np

from mantic.core.lazy import absent, need
from mantic.core.panel import Panel
from mantic.core.run import Run
from mantic.core.table import Array

_LEAST_SERIES, _LEAST_ROWS = 50, 2_000  # below, there is too little to learn chances from
_MOST_ROWS = 40_000
_LONGEST = 104  # values of a series that are looked at
_LEAST_PAST = 9  # values of a series before an origin
_N_AHEAD = 3  # values after an origin that are learned, of a horizon
_MOST_COUNT = 200  # where more is usual, a distance says more than the chance of each count
_SHARES = np.concatenate([np.linspace(0.0, 0.9, 10), [0.95, 0.98, 0.99, 0.995, 1.0]])
_HALVES = (1.5, 3.0, 6.0, 12.0, 40.0)  # steps after which a value counts half as much
_N_LATEST = 3
_MOST_WEIGHT = 5.0
_ROUNDS, _TINY = 60, 1e-9
_PARAMS = {
    "objective": "multiclass", "num_leaves": 8, "learning_rate": 0.07, "min_data_in_leaf": 100,
    "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 1.0, "verbosity": -1,
    "deterministic": True, "force_row_wise": True,
}  # fmt: skip


def seconds_of(panel: Panel) -> float:
    """Return about how many processor seconds one lesson takes."""
    return 0.3 + 5e-5 * min(_MOST_ROWS, _N_AHEAD * float(panel.lengths.sum()))


def can_learn(panel: Panel) -> bool:
    """Return whether rare series are counts, many, and small enough for the chance of each count to be learned."""
    if absent(("lightgbm",)) or not panel.is_count or len(panel) < _LEAST_SERIES:
        return False
    n_rows = int(np.maximum(0, panel.lengths - _LEAST_PAST).sum())
    return n_rows >= _LEAST_ROWS and float(np.quantile(panel.values, 0.99)) <= _MOST_COUNT


def learned_quantiles(panel: Panel, horizon: int, levels: Array, run: Run) -> Array | None:
    """Return quantiles of what comes at any of the next steps, alike for all; None without enough to learn, or time.

    Trees learn from many origins of all series how likely each count is after shapes like these. An error counts by the
    usual change of its series, so that a few large ones do not drown the others.

    Returns
    -------
    Shape (n_series, n_levels), rising.
    """
    lightgbm = need("lightgbm", why="chances of rare demand")
    longest = int(min(_LONGEST, panel.lengths.max()))
    values, truth = panel.recent(longest), panel.recent_truth(longest)
    seen, came, weight = _lessons(values, truth, horizon, np.random.default_rng([run.seed, 0x4A4E]))
    if len(came) < _LEAST_ROWS or not (came > 0).any():
        return None
    counts = np.unique(np.concatenate([[0.0], np.ceil(np.quantile(came[came > 0], _SHARES))]))
    label = np.minimum(np.searchsorted(counts, came), len(counts) - 1)
    rows = lightgbm.Dataset(seen, label=label, weight=weight, free_raw_data=True)
    params = _PARAMS | {"num_class": len(counts), "seed": run.seed, "num_threads": run.threads}

    def stop(env: object) -> None:
        if run.deadline.passed:
            raise lightgbm.callback.EarlyStopException(0, [])

    trees = lightgbm.train(params, rows, num_boost_round=_ROUNDS, callbacks=[stop])
    if run.deadline.passed:
        return None
    reached = np.cumsum(trees.predict(_features(values), num_threads=run.threads), axis=1)
    places = [np.argmax(reached >= min(level, 1 - _TINY) - _TINY, axis=1) for level in levels]
    return np.asarray(counts[np.stack(places, axis=1)])


def _lessons(values: Array, truth: Array, horizon: int, chance: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return features, what came, and weights, of as many origins as there is room for, the latest first."""
    n_series, longest = values.shape
    n_series_each = min(n_series, max(1, _MOST_ROWS // _N_AHEAD))
    seen, came, weights, n_rows = [], [], [], 0
    for back in range(1, longest - _LEAST_PAST + 1):
        if n_rows >= _MOST_ROWS:
            break
        some = values[:, : longest - back]
        is_known = np.isfinite(some).sum(axis=1) >= _LEAST_PAST
        change = _change(some)
        chosen = np.flatnonzero(is_known & (change > 0) & np.isfinite(truth[:, longest - back - 1]))
        if len(chosen) > n_series_each:
            chosen = np.sort(chance.choice(chosen, n_series_each, replace=False))
        features = _features(some[chosen])
        for ahead in chance.permutation(min(horizon, back))[:_N_AHEAD]:
            found = truth[chosen, longest - back + ahead]
            is_there = np.isfinite(found)
            seen.append(features[is_there])
            came.append(found[is_there])
            weights.append(np.minimum(_MOST_WEIGHT, 1 / change[chosen][is_there]))
            n_rows += int(is_there.sum())
    if not seen:
        return np.empty((0, 1)), np.empty(0), np.empty(0)
    return np.concatenate(seen), np.concatenate(came), np.concatenate(weights)


def _change(values: Array) -> Array:
    """Return the mean absolute change from step to step; 0 where there is none."""
    change = np.abs(np.diff(values, axis=1))
    is_there = np.isfinite(change)
    return np.asarray(np.where(is_there, change, 0.0).sum(axis=1) / np.maximum(1, is_there.sum(axis=1)))


def _far(own: Array) -> Array:
    """Return the mean of three values about a year of months ago; of the oldest three where series are shorter."""
    first = max(0, own.shape[1] - 12)
    return np.asarray(own[:, first : first + 3].mean(axis=1))


def _features(values: Array) -> Array:
    """Return what trees see of series whose latest value stands last; NaN stands before a series begins."""
    is_there = np.isfinite(values)
    own = np.where(is_there, values, 0.0)
    is_some = own > 0
    length = values.shape[1]
    age, found = np.arange(length - 1, -1, -1), []
    for half in _HALVES:
        weight = np.where(is_there, 0.5 ** (age / half), 0.0)
        weight /= np.maximum(1e-12, weight.sum(axis=1, keepdims=True))
        mean = (own * weight).sum(axis=1)
        found += [mean, (is_some * weight).sum(axis=1), (own**2 * weight).sum(axis=1) - mean**2]
    smallest = np.where(is_some, own, np.inf).min(axis=1)
    found += [
        own.sum(axis=1) / np.maximum(1, is_some.sum(axis=1)),
        np.where(is_some.any(axis=1), np.argmax(is_some[:, ::-1], axis=1), length),
        own.max(axis=1), own[:, -6:].max(axis=1), own[:, -12:].max(axis=1), _change(values),
        np.where(np.isfinite(smallest), smallest, 0.0), _far(own),
        *(own[:, -1 - lag] for lag in range(_N_LATEST)),
    ]  # fmt: skip
    return np.column_stack(found).astype(np.float32)
