"""Weights are as simple as the past allows."""

import numpy as np
import pytest

from mantic.search.series import combine
from mantic.search.series.backtest import Backtest, Origins
from mantic.search.series.combine import Mixture, equal_mixture, mixture

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


def _two_kinds(n_series: int) -> Backtest:
    """Return a backtest in which every second series is better forecast by theta, the others by ces."""
    is_even = np.arange(n_series) % 2 == 0
    chance = np.random.default_rng(0)
    noise = chance.normal(0, 0.1, (2, N_ORIGINS, n_series))
    return found_of(
        {
            "seasonal_naive": np.full((N_ORIGINS, n_series), 9.0),
            "theta": np.where(is_even, 0.5, 6.0) + noise[0],
            "ces": np.where(is_even, 6.0, 0.5) + noise[1],
        },
        n_series,
    )


def test_of_very_many_series_a_part_decides_and_each_still_has_weights_of_its_own(monkeypatch):
    monkeypatch.setattr(combine, "MOST_JUDGED", 41)
    looked_at, better = set(), combine._better

    def watched(simple, rich):
        looked_at.add(rich.loss.shape[1])
        return better(simple, rich)

    monkeypatch.setattr(combine, "_better", watched)
    found = _two_kinds(300)

    chosen, past = mixture(found, np.ones(300))

    assert chosen.level == "each series"
    assert looked_at == {41}
    assert (chosen.weights[::2, 1] > 0.6).all()
    assert (chosen.weights[1::2, 2] > 0.6).all()
    assert past.shape == (N_ORIGINS, 300, HORIZON)
    assert np.abs(past - 100.0).max() < 6


def test_blocks_of_series_mix_as_all_do_together(monkeypatch):
    found = _two_kinds(50)
    chosen, past = mixture(found, np.ones(50))
    monkeypatch.setattr("mantic.core.panel._BLOCK", 100)

    again, same = mixture(found, np.ones(50))

    np.testing.assert_array_equal(again.weights, chosen.weights)
    np.testing.assert_array_equal(same, past)
    np.testing.assert_array_equal(again.mix(found.future), chosen.mix(found.future))


def test_where_there_is_no_time_to_learn_weights_none_are_learned(monkeypatch):
    monkeypatch.setattr(combine, "_greedy", None)  # it is not called

    chosen, past = equal_mixture(_two_kinds(60), np.ones(60))

    assert chosen.level == "equal"
    assert set(chosen.losses) == {"equal", "reference"}
    assert np.isfinite(past).all()
