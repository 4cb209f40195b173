"""An update asks the methods that have weight again."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.method import METHODS, About, Local, everywhere
from mantic.core.run import Run
from mantic.search.series.foretell import renewed


@pytest.fixture
def mine():
    """Enter a method of a plug-in: it says 5."""
    about = About("mine", everywhere, (), "a test", "nothing")
    METHODS.add("mine", Local(about, lambda panel, horizon: np.full((len(panel), horizon), 5.0)))
    yield "mine"
    del METHODS._found["mine"]


@dataclass(frozen=True)
class Counting(Local):
    """A pooled method that says from how many series it has learned."""

    def learn(self, panel, horizon, run):
        n_series = len(panel)
        return replace(self, function=lambda panel, horizon: np.full((len(panel), horizon), float(n_series)))


@pytest.fixture
def pooled():
    """Enter a pooled method of a plug-in."""
    about = About("pooled", everywhere, (), "a test", "nothing", is_pooled=True)
    METHODS.add("pooled", Counting(about, None))
    yield "pooled"
    del METHODS._found["pooled"]


def test_a_method_of_a_plug_in_is_asked_too(mine):
    days = pl.date_range(date(2024, 1, 1), date(2024, 3, 1), eager=True)
    frame = pl.DataFrame({"day": days, "sold": [20 + 5 * (day.weekday() > 4) for day in days]})
    told = mantic.Forecaster(7, budget="1 trial").fit(frame, time="day", target="sold").told_
    own = replace(told.mixture, names=("naive", mine), weights=np.array([[0.0, 1.0]]), is_median=False)

    voices, forecast = renewed(told.panel, replace(told, mixture=own), Run())

    assert (voices[1] == 5).all()
    assert (forecast == 5).all()


def test_a_pooled_method_learns_once_from_all_series(pooled):
    n_series, days = 1_200, pl.date_range(date(2024, 1, 1), date(2024, 1, 21), eager=True)
    frame = pl.DataFrame({"day": days}).join(pl.DataFrame({"shop": range(n_series)}), how="cross")
    frame = frame.with_columns(sold=10.0 + pl.col("day").dt.weekday() + pl.col("shop") % 7)
    made = mantic.Forecaster(7, budget="1 trial").fit(frame, time="day", target="sold", series="shop")
    own = replace(made.told_.mixture, names=("naive", pooled), weights=np.tile([0.0, 1.0], (n_series, 1)))

    voices, _ = renewed(made.told_.panel, replace(made.told_, mixture=own), Run())

    assert (voices[1] == n_series).all()
