"""A fit on a machine on which everything seems to take forty times as long, and nothing is compiled."""

from datetime import date, timedelta
from time import monotonic

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core import load
from mantic.core.budget import Pace
from mantic.tasks.choose import fitted

RNG = np.random.default_rng(0)
N_ROWS = 1600
FRAME = pl.DataFrame(
    {
        "day": [date(2024, 1, 1) + timedelta(days=row) for row in range(N_ROWS)],
        "a": RNG.normal(size=N_ROWS),
        "b": RNG.choice(["x", "y", "z"], size=N_ROWS),
    }
).with_columns(sold=2 * pl.col("a") + (pl.col("b") == "x") + pl.Series(RNG.normal(size=N_ROWS) / 10))


@pytest.fixture(autouse=True)
def slow(monkeypatch):
    monkeypatch.setattr(Pace, "slowdown", lambda pace: 40.0)
    monkeypatch.setattr(load, "_is_loaded", lambda name: False)
    monkeypatch.setattr(load, "is_cold", lambda: True)


def kept(model):
    return {part.member.learner.name for part in model.model_.parts}


def codes(model):
    return {one["code"] for one in model.report_.facts["warnings"]}


def test_keeps_a_plain_linear_model_and_says_that_nothing_was_searched():
    model = mantic.Regressor(budget="60s").fit(FRAME.drop("day"), "sold")

    assert kept(model) == {"linear"}
    assert codes(model) == {"no_search", "leaks_not_sought"}
    assert model.report_.facts["score"] < 0.2 < model.report_.facts["baseline"]["score"]


def test_reads_texts_where_there_is_nothing_else():
    frame = pl.DataFrame({"note": [f"a very {word} day indeed {row}" for row, word in enumerate(["good", "bad"] * 60)]})
    answer = pl.Series("answer", ["yes", "no"] * 60)

    model = mantic.Classifier(budget="60s").fit(frame.with_columns(answer), "answer", kinds={"note": "text"})

    assert kept(model) == {"linear"}
    assert model.report_.facts["metrics"]["accuracy"] > 0.9


def test_a_quick_model_is_judged_in_earlier_periods_too():
    model = mantic.Regressor(budget="60s").fit(FRAME, "sold", time="day")

    assert kept(model) == {"linear"}
    assert len(model.report_.facts["earlier"]) >= 1


def test_the_budget_of_one_call_counts_from_the_call():
    began = monotonic() - 1000

    model = fitted(FRAME.drop("day"), "sold", {"budget": "60s"}, task=None, drop=(), began=began)

    assert not kept(model)  # the time was gone before it began
    assert "no_search" in codes(model)
