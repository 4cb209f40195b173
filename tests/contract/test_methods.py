"""Every forecasting method, by its name: a new file in learners/series is covered without touching this one."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from mantic.core.budget import Deadline
from mantic.core.calendar import Calendar
from mantic.core.method import METHODS, can_be_used
from mantic.core.panel import Panel
from mantic.core.run import Run
from mantic.search.series.backtest import FREE, ORDER

NAMES = [name for name in METHODS.names() if can_be_used(METHODS.get(name))]
HORIZON = 9


def panel_of(series: list[np.ndarray], seasons: tuple[int, ...] = (7, 14)) -> Panel:
    """Return a daily panel of these series, which end on the same day."""
    values = np.concatenate(series).astype(float)
    bounds = np.concatenate([[0], np.cumsum([len(one) for one in series])])
    calendar = Calendar.named("D")
    last = calendar.steps(pl.Series([date(2024, 3, 31)] * len(series)))
    return Panel(values, values.copy(), bounds, last, calendar, seasons, np.zeros((len(values), 0)))


def waves(n_series: int = 6, n_steps: int = 84) -> list[np.ndarray]:
    """Return series with a week in them, of very different sizes and lengths."""
    chance = np.random.default_rng(0)
    step = np.arange(n_steps)
    return [
        10**place * (5 + 2 * np.sin(2 * np.pi * step / 7) + 0.01 * step + 0.2 * chance.normal(size=n_steps))[place:]
        for place in range(n_series)
    ]


def said(name: str, panel: Panel, run: Run | None = None) -> np.ndarray:
    run = run or Run()
    return METHODS.get(name).learn(panel, HORIZON, run).forecast(panel, HORIZON, run)


def test_all_methods_are_here():
    assert set(ORDER) <= set(METHODS.names())


@pytest.mark.parametrize("name", NAMES)
def test_a_method_says_what_it_is_good_for_and_what_it_costs(name):
    about = METHODS.get(name).about

    assert about.name == name
    assert about.good_for
    assert about.costs


@pytest.mark.parametrize("name", NAMES)
def test_series_that_suit_are_forecast_with_finite_numbers(name):
    panel = panel_of(waves())

    suits = METHODS.get(name).about.suits(panel, HORIZON)
    found = said(name, panel)

    assert suits.all() or name in ("quick_boosting", "deep_boosting")  # of boosting's sizes two are for more series
    assert found.shape == (6, HORIZON)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_forecast_has_the_size_of_its_series(name):
    panel = panel_of(waves())

    found = said(name, panel)

    for place in range(len(panel)):
        values = panel.one(place)
        assert values.min() / 3 < found[place].min() <= found[place].max() < 3 * values.max()


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in ("naive", "drift", "cycle_naive", "seasonal_naive")]
)
def test_a_clear_season_is_forecast_better_than_by_the_last_value(name):
    whole = waves(4, 92)
    panel = panel_of([one[:-HORIZON] for one in whole])
    truth = np.stack([one[-HORIZON:] for one in whole])
    scale = np.array([one.mean() for one in whole])[:, None]

    error, naive = (np.abs(truth - said(one, panel)) / scale for one in (name, "naive"))

    assert error.mean() < 0.7 * naive.mean()


@pytest.mark.parametrize("name", NAMES)
def test_odd_series_are_left_out_or_forecast_and_never_raise(name):
    chance = np.random.default_rng(1)
    odd = [
        np.zeros(60), np.full(60, 3.0), np.array([5.0]), np.array([1.0, 2.0]), np.arange(3.0), -np.ones(40),
        chance.poisson(0.2, 80), 1e12 * chance.random(50), 1e-12 * chance.random(50), np.r_[np.zeros(50), 1e6],
        chance.normal(size=30),
    ]  # fmt: skip
    panel = panel_of(odd)
    suits = METHODS.get(name).about.suits(panel, HORIZON)
    if not suits.any():
        return

    found = said(name, panel.rows(suits))

    is_whole = np.isfinite(found).all(axis=1)
    assert (is_whole | np.isnan(found).all(axis=1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_forecast(name):
    panel = panel_of(waves())

    np.testing.assert_array_equal(said(name, panel), said(name, panel))


@pytest.mark.parametrize("name", NAMES)
def test_what_was_learned_is_kept_in_files(name, tmp_path, quiet_run):
    panel = panel_of(waves())
    learned = METHODS.get(name).learn(panel, HORIZON, quiet_run)

    learned.save(tmp_path)

    again = METHODS.get(name).load(tmp_path)
    np.testing.assert_array_equal(
        again.forecast(panel, HORIZON, quiet_run), learned.forecast(panel, HORIZON, quiet_run)
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_panel_is_left_as_it_is(name):
    panel = panel_of(waves())
    before = replace(panel, values=panel.values.copy())

    said(name, panel)

    np.testing.assert_array_equal(panel.values, before.values)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FREE])
def test_a_deadline_that_has_passed_ends_the_work(name):
    panel = panel_of(waves())

    found = said(name, panel, Run(deadline=Deadline.after(0)))

    assert found.shape == (6, HORIZON)
