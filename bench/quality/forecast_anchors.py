"""Is the loss of rare demand the one that the published figures were measured with?

``python bench/quality/forecast_anchors.py``. Four rules that learn from nothing but a series' own numbers have
published scaled pinball losses on the car parts: forecasting zero .531, Poisson .380, negative binomial .369 (both from
the latest 24 months), and the quantiles of the latest 18 months .361. Each is scored here by the scorer of
`forecast.py`, and the command fails if one is not met to the third decimal. Nothing is chosen by it.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parent))
import forecast

PUBLISHED = {"zero": 0.531, "poisson": 0.380, "negative binomial": 0.369, "latest 18 months": 0.361}
LEVELS = np.array([0.025, 0.1, 0.5, 0.75, 0.9, 0.95, 0.975])
_MONTHS, _TINY = 24, 1e-9


def zero(past: np.ndarray) -> np.ndarray:
    """Return that nothing will be sold."""
    return np.zeros(len(LEVELS))


def poisson(past: np.ndarray) -> np.ndarray:
    """Return the quantiles of a Poisson distribution with the recent mean."""
    return np.asarray(stats.poisson.ppf(LEVELS, max(_TINY, past[-_MONTHS:].mean())))


def negative_binomial(past: np.ndarray) -> np.ndarray:
    """Return the quantiles of a negative binomial with the recent mean and variance; Poisson where that is no wider."""
    mean, variance = max(_TINY, past[-_MONTHS:].mean()), past[-_MONTHS:].var()
    if variance <= mean:
        return poisson(past)
    return np.asarray(stats.nbinom.ppf(LEVELS, mean**2 / (variance - mean), mean / variance))


def latest(past: np.ndarray) -> np.ndarray:
    """Return the quantiles of the latest 18 values."""
    return np.asarray(np.quantile(past[-18:], LEVELS))


RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = dict(
    zip(PUBLISHED, (zero, poisson, negative_binomial, latest), strict=True)
)


def answers(rule: Callable[[np.ndarray], np.ndarray], task: forecast.Task) -> pl.DataFrame:
    """Return what a rule says of every series, as a forecaster would."""
    found = []
    for key, past in task.past.items():
        quantiles = rule(past[~np.isnan(past)])
        row = {"unique_id": key, "mean": float(quantiles[2]), "median": float(quantiles[2])}
        row |= {f"q{level:g}": float(one) for level, one in zip(LEVELS, quantiles, strict=True) if level != 0.5}
        found += [row] * len(task.truth[key])
    return pl.DataFrame(found)


def main() -> None:
    """Print each figure beside the published one; end with 1 if they differ."""
    task = forecast.task_of("carparts", part="test")
    is_met = True
    for name, rule in RULES.items():
        value = round(forecast.scores("carparts", task, answers(rule, task))["pinball"], 3)
        is_met = is_met and value == PUBLISHED[name]
        print(json.dumps({"name": f"car parts, {name}", "value": value, "published": PUBLISHED[name]}), flush=True)
    if not is_met:
        sys.exit("the scorer is not the one of the published figures")


if __name__ == "__main__":
    main()
