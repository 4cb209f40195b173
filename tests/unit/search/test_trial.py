"""Encoded tables belong to one search: no other is given them, and they do not outlive it."""

import weakref

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.executor import Held
from mantic.core.run import Measured, Run
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Target
from mantic.search import trial
from mantic.search.trial import Candidate, Material, Part, TrialJob, forget, run_trial

VALUES = np.random.default_rng(0).normal(size=40)
PART = Part(np.arange(40), np.arange(0), ((np.arange(30), np.arange(30, 40)),))


def test_rows_stay_as_long_as_their_tables_so_that_no_others_are_taken_for_them():
    schema, frame = Schema((Column("a", Kind.NUMBER),)), pl.DataFrame({"a": VALUES})
    material = Material(schema, frame, Target(VALUES), (PART,))
    run_trial(TrialJob(Candidate("tree", {}, 0), 0, (0,), 0, float("inf"), Held(material)))
    known = weakref.ref(material)

    del material

    assert known() is not None
    forget()
    assert known() is None


def test_a_fit_that_ends_by_an_error_leaves_no_tables_behind():
    def stops(event):
        if isinstance(event, Measured) and event.name == "rmse":
            raise RuntimeError("no more")

    frame = pl.DataFrame({"a": VALUES, "y": 2 * VALUES})

    with pytest.raises(RuntimeError, match="no more"):
        mantic.Regressor(budget="1 trial").fit(frame, "y", run=Run(listeners=[stops]))

    assert not trial._encoded
