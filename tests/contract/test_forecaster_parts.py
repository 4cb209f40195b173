"""What the Forecaster promises where rows are finer than steps: a step counts when all of it is there."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import mantic

START, JULY = date(2022, 1, 1), date(2024, 7, 1)


def daily(first: date, n_days: int) -> pl.DataFrame:
    days = [first + timedelta(days=place) for place in range(n_days)]
    return pl.DataFrame({"day": days, "sold": [4 + (day.toordinal() % 5) for day in days]})


def until(last: date, first: date = START) -> pl.DataFrame:
    return daily(first, (last - first).days + 1)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    model = mantic.Forecaster(3, budget="1 trial", freq="M").fit(until(date(2024, 6, 30)), time="day", target="sold")
    return str(model.save(tmp_path_factory.mktemp("parts") / "months.mantic"))


def test_ten_days_of_july_are_no_july_and_all_of_it_is_taken_later(saved):
    model = mantic.load(saved)
    before = model.predict()

    model.update(daily(JULY, 10))

    assert model.predict().equals(before)
    assert "rows end on 2024-07-10, in the midst of a step" in str(model.run_.warnings)
    model.update(daily(JULY, 41))
    assert model.told_.panel.truth[-1] == daily(JULY, 31)["sold"].sum()
    assert model.predict()["day"][0] == date(2024, 8, 1)
    model.update(daily(date(2024, 8, 1), 31))
    assert model.told_.panel.truth[-1] == daily(date(2024, 8, 1), 31)["sold"].sum()


def test_the_rest_of_july_alone_is_none_either(saved):
    model = mantic.load(saved)

    model.update(daily(date(2024, 7, 11), 21))

    assert model.predict()["day"][0] == JULY
    assert "rows begin on 2024-07-11" in str(model.run_.warnings)


def test_a_forecast_is_judged_by_whole_steps(saved):
    report = mantic.load(saved).evaluate(daily(JULY, 41))

    assert report.facts["n_test"] == 1


def test_a_file_of_before_takes_what_comes(saved):
    model = mantic.load(saved)
    model.told_ = replace(model.told_, panel=replace(model.told_.panel, quiet=()))

    model.update(daily(JULY, 10))

    assert model.told_.panel.truth[-1] == daily(JULY, 10)["sold"].sum()
    assert np.isfinite(model.told_.panel.truth).all()
