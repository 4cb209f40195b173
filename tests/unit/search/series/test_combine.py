"""Weights are as simple as the past allows."""

import numpy as np
import pytest

from mantic.search.series.backtest import Backtest, Origins
from mantic.search.series.combine import Mixture, mixture

HORIZON, N_ORIGINS = 4, 3


def found_of(errors: dict[str, np.ndarray], n_series: int, *, truth: float = 100.0) -> Backtest:
    """Return a backtest whose methods miss the truth by these errors, shape (n_series,) or (n_origins, n_series)."""
    names = tuple(errors)
    shape = (N_ORIGINS, n_series, HORIZON)
    past = np.stack([np.broadcast_to(np.atleast_2d(errors[name])[..., None], shape) for name in names]) + truth
    future = np.stack([np.full((n_series, HORIZON), truth + float(place)) for place in range(len(names))])
    return Backtest(names, past, future, np.full(shape, truth), (), Origins((4, 8, 12), 8))


def test_nothing_better_than_seasonal_naive_gives_seasonal_naive():
    found = found_of({"seasonal_naive": np.full(20, 1.0), "theta": np.full(20, 5.0), "ces": np.full(20, 9.0)}, 20)

    chosen, _ = mixture(found, np.ones(20))

    assert chosen.level == "reference"
    assert chosen.weights[:, 0].tolist() == [1.0] * 20


def test_methods_that_miss_to_both_sides_are_taken_together():
    found = found_of({"seasonal_naive": np.full(20, 9.0), "theta": np.full(20, 4.0), "ces": np.full(20, -4.0)}, 20)

    chosen, past = mixture(found, np.ones(20))

    assert chosen.weights[0].tolist() == pytest.approx([0, 0.5, 0.5])
    np.testing.assert_allclose(past, 100.0)


def test_series_with_favourites_of_their_own_get_weights_of_their_own():
    half = np.arange(60) < 30
    chance = np.random.default_rng(0)
    noise = chance.normal(0, 0.1, (2, N_ORIGINS, 60))
    found = found_of(
        {
            "seasonal_naive": np.full((N_ORIGINS, 60), 9.0),
            "theta": np.where(half, 0.5, 6.0) + noise[0],
            "ces": np.where(half, 6.0, 0.5) + noise[1],
        },
        60,
    )

    chosen, _ = mixture(found, np.ones(60))

    assert chosen.level == "each series"
    assert (chosen.weights[half, 1] > 0.6).all()
    assert (chosen.weights[~half, 2] > 0.6).all()


def test_favourites_that_are_only_chance_are_not_believed():
    chance = np.random.default_rng(0)
    found = found_of({name: chance.normal(0, 3, (N_ORIGINS, 40)) for name in ("seasonal_naive", "theta", "ces")}, 40)

    chosen, _ = mixture(found, np.ones(40))

    assert chosen.level != "each series"


def test_a_past_that_cannot_be_judged_gives_equal_weights():
    found = found_of({"naive": np.zeros(2), "seasonal_naive": np.zeros(2), "quick_theta": np.zeros(2)}, 2)
    found.truth[:] = np.nan

    chosen, _ = mixture(found, np.ones(2))

    np.testing.assert_allclose(chosen.weights, 1 / 3)


@pytest.mark.parametrize("is_median", [True, False])
def test_a_method_without_an_answer_leaves_its_weight_to_the_others(is_median):
    both = Mixture(("a", "b"), np.array([[0.5, 0.5], [1.0, 0.0]]), is_median, "equal", {})
    forecasts = np.array([[[1.0], [np.nan]], [[np.nan], [7.0]]])

    np.testing.assert_array_equal(both.mix(forecasts), [[1.0], [7.0]])


def test_a_weighted_median_is_the_middle_of_the_weight():
    three = Mixture(("a", "b", "c"), np.array([[0.2, 0.5, 0.3]]), True, "equal", {})

    assert three.mix(np.array([[[1.0]], [[9.0]], [[50.0]]])).item() == 9.0
    assert three.mix(np.array([[[1.0]], [[50.0]], [[9.0]]])).item() == pytest.approx(29.5)  # half lies on each side


def test_the_mean_of_equal_weights_is_their_mean():
    two = Mixture(("a", "b"), np.array([[0.5, 0.5]]), False, "equal", {})

    assert two.mix(np.array([[[1.0]], [[3.0]]])).item() == 2.0
