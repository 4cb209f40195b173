"""Confidence is corrected as well as scipy.optimize would, without it."""

import numpy as np
import pytest
from scipy.optimize import minimize

from mantic.search.calibrate import NONE, fit_scaling, log_loss, temperature


def told(slope, shift, *, n, seed=0):
    """Return margins that should be scaled by so much, and what turned out."""
    chance = np.random.default_rng(seed)
    margin = chance.normal(size=(n, 1)) * 2
    return margin, (chance.random(n) < 1 / (1 + np.exp(-(slope * margin[:, 0] + shift)))).astype(int)


@pytest.mark.parametrize(("slope", "shift"), [(0.4, 0.6), (1.7, -1.0), (0.06, 2.0)])
def test_slope_and_shift_lose_no_more_than_the_best_that_a_library_finds(slope, shift):
    margin, truth = told(slope, shift, n=2000)
    best = minimize(lambda at: log_loss(margin * at[0] + at[1], truth, 2), np.array([1.0, 0.0])).fun

    assert log_loss(fit_scaling(margin, truth, 2, seed=0).apply(margin), truth, 2) <= best + 1e-6


def test_what_is_right_already_stays():
    margin, truth = told(1.0, 0.0, n=2000)

    assert fit_scaling(margin, truth, 2, seed=0) == NONE


@pytest.mark.parametrize("sign", [1, -1], ids=["always right", "always wrong"])
def test_margins_that_part_the_classes_end_at_a_limit(sign):
    margin = sign * np.linspace(-1, 1, 200)[:, None]

    found = fit_scaling(margin, (np.arange(200) >= 100).astype(int), 2, seed=0)

    assert found.slope == pytest.approx(np.exp(1.6 if sign > 0 else -3.0))
    assert abs(found.shift) < 0.1


@pytest.mark.parametrize("wanted", [0.1, 1.0, 3.0])
def test_the_factor_of_many_classes_is_found(wanted):
    chance = np.random.default_rng(1)
    margin = chance.normal(size=(4000, 5))
    truth = (margin * wanted + chance.gumbel(size=margin.shape)).argmax(axis=1)

    assert temperature(margin, truth, 5) == pytest.approx(wanted, rel=0.15, abs=0.03)
