"""A first model is made of the learners that did not fail; without any, the search goes on without one."""

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.budget import Budget, Deadline
from mantic.core.metric import METRICS
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Target
from mantic.search.plan import Request
from mantic.search.quick import quick
from mantic.search.trial import Material, Part
from mantic.tasks import walk

VALUES = np.random.default_rng(0).normal(size=100)
FOLD = (np.arange(60), np.arange(60, 80))
PART = Part(np.arange(80), np.arange(80, 100), (FOLD,))
FAILS = {"no_such_parameter": 1}


@pytest.fixture
def request_():
    schema = Schema((Column("a", Kind.NUMBER),))
    material = Material(schema, pl.DataFrame({"a": VALUES}), Target(VALUES), (PART,))
    return Request(material, METRICS.get("rmse"), Budget(60.0), Deadline.after(60))


def test_a_learner_that_fails_is_left_out_of_the_first_model(request_):
    model = quick(request_, PART, {"tree": FAILS, "linear": {}}, seconds=5)

    assert [part.member.learner.name for part in model.parts] == ["linear"]
    assert np.isfinite(model.predict(request_.material.frame)).all()


def test_there_is_no_first_model_where_all_fail(request_):
    assert quick(request_, PART, {"tree": FAILS}, seconds=5) is None


def test_a_fit_goes_on_without_a_first_model(monkeypatch):
    monkeypatch.setattr(walk, "quick", lambda request, part, learners, *, seconds: None)
    frame = pl.DataFrame({"a": VALUES, "y": 2 * VALUES})

    model = mantic.Regressor(budget="5s", learners=["tree"]).fit(frame, "y")

    assert {part.member.learner.name for part in model.model_.parts} == {"tree"}
