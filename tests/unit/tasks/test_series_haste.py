"""A forecast on a machine so slow that nothing more would end in time: simpler, and it says so."""

from datetime import date

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.search.series import foretell
from mantic.search.series.backtest import FREE, Menu, backtest
from mantic.search.series.clock import Clock
from mantic.search.series.finish import Finish
from mantic.tasks import series_walk

MONTHS = pl.date_range(date(2015, 1, 1), date(2019, 12, 1), "1mo", eager=True)
ASKED = {"time": "month", "target": "sold", "series": "item"}
SIMPLER = {"equal_weights", "no_ranges"}


def sales(n_series: int = 20, *, is_rare: bool = False) -> pl.DataFrame:
    chance = np.random.default_rng(0)
    step = np.arange(len(MONTHS))
    values = 50 + 20 * np.sin(step * np.pi / 6) + chance.normal(0, 5, (n_series, len(step)))
    sold = chance.poisson(0.4, values.shape) if is_rare else values
    items = np.repeat([f"item {number}" for number in range(n_series)], len(step))
    return pl.DataFrame({"item": items, "month": pl.concat([MONTHS] * n_series), "sold": sold.ravel()})


def fitted(**more) -> mantic.Forecaster:
    return mantic.Forecaster(12, budget="60s").fit(sales(**more), **ASKED)


def codes(model: mantic.Forecaster) -> set[str]:
    return {one["code"] for one in model.report_.facts["warnings"]}


@pytest.fixture
def stuck(monkeypatch):
    monkeypatch.setattr(Clock, "slowdown", lambda clock: 1e6)


def test_the_least_is_seasonal_naive_with_its_intervals_and_a_short_report(stuck, monkeypatch):
    for name in ("mixture", "rare"):
        monkeypatch.setattr(foretell, name, None)  # it is not called

    model = fitted()

    assert codes(model) >= SIMPLER
    assert model.told_.mixture.names == ("seasonal_naive",)
    outcomes = {one["name"]: one["outcome"] for one in model.report_.facts["learners"]}
    assert [name for name, outcome in outcomes.items() if outcome == "used"] == ["seasonal_naive"]
    assert outcomes["quick_theta"] == "no time"
    assert model.report_.facts["metrics"]["owa"] == pytest.approx(1.0)
    assert model.report_.facts["interval"] == [None, None]
    table = model.predict()
    assert np.isfinite(table.select("mean", "median", "q0.025", "q0.975").to_numpy()).all()
    assert (table["q0.975"] > table["q0.025"]).all()


def test_series_that_are_mostly_zero_are_not_looked_at_by_themselves(stuck, monkeypatch):
    monkeypatch.setattr(foretell, "rare", None)
    monkeypatch.setattr(foretell, "usual_rare", None)

    model = fitted(is_rare=True)

    assert "rare_series" in codes(model)
    assert model.told_.rare is None


def test_where_there_is_time_nothing_is_left_out():
    model = mantic.Forecaster(12, budget="1 trials").fit(sales(), **ASKED)

    assert not codes(model) & SIMPLER
    assert model.report_.facts["metrics"]["owa"] < 1


@pytest.mark.parametrize(("parts", "expected"), [(("least",), {"equal_weights"}), (("least", "learned"), set())])
def test_weights_become_equal_where_there_is_no_time_to_learn_them(parts, expected, monkeypatch):
    allowed = []

    def allows(clock: Clock, seconds: float) -> bool:
        cost = Finish.of(20, 3, 12, n_methods=len(allowed[0]))
        return seconds <= sum(getattr(cost, part) for part in parts) + 1e-9

    def tried(*args, **more):
        found = backtest(*args, **more | {"menu": Menu(names=FREE)})
        allowed.append(found.names)
        return found

    monkeypatch.setattr(foretell, "backtest", tried)
    monkeypatch.setattr(Clock, "allows", allows)

    model = fitted()

    assert codes(model) & {"equal_weights"} == expected
    assert model.told_.mixture.level in ("equal", "reference") or not expected
    assert model.told_.spread.n_errors > 0


def test_how_long_a_pretrained_model_takes_to_be_fetched_says_nothing_about_the_pace(monkeypatch):
    came = []

    class Watched(Clock):
        def __init__(self, deadline):
            came.append("the clock starts")
            super().__init__(deadline)

    monkeypatch.setattr(series_walk, "Clock", Watched)
    monkeypatch.setattr(series_walk, "brought", lambda source, run: came.append("the model is there"))

    mantic.Forecaster(12, budget="1 trial").fit(sales(2), **ASKED)

    assert came == ["the model is there", "the clock starts"]
