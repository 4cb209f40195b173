"""Moments as whole steps, and back."""

from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from mantic.core.calendar import Calendar, Unit, anchored, by_calendar, fitted_calendar
from mantic.core.errors import SettingsError

REGULAR = {
    "h": pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 5), "1h", eager=True),
    "15min": pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 2), "15m", eager=True),
    "D": pl.date_range(date(2024, 1, 1), date(2024, 3, 1), eager=True),
    "W": pl.date_range(date(2024, 1, 3), date(2024, 6, 1), "1w", eager=True),
    "M": pl.date_range(date(2020, 1, 1), date(2024, 3, 1), "1mo", eager=True),
    "Q": pl.date_range(date(2020, 2, 1), date(2024, 3, 1), "3mo", eager=True),
    "Y": pl.date_range(date(2000, 7, 1), date(2024, 7, 1), "1y", eager=True),
}


def _fitted(times: pl.Series) -> Calendar:
    physical = (times if times.dtype.is_integer() else times.cast(pl.Datetime("us")).to_physical()).to_numpy()
    return fitted_calendar(times, np.diff(physical), physical[:-1])


@pytest.mark.parametrize("name", REGULAR)
def test_regular_moments_are_steps_of_one_and_come_back_as_they_were(name):
    times = REGULAR[name]

    calendar = _fitted(times)

    steps = calendar.steps(times)
    assert calendar.name == name
    assert (np.diff(steps) == 1).all()
    assert calendar.times(steps).to_list() == times.to_list()
    assert calendar.on_grid(times).all()


@pytest.mark.parametrize(("n_days", "name"), [(28, "4W"), (30, "30D"), (91, "13W"), (182, "26W"), (365, "365D")])
def test_the_same_number_of_days_each_time_is_no_month_quarter_or_year(n_days, name):
    times = pl.date_range(date(2020, 1, 6), date(2050, 1, 1), f"{n_days}d", eager=True)[:40]

    calendar = _fitted(times)

    assert calendar.name == name
    assert calendar.times(calendar.steps(times)).to_list() == times.to_list()


@pytest.mark.parametrize(("months", "name"), [(1, "M"), (3, "Q"), (6, "2Q"), (12, "Y")])
@pytest.mark.parametrize("first", [date(2021, 1, 1), date(2021, 4, 15), date(2021, 8, 31)])
@pytest.mark.parametrize("n_rows", [3, 4, 40])
def test_months_are_months_though_few_of_them_have_gaps_of_the_same_length(months, name, first, n_rows):
    times = pl.Series([first] * n_rows).dt.offset_by(pl.Series([f"{months * place}mo" for place in range(n_rows)]))

    assert _fitted(times).name == name


def test_ends_of_months_stay_ends_of_months():
    times = pl.Series([date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)])

    calendar = _fitted(times)

    assert calendar.times(calendar.steps(times)[-1:] + np.arange(1, 3)).to_list() == [
        date(2024, 5, 31),
        date(2024, 6, 30),
    ]


def test_days_without_weekends_go_on_with_monday():
    days = pl.date_range(date(2024, 1, 1), date(2024, 3, 1), eager=True)
    times = days.filter(days.dt.weekday() <= 5)

    calendar = _fitted(times)

    assert calendar.unit is Unit.BUSINESS
    assert calendar.times(calendar.steps(times)[-1:] + 1).to_list() == [date(2024, 3, 4)]


def test_whole_numbers_keep_their_gap_and_where_they_begin():
    times = pl.Series([3, 13, 23, 43])

    calendar = _fitted(times)

    assert calendar.times(calendar.steps(times)[-1:] + 1).to_list() == [53]


def test_a_moment_between_steps_counts_for_the_step_that_it_lies_in():
    calendar = anchored(Calendar.named("D"), REGULAR["D"].cast(pl.Datetime("us")))
    odd = pl.Series([datetime(2024, 1, 2, 13, 5)])

    assert calendar.times(calendar.steps(odd)).to_list() == [date(2024, 1, 2)]
    assert not calendar.on_grid(odd).any()


@pytest.mark.parametrize("name", ["h", "15min", "D", "2W", "M", "Q", "Y", "B", "step", "7step"])
def test_a_name_is_read_and_written_alike_and_survives_as_facts(name):
    calendar = Calendar.named(name)

    assert calendar.name == name
    assert Calendar.from_facts(calendar.to_facts()) == calendar


@pytest.mark.parametrize("name", ["", "fortnight", "0D", "2B", "D1", "1000000Y", "999999999999D"])
def test_what_is_no_frequency_is_refused_with_the_known_ones(name):
    with pytest.raises(SettingsError, match="is no frequency") as caught:
        Calendar.named(name)

    assert "15min" in caught.value.fix


def test_a_frequency_of_dates_does_not_fit_whole_numbers():
    with pytest.raises(SettingsError, match="does not fit"):
        anchored(Calendar.named("D"), pl.Series([1, 2, 3]))


@pytest.mark.parametrize(
    ("name", "seasons"), [("h", (24, 168)), ("D", (7, 365)), ("W", (52,)), ("M", (12,)), ("30min", (48, 336))]
)
def test_a_frequency_has_its_usual_seasons(name, seasons):
    assert Calendar.named(name).seasons == seasons


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("M", date(2023, 2, 1)),
        ("Q", date(2023, 1, 1)),
        ("Y", date(2023, 1, 1)),
        ("W", date(2023, 2, 6)),
        ("D", date(2023, 2, 10)),
    ],
)
def test_steps_of_finer_moments_begin_with_the_calendar(name, first):
    times = pl.date_range(date(2023, 2, 10), date(2024, 8, 20), eager=True).cast(pl.Datetime("us")).dt.offset_by("9h")
    times = pl.concat([times, times.dt.offset_by("7h"), times.dt.offset_by("61m")])

    calendar = by_calendar(anchored(Calendar.named(name), times), times)

    assert calendar.times(calendar.steps(times)[:1]).cast(pl.Date).to_list() == [first]
    assert calendar.name == name


@pytest.mark.parametrize(
    ("name", "first", "every"),
    [("Q", date(2023, 1, 15), "1mo"), ("2W", date(2023, 1, 7), "1w"), ("2M", date(2023, 1, 31), "1mo")],
)
def test_what_finer_moments_have_in_common_stays(name, first, every):
    times = pl.Series([first] * 24).dt.offset_by(pl.Series([f"{at}{every[1:]}" for at in range(24)]))
    found = anchored(Calendar.named(name), times)

    assert by_calendar(found, times) == found
    assert found.times(found.steps(times[:1])).to_list() == [first]
