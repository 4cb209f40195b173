"""Calibration: what is stated against what happens."""

import numpy as np
import pytest

from mantic.evaluate.calibration import calibration_error, confidence, reliability


def _two(share: np.ndarray) -> np.ndarray:
    return np.stack([1 - share, share], axis=1)


def test_honest_probabilities_have_a_small_error_and_bins_on_the_diagonal():
    random = np.random.default_rng(0)
    share = random.random(5000)
    truth = (random.random(5000) < share).astype(int)

    bins = reliability(*confidence(truth, _two(share)))

    assert calibration_error(truth, _two(share)) < 0.03
    assert sum(one.low <= one.stated <= one.high for one in bins) >= 8
    assert sum(one.n_rows for one in bins) == 5000
    assert {one.n_rows for one in bins} == {500}


def test_boasting_probabilities_have_a_large_error():
    random = np.random.default_rng(0)
    truth = (random.random(2000) < 0.5).astype(int)
    share = np.where(random.random(2000) < 0.5, 0.9, 0.1)

    assert calibration_error(truth, _two(share)) == pytest.approx(0.4, abs=0.03)


def test_one_stated_probability_is_one_bin():
    bins = reliability(np.array([True, False, False, False]), np.full(4, 0.5))

    assert [(one.stated, one.happened, one.n_rows) for one in bins] == [(0.5, 0.25, 4)]


def test_many_classes_are_judged_by_the_likeliest():
    guess = np.array([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]])

    happened, stated = confidence(np.array([0, 0]), guess)

    assert happened.tolist() == [True, False]
    assert stated.tolist() == [0.6, 0.6]


def test_one_row_is_enough():
    assert calibration_error(np.array([1]), _two(np.array([0.7]))) == pytest.approx(0.3)
