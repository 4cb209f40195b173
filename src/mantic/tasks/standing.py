"""How a search stands, for those who watch it: what guessing scores, and how sure the score of a leader is."""

import time
from dataclasses import dataclass, field

import numpy as np

from mantic.core.learner import Params
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.evaluate.intervals import interval_of
from mantic.evaluate.prepared import OneByOne, prepare
from mantic.evaluate.resample import Resamples
from mantic.search.plan import Request, Scored
from mantic.search.quick import constant

_DRAWS = 250  # enough for an interval that nobody decides by
_SHARE = 0.02  # of the time since the search began, for intervals


def tell_baseline(request: Request, run: Run) -> None:
    """Say what guessing scores on the rows by which the search is guided, learned as a candidate is: fold by fold."""
    target, part = request.material.target, request.material.parts[request.searched[-1]]
    guesses = [constant(target.rows(learn), len(judge)) for learn, judge in part.folds]
    rows = np.concatenate([judge for _, judge in part.folds])
    score = request.metric(target.values[rows], np.concatenate(guesses))
    run.measure(
        "baseline", score, metric=request.metric.name, higher_is_better=request.metric.higher_is_better,
        task=request.task, n_rows=len(target), n_guiding=len(rows), best=False,
    )  # fmt: skip


@dataclass
class Doubt:
    """Says in which range the score of a leader would lie on other rows, as long as that costs next to nothing.

    Parameters
    ----------
    groups : rows of one value belong together; shape (n_rows,), or None.
    """

    request: Request
    groups: Array | None
    _began: float = field(default_factory=time.monotonic)
    _spent: float = 0.0
    _plan: Resamples | None = None

    def __call__(self, leader: Scored) -> Params:
        """Return `low` and `high`; nothing where the metric is slow, or enough time was spent on it."""
        before = time.monotonic()
        if self._spent > _SHARE * (before - self._began):
            return {}
        found = leader.results[self.request.searched[-1]]
        prepared = prepare(self.request.metric, self.request.material.target.values[found.rows], found.guess)
        if isinstance(prepared, OneByOne):
            return {}
        if self._plan is None or self._plan.n_rows != len(found.rows):
            clusters = None if self.groups is None else self.groups[found.rows]
            self._plan = Resamples.draw(len(found.rows), clusters=clusters, seed=self.request.seed, most=_DRAWS)
        interval = interval_of(prepared, self._plan)
        self._spent += time.monotonic() - before
        return {"low": interval.low, "high": interval.high}
