"""Seasons of many series at once are those of each alone."""

import numpy as np
import pytest

from mantic.core.calendar import Calendar
from mantic.core.panel import Panel
from mantic.core.season import season_of, usable

LENGTH = 12


@pytest.fixture
def many() -> np.ndarray:
    """Return series of 60 values: seasonal around 50, seasonal around 0, without a season, and constant."""
    chance, step = np.random.default_rng(0), np.arange(60)
    year = 10 * np.sin(step * 2 * np.pi / LENGTH)
    noise = chance.normal(size=(3, 60))
    return np.stack([50 + year + noise[0], year + noise[1], 50 + noise[2], np.full(60, 7.0)])


def test_rows_have_the_bits_of_each_series_alone(many):
    together = season_of(many, LENGTH)

    for row, values in enumerate(many):
        alone = season_of(values[None], LENGTH)
        np.testing.assert_array_equal(together.profile[row], alone.profile[0])
        np.testing.assert_array_equal(together.out_of(many)[row], alone.out_of(values[None])[0])
        assert together.is_factor[row] == alone.is_factor[0]


def test_a_season_divides_where_all_is_above_zero_and_else_is_taken_away(many):
    found = season_of(many, LENGTH)

    assert found.is_factor.tolist() == [True, False, False, False]
    assert found.profile[0].mean() == pytest.approx(1.0)
    assert found.profile[1].mean() == pytest.approx(0.0)
    assert not found.profile[2:].any()


def test_what_was_taken_out_is_put_back(many):
    found = season_of(many, LENGTH)

    np.testing.assert_allclose(found.into_past(found.out_of(many)), many)
    np.testing.assert_allclose(found.into(np.ones((4, 3)))[0], found.profile[0, :3])


def test_each_series_takes_the_longest_cycle_that_it_has_seen_twice():
    lengths = [10, 48, 400]
    values, bounds = np.zeros(458), np.concatenate([[0], np.cumsum(lengths)])
    panel = Panel(values, values, bounds, np.zeros(3, int), Calendar.named("h"), (24, 168), np.zeros((458, 0)))

    assert usable(panel).tolist() == [1, 24, 168]
