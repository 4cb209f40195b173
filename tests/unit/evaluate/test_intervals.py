"""Intervals hold the truth about as often as they say."""

import time

import numpy as np
import pytest

from mantic.core.metric import METRICS, Metric
from mantic.evaluate.intervals import Interval, bootstrap, of_new_rows, paired, wilson


def _share_covered(n_rows: int, n_times: int, metric: str, expected: float, draw) -> float:
    hits = 0
    for seed in range(n_times):
        truth, guess = draw(np.random.default_rng(seed), n_rows)
        interval = bootstrap(METRICS.get(metric), truth, guess, seed=seed)
        hits += interval.low <= expected <= interval.high
    return hits / n_times


def _skewed(random, n_rows):
    return random.exponential(size=n_rows), np.zeros(n_rows)


def _noise(random, n_rows):
    return random.normal(size=n_rows), np.zeros(n_rows)


@pytest.mark.parametrize("n_rows", [20, 60])
def test_the_interval_of_a_skewed_mean_covers_at_few_rows(n_rows):
    assert 0.90 <= _share_covered(n_rows, 150, "mae", 1.0, _skewed) <= 0.995


def test_the_interval_of_a_root_mean_square_covers():
    assert 0.90 <= _share_covered(100, 150, "rmse", 1.0, _noise) <= 0.995


def test_the_interval_of_the_area_covers():
    def two_bells(random, n_rows):
        truth = (random.random(n_rows) < 0.3).astype(int)
        score = random.normal(size=n_rows) + truth
        share = 1 / (1 + np.exp(-score))
        return truth, np.stack([1 - share, share], axis=1)

    assert 0.88 <= _share_covered(150, 100, "roc_auc", 0.7602, two_bells) <= 1.0


def test_clusters_widen_the_interval_as_they_should():
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), 25)
    errors = np.repeat(random.normal(size=40), 25) + 0.1 * random.normal(size=1000)
    metric = METRICS.get("mae")

    alone = bootstrap(metric, errors + 10, np.zeros(1000))
    bound = bootstrap(metric, errors + 10, np.zeros(1000), clusters=clusters)

    assert 4 < (bound.high - bound.low) / (alone.high - alone.low) < 6.5


def test_clusters_of_one_row_each_are_the_same_as_no_clusters():
    random = np.random.default_rng(0)
    truth = (random.random(80) < 0.5).astype(int)
    guess = random.dirichlet([1, 1], 80)

    for name in ("roc_auc", "log_loss"):
        alone = bootstrap(METRICS.get(name), truth, guess)
        bound = bootstrap(METRICS.get(name), truth, guess, clusters=np.arange(80))
        assert bound.low == pytest.approx(alone.low, rel=1e-5)


def test_very_many_rows_keep_their_interval_in_blocks():
    random = np.random.default_rng(0)
    truth = random.normal(size=60_000)

    interval = bootstrap(METRICS.get("rmse"), truth, np.zeros(60_000))

    assert (interval.high - interval.low) == pytest.approx(2 * 1.96 / np.sqrt(2 * 60_000), rel=0.2)


def test_a_metric_of_a_plug_in_is_resampled_too():
    worst = Metric("worst", "regress", lambda t, g, w: float(np.average(np.abs(t - g) > 1, weights=w)), False)
    truth = np.random.default_rng(0).normal(size=200)

    interval = bootstrap(worst, truth, np.zeros(200))

    assert interval.low < interval.score < interval.high


def test_a_model_that_is_always_right_has_an_interval_of_no_width():
    interval = bootstrap(METRICS.get("mae"), np.arange(3.0), np.arange(3.0))

    assert (interval.score, interval.low, interval.high) == (0.0, 0.0, 0.0)


def test_an_undefined_metric_has_no_interval():
    interval = bootstrap(METRICS.get("roc_auc"), np.zeros(5, dtype=int), np.full((5, 2), 0.5))

    assert np.isnan([interval.score, interval.low, interval.high]).all()


def test_one_row_has_a_score_and_no_interval():
    interval = bootstrap(METRICS.get("mae"), np.array([1.0]), np.array([3.0]))

    assert interval.score == 2.0
    assert np.isnan(interval.low)


def test_the_same_seed_gives_the_same_interval():
    metric, truth = METRICS.get("mae"), np.random.default_rng(0).normal(size=100)

    assert bootstrap(metric, truth, truth * 0, seed=3) == bootstrap(metric, truth, truth * 0, seed=3)


def test_a_better_model_is_better_in_nearly_all_resamples():
    random = np.random.default_rng(0)
    truth = random.normal(size=400)
    good, bad = truth + 0.5 * random.normal(size=400), truth + random.normal(size=400)

    difference = paired(METRICS.get("rmse"), truth, good, bad)

    assert 0 < difference.low < difference.mean < difference.high
    assert difference.share_better > 0.99


def test_two_equal_models_differ_by_nothing():
    truth = np.random.default_rng(0).normal(size=50)

    difference = paired(METRICS.get("r2"), truth, truth * 0.5, truth * 0.5)

    assert (difference.mean, difference.low, difference.high, difference.share_better) == (0, 0, 0, 0.5)


def test_an_interval_of_a_share_is_never_empty():
    assert wilson(0.0, 3)[1] > 0.5
    assert wilson(1.0, 3)[0] < 0.5
    assert wilson(float("nan"), 0) == (0.0, 1.0)


def test_ten_thousand_rows_take_little_time():
    random = np.random.default_rng(0)
    guess = random.dirichlet([1, 1], 10_000)
    truth = (random.random(10_000) < guess[:, 1]).astype(int)

    began = time.process_time()
    bootstrap(METRICS.get("roc_auc"), truth, guess)
    bootstrap(METRICS.get("log_loss"), truth, guess)

    assert time.process_time() - began < 3.0  # about 0.5 s on an idle core


@pytest.mark.parametrize("name", ["accuracy", "rmse", "roc_auc"])
def test_the_interval_for_new_rows_holds_the_score_on_as_many_new_rows(name):
    metric, random, n_rows, held = METRICS.get(name), np.random.default_rng(3), 300, 0

    def draw():
        if metric.task == "regress":
            return random.normal(size=n_rows), random.normal(size=n_rows) / 2
        chance = random.random(n_rows)
        return (random.random(n_rows) < chance).astype(int), np.column_stack([1 - chance, chance])

    for turn in range(200):
        interval = of_new_rows(bootstrap(metric, *draw(), seed=turn), higher_is_better=metric.higher_is_better)
        held += interval.low <= metric(*draw()) <= interval.high

    assert 0.91 <= held / 200 <= 0.99


def test_the_interval_for_new_rows_ends_where_the_metric_does():
    assert of_new_rows(Interval(0.99, 0.97, 1.0), higher_is_better=True).high == 1.0
    assert of_new_rows(Interval(0.01, 0.0, 0.03), higher_is_better=False).low == 0.0
