"""How large errors should be is told by what a series did until then."""

import numpy as np
import pytest

from mantic.core.calendar import Calendar
from mantic.core.panel import Panel
from mantic.search.series.size import expected, moved, sizes

HOURS, SEASON, BACKS = 480, 24, (24, 48, 72)


def panel_of(values: np.ndarray, *, seasons: tuple[int, ...] = ()) -> Panel:
    """Return a panel of series of one length, shape (n_series, n_values)."""
    n_series, length = values.shape
    bounds, last = np.arange(n_series + 1) * length, np.zeros(n_series, dtype=np.int64)
    flat = values.ravel()
    return Panel(flat, flat, bounds, last, Calendar.named("h"), seasons, np.zeros((flat.size, 0)))


def days(n_series: int) -> tuple[Panel, np.ndarray, np.ndarray]:
    """Return series whose day repeats itself, with the noise and the swing of each."""
    chance = np.random.default_rng(0)
    noise, swing = (10.0 ** chance.uniform(-1, 1, n_series) for _ in range(2))
    day = 100 * np.sin(np.arange(SEASON) / SEASON * 2 * np.pi)
    values = 1000 + swing[:, None] * np.tile(day, HOURS // SEASON)
    values += noise[:, None] * chance.normal(size=(n_series, HOURS))
    return panel_of(values, seasons=(SEASON,)), noise, swing


def test_errors_are_as_large_as_the_change_over_a_season_where_the_day_repeats_itself():
    panel, noise, _ = days(60)
    missed = noise[:, None] * np.random.default_rng(1).normal(size=(3, 60, SEASON))

    told, over = expected(sizes(panel, [*BACKS, 0]), missed)

    assert np.std(told[-1] - np.log(noise)) < 0.1
    assert np.abs(over).max() < 0.6


def test_another_size_counts_where_many_series_show_that_it_says_more():
    panel, _, swing = days(2_000)
    missed = swing[:, None] * np.random.default_rng(1).normal(size=(3, 2_000, SEASON))

    told, _ = expected(sizes(panel, [*BACKS, 0]), missed)

    assert np.corrcoef(told[-1], np.log(swing))[0, 1] > 0.95


def test_what_came_later_says_little_of_how_large_a_series_was_and_nothing_where_its_past_is_long():
    calm = np.random.default_rng(0).normal(size=(1, 2_000))
    wild = calm.copy()
    wild[:, -50:] *= 10

    before = [sizes(panel_of(one), [50])[0, 0] for one in (calm, wild)]

    np.testing.assert_allclose(before[0], before[1], atol=0.05)
    assert sizes(panel_of(wild), [0])[0, 0, 1] > before[1][1] + 1


def test_sizes_are_in_the_units_of_each_series_however_different_these_are():
    values = np.random.default_rng(0).normal(size=(1, 200)).repeat(3, axis=0)
    unit = np.array([1.0, 1e12, 1e-9])

    found = sizes(panel_of(values * unit[:, None]), [6, 0])

    np.testing.assert_allclose(found - np.log(unit)[:, None], found[:, :1].repeat(3, axis=1), atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_series_that_never_change_or_are_shorter_than_a_season_have_a_size(value):
    found = sizes(panel_of(np.full((2, 3), value), seasons=(12,)), [2, 0])

    assert np.isfinite(found).all()


def test_a_series_own_errors_count_the_more_the_steadier_they_are():
    chance = np.random.default_rng(0)
    own = chance.normal(size=200)

    steady = moved(own + 0.1 * chance.normal(size=(3, 200)))
    shaken = own + 3.0 * chance.normal(size=(3, 200))
    shaky = moved(shaken)

    assert np.corrcoef(steady, own)[0, 1] > 0.99
    assert steady.std() > 0.8
    assert shaky.std() < 0.5 * shaken.mean(axis=0).std()
    assert (moved(np.full((3, 4), np.nan)) == 0).all()


@pytest.mark.parametrize("n_noisy", [1, 3, 480])
def test_a_series_that_moves_only_by_the_rounding_of_numbers_leaves_those_after_it_as_they_are(n_noisy):
    panel, _, _ = days(5)
    noise = np.full(n_noisy, 0.3)
    noise[n_noisy // 2] = 0.1 + 0.2
    flat = np.concatenate([noise, panel.values, noise])
    bounds = np.concatenate([[0], n_noisy + panel.bounds, [flat.size]])
    last = np.zeros(len(bounds) - 1, dtype=np.int64)
    beside = Panel(flat, flat, bounds, last, panel.calendar, panel.seasons, np.zeros((flat.size, 0)))

    found = sizes(beside, [*BACKS, 0])

    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:, 1:-1], sizes(panel, [*BACKS, 0]), atol=1e-6)
