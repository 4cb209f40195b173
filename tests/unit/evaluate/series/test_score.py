"""Errors of forecasts in units that can be compared."""

import numpy as np
import pytest

from mantic.evaluate.series.score import Judged, by_series, by_step, coverage, interval_score, scores

LEVELS = np.array([0.025, 0.25, 0.5, 0.75, 0.975])


def judged(truth: np.ndarray, guess: np.ndarray, reference: np.ndarray, *, scale: float = 1.0) -> Judged:
    """Return forecasts whose quantiles lie 2 and 1 below and above the guess."""
    quantiles = guess[..., None] + np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    return Judged(truth, guess, reference, quantiles, LEVELS, np.full(truth.shape[1], scale))


def test_scores_are_those_that_can_be_worked_out_by_hand():
    truth = np.array([[[10.0, 20.0], [4.0, 4.0]]])
    guess = np.array([[[11.0, 18.0], [4.0, 6.0]]])
    reference = np.array([[[14.0, 16.0], [2.0, 2.0]]])

    found = scores(judged(truth, guess, reference, scale=2.0))

    assert found["mase"].value == pytest.approx((0.75 + 0.5) / 2)
    assert found["mase"].reference == pytest.approx((2.0 + 1.0) / 2)
    smape = (np.mean([200 / 21, 400 / 38]) + np.mean([0, 40.0])) / 2
    naive = (np.mean([800 / 24, 800 / 36]) + np.mean([400 / 6, 400 / 6])) / 2
    assert found["smape"].value == pytest.approx(smape)
    assert found["owa"].value == pytest.approx((smape / naive + 0.625 / 1.5) / 2)
    assert found["rmsse"].value == pytest.approx((np.sqrt(2.5 / 4) + np.sqrt(2 / 4)) / 2)


def test_seasonal_naive_itself_has_an_owa_of_one():
    chance = np.random.default_rng(0)
    truth, naive = 50 + chance.normal(size=(2, 5, 6)), 50 + chance.normal(size=(2, 5, 6))

    assert scores(judged(truth, naive, naive))["owa"].value == pytest.approx(1.0)


def test_the_interval_score_is_the_absolute_error_where_there_is_only_a_median():
    truth, guess = np.array([[[3.0, 9.0]]]), np.array([[[5.0, 5.0]]])
    point = Judged(truth, guess, guess, guess[..., None], np.array([0.5]), np.ones(1))

    np.testing.assert_allclose(interval_score(point), np.abs(truth - guess))


def test_what_was_not_observed_counts_nowhere():
    truth = np.array([[[1.0, np.nan, 3.0]], [[np.nan] * 3]])
    guess = np.array([[[2.0, 99.0, 3.0]], [[99.0] * 3]])
    found = judged(truth, guess, guess)

    assert found.n_truths == 2
    assert scores(found)["mase"].value == pytest.approx(0.5)
    assert by_series(found).tolist() == [0.5]
    np.testing.assert_array_equal(by_step(found)[0], [1.0, np.nan, 0.0])


def test_coverage_counts_both_sides_and_the_inner_interval_comes_first():
    truth = np.array([[[0.0, 1.5, -1.5, 3.0, -3.0, 0.5, -0.5, 0.2]]])
    guess = np.zeros_like(truth)

    found = coverage(judged(truth, guess, guess))

    assert [one.level for one in found] == [0.5, 0.95]
    assert [one.share for one in found] == [0.5, 0.75]
    assert [one.width for one in found] == [2.0, 4.0]


def test_ranges_hold_the_score_and_shrink_with_more_series():
    chance = np.random.default_rng(0)

    def range_of(n_series: int) -> float:
        truth = chance.normal(size=(2, n_series, 4))
        one = scores(judged(truth, np.zeros_like(truth), np.ones_like(truth)))["mase"]
        assert one.low <= one.value <= one.high
        return one.high - one.low

    assert range_of(400) < range_of(10) / 2


def test_one_series_is_resampled_by_its_origins():
    chance = np.random.default_rng(0)
    truth = chance.normal(size=(3, 1, 4))

    one = scores(judged(truth, np.zeros_like(truth), np.ones_like(truth)))["mase"]

    assert one.low < one.value < one.high


def test_without_draws_a_score_has_no_range():
    chance = np.random.default_rng(0)
    truth, guess = 50 + chance.normal(size=(2, 5, 6)), 50 + chance.normal(size=(2, 5, 6))
    found = judged(truth, guess, guess)

    assert all(np.isnan(one.low) for one in scores(found, n_draws=0).values())
    assert all(np.isnan(one.low) and np.isfinite(one.share) for one in coverage(found, n_draws=0))
    assert scores(found, n_draws=0)["mase"].value == scores(found)["mase"].value
