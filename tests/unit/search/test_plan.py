"""What a search begins, and what it does not begin twice."""

from collections import deque

import numpy as np
import polars as pl
import pytest

from mantic.core.budget import Budget, Deadline
from mantic.core.executor import Held
from mantic.core.journal import Journal
from mantic.core.metric import METRICS
from mantic.core.run import Run
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Target
from mantic.search.plan import Request, Search
from mantic.search.trial import Material, Part, TrialResult

TRUTH = np.random.default_rng(0).normal(size=1000)
ROWS = np.arange(800)
FOLDS = tuple((np.delete(ROWS, ROWS[fold::5]), ROWS[fold::5]) for fold in range(5))


class Workers:
    """Three workers that say every fit took nine seconds; a job ends when a third one has been begun after it."""

    workers = 3

    def share(self, material):
        return Held(material)

    def run(self, function, jobs):
        under_way = deque()
        for job in jobs:
            under_way.append(job)
            if len(under_way) == self.workers:
                yield self.done(under_way.popleft())
        while under_way:
            yield self.done(under_way.popleft())

    def done(self, job):
        rows = np.concatenate([FOLDS[fold][1] for fold in job.folds])
        noise = np.random.default_rng(job.candidate.number).normal(size=len(rows))
        return job, TrialResult(rows, TRUTH[rows] + noise, 9.0 * len(job.folds), 0.0, members=("kept",))


class Backward(Workers):
    """Of all that was begun the last ends first."""

    def run(self, function, jobs):
        yield from [self.done(job) for job in jobs][::-1]


class Killed(Workers):
    """Ends with the machine's power after so many jobs, the last ones of which ended out of order."""

    def __init__(self, n_jobs):
        self.left = n_jobs

    def run(self, function, jobs):
        for one in [self.done(job) for job in jobs][::-1]:
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            yield one


def searched(workers, budget, deadline, learners=None, run=None):
    schema = Schema((Column("a", Kind.NUMBER),))
    parts = (Part(ROWS, np.arange(800, 1000), FOLDS), Part(np.arange(1000), np.arange(0), ()))
    material = Material(schema, pl.DataFrame({"a": TRUTH}), Target(TRUTH), parts)
    request = Request(material, METRICS.get("rmse"), budget, deadline, learners=learners)
    search = Search(request, workers, run or Run())
    search.go()
    return search


def test_what_is_under_way_when_one_fold_must_do_is_not_begun_again():
    search = searched(Workers(), Budget(60.0), Deadline.after(60))

    numbers = [one.candidate.number for one in search.scored]
    assert search.one_fold
    assert len(numbers) > 5
    assert sorted(set(numbers)) == sorted(numbers)


@pytest.mark.parametrize(
    ("trials", "learners", "tried"),
    [
        (2, ("boosting",), ["boosting", "linear"]),
        (1, ("boosting",), ["boosting", "linear"]),
        (4, ("boosting",), ["boosting", "boosting", "boosting", "linear"]),
        (1, ("forest", "boosting", "knn"), ["boosting", "forest", "knn", "linear"]),
        (3, ("linear", "boosting"), ["boosting", "boosting", "linear"]),
        (3, None, ["boosting", "forest", "linear"]),
    ],
)
def test_a_budget_in_trials_tries_no_more_than_each_named_learner_and_the_reference(trials, learners, tried):
    search = searched(Workers(), Budget(trials=trials), Deadline(), learners)

    assert sorted(one.candidate.learner for one in search.scored) == tried
    assert search.reference is not None


def tried(search):
    return [(one.candidate.number, one.candidate.learner, one.candidate.params) for one in search.scored]


def test_which_worker_is_faster_does_not_change_what_is_tried():
    budget, deadline = Budget(trials=60), Deadline()
    usual = tried(searched(Workers(), budget, deadline))

    assert len(usual) > 20
    assert tried(searched(Backward(), budget, deadline)) == usual


@pytest.mark.parametrize("n_jobs", [1, 5, 11, 23, 30])
def test_a_search_that_was_killed_tries_what_it_would_have_tried(tmp_path, n_jobs):
    budget, deadline = Budget(trials=60), Deadline()
    usual = tried(searched(Workers(), budget, deadline))
    with Journal(tmp_path / "trials") as journal, pytest.raises(KeyboardInterrupt):
        searched(Killed(n_jobs), budget, deadline, run=Run(journal=journal))
    with Journal(tmp_path / "trials") as journal:
        again = searched(Workers(), budget, deadline, run=Run(journal=journal))

    assert tried(again) == usual
