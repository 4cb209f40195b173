"""The holidays of a country, laid beside series."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from mantic.core.calendar import Calendar
from mantic.core.errors import SettingsError
from mantic.core.panel import Panel
from mantic.features.series.holidays import with_holidays, with_later_holidays


def panel_until(last: date, n_values: int = 60, freq: str = "D") -> Panel:
    values, calendar = np.arange(1.0, n_values + 1), Calendar.named(freq)
    bounds = np.array([0, n_values])
    return Panel(values, values, bounds, calendar.steps(pl.Series([last])), calendar, (7,), np.zeros((n_values, 0)))


def _dates(panel: Panel) -> dict[date, str]:
    held = panel.holidays
    return dict(
        zip(pl.Series(held.days).cast(pl.Int32).cast(pl.Date), (held.names[one] for one in held.which), strict=True)
    )


def test_holidays_reach_from_the_first_step_to_the_horizon():
    found = _dates(with_holidays(panel_until(date(2023, 11, 30)), "de-by", 60))

    assert found[date(2023, 11, 1)] == "All Saints' Day"
    assert found[date(2024, 1, 6)] == "Epiphany"
    assert min(found) >= date(2023, 9, 1)


def test_a_region_has_more_holidays_than_its_country():
    panel = panel_until(date(2023, 11, 30))

    assert set(_dates(with_holidays(panel, "DE", 60))) < set(_dates(with_holidays(panel, "DE-BY", 60)))


def test_a_holiday_that_is_moved_to_monday_keeps_its_name():
    found = _dates(with_holidays(panel_until(date(2022, 12, 20)), "US", 30))

    assert found[date(2022, 12, 26)] == found[date(2022, 12, 25)] == "Christmas Day"


def test_the_weekend_is_that_of_the_country():
    assert with_holidays(panel_until(date(2023, 11, 30)), "SA", 60).holidays.weekend == (4, 5)


def test_later_holidays_are_reckoned_with_as_before():
    first = with_holidays(panel_until(date(2023, 11, 30)), "FR", 10).holidays
    chosen = replace(first, offsets=(-1, 0), prior=20.0, is_late=True)

    found = with_later_holidays(panel_until(date(2024, 4, 30)), chosen, 30)

    assert (found.holidays.offsets, found.holidays.prior, found.holidays.is_late) == ((-1, 0), 20.0, True)
    assert _dates(found)[date(2024, 5, 1)] == "Labor Day"


@pytest.mark.parametrize(
    ("place", "what", "fix"),
    [
        ("Germany", "no country", "DE (Germany)"),
        ("GER", "no country", "DE (Germany)"),
        ("", "no country", "DE-BY"),
        ("DE-BYE", "'BYE' is no region of 'DE'", "BY"),
        ("DE-ZZZZ", "no region", "known are"),
        ("SG-1", "no region", "has no regions"),
    ],
)
def test_a_place_that_is_not_known_names_near_ones(place, what, fix):
    with pytest.raises(SettingsError) as caught:
        with_holidays(panel_until(date(2023, 11, 30)), place, 10)

    assert what in caught.value.what
    assert fix in caught.value.fix


def test_plain_numbers_have_no_holidays():
    panel = replace(panel_until(date(2023, 11, 30)), calendar=Calendar.named("step"))

    with pytest.raises(SettingsError, match="need dates"):
        with_holidays(panel, "DE", 10)
