"""From a search to its record, and what a repeated search is told."""

import numpy as np
import polars as pl

from mantic.core.budget import Budget, Deadline
from mantic.core.executor import Held
from mantic.core.metric import METRICS
from mantic.core.run import Run
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Target
from mantic.search.again import record_of
from mantic.search.plan import Request, Search
from mantic.search.record import Record
from mantic.search.trial import Candidate, Material, Part, TrialResult

TRUTH = np.random.default_rng(0).normal(size=300)
HALVES = (np.arange(150), np.arange(150, 300))
RATES = {(7, 0): {"learning_rate": 0.2}, (7, 1): {"learning_rate": 0.1}}


class Worker:
    """Says something of every row, and keeps what it was asked."""

    workers = 1

    def __init__(self):
        self.asked = []

    def share(self, material):
        return Held(material)

    def run(self, function, jobs):
        for job in jobs:
            self.asked.append(job)
            rows = np.concatenate([folds_of(HALVES[job.part])[fold][1] for fold in job.folds])
            yield job, TrialResult(rows, TRUTH[rows] / 2, 1.0, 0.0)


def folds_of(rows):
    return tuple((np.delete(rows, np.s_[fold::3]), rows[fold::3]) for fold in range(3))


def record():
    candidates = (Candidate("boosting", {"num_leaves": 9}, 7), Candidate("linear", {}, 8))
    return Record(candidates, (0.5, 0.4), (False, False), False, ((7, 0),), ((7, 0), (8, 1)), RATES)


def test_a_record_says_again_what_was_written():
    assert Record.from_json(record().to_json()) == record()


def test_a_record_from_before_hurry_is_read():
    text = record().to_json().replace('"hurried"', '"something"')

    assert Record.from_json(text).hurried == {}


def test_each_part_goes_again_as_fast_as_it_went_and_that_is_put_down_again():
    parts = tuple(Part(rows, other, folds_of(rows)) for rows, other in zip(HALVES, HALVES[::-1], strict=True))
    frame = pl.DataFrame({"a": TRUTH})
    material = Material(Schema((Column("a", Kind.NUMBER),)), frame, Target(TRUTH), parts)
    worker = Worker()
    search = Search(Request(material, METRICS.get("rmse"), Budget(), Deadline()), worker, Run())

    search.repeat(record())

    told = {(job.candidate.number, job.part): job.known for job in worker.asked}
    assert told == RATES | {(8, 0): {}, (8, 1): {}}
    again = record_of(search, [], {}, before=record())
    assert again.hurried == RATES
    assert again.candidates == record().candidates
