"""Many series side by side, cut and looked at."""

import numpy as np
import pytest

from mantic.core.calendar import Calendar
from mantic.core.panel import Panel

SERIES = ([1.0, 2.0, 4.0, 8.0, 9.0, 9.5], [5.0, 5.0, 5.0], [7.0])


@pytest.fixture
def panel() -> Panel:
    values = np.concatenate([np.array(one) for one in SERIES])
    bounds = np.array([0, 6, 9, 10])
    known = np.arange(10.0)[:, None]
    return Panel(values, values, bounds, np.array([10, 20, 30]), Calendar.named("step"), (2,), known)


def test_chosen_series_come_in_the_order_asked_for(panel):
    found = panel.rows(np.array([2, 0]))

    assert [found.one(place).tolist() for place in range(2)] == [SERIES[2], SERIES[0]]
    assert found.last.tolist() == [30, 10]
    assert found.known[:, 0].tolist() == [9, 0, 1, 2, 3, 4, 5]


def test_before_an_origin_only_what_was_known_then_is_there(panel):
    cut, there = panel.until(2, least=2, horizon=3)

    assert there.tolist() == [0]
    assert cut.one(0).tolist() == SERIES[0][:4]
    assert cut.last.tolist() == [8]
    assert cut.future[0, :, 0].tolist() == [4, 5, 5]


def test_after_an_origin_stands_what_was_observed_and_nothing_beyond(panel):
    np.testing.assert_array_equal(panel.after(2, 3, np.array([0])), [[9.0, 9.5, np.nan]])


def test_the_latest_values_stand_on_the_right(panel):
    np.testing.assert_array_equal(panel.recent(2), [[9.0, 9.5], [5.0, 5.0], [np.nan, 7.0]])


def test_the_unit_of_errors_is_the_change_over_a_season_or_what_comes_nearest(panel):
    assert panel.scale(2).tolist() == pytest.approx([np.mean([3, 6, 5, 1.5]), 5.0, 7.0])
    assert panel.scale(1)[0] == pytest.approx(8.5 / 5)
