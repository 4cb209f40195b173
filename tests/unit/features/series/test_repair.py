"""What is repaired in many series at once is what would be in each alone."""

import numpy as np
import pytest

from mantic.core.panel import alike
from mantic.features.series.repair import filled, is_discontinued, is_shifted, outliers, without_holes


@pytest.fixture
def many() -> np.ndarray:
    """Return 40 monthly series of five years: with errors, ends, shifts, trends and sales that are rare."""
    chance, step = np.random.default_rng(0), np.arange(60)
    found = 50 + 10 * np.sin(step * np.pi / 6) + chance.normal(0, 2, (40, 60))
    found[::5, 20] *= 9
    found[1::5, 40:] = 0.0
    found[2::5, 30:] += 200.0
    found[3::5] += 3.0 * step
    found[4::5] = chance.poisson(0.4, (8, 60))
    return found


@pytest.mark.parametrize("look", [outliers, is_discontinued, lambda values, season: is_shifted(values)])
def test_rows_are_judged_as_each_series_alone(look, many):
    together = look(many, 12)

    assert together.any()
    for row in range(len(many)):
        np.testing.assert_array_equal(together[row], look(many[[row]], 12)[0])


def test_each_oddity_is_found_where_it_is(many):
    assert outliers(many, 12)[::5, 20].sum() >= 6
    assert is_discontinued(many, 12)[1::5].all()
    assert is_shifted(many)[2::5].all()
    assert not is_shifted(many)[3::5].any()


def test_holes_lie_on_the_line_and_at_the_nearest_value_at_the_ends():
    rows = np.array([[np.nan, 2.0, np.nan, np.nan, 5.0, np.nan], [1.0, np.nan, 2.0, 9.0, 9.0, 9.0]])

    np.testing.assert_allclose(filled(rows, 1), [[2, 2, 3, 4, 5, 5], [1, 1.5, 2, 9, 9, 9]])


def test_series_of_any_length_are_filled_each_from_its_own_values():
    values = np.array([1.0, np.nan, 3.0, 100.0, np.nan, np.nan, 400.0, 7.0])

    found = without_holes(values, np.array([0, 3, 7, 8]), 1)

    np.testing.assert_allclose(found, [1, 2, 3, 100, 200, 300, 400, 7])


def test_series_of_equal_length_come_together_and_none_is_lost(monkeypatch):
    monkeypatch.setattr("mantic.core.panel._BLOCK", 8)
    lengths = np.array([3, 1, 3, 2, 3, 3, 1])
    values, bounds = np.arange(16.0), np.concatenate([[0], np.cumsum(lengths)])

    parts = list(alike(values, bounds))

    assert sorted(np.concatenate([places for places, _ in parts]).tolist()) == list(range(7))
    assert max(rows.size for _, rows in parts) <= 8
    for places, rows in parts:
        for place, row in zip(places, rows, strict=True):
            np.testing.assert_array_equal(row, values[bounds[place] : bounds[place + 1]])
