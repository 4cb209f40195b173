"""An update asks the methods that have weight again."""

from dataclasses import replace
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


def test_a_method_of_a_plug_in_is_asked_too(mine):
    days = pl.date_range(date(2024, 1, 1), date(2024, 3, 1), eager=True)
    frame = pl.DataFrame({"day": days, "sold": [20 + 5 * (day.weekday() > 4) for day in days]})
    told = mantic.Forecaster(7, budget="1 trial").fit(frame, time="day", target="sold").told_
    own = replace(told.mixture, names=("naive", mine), weights=np.array([[0.0, 1.0]]), is_median=False)

    voices, forecast = renewed(told.panel, replace(told, mixture=own), Run())

    assert (voices[1] == 5).all()
    assert (forecast == 5).all()
