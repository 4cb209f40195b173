"""One trial: the only code of a search that a worker runs."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from mantic.core.budget import Deadline
from mantic.core.executor import Held, Shared
from mantic.core.learner import LEARNERS, Params
from mantic.core.run import Run
from mantic.core.schema import Schema
from mantic.core.table import Array, Layout, Table, Target
from mantic.features.encode import Encoder
from mantic.search.member import Member
from mantic.search.split import Fold


@dataclass(frozen=True)
class Part:
    """A part of the rows with which a search is made: learn on `rows` (by `folds` inside), be judged on `held_out`.

    A rehearsal only shows how the score of the same recipe moved from period to period; it has no folds.
    """

    rows: Array
    held_out: Array
    folds: tuple[Fold, ...]
    is_rehearsal: bool = False

    @property
    def whole(self) -> Fold:
        """Return the fold that learns from all its rows and is judged on what is held out."""
        return self.rows, self.held_out


@dataclass(frozen=True)
class Material:
    """What all trials share: the aligned frame, the target, and the parts."""

    schema: Schema
    frame: pl.DataFrame
    target: Target
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Candidate:
    """A learner with its parameters; `number` is its place in the search and seeds its chance.

    `cost` says how many times longer it takes than the learner with its defaults.
    """

    learner: str
    params: Params
    number: int
    cost: float = 1.0


WHOLE = -1  # as a fold: learn from all rows of the part


@dataclass(frozen=True)
class TrialJob:
    """Fit a candidate on some folds of one part, within `seconds`.

    `keep` asks for the fitted members (large: only where they are needed); `extra` are parameters of this job alone,
    and `known` is what a fit on another fold has found already.
    """

    candidate: Candidate
    part: int
    folds: tuple[int, ...]
    seed: int
    seconds: float
    material: Shared | Held
    threads: int = 1
    keep: bool = False
    extra: Params = field(default_factory=dict)
    known: Params = field(default_factory=dict)


@dataclass(frozen=True)
class TrialResult:
    """What a candidate said about rows it had not seen.

    Parameters
    ----------
    rows, guess : positions, and probabilities (n, n_classes) or values (n,) for them.
    fit_seconds, guess_seconds : of all folds together.
    found : parameters that the learner found itself, for instance the number of rounds.
    hurried : parameters that the learner changed, to be done in time.
    is_cut : whether a learner was stopped by its deadline before it was done.
    members : fitted, one per fold, if they were to be kept.
    """

    rows: Array
    guess: Array
    fit_seconds: float
    guess_seconds: float
    found: Params = field(default_factory=dict)
    hurried: Params = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    is_cut: bool = False


def run_trial(job: TrialJob) -> TrialResult:
    """Fit and ask a candidate, fold by fold.

    Raises
    ------
    Whatever the learner raises; the executor turns that into a `Failure`.
    """
    deadline = Deadline.after(job.seconds)
    material: Material = job.material.open()
    done: list[TrialResult] = []
    for fold in job.folds:  # what the first fold found (rounds, say) holds for the others: they need not look again
        known = done[0].found if done else job.known
        done.append(_one_fold(job, material, fold, deadline=deadline, known=known))
    return TrialResult(
        rows=np.concatenate([one.rows for one in done]),
        guess=np.concatenate([one.guess for one in done]),
        fit_seconds=sum(one.fit_seconds for one in done),
        guess_seconds=sum(one.guess_seconds for one in done),
        found=done[0].found,
        hurried=done[0].hurried,
        members=tuple(member for one in done for member in one.members),
        is_cut=any(one.is_cut for one in done),
    )


def _one_fold(job: TrialJob, material: Material, fold: int, *, deadline: Deadline, known: Params) -> TrialResult:
    part = material.parts[job.part]
    learn, judge = part.whole if fold == WHOLE else part.folds[fold]
    kind = LEARNERS.get(job.candidate.learner)
    encoded = _encode(material, (job.part, fold), (learn, judge), layout=kind.layout, seed=job.seed)
    started = time.perf_counter()
    share = 1 / (len(job.folds) - job.folds.index(fold))  # of what is left, for this fold
    run = Run(
        seed=job.seed + job.candidate.number, threads=job.threads, deadline=Deadline.after(deadline.left() * share)
    )
    fitted = kind().fit(encoded.table, material.target.rows(learn), job.extra | job.candidate.params | known, run)
    fit_seconds = time.perf_counter() - started
    is_cut = run.deadline.passed
    guess = fitted.predict(encoded.judged) if len(judge) else np.empty((0, *_shape(material.target)))
    return TrialResult(
        rows=judge,
        guess=guess,
        fit_seconds=encoded.seconds + fit_seconds,
        guess_seconds=time.perf_counter() - started - fit_seconds,
        found=dict(getattr(fitted, "found_", {})),
        hurried=dict(getattr(fitted, "hurried_", {})),
        members=(Member(encoded.encoder, fitted),) if job.keep else (),
        is_cut=is_cut,
    )


def _shape(target: Target) -> tuple[int, ...]:
    return (target.n_classes,) if target.is_classes else ()


@dataclass(frozen=True)
class _Encoded:
    material: Material  # while it is kept, no other has its id
    encoder: Encoder
    table: Table
    judged: Table
    seconds: float


# A worker meets the same fold with many learners: encoding it once per layout saves most of the work.
_encoded: "OrderedDict[tuple[Any, ...], _Encoded]" = OrderedDict()
_MOST_CELLS = 12_000_000  # of all tables kept: about 100 MB


def _encode(material: Material, key: tuple[int, int], fold: Fold, *, layout: Layout, seed: int) -> _Encoded:
    full_key = (id(material), *key, layout, seed)
    if full_key in _encoded:
        _encoded.move_to_end(full_key)
        return _encoded[full_key]
    started = time.perf_counter()
    learn, judge = fold
    encoder = Encoder(material.schema, layout, seed=seed)
    table = encoder.fit_transform(material.frame[learn], material.target.rows(learn))
    judged = encoder.transform(material.frame[judge])
    _encoded[full_key] = _Encoded(material, encoder, table, judged, time.perf_counter() - started)
    while len(_encoded) > 1 and sum(_cells(one.table) + _cells(one.judged) for one in _encoded.values()) > _MOST_CELLS:
        _encoded.popitem(last=False)
    return _encoded[full_key]


def _cells(table: Table) -> int:
    return int(table.numbers.size) + (0 if table.words is None else 2 * int(table.words.nnz))


def forget() -> None:
    """Drop the encoded tables of this process (they belong to one search)."""
    _encoded.clear()
