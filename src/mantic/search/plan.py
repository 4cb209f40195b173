"""Plan a search under a budget: what runs next, for how long, and when to stop."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np

from mantic.core.budget import Budget, Deadline
from mantic.core.executor import Executor, Failure, Held, Here, Shared
from mantic.core.learner import LEARNERS, Params
from mantic.core.load import load_seconds
from mantic.core.metric import Metric
from mantic.core.run import Run
from mantic.core.schema import Kind
from mantic.search.memory import Finished, Memory
from mantic.search.portfolio import Entry, neighbours, portfolio
from mantic.search.race import Race
from mantic.search.record import Record
from mantic.search.trial import WHOLE, Candidate, Material, TrialJob, TrialResult, run_trial

REFERENCE = "linear"  # every search fits it, to hold the winner against something that anyone could have had
_WAVE = 8  # jobs between which leaders are named anew, where a search is counted in trials
_N_LIKELY = 8  # of the best: members of the blends will mostly be among them
FIT_OVERHEAD = 0.08  # seconds to encode, send and bring back, for every fit of a refit
_PATIENCE = 18  # neighbours in a row that bring nothing: the search has converged
_BRIEF = {"stopping": "once"}  # judged on one fold, a learner that stops by held-out rows need not be fitted twice
_N_PROBES = 2  # first candidates are timed on one fold, to see whether there is time for all folds
_LEAST_CANDIDATES = 8  # so many must be affordable with all folds, else one fold must do
_HERE = 4.0  # a trial in this process cannot be killed: so many times the quick model's time must be left
_STOPS = ("boosting", "linear")  # learners that end soon after their time
_TINY_CELLS = 3_000  # rows x columns: below, every learner ends soon
_LOAD_SHARE = 0.3  # of the time left may go into loading a learner's library
_AGAIN = 1.6  # what fitting on all rows takes, of a fit on one fold
_UNKNOWN_COST_SHARE = 0.15  # of the search time must be left to start a learner whose cost is not known yet


@dataclass(frozen=True)
class Request:
    """What a search is asked: the rows, the metric, the limits and the learners allowed."""

    material: Material
    metric: Metric
    budget: Budget
    deadline: Deadline  # of search and refit together; judging and the report come after it
    learners: tuple[str, ...] | None = None
    fixed: dict[str, Params] = field(default_factory=dict)
    seed: int = 0
    quick_seconds: float = 0.0  # what the quick first model took: nothing that fits on all rows takes less
    slowdown: float = 1.0  # how much longer things take here than on an idle machine

    @property
    def searched(self) -> tuple[int, ...]:
        """Return the parts with inner folds; the last is the one whose scores guide the search."""
        return tuple(number for number, part in enumerate(self.material.parts) if part.folds)

    @property
    def task(self) -> str:
        """Return the learners' word for the task."""
        return "classify" if self.material.target.is_classes else "regress"


@dataclass(frozen=True)
class Scored:
    """A candidate that was tried on every searched part; `score` is on the guiding part."""

    candidate: Candidate
    results: dict[int, TrialResult]
    score: float
    loss: float

    @property
    def seconds(self) -> float:
        """Return the time that all its fits took."""
        return sum(result.fit_seconds + result.guess_seconds for result in self.results.values())


About = Callable[[Scored], Params]  # more facts on a leader, for those who listen


def silent(_: Scored) -> Params:
    """Say nothing more."""
    return {}


class Search:
    """Runs candidates until the budget is spent or nothing improves; `scored` grows as they finish."""

    def __init__(self, request: Request, executor: Executor, run: Run, *, about: About = silent) -> None:
        self.request = request
        self.executor = executor
        self.run = run
        self._about = about
        self.scored: list[Scored] = []
        self.failed: list[tuple[Candidate, str]] = []
        self.race = Race(request.material.target, request.metric)
        self._handle: Shared | Held = executor.share(request.material)
        self._memory = Memory(run)
        self._partial: dict[int, dict[int, TrialResult]] = {}
        self._given_up: set[int] = set()
        self._probed: set[int] = set()  # begun on one fold; what has not ended yet counts where one fold must do
        self._paid: list[tuple[str, float]] = []  # learner, and seconds per fold of a configuration with its defaults
        self._leaders: list[Entry] = []
        self._best = float("inf")
        self._since_gain = 0
        self._one_fold = self._is_recalling = False
        self._started = time.monotonic() - (run.journal.spent if run.journal is not None else 0.0)

    def go(self) -> None:
        """Search; what an earlier sitting has finished is taken as it is.

        With a budget in trials, leaders are named anew only between waves of jobs, and an earlier sitting's results
        are taken in the waves of theirs: which of two workers is faster, and when a search was killed, must not change
        what is tried.
        """
        jobs, finished = self._jobs(), self._memory.finished
        if self.request.deadline.left() < float("inf"):
            self._recall(finished)
            self._run(jobs)
            while self.race.waiting and self.request.deadline.left() > self.refit_seconds():
                self._run(self._rest())
            return
        known = {(one.candidate.number, one.part): one for one in finished}
        while wave := list(islice(jobs, _WAVE)):
            keys = [(job.candidate.number, job.part) for job in wave]
            self._recall([known[key] for key in keys if key in known])
            self._run(job for job, key in zip(wave, keys, strict=True) if key not in known)
            self.scored.sort(key=lambda one: one.candidate.number)
            self.failed.sort(key=lambda one: one[0].number)
            self._since_gain = _n_since_gain(self.scored)
            self._rank()

    def _run(self, jobs: Iterable[TrialJob]) -> None:
        for job, result in self.executor.run(run_trial, jobs):
            self._take(job, result)
            self._memory.keep(job, result)
            self._rank()

    def repeat(self, record: Record) -> None:
        """Try what a record says, all of it, however long it takes; where a learner hurried, it is told as it went."""
        self._one_fold, left = record.one_fold, self.request.deadline.left()
        jobs = (
            self.job(candidate, part, self._folds(part), seconds=left, keep=record.one_fold)
            for candidate in record.candidates
            for part in reversed(self.request.searched)
        )
        self._run(replace(job, known=record.hurried_in(job.candidate, job.part)) for job in jobs)
        self.scored.sort(key=lambda one: one.candidate.number)

    @property
    def one_fold(self) -> bool:
        """Return whether there was only time to try candidates on one fold."""
        return self._one_fold

    def _recall(self, finished: Sequence[Finished]) -> None:
        is_timed, settled = self.request.deadline.left() < float("inf"), self._memory.one_fold
        self._one_fold = settled if settled is not None else is_timed and bool(finished)
        self._is_recalling = True
        for one in finished:
            job = self.job(one.candidate, one.part, one.folds, seconds=0.0, keep=False)
            self._take(replace(job, extra=one.extra), one.result)
        self._is_recalling = False
        self._rank()

    @property
    def _is_raced(self) -> bool:
        """Return whether a candidate shows on one fold that it is worth the others.

        Not where a search is counted in trials, nor with several searched parts: each of them chooses for itself.
        """
        is_timed, guide = self.request.deadline.left() < float("inf"), self.request.searched[-1]
        n_folds = len(self.request.material.parts[guide].folds)
        return is_timed and len(self.request.searched) == 1 and n_folds > 1 and not self._one_fold

    def go_home(self) -> None:
        """Use this process from now on: the workers are gone."""
        self.executor = Here()
        self._handle = self.executor.share(self.request.material)

    def job(self, candidate: Candidate, part: int, folds: tuple[int, ...], *, seconds: float, keep: bool) -> TrialJob:
        """Return the job that fits a candidate on folds of one part."""
        is_brief = len(folds) == 1 and folds != (WHOLE,) and not self._is_raced and _can_be_brief(candidate.learner)
        return TrialJob(
            candidate, part, folds, seed=self.request.seed, seconds=seconds, material=self._handle,
            threads=self.run.threads, keep=keep, extra=_BRIEF if is_brief else {},
        )  # fmt: skip

    @property
    def reference(self) -> Scored | None:
        """Return the plain linear model, if it was tried."""
        return next(
            (one for one in self.scored if one.candidate.learner == REFERENCE and not one.candidate.params), None
        )

    @property
    def eligible(self) -> list[Scored]:
        """Return what may enter the blend: learners that the user allowed."""
        allowed = self.request.learners
        return [one for one in self.scored if allowed is None or one.candidate.learner in allowed]

    def refit_seconds(self) -> float:
        """Return an estimate of how long it takes to fit the best candidates again on all their rows."""
        parts, guide = self.request.material.parts, self.request.searched[-1]
        best = sorted(self.eligible, key=lambda one: one.loss)[:_N_LIKELY]
        if not best:
            return 0.0
        n_folds = len(self._folds(guide))
        growth = n_folds / (n_folds - 1) if n_folds > 1 else 1.25
        once = [one.results[guide].fit_seconds / n_folds * growth for one in best]
        n_rehearsals = sum(part.is_rehearsal for part in parts)  # of fewer rows
        n_judged = sum(len(part.held_out) > 0 for part in parts) - n_rehearsals
        # Nested parts choose members of their own, not always the best here: a mean over more speaks for them.
        members = max(sum(once[:3]), min(5, len(once)) * (float(np.mean(once)) + FIT_OVERHEAD))
        total = members * (n_judged + 1.25 + 0.6 * n_rehearsals) / self.executor.workers
        whole = self.request.deadline.at - self._started
        return min(1.25 * max(total, 1.25 * max(once[:3])) + 0.1, 0.5 * whole)

    def _jobs(self) -> Iterator[TrialJob]:
        yield from self._probes()
        for candidate in self._candidates():
            yield from self._rest()
            for part in reversed(self.request.searched):
                left = self._left(1 if self._is_raced else len(self._folds(part)))
                if not self._worth_starting(candidate, left):
                    break
                folds = self._folds(part)[:1] if self._is_raced else self._folds(part)
                if self._is_new(candidate, part):
                    yield self.job(candidate, part, folds, seconds=left, keep=self._keeps)
            if left <= 0:
                return

    def _rest(self) -> Iterator[TrialJob]:
        """Give the other folds to those that have shown on the first that they are worth it."""
        part = self.request.searched[-1]
        folds = self._folds(part)[1:]
        while self.race.waiting:
            candidate = self.race.waiting.pop(0)
            found, left = self.race.found(candidate), self._left(len(folds))
            if len(folds) * self.race.seconds(candidate) <= left:
                yield replace(self.job(candidate, part, folds, seconds=left, keep=False), known=found.found)

    def _is_new(self, candidate: Candidate, part: int) -> bool:
        is_begun = part in self._partial.get(candidate.number, {}) or self.race.knows(candidate)
        is_probed = self._one_fold and part == self.request.searched[-1] and candidate.number in self._probed
        return not is_begun and not is_probed and candidate.number not in self._given_up

    @property
    def _keeps(self) -> bool:
        """Return whether fitted members are kept: where one fold is all there is, they may have to do in the end."""
        return len(self._folds(self.request.searched[-1])) == 1

    def _left(self, n_folds: int) -> float:
        """Return the seconds that a candidate may take for so many folds, and be fitted again on all rows after it."""
        left = self.request.deadline.left()
        return max(0.0, min(left - self.refit_seconds(), left * n_folds / (n_folds + _AGAIN)))

    def _probes(self) -> Iterator[TrialJob]:
        """Time the first candidates on one fold; where all folds would leave too few candidates, one fold must do."""
        guide = self.request.searched[-1]
        if self._memory.one_fold is not None or self.request.deadline.left() == float("inf"):
            return
        if len(self.request.material.parts[guide].folds) == 1:
            return
        if not self._worth_starting(Candidate(REFERENCE, {}, 0), self.request.deadline.left()):
            self._settle(one_fold=True)
            return
        self._one_fold = True
        for candidate in self._candidates():  # more of them while the dearer of the first is not known yet
            ended = {*self._partial, *self._given_up}
            if candidate.number >= _N_PROBES and ended.issuperset(range(_N_PROBES)):
                break
            if candidate.number not in self._partial:
                self._probed.add(candidate.number)
                yield self.job(candidate, guide, self._folds(guide), seconds=self._left(1), keep=True)
        known = [result for mine in self._partial.values() for result in mine.values()]
        if not known:
            self._settle(one_fold=True)
            return
        once = max(result.fit_seconds + result.guess_seconds for result in known)
        n_fits = sum(len(part.folds) for part in self.request.material.parts)
        affordable = self.request.deadline.left() * self.executor.workers / (once * n_fits)
        self._settle(one_fold=affordable < _LEAST_CANDIDATES)

    def _settle(self, *, one_fold: bool) -> None:
        self._one_fold = one_fold
        self._memory.settle(one_fold)
        if not one_fold:
            self._partial.clear()
            self.scored.clear()
            self._best, self._since_gain = float("inf"), 0

    @property
    def _n_fits(self) -> int:
        """Return how many fits a candidate takes in all searched parts."""
        return sum(len(self._folds(part)) for part in self.request.searched)

    def _folds(self, part: int) -> tuple[int, ...]:
        """Return the folds to try, the last first: in time it has the longest past, and what it finds holds for all."""
        n_folds = len(self.request.material.parts[part].folds)
        return (n_folds - 1,) if self._one_fold else tuple(reversed(range(n_folds)))

    def _candidates(self) -> Iterator[Candidate]:
        request, number = self.request, 0
        most = request.budget.trials or 10_000
        for one in _at_most(most, _first(request), named=request.learners):
            yield Candidate(one.learner, one.params, number, one.cost)
            number += 1
        if request.budget.trials and number >= most:
            return
        for one in neighbours(self._leaders, request.fixed, request.seed):
            if number >= most or self._since_gain >= _PATIENCE:
                return
            yield Candidate(one.learner, one.params, number, one.cost)
            number += 1

    def _worth_starting(self, candidate: Candidate, left: float) -> bool:
        if left == float("inf"):
            return True
        if left <= self.request.quick_seconds or not _ends_in_time(self, candidate.learner, left):
            return False
        known = [seconds for learner, seconds in self._paid if learner == candidate.learner]
        if known:
            expected = float(np.median(known)) * candidate.cost * (1 if self._is_raced else self._n_fits)
            return expected / min(self.executor.workers, len(self.request.searched)) <= left
        return left >= _UNKNOWN_COST_SHARE * (self.request.deadline.at - self._started)

    def _take(self, job: TrialJob, result: TrialResult | Failure) -> None:
        if isinstance(result, Failure):
            self.failed.append((job.candidate, result.reason))
            self._given_up.add(job.candidate.number)
            return
        self._paid.append((job.candidate.learner, _per_fold(job, result) / job.candidate.cost))
        if self._is_raced and job.folds != self._folds(job.part):
            whole = self._raced(job, result)
        else:
            whole = result if job.folds == self._folds(job.part) else None
        if whole is None:
            return  # not all folds yet, or a probe that came after all folds were found affordable
        mine = self._partial.setdefault(job.candidate.number, {})
        mine[job.part] = whole
        if len(mine) < len(self.request.searched):
            return
        guide = mine[self.request.searched[-1]]
        truth = self.request.material.target.values[guide.rows]
        score = self.request.metric(truth, guide.guess)
        if not np.isfinite(score):
            self.failed.append((job.candidate, "its score is not finite"))
            return
        loss = -score if self.request.metric.higher_is_better else score
        gained = loss < self._best
        self._best, self._since_gain = min(loss, self._best), 0 if gained else self._since_gain + 1
        self.scored.append(Scored(job.candidate, mine, score, loss))
        more = self._about(self.scored[-1]) if gained else {}
        self._measure(self.request.metric.name, score, self.scored[-1].candidate, best=gained,
                      took=self.scored[-1].seconds, **more)  # fmt: skip

    def _measure(self, name: str, score: float, candidate: Candidate, **facts: Any) -> None:
        recalled = {"recalled": True} if self._is_recalling else {}
        self.run.measure(
            name, score, learner=candidate.learner, number=candidate.number, params=candidate.params,
            seconds=time.monotonic() - self._started, **facts, **recalled,
        )  # fmt: skip

    def _raced(self, job: TrialJob, result: TrialResult) -> TrialResult | None:
        """Take some folds of a candidate; return the whole where it is complete now."""
        folds = self._folds(job.part)
        if job.folds == folds[1:]:
            return self.race.joined(job.candidate, result)
        if job.folds == folds[:1] and not job.extra and not self.race.knows(job.candidate):
            goes_on = self.race.enter(job.candidate, result)
            self._since_gain += 0 if goes_on else 1
            score = self.request.metric(self.request.material.target.values[result.rows], result.guess)
            took = self.race.seconds(job.candidate)
            self._measure("first_fold", score, job.candidate, best=False, goes_on=goes_on, took=took)
        return None

    def _rank(self) -> None:
        """Name the leaders."""
        if not self.scored:
            return
        best: dict[str, Entry] = {}
        for one in sorted(self.eligible, key=lambda one: one.loss):
            tried = one.candidate
            best.setdefault(tried.learner, Entry(tried.learner, tried.params, tried.cost))
        self._leaders[:] = best.values()


def _n_since_gain(scored: Sequence[Scored]) -> int:
    """Return how many candidates stand after the best."""
    losses = [one.loss for one in scored]
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0


def _first(request: Request) -> list[Entry]:
    """Return the portfolio, with the reference in it."""
    has_text = any(column.kind is Kind.TEXT for column in request.material.schema.columns)
    first = portfolio(request.material.target, request.learners, request.fixed, has_text=has_text)
    if all(one.learner != REFERENCE or one.params for one in first):
        first.insert(1, Entry(REFERENCE))
    return first


def _at_most(most: int, first: list[Entry], *, named: Sequence[str] | None) -> list[Entry]:
    """Return so many entries; where learners were named, more if it takes them to try each, and the reference."""
    if named is None or len(first) <= most:
        return first[:most]
    learners = [one.learner for one in first]
    heads = [one for at, one in enumerate(first) if one.learner not in learners[:at] or one == Entry(REFERENCE)]
    rest = [one for one in first if one not in heads]
    return [*heads, *rest][: max(most, len(heads))]


def _ends_in_time(search: Search, learner: str, left: float) -> bool:
    """Return whether a learner ends in time if it runs in this process, where nobody can kill it."""
    request = search.request
    if not isinstance(search.executor, Here):
        return True
    if load_seconds(LEARNERS.get(learner).needs) * request.slowdown > _LOAD_SHARE * left:
        return False
    if learner in _STOPS:
        return True
    frame = request.material.frame
    is_fine = learner in (request.learners or ()) or frame.height * frame.width <= _TINY_CELLS
    return is_fine and left >= _HERE * request.quick_seconds


def _per_fold(job: TrialJob, result: TrialResult) -> float:
    return (result.fit_seconds + result.guess_seconds) / max(1, len(job.folds))


def _can_be_brief(learner: str) -> bool:
    space = LEARNERS.get(learner)().space()
    return all(name in space and space[name].holds(value) for name, value in _BRIEF.items())
