"""Finished trials in a journal, and back: what a search need not do again after a crash."""

from dataclasses import dataclass
from typing import Any

from mantic.core.errors import StoreError
from mantic.core.executor import LATE, Failure
from mantic.core.journal import Done, Journal
from mantic.core.learner import Params
from mantic.core.run import Run
from mantic.search.trial import Candidate, TrialJob, TrialResult


@dataclass(frozen=True)
class Finished:
    """A finished trial: of which candidate, in which part, on which folds, told what else, and what came of it."""

    candidate: Candidate
    part: int
    folds: tuple[int, ...]
    extra: Params
    result: TrialResult | Failure


class Memory:
    """Of one search; a run without a journal remembers nothing.

    Attributes
    ----------
    finished : trials of earlier sittings, in the order in which they ended.
    one_fold : whether one fold had to do in those; None if that was not settled yet.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._journal: Journal | None = run.journal
        done = run.journal.done() if run.journal is not None else []
        settled = [bool(one.facts["one_fold"]) for one in done if "one_fold" in one.facts]
        self.one_fold = settled[-1] if settled else None
        self.finished = [_finished(one) for one in done if "learner" in one.facts]

    def settle(self, one_fold: bool) -> None:
        """Put down whether one fold must do."""
        self._add({"one_fold": one_fold}, None)

    def keep(self, job: TrialJob, result: TrialResult | Failure) -> None:
        """Put down a trial, unless the clock ended it: with more time it may end otherwise."""
        if isinstance(result, TrialResult) and not result.is_cut:
            arrays = {"rows": result.rows, "guess": result.guess}
            seconds = {"fit_seconds": result.fit_seconds, "guess_seconds": result.guess_seconds}
            self._add({**_of(job), **seconds, "found": result.found, "hurried": result.hurried}, arrays)
        elif isinstance(result, Failure) and result != LATE:
            self._add({**_of(job), "failed": result.reason}, None)

    def _add(self, facts: dict[str, Any], arrays: dict[str, Any] | None) -> None:
        if self._journal is None:
            return
        try:
            self._journal.add(facts, arrays)
        except StoreError as error:  # a full disk must not end the search
            self._journal = None
            self._run.warn("journal_lost", f"from here on this fit could not be resumed after a crash: {error.what}")


def _of(job: TrialJob) -> dict[str, Any]:
    one = job.candidate
    about = {"learner": one.learner, "params": one.params, "number": one.number, "cost": one.cost}
    return {**about, "part": job.part, "folds": list(job.folds), "extra": job.extra}


def _finished(done: Done) -> Finished:
    facts = done.facts
    candidate = Candidate(facts["learner"], facts["params"], facts["number"], facts["cost"])
    result: TrialResult | Failure
    if "failed" in facts:
        result = Failure(facts["failed"])
    else:
        seconds = facts["fit_seconds"], facts["guess_seconds"]
        learned = {"found": facts["found"], "hurried": facts.get("hurried", {})}
        result = TrialResult(done.arrays["rows"], done.arrays["guess"], *seconds, **learned)
    return Finished(candidate, facts["part"], tuple(facts["folds"]), facts.get("extra", {}), result)
