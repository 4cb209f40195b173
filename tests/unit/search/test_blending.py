"""Margins, confidence, weights and conformal errors."""

from dataclasses import replace

import numpy as np
import pytest

from mantic.search.calibrate import fit_scaling, log_loss, temperature
from mantic.search.conformal import Conformal
from mantic.search.ensemble import greedy
from mantic.search.margin import to_guess, to_margin


@pytest.mark.parametrize("n_classes", [2, 3, 26])
def test_probabilities_survive_the_way_to_margins_and_back(n_classes):
    guess = np.random.default_rng(0).dirichlet(np.ones(n_classes) * 5, size=50)

    back = to_guess(to_margin(guess, floor=1e-9), n_classes)

    np.testing.assert_allclose(back, guess, atol=1e-9)


def test_values_are_their_own_margin():
    assert to_guess(to_margin(np.array([1.5, -2.0])), 0).tolist() == [1.5, -2.0]


def test_overconfident_margins_are_cooled_and_honest_ones_left_alone():
    rng = np.random.default_rng(1)
    honest = rng.normal(0, 2, (4000, 1))
    truth = (rng.random(4000) < to_guess(honest, 2)[:, 1]).astype(int)

    assert temperature(honest * 4, truth, 2) == pytest.approx(0.25, rel=0.1)
    assert fit_scaling(honest, truth, 2, seed=0).slope == 1.0
    scaled = fit_scaling(honest * 4, truth, 2, seed=0)
    assert log_loss(scaled.apply(honest * 4), truth, 2) == pytest.approx(log_loss(honest, truth, 2), rel=0.01)


def test_few_rows_are_never_calibrated():
    assert fit_scaling(np.ones((20, 1)) * 9, np.tile([0, 1], 10), 2, seed=0).slope == 1.0


def test_two_members_with_opposite_errors_are_blended():
    rng = np.random.default_rng(2)
    truth, noise = rng.normal(size=500), rng.normal(size=500)
    margins = [(truth + noise)[:, None], (truth - noise)[:, None], np.ones((500, 1))]

    weights = greedy(margins, lambda margin: float(((margin[:, 0] - truth) ** 2).mean()), most=3)

    np.testing.assert_allclose(weights, [0.5, 0.5, 0.0], atol=0.05)


def test_a_candidate_that_is_not_finite_is_never_chosen():
    margins = [np.full((5, 1), np.nan), np.ones((5, 1))]

    weights = greedy(margins, lambda margin: float(margin.mean()), most=2)

    assert weights.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_intervals_keep_their_promise_where_errors_grow_with_the_value(level):
    rng = np.random.default_rng(3)
    guess = rng.uniform(1, 10, 6000)
    truth = guess + rng.normal(0, guess)
    known = Conformal.of(guess[:3000], truth[:3000], n_classes=0)

    ends = known.interval(guess[3000:], level=level)

    inside = (ends[:, 0] <= truth[3000:]) & (truth[3000:] <= ends[:, 1])
    assert inside.mean() == pytest.approx(level, abs=0.03)
    small, large = guess[3000:] < 3, guess[3000:] > 8
    assert inside[small].mean() == pytest.approx(level, abs=0.06)
    assert inside[large].mean() == pytest.approx(level, abs=0.06)


def test_sets_of_classes_hold_the_truth_as_often_as_promised():
    rng = np.random.default_rng(4)
    guess = rng.dirichlet(np.ones(4), size=4000)
    truth = np.array([rng.choice(4, p=row) for row in guess])
    known = Conformal.of(guess[:2000], truth[:2000], n_classes=4)

    sets = known.sets(guess[2000:], level=0.9)

    assert sets[np.arange(2000), truth[2000:]].mean() == pytest.approx(0.9, abs=0.03)


def test_an_interval_is_as_wide_as_the_hardest_period_asks():
    rng = np.random.default_rng(5)
    guess = rng.uniform(0, 10, 4000)
    hard, calm, later = (guess + rng.normal(0, spread, 4000) for spread in (3.0, 1.0, 3.0))
    latest = Conformal.of(guess, calm, n_classes=0)
    known = replace(latest, periods=(latest, Conformal.of(guess, hard, n_classes=0)))

    inside = [(np.abs(later - guess) <= one.interval(guess, level=0.9)[:, 1] - guess).mean() for one in (latest, known)]

    assert inside[0] < 0.5
    assert inside[1] == pytest.approx(0.9, abs=0.02)


def test_sets_of_classes_are_as_large_as_the_hardest_period_asks():
    rng = np.random.default_rng(6)
    guess = rng.dirichlet(np.ones(4), size=2000)
    sure, lost = guess.argmax(axis=1), rng.integers(0, 4, 2000)
    known = Conformal.of(guess, sure, n_classes=4)

    wider = replace(known, periods=(Conformal.of(guess, lost, n_classes=4),))

    assert known.sets(guess, level=0.9).sum() < 0.6 * wider.sets(guess, level=0.9).sum()
    assert wider.sets(guess, level=0.9)[np.arange(2000), lost].mean() == pytest.approx(0.9, abs=0.02)


def test_a_period_with_too_few_errors_for_a_level_does_not_widen_it():
    guess = np.arange(500.0)
    known = Conformal.of(guess, guess + np.sin(guess), n_classes=0)

    few = replace(known, periods=(Conformal.of(guess[:5], guess[:5] + 9, n_classes=0),))

    np.testing.assert_array_equal(few.interval(guess, level=0.9), known.interval(guess, level=0.9))


def test_too_few_errors_promise_nothing():
    known = Conformal.of(np.array([1.0, 2.0]), np.array([1.5, 2.5]), n_classes=0)

    assert np.isinf(known.interval(np.array([1.0]), level=0.9)).all()


def test_conformal_errors_survive_a_file(tmp_path):
    guess = np.arange(500.0)
    period = Conformal.of(guess, guess + 2 * np.sin(guess), n_classes=0)
    known = replace(Conformal.of(guess, guess + np.sin(guess), n_classes=0), periods=(period, period))

    known.save(tmp_path)

    np.testing.assert_array_equal(Conformal.load(tmp_path).interval(guess, level=0.9), known.interval(guess, level=0.9))
