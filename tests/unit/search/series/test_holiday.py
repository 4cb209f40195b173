"""What holidays do to series is learned on the past, taken out of it, and put on the forecast."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from mantic.core.calendar import Calendar, anchored
from mantic.core.panel import Panel
from mantic.features.series.holidays import with_holidays
from mantic.search.series.holiday import ordinary
from mantic.search.series.holiday_judge import is_clear, reckoned
from mantic.search.series.holiday_mark import marked, past_of, steps_of, working_days

HORIZON = 40
WEEK = np.array([10.0, 11, 12, 11, 14, 20, 18])


def daily(last: date = date(2023, 11, 30), *, n_series: int = 1, n_days: int = 1200, seed: int = 0) -> Panel:
    """Return series with a week in them, whose holidays sell a fifth of the usual and the days before twice as much."""
    calendar, chance = Calendar.named("D"), np.random.default_rng(seed)
    end = calendar.steps(pl.Series([last]))[0]
    flat = np.concatenate(
        [
            (place + 1) * WEEK[(end - n_days + 1 + np.arange(n_days)) % 7] * chance.normal(1, 0.03, n_days)
            for place in range(n_series)
        ]
    )
    bounds = n_days * np.arange(n_series + 1)
    known = np.zeros((len(flat), 0))
    panel = Panel(flat, flat, bounds, np.full(n_series, end), calendar, (7,), known, is_floored=True)
    panel = with_holidays(panel, "DE-BY", HORIZON)
    return sold(panel, {0: 0.2, -1: 2.0})


def sold(panel: Panel, factors: dict[int, float]) -> Panel:
    marks = marked(panel.holidays, panel.calendar, steps_of(panel))
    factor = np.ones(len(panel.values))
    for offset, one in factors.items():
        factor = np.where(marks.is_touched & (marks.offset == offset), one, factor)
    return replace(panel, values=panel.values * factor, truth=panel.truth * factor)


def steps_at(calendar: Calendar, *moments: date | datetime) -> np.ndarray:
    return calendar.steps(pl.Series(list(moments)))


def test_days_are_marked_as_holidays_and_their_neighbours():
    panel = daily()
    days = steps_at(panel.calendar, *(date(2023, 12, one) for one in (23, 24, 25, 26, 27, 28)))

    marks = marked(panel.holidays, panel.calendar, days)

    assert marks.offset.tolist() == [0, -1, 0, 0, 1, 0]
    assert marks.is_touched.tolist() == [False, True, True, True, True, False]
    assert marks.is_free.tolist() == [True, True, False, False, False, False]


def test_hours_lie_on_their_day():
    panel = daily()
    calendar = Calendar.named("h")

    marks = marked(panel.holidays, calendar, steps_at(calendar, datetime(2023, 12, 25, 0), datetime(2023, 12, 26, 23)))

    assert marks.offset.tolist() == [0, 0]
    assert marks.hour.tolist() == [0, 23]


def test_the_day_before_a_monday_is_a_friday_where_only_weekdays_count():
    panel, calendar = daily(), Calendar.named("B")
    days = steps_at(calendar, date(2023, 12, 22), date(2023, 12, 25), date(2023, 12, 27))

    assert marked(panel.holidays, calendar, days).offset.tolist() == [-1, 0, 1]


@pytest.mark.parametrize(("first", "is_late"), [(date(2023, 12, 25), False), (date(2023, 12, 31), True)])
def test_a_week_holds_the_holidays_of_its_days(first, is_late):
    panel = daily()
    calendar = anchored(Calendar.named("W"), pl.Series([first]))
    holidays = replace(panel.holidays, is_late=is_late)

    assert marked(holidays, calendar, steps_at(calendar, first)).offset.tolist() == [0]


def test_months_have_working_days():
    panel, calendar = daily(), Calendar.named("M")

    found = working_days(panel.holidays, calendar, steps_at(calendar, date(2023, 12, 1), date(2023, 11, 1)))

    assert found.tolist() == [19, 21]


def test_holidays_are_taken_out_of_the_past_and_put_on_the_forecast():
    panel = daily()

    found = ordinary(panel, HORIZON)

    ahead = panel.calendar.times(panel.last[0] + np.arange(1, HORIZON + 1)).to_list()
    factor = dict(zip(ahead, found.factor[0], strict=True))
    holidays = replace(panel.holidays, offsets=(-1, 0))
    beside = dict(zip(ahead, ordinary(replace(panel, holidays=holidays), HORIZON).factor[0], strict=True))
    assert factor[date(2023, 12, 25)] == pytest.approx(0.2, abs=0.1)
    assert factor[date(2023, 12, 24)] == factor[date(2023, 12, 28)] == 1
    assert beside[date(2023, 12, 24)] == pytest.approx(2, abs=0.3)
    places = past_of(panel, panel.holidays).place
    usual = WEEK[steps_of(panel)[places] % 7]
    on_it = past_of(panel, panel.holidays).marks.offset == 0
    assert np.abs(found.panel.values[places] / usual - 1)[on_it].mean() < 0.15


def test_nothing_is_known_of_what_came_after_an_origin():
    panel = daily(date(2023, 12, 31))
    changed = panel.values.copy()
    changed[-40:] *= 7

    before, after = (
        ordinary(replace(panel, values=one, truth=one), HORIZON, n_back=40) for one in (panel.values, changed)
    )

    np.testing.assert_array_equal(before.factor, after.factor)
    np.testing.assert_array_equal(before.panel.values[:-40], after.panel.values[:-40])


def test_a_panel_without_a_country_stays_as_it_is():
    panel = replace(daily(), holidays=None)

    found = ordinary(panel, HORIZON)

    assert found.panel is panel
    assert (found.factor == 1).all()


def test_a_series_has_an_effect_of_its_own_where_it_has_seen_enough():
    panel = daily(n_series=3)
    values = panel.values.copy()
    last = slice(panel.bounds[2], panel.bounds[3])
    touched = marked(panel.holidays, panel.calendar, steps_of(panel)[last])
    values[last] *= np.where(touched.is_touched & (touched.offset == 0), 4.0, 1.0)  # 0.8 instead of 0.2

    factor = ordinary(replace(panel, values=values, truth=values), HORIZON).factor

    christmas = 24  # 2023-12-25
    assert factor[0, christmas] < 0.4 < 0.55 < factor[2, christmas]


def test_holidays_are_kept_with_the_neighbours_that_matter():
    found = reckoned(daily(n_series=2), HORIZON)

    assert found.is_used
    assert found.panel.holidays.offsets == (-1, 0)
    assert found.after < 0.5 * found.before
    christmas = next(one for one in found.each if one.name == "Christmas Day")
    assert christmas.n_seen == 3
    assert christmas.effect == pytest.approx(-0.8, abs=0.05)
    assert [date.fromordinal(719163 + one) for one in christmas.ahead] == [date(2023, 12, 25)]


def test_holidays_that_do_nothing_are_not_kept():
    panel = daily(n_series=2)
    plain = np.concatenate([(place + 1) * WEEK[steps_of(panel)[:1200] % 7] for place in range(2)])
    plain = plain * np.random.default_rng(5).normal(1, 0.1, len(plain))

    found = reckoned(replace(panel, values=plain, truth=plain), HORIZON)

    assert not found.is_used
    assert found.panel.holidays is None
    assert "by chance" in found.sentence or "chance" in found.sentence


def test_a_short_past_or_values_below_zero_say_nothing_of_holidays():
    short = daily(n_days=20, last=date(2023, 9, 30))
    below = daily()

    found = [reckoned(short, HORIZON), reckoned(replace(below, values=below.values - 15, is_floored=False), HORIZON)]

    assert [one.is_used for one in found] == [False, False]
    assert "only 0 holidays" in found[0].sentence
    assert "below 0" in found[1].sentence


def test_a_gain_is_clear_only_beyond_its_standard_error():
    assert is_clear(np.array([0.2, 0.3, 0.1]))
    assert not is_clear(np.array([1.0, -0.9, 0.2, -0.3]))
    assert not is_clear(np.array([5.0]))


def test_months_are_compared_by_working_days_only_where_that_is_better():
    calendar, chance = Calendar.named("M"), np.random.default_rng(0)
    last = calendar.steps(pl.Series([date(2023, 12, 1)]))
    flat, bounds = np.ones(96), np.array([0, 96])
    panel = Panel(flat, flat, bounds, last, calendar, (12,), np.zeros((96, 0)), is_floored=True)
    panel = with_holidays(panel, "DE-BY", 12)
    days = working_days(panel.holidays, calendar, steps_of(panel))
    noise = chance.normal(1, 0.01, 96)

    with_them, without = (
        reckoned(replace(panel, values=one, truth=one), 12) for one in (50 * days * noise, 1000 * noise)
    )

    assert with_them.is_used
    assert not without.is_used
    plain = ordinary(with_them.panel, 12)
    assert plain.panel.values.std() / plain.panel.values.mean() < 0.02
    np.testing.assert_allclose(plain.factor[0] * 21, working_days(panel.holidays, calendar, last + np.arange(1, 13)))


def test_quarters_are_left_to_their_season():
    panel = daily()
    quarters = replace(panel, calendar=Calendar.named("Q"))

    found = reckoned(quarters, 8)

    assert not found.is_used
    assert "seasons" in found.sentence
