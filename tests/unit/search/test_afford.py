"""What there is time to fit again."""

from types import SimpleNamespace

import numpy as np
import pytest

from mantic.core.budget import Deadline
from mantic.core.metric import METRICS
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Target
from mantic.search.afford import affordable
from mantic.search.plan import Scored
from mantic.search.refit import recipe
from mantic.search.trial import Candidate, Material, Part, TrialResult

RNG = np.random.default_rng(0)
ROWS = np.arange(1000)
TRUTH = RNG.normal(size=1250)
INNER = (ROWS[:800], ROWS[800:])
LOCKED = Part(ROWS, np.arange(1000, 1250), (INNER,))
WHOLE = Part(np.arange(1250), np.arange(0), ())


def searched(seconds, *, one_fold):
    """Return a search of candidates that all add to the blend and took so many seconds."""
    material = Material(Schema((Column("a", Kind.NUMBER),)), None, Target(TRUTH), (LOCKED, WHOLE))
    scored = []
    for number, took in enumerate(seconds):
        guess = TRUTH[INNER[1]] + RNG.normal(0, 0.5, 200)
        result = TrialResult(INNER[1], guess, took, 0.0, members=("kept",) if one_fold else ())
        scored.append(Scored(Candidate("boosting", {}, number), {0: result}, 0.5, 0.5 + number / 100))
    request = SimpleNamespace(material=material, metric=METRICS.get("rmse"), searched=(0,), seed=0)
    return SimpleNamespace(
        request=request, scored=scored, eligible=scored, reference=None, one_fold=one_fold,
        executor=SimpleNamespace(workers=2),
    )  # fmt: skip


def planned(search, seconds):
    return affordable(search, [recipe(search, 0)], Deadline.after(seconds))


def numbers(recipes):
    return {one.candidate.number for one in recipes[0].chosen}


@pytest.mark.parametrize("seconds", [30, float("inf")])
def test_with_time_every_member_is_fitted_again_for_both_parts(seconds):
    recipes, jobs = planned(searched([1.0, 1.0, 1.0], one_fold=False), seconds)

    assert jobs == {(number, part) for number in (0, 1, 2) for part in (0, 1)}
    assert numbers(recipes) == {0, 1, 2}


def test_what_is_too_dear_is_left_out_and_the_others_are_weighted_anew():
    recipes, jobs = planned(searched([1.0, 60.0, 1.0], one_fold=False), 10)

    assert numbers(recipes) == {0, 2}
    assert sum(recipes[0].weights) == pytest.approx(1.0)
    assert jobs == {(0, 0), (2, 0), (0, 1), (2, 1)}


def test_what_is_judged_is_kept_where_there_is_no_time_for_models_of_all_rows_too():
    recipes, jobs = planned(searched([5.0, 5.0], one_fold=True), 10)

    assert numbers(recipes) == {0, 1}
    assert jobs == {(0, 0), (1, 0)}


def test_where_nothing_can_be_done_in_time_there_is_still_a_recipe():
    recipes, jobs = planned(searched([100.0, 100.0], one_fold=False), 1)

    assert numbers(recipes)
    assert jobs
