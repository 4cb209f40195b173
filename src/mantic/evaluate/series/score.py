"""How far forecasts were from what came, in units that can be compared between series."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mantic.core.table import Array

_TINY = 1e-9
N_DRAWS = 400
"""How often series are drawn anew for the range of a score."""


@dataclass(frozen=True)
class Judged:
    """Forecasts that have met the truth.

    Parameters
    ----------
    truth, guess, reference : shape (n_origins, n_series, horizon): what came, what was forecast, and what seasonal
        naive had forecast; NaN where nothing came or was forecast.
    quantiles : shape (n_origins, n_series, horizon, n_levels), rising with the level.
    levels : of the quantiles, 0 to 1.
    scale : mean absolute change over a season in each series, shape (n_series,); above 0.
    """

    truth: Array
    guess: Array
    reference: Array
    quantiles: Array
    levels: Array
    scale: Array

    @property
    def n_truths(self) -> int:
        """Return how many values came."""
        return int(np.isfinite(self.truth).sum())


@dataclass(frozen=True)
class Score:
    """A figure with the range in which it would lie for other series of the same kind; `reference` is seasonal naive's.

    NaN where nothing is known.
    """

    value: float
    low: float
    high: float
    reference: float


def scores(judged: Judged, *, seed: int = 0, n_draws: int = N_DRAWS) -> Mapping[str, Score]:
    """Return the errors by name: mase, smape, owa, rmsse, wis.

    mase: mean absolute error in units of the mean absolute change over a season. smape: in per cent, 0 to 200.
    owa: mean of the two, each as a share of seasonal naive's. rmsse: root of the mean squared error, in the same units
    as mase. wis: weighted interval score in those units, which rewards intervals that are narrow and hold.

    Each is averaged over series. Ranges are from series that are drawn anew `n_draws` times, or origins where there is
    one series.

    Source: Makridakis et al. (2020), The M4 competition; Bracher et al. (2021) for the interval score.
    """
    unit = judged.scale[:, None]
    away = np.abs(judged.truth - judged.guess)
    by_naive = np.abs(judged.truth - judged.reference)
    parts = {
        "mase": (away / unit, by_naive / unit),
        "smape": (_relative(judged.truth, judged.guess), _relative(judged.truth, judged.reference)),
        "rmsse": ((away / unit) ** 2, (by_naive / unit) ** 2),
        "wis": (interval_score(judged) / unit, by_naive / unit),
    }
    means = {name: (_by_unit(own), _by_unit(naive)) for name, (own, naive) in parts.items()}
    means["rmsse"] = (np.sqrt(means["rmsse"][0]), np.sqrt(means["rmsse"][1]))
    draws = _draws(len(means["mase"][0]), seed, n_draws)
    found = {name: _score(own, naive, draws) for name, (own, naive) in means.items()}
    found["owa"] = _owa(means, draws)
    return found


def interval_score(judged: Judged) -> Array:
    """Return the weighted interval score of each value: twice the mean pinball loss of its quantiles."""
    away = judged.truth[..., None] - judged.quantiles
    pinball = np.maximum(judged.levels * away, (judged.levels - 1) * away)
    return np.asarray(2 * pinball.mean(axis=-1))


@dataclass(frozen=True)
class Coverage:
    """How often intervals of one level held the truth.

    Parameters
    ----------
    level : what was promised, 0 to 1.
    share : what came, 0 to 1; `low` to `high` is where it would lie for other series.
    width : mean width in units of the mean absolute change over a season.
    """

    level: float
    share: float
    low: float
    high: float
    width: float


def coverage(judged: Judged, *, seed: int = 0, n_draws: int = N_DRAWS) -> list[Coverage]:
    """Return for each pair of quantiles around the median how often the truth lay between them; draws as `scores`."""
    n_levels = len(judged.levels)
    n_origins, n_series = judged.truth.shape[:2]
    draws = _draws(n_origins if n_series == 1 else n_series, seed, n_draws)
    found = []
    for place in range(n_levels // 2):
        low, high = judged.quantiles[..., place], judged.quantiles[..., n_levels - 1 - place]
        is_in = np.where(np.isfinite(judged.truth), (judged.truth >= low) & (judged.truth <= high), np.nan)
        width = np.where(np.isfinite(judged.truth), (high - low) / judged.scale[:, None], np.nan)
        own = _by_unit(is_in)
        one = _score(own, own, draws)
        level = float(judged.levels[n_levels - 1 - place] - judged.levels[place])
        wide = _by_unit(width)
        found.append(Coverage(round(level, 6), one.value, one.low, one.high, float(_mean(wide))))
    return found[::-1]


def by_step(judged: Judged) -> tuple[Array, Array]:
    """Return the mean scaled error at each step, of the forecasts and of seasonal naive; shape (horizon,) each."""
    unit = judged.scale[:, None]
    found = [np.abs(judged.truth - guess) / unit for guess in (judged.guess, judged.reference)]
    own, naive = (_mean_but_last(one) for one in found)
    return own, naive


def by_series(judged: Judged) -> Array:
    """Return the mean scaled error of each series over origins and steps, NaN where nothing came; shape (n_series,)."""
    away = np.abs(judged.truth - judged.guess) / judged.scale[:, None]
    return _mean_rows(np.moveaxis(away, 1, 0).reshape(away.shape[1], -1))


def _relative(truth: Array, guess: Array) -> Array:
    return np.asarray(200 * np.abs(truth - guess) / np.maximum(_TINY, np.abs(truth) + np.abs(guess)))


def _by_unit(values: Array) -> Array:
    """Return means by series; by origin where there is one series; shape (n_units,)."""
    if values.shape[1] == 1:
        return _mean_rows(values[:, 0])
    return _mean_rows(np.moveaxis(values, 1, 0).reshape(values.shape[1], -1))


def _mean_rows(values: Array) -> Array:
    is_there = np.isfinite(values)
    count = is_there.sum(axis=1)
    return np.where(count > 0, np.where(is_there, values, 0.0).sum(axis=1) / np.maximum(1, count), np.nan)


def _mean_but_last(values: Array) -> Array:
    return _mean_rows(values.reshape(-1, values.shape[-1]).T)


def _mean(values: Array) -> float:
    found = values[np.isfinite(values)]
    return float(found.mean()) if len(found) else float("nan")


def _draws(n_units: int, seed: int, n_draws: int) -> Array:
    """Return weights of units in resamples, shape (n_draws, n_units); each row is a Bayesian bootstrap."""
    if n_units < 2 or not n_draws:
        return np.empty(0)
    return np.random.default_rng([seed, 0x5E41]).dirichlet(np.ones(n_units), n_draws)


def _resampled(values: Array, draws: Array) -> Array:
    is_there = np.isfinite(values)
    found = (draws * is_there) @ np.where(is_there, values, 0.0) / np.maximum(_TINY, draws @ is_there)
    return np.asarray(found)


def _ends(drawn: Array) -> tuple[float, float]:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def _score(own: Array, naive: Array, draws: Array) -> Score:
    if not draws.size or not np.isfinite(own).any():
        return Score(_mean(own), float("nan"), float("nan"), _mean(naive))
    return Score(_mean(own), *_ends(_resampled(own, draws)), _mean(naive))


def _owa(means: Mapping[str, tuple[Array, Array]], draws: Array) -> Score:
    def ratio(weigh: "Array | None") -> Array:
        shares = []
        for name in ("smape", "mase"):
            own, naive = means[name]
            top, bottom = (_mean(one) if weigh is None else _resampled(one, weigh) for one in (own, naive))
            shares.append(np.asarray(top) / np.maximum(_TINY, np.asarray(bottom)))
        return np.asarray((shares[0] + shares[1]) / 2)

    value = float(ratio(None))
    if not draws.size or not np.isfinite(value):
        return Score(value, float("nan"), float("nan"), 1.0)
    return Score(value, *_ends(ratio(draws)), 1.0)
