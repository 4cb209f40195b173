"""Smoothing with several seasons follows hours and weeks."""

import tracemalloc

import numpy as np
import pytest

from mantic.core.calendar import Calendar
from mantic.core.panel import Panel
from mantic.learners.series.seasonal_naive import seasonal_naive
from mantic.learners.series.several_seasons import several_seasons

HORIZON, LAST = 48, 24 * 7 * 5
STEP = np.arange(LAST + HORIZON)


def load(seed: int, *, size: float = 1.0) -> np.ndarray:
    """Return hours that are lower at night, lower still at weekends, and noisy."""
    hour = 1 + 0.5 * np.sin(2 * np.pi * STEP / 24)
    week = np.where(STEP // 24 % 7 > 4, 0.6, 1.0)
    return size * 100 * hour * week * (1 + 0.03 * np.random.default_rng(seed).normal(size=len(STEP)))


def panel_of(series: list[np.ndarray], seasons: tuple[int, ...] = (24, 168)) -> Panel:
    values = np.concatenate(series)
    bounds = np.concatenate([[0], np.cumsum([len(one) for one in series])])
    last = np.zeros(len(series), dtype=np.int64)
    return Panel(values, values, bounds, last, Calendar.named("h"), seasons, np.zeros((len(values), 0)))


def test_hours_and_weeks_are_followed_better_than_by_yesterday_or_last_week():
    whole = [load(0), load(1, size=50.0), load(2)[200:]]  # the last one begins later
    panel = panel_of([one[:-HORIZON] for one in whole])
    truth = np.stack([one[-HORIZON:] for one in whole])

    found = several_seasons(panel, HORIZON)

    own = np.abs(found / truth - 1).mean(axis=1)
    assert (own < np.abs(seasonal_naive(panel, HORIZON) / truth - 1).mean(axis=1)).all()
    assert own.max() < 0.04


def test_values_below_0_are_smoothed_as_they_are():
    whole = load(0) - 100.0
    panel = panel_of([whole[:-HORIZON]])

    found = several_seasons(panel, HORIZON)

    assert np.abs(found[0] - whole[-HORIZON:]).mean() < 4.0


def test_a_series_is_forecast_alike_whoever_stands_beside_it():
    short, long = load(0)[300:-HORIZON], load(1)[:-HORIZON]

    alone = several_seasons(panel_of([short]), HORIZON)[0]
    beside = several_seasons(panel_of([long, short]), HORIZON)[1]

    np.testing.assert_allclose(alone, beside, rtol=1e-9)


def test_many_series_with_a_long_horizon_need_the_memory_of_few_and_are_forecast_alike():
    whole, horizon = [load(seed)[: 3 * 168] for seed in range(12)], 8_760

    tracemalloc.start()
    found = several_seasons(panel_of(whole), horizon)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 60e6  # all at once took 200 MB
    for place in (0, 7, 11):
        np.testing.assert_array_equal(found[place], several_seasons(panel_of([whole[place]]), horizon)[0])


@pytest.mark.parametrize("seasons", [(), (24,), (24, 8766)])
def test_it_is_for_several_seasons_only(seasons):
    from mantic.core.method import METHODS

    assert not METHODS.get("several_seasons").about.suits(panel_of([load(0)], seasons), HORIZON).any()
