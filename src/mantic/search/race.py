"""Which candidates are worth all folds: the best on the first one, and those that add to a blend there."""

from dataclasses import dataclass, field, replace

import numpy as np

from mantic.core.metric import Metric
from mantic.core.table import Array, Target
from mantic.search.calibrate import temperature
from mantic.search.ensemble import MOST_MEMBERS, greedy
from mantic.search.margin import to_guess
from mantic.search.member import margin_by
from mantic.search.trial import Candidate, TrialResult

_ALWAYS = 3  # the best go on in any case
_PEERS = 8  # the best so far, whom a candidate must add to


@dataclass(frozen=True)
class _Peer:
    margin: Array
    loss: float


@dataclass
class Race:
    """Candidates that were tried on their first fold, in the order in which they ended.

    A configuration that brings nothing costs one fold instead of all of them, so that many more can be tried.
    Source: Maron and Moore (1997), The Racing Algorithm; with the gain of a blend as the measure.

    Parameters
    ----------
    waiting : those that go on and have not been given the other folds yet.
    left : those that do not go on.
    """

    target: Target
    metric: Metric
    waiting: list[Candidate] = field(default_factory=list)
    left: list[Candidate] = field(default_factory=list)
    _first: dict[int, TrialResult] = field(default_factory=dict)
    _peers: list[_Peer] = field(default_factory=list)

    def knows(self, candidate: Candidate) -> bool:
        """Return whether a candidate has done its first fold."""
        return candidate.number in self._first

    def enter(self, candidate: Candidate, result: TrialResult) -> bool:
        """Take a candidate's first fold; return whether it goes on."""
        self._first[candidate.number] = result
        truth = self.target.values[result.rows]
        margin = margin_by(candidate.learner, result.guess)
        margin = margin * temperature(margin, truth, self.target.n_classes)
        one = _Peer(margin, self._loss(truth, margin))
        if not np.isfinite(one.loss) or not self._adds(one, truth):
            self.left.append(candidate)
            return False
        self._peers = sorted([*self._peers, one], key=lambda peer: peer.loss)[:_PEERS]
        self.waiting.append(candidate)
        return True

    def joined(self, candidate: Candidate, rest: TrialResult) -> TrialResult | None:
        """Return the result on all folds, the first one first; None where the first is not known."""
        self.waiting = [one for one in self.waiting if one.number != candidate.number]
        first = self._first.get(candidate.number)
        if first is None:
            return None
        return replace(
            rest,
            rows=np.concatenate([first.rows, rest.rows]),
            guess=np.concatenate([first.guess, rest.guess]),
            fit_seconds=first.fit_seconds + rest.fit_seconds,
            guess_seconds=first.guess_seconds + rest.guess_seconds,
            found=first.found,
            hurried=first.hurried,
            is_cut=first.is_cut or rest.is_cut,
        )

    def seconds(self, candidate: Candidate) -> float:
        """Return what a candidate's first fold took."""
        first = self._first[candidate.number]
        return first.fit_seconds + first.guess_seconds

    def found(self, candidate: Candidate) -> TrialResult:
        """Return what a candidate's first fold gave."""
        return self._first[candidate.number]

    def _loss(self, truth: Array, margin: Array) -> float:
        return self.metric.loss(truth, to_guess(margin, self.target.n_classes))

    def _adds(self, one: _Peer, truth: Array) -> bool:
        if sum(peer.loss < one.loss for peer in self._peers) < _ALWAYS:
            return True
        margins = [peer.margin for peer in self._peers] + [one.margin]
        return bool(greedy(margins, lambda margin: self._loss(truth, margin), most=MOST_MEMBERS)[-1] > 0)
