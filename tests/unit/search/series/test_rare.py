"""Series that are mostly 0 are forecast by what came lately, of them and of others as rare."""

import numpy as np
import pytest

from mantic.core.calendar import Calendar
from mantic.core.panel import Panel
from mantic.core.run import Run
from mantic.search.series.rare import learned, past_of, pinball, rare, rare_series, seconds_of_rare, usual_rare

LEVELS = np.array([0.5, 0.75, 0.9, 0.95])


def panel_of(values: np.ndarray) -> Panel:
    """Return a panel of equally long series, one per row."""
    n_series, n_steps = values.shape
    flat = values.ravel().astype(float)
    bounds = np.arange(n_series + 1) * n_steps
    last = np.zeros(n_series, dtype=np.int64)
    known = np.zeros((len(flat), 0))
    return Panel(flat, flat, bounds, last, Calendar.named("M"), (12,), known, is_count=True, is_floored=True)


def parts(n_series: int = 300, n_steps: int = 52) -> np.ndarray:
    chance = np.random.default_rng(0)
    rate = chance.gamma(1.0, 0.5, n_series)
    found = chance.negative_binomial(1.0, 1 / (1 + rate[:, None]), (n_series, n_steps))
    found[:, ::3] = 0  # all are rare
    return found


def test_series_without_zeros_are_not_rare():
    values = parts(4)
    values[1] = 7

    assert rare_series(panel_of(values)).tolist() == [True, False, True, True]
    assert rare(panel_of(np.full((2, 30), 5)), 12) is None


def test_quantiles_are_better_than_those_of_each_series_alone_and_than_zero():
    values = parts()
    panel, truth = panel_of(values[:, :-12]), values[:, -12:].astype(float)

    found = rare(panel, 12)

    own = np.quantile(panel.recent(18), LEVELS, axis=1).T
    loss = {
        "pooled": pinball(truth, found.quantiles(LEVELS)[:, None], LEVELS).mean(),
        "own": pinball(truth, own[:, None], LEVELS).mean(),
        "zero": pinball(truth, np.zeros((300, 1, 4)), LEVELS).mean(),
    }
    assert loss["pooled"] < 0.99 * loss["own"]
    assert loss["pooled"] < 0.8 * loss["zero"]


def test_quantiles_rise_and_series_that_are_not_rare_have_none():
    values = parts(20)
    values[3] = 9

    found = rare(panel_of(values), 6)

    quantiles = found.quantiles(LEVELS)
    assert np.isnan(quantiles[3]).all()
    assert (np.diff(np.delete(quantiles, 3, axis=0), axis=1) >= 0).all()


def test_the_mean_is_near_what_comes_on_average():
    values = parts()

    found = rare(panel_of(values[:, :-12]), 12)

    assert found.means.mean() == pytest.approx(values[:, -12:].mean(), rel=0.1)


def test_what_it_would_have_said_before_does_not_look_ahead():
    values = parts(30)
    found = rare(panel_of(values), 6)
    values[:, -6:] = 99

    before, after = (past_of(found, panel_of(one), 6, least=8).values for one in (parts(30), values))

    np.testing.assert_array_equal(before, after)


def test_what_trees_learn_from_all_series_is_better_than_the_latest_values():
    chance = np.random.default_rng(1)
    is_over = np.arange(52) > chance.integers(10, 60, (400, 1))
    rate = np.where(is_over, 0.0, chance.gamma(2.0, 0.5, (400, 1)))
    values = chance.poisson(rate)  # sales end one day, and do not come back
    panel, truth = panel_of(values[:, :-12]), values[:, -12:].astype(float)

    simple = rare(panel, 12)
    found = learned(simple, panel, 12, Run())

    loss = [pinball(truth, one.quantiles(LEVELS)[:, None], LEVELS) for one in (found, simple)]
    is_rare = simple.is_rare
    assert loss[0][is_rare].mean() < 0.97 * loss[1][is_rare].mean()
    assert (np.diff(found.values[is_rare], axis=1) >= 0).all()


def test_trees_learn_nothing_from_few_series_or_from_what_is_no_count():
    few = panel_of(parts(20))

    assert learned(rare(few, 6), few, 6, Run()) is None


def test_what_trees_said_is_learned_again_from_series_that_have_grown():
    values = parts(200)
    before, after = panel_of(values[:, :-6]), panel_of(values)

    found = learned(rare(before, 6), before, 6, Run()).renewed(after, 6, Run())

    expected = learned(rare(before, 6), after, 6, Run())
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.is_learned


def test_where_there_is_no_time_to_choose_the_usual_memory_is_taken(monkeypatch):
    monkeypatch.setattr("mantic.search.series.rare._chosen", None)  # it is not called

    found = usual_rare(panel_of(parts(20)))

    assert (found.half, found.shared) == (5.0, 12.0)
    assert found.is_rare.all()


def test_of_very_many_series_a_part_chooses_the_memory(monkeypatch):
    asked = []
    monkeypatch.setattr("mantic.search.series.rare._MOST_CHOSEN", 50)
    monkeypatch.setattr(
        "mantic.search.series.rare._chosen", lambda panel, horizon: asked.append(len(panel)) or (3.0, 6.0)
    )

    found = rare(panel_of(parts(200)), 12)

    assert asked == [50]
    assert found.half == 3.0
    assert found.is_rare.sum() == 200


def test_blocks_of_series_are_sampled_as_all_are_together(monkeypatch):
    found = rare(panel_of(parts(60)), 12)
    monkeypatch.setattr("mantic.core.panel._BLOCK", 1_000)

    again = rare(panel_of(parts(60)), 12)

    np.testing.assert_array_equal(again.values, found.values)
    np.testing.assert_array_equal(again.means, found.means)


def test_quantiles_between_levels_are_those_of_a_line():
    found = rare(panel_of(parts(20)), 6)
    levels = np.array([0.0, 0.005, 0.03, 0.5, 0.99, 0.999])

    expected = [np.interp(levels, found.levels, row) for row in found.values]

    np.testing.assert_array_equal(found.quantiles(levels), expected)


def test_sampling_costs_more_for_more_series_and_origins_and_nothing_where_none_is_rare():
    few, many = panel_of(parts(20)), panel_of(parts(200))

    assert seconds_of_rare(few, 3)[0] < seconds_of_rare(many, 1)[0] < seconds_of_rare(many, 3)[0]
    assert seconds_of_rare(panel_of(np.full((2, 30), 5)), 3) == (0.0, 0.0)
