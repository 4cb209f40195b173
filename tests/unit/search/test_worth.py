"""Whether a search has brought more than a first, quick model."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.executor import LATE
from mantic.core.metric import METRICS
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Target
from mantic.search.plan import Scored
from mantic.search.quick import FIRST
from mantic.search.refit import REFIT, recipe
from mantic.search.trial import Candidate, Material, Part, TrialResult
from mantic.search.worth import is_worth_it
from mantic.tasks import walk

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=1000)
ROWS = np.arange(800)
FOLDS = tuple((np.delete(ROWS, ROWS[fold::4]), ROWS[fold::4]) for fold in range(4))


class First:
    """Answers with the truth and some noise; remembers how many rows it was asked about."""

    def __init__(self, noise):
        self.noise, self.asked = noise, []

    def predict(self, frame):
        rows = frame["row"].to_numpy()
        self.asked.append(rows)
        return TRUTH[rows] + RNG.normal(0, self.noise, len(rows))


def found(noise, folds):
    """Return a request and the recipe of a search that was so far off on the rows of some folds."""
    frame = pl.DataFrame({"row": np.arange(1000)})
    parts = (Part(ROWS, np.arange(800, 1000), FOLDS),)
    material = Material(Schema((Column("row", Kind.NUMBER),)), frame, Target(TRUTH), parts)
    rows = np.concatenate([FOLDS[fold][1] for fold in folds])
    result = TrialResult(rows, TRUTH[rows] + RNG.normal(0, noise, len(rows)), 1.0, 0.0)
    scored = [Scored(Candidate("boosting", {}, 0), {0: result}, noise, noise)]
    request = SimpleNamespace(material=material, metric=METRICS.get("rmse"), searched=(0,), seed=0)
    return request, recipe(SimpleNamespace(request=request, eligible=scored), 0)


@pytest.mark.parametrize("folds", [(3,), (3, 2, 1, 0)])
@pytest.mark.parametrize(
    ("of_search", "of_first", "is_worth"), [(0.1, 0.5, True), (0.5, 0.1, False), (0.13, 0.1, True)]
)
def test_the_better_one_on_the_rows_that_neither_has_seen(folds, of_search, of_first, is_worth):
    request, own = found(of_search, folds)
    first = First(of_first)

    assert is_worth_it(request, [own], {0: first}) == is_worth
    assert sorted(first.asked[0]) == sorted(FOLDS[3][1])  # its last fold is the one that a quick model has not seen


def test_without_a_first_model_a_search_is_worth_it():
    request, own = found(9.0, (3,))

    assert is_worth_it(request, [own], {})


def test_a_fit_keeps_its_first_model_where_that_is_better(monkeypatch, churn_like):
    monkeypatch.setattr(walk, "is_worth_it", lambda request, recipes, first: False)

    model = mantic.Classifier(budget="5s").fit(churn_like, "churned")

    warnings = {one["code"]: one["text"] for one in model.report_.facts["warnings"]}
    assert warnings["no_search"].endswith(": this is a first, quick model")
    assert 1 <= len(model.model_.parts) <= len(FIRST)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gave_way": True}, "none of the 3 that were tried in this time is clearly better"),
        ({}, "there was too little time for a search"),
        ({"gave_way": True, "interrupted": True}, "it was stopped before a search found better"),
        ({"eligible": []}, "what was tried failed (svm: ValueError: no)"),
        ({"failed": [LATE.reason, REFIT + LATE.reason]}, "there was too little time for a search"),
        ({"failed": [REFIT + LATE.reason, "refit: ValueError: odd"]}, "what was tried failed (svm: ValueError: odd)"),
    ],
)
def test_why_a_search_brought_no_model(changed, said):
    facts = {"gave_way": False, "interrupted": False, "eligible": [1, 2, 3], "failed": ["ValueError: no"]} | changed
    failed = [(Candidate("svm", {}, 0), why) for why in facts["failed"]]
    sought = SimpleNamespace(**facts, search=SimpleNamespace(eligible=facts["eligible"], failed=failed))

    assert walk._why_none(sought) == said


def test_a_search_counted_in_trials_says_why_it_brought_no_model(churn_like):
    model = mantic.Classifier(budget="2 trials", learners=["svm"], params={"svm.C": -1.0}).fit(churn_like, "churned")

    warnings = {one["code"]: one["text"] for one in model.report_.facts["warnings"]}
    assert warnings["no_search"].startswith("what was tried failed (svm: ")
    assert warnings["no_search"].endswith("this always says the same")
