"""How good the answers were, as outcomes arrive, against what was promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mantic.core.metric import Metric
from mantic.core.table import Array
from mantic.evaluate.blocks_score import name_of
from mantic.evaluate.intervals import Interval, bootstrap, wilson
from mantic.report.numbers import amount, say, say_range
from mantic.watch.asked import MOST_ROWS, Asked, Subject
from mantic.watch.evidence import Evidence, worse
from mantic.watch.judged import Known, known_of, metrics_for, promised
from mantic.watch.period import Period
from mantic.watch.rank import online_ranks

if TYPE_CHECKING:
    from mantic.store.store import Store

LIMIT = 12.0  # times four weeks pass on average, or more, before a loss is claimed where there is none
FEW_ROWS = 30
_LEAST_HELD_OUT = 100
_MOST_A_WEEK = 2_500  # outcomes that evidence is taken from
_LEAN = 0.1  # difference between rows with and without an outcome from which on it is told
_SHARES = ("accuracy", "balanced_accuracy", "roc_auc", "f1", "mape")


@dataclass(frozen=True)
class Figure:
    """A metric on rows whose outcome is known, and what was promised: a score with an interval, or a score alone."""

    metric: Metric
    now: Interval
    promise: Interval

    def say(self, interval: Interval) -> str:
        """Write a score and its interval for people."""
        unit = "share" if self.metric.name in _SHARES else ""
        if not np.isfinite(interval.low) or interval.low == interval.high:
            return say(interval.score, unit)
        return f"{say(interval.score, unit)} ({say_range(interval.low, interval.high, unit)})"

    @property
    def is_below(self) -> bool:
        """Whether the score is worse than what was promised, be it by chance."""
        return (self.now.score < self.promise.score) == self.metric.higher_is_better

    @property
    def is_beyond(self) -> bool:
        """Whether the score is beyond the bad end of what was promised."""
        end = self.promise.low if self.metric.higher_is_better else self.promise.high
        return bool(np.isfinite(end)) and (self.now.score < end) == self.metric.higher_is_better


@dataclass(frozen=True)
class Slot:
    """One hour or day: how many outcomes became known, and the score; its interval is NaN where they are few."""

    at: str
    n_known: int
    score: Interval


@dataclass(frozen=True)
class Quality:
    """What outcomes say.

    Parameters
    ----------
    figures : the metric that the model was chosen by first; of outcomes that became known in the period.
    slots : the first metric over time.
    n_all, n_known, n_strange : outcomes that became known in the period; those of them, or of a share drawn by chance
        where they are very many, that were judged, and those that cannot be used.
    n_asked, n_open : rows asked in the period (or a share of them, where they are very many), and how many of these
        have no outcome yet.
    lean : how those with an outcome differ from those without, as a sentence; empty where they do not or are few.
    evidence : against "as good as on the rows held out", over the quarter; None where nothing was held out.
    """

    figures: tuple[Figure, ...]
    slots: tuple[Slot, ...]
    n_all: int
    n_known: int
    n_strange: int
    n_asked: int
    n_open: int
    lean: str
    evidence: Evidence | None

    @property
    def is_worse(self) -> bool:
        """Whether it is worse than on the rows held out, by a test that may be looked at at any time.

        Losses that are shaped otherwise while every figure is as good as promised are none.
        """
        if self.evidence is None or self.evidence.peak < LIMIT:
            return False
        return self.n_known < FEW_ROWS or any(one.is_below for one in self.figures)

    @property
    def sentence(self) -> str:
        """Say how good the answers were."""
        if self.n_known < FEW_ROWS:
            few = f"{amount(self.n_known, 'outcome')} became known: too few to say how good the answers are."
            return f"{few} Those of the weeks before were worse than promised." if self.is_worse else few
        first = self.figures[0]
        drawn = f" of {self.n_all:,}" if self.n_all > self.n_known + self.n_strange else ""
        told = f"{name_of(first.metric)} is {first.say(first.now)} on {self.n_known:,}{drawn} outcomes"
        told += ", drawn by chance" if drawn else ""
        verdict = "as promised"
        if self.is_worse:
            verdict = "that is worse than promised"
        elif first.is_beyond:
            verdict = "beyond what was promised, yet it may be chance"
        return f"{told[0].upper()}{told[1:]}; promised was {first.say(first.promise)}: {verdict}."


def quality_of(store: "Store", subject: Subject, asked: Asked, *, period: Period, weeks: Sequence[Period]) -> Quality:
    """Judge the outcomes that became known in a period, and gather evidence over the weeks of a quarter.

    Of very many outcomes a share drawn by chance is judged, at most 10,000.
    """
    about: dict[str, Any] = {"number": subject.number, "since": period.since, "until": period.until}
    n_all = store.outcomes.n_arrived(subject.name, **about)
    share = 1.0 if n_all <= MOST_ROWS else 0.95 * MOST_ROWS / n_all
    known = known_of(subject, store.outcomes.arrived(subject.name, share=share, **about))
    metrics = metrics_for(subject)
    figures = tuple(Figure(one, _score(one, known), _promise(one, subject.facts)) for one in metrics)
    truths = store.outcomes.of(asked.ids)
    has_outcome = np.array([one in truths for one in asked.ids], dtype=bool)
    return Quality(
        figures, _slots(known, metrics[0], period), n_all, len(known), known.n_strange, len(asked),
        int((~has_outcome).sum()), _lean(subject, asked, has_outcome), _evidence(store, subject, weeks),
    )  # fmt: skip


def _score(metric: Metric, known: Known) -> Interval:
    """Return the score with a 95 % interval; NaN where the rows are few or of one class only."""
    nothing = Interval(float("nan"), float("nan"), float("nan"))
    if len(known) < 2:
        return nothing
    if metric.name == "accuracy":
        share = metric(known.truth, known.guess)
        return Interval(share, *wilson(share, len(known)))
    if metric.name == "roc_auc" and len(np.unique(known.truth)) < 2:
        return nothing
    return bootstrap(metric, known.truth, known.guess)


def _promise(metric: Metric, facts: Any) -> Interval:
    if metric.name == facts.get("metric"):
        ends = [float("nan") if end is None else float(end) for end in facts.get("interval", (None, None))]
        return Interval(float(facts["score"]), *ends)
    if metric.name == "accuracy" and "accuracy_interval" in facts.get("verdict", {}):
        return Interval(facts["verdict"]["accuracy"], *facts["verdict"]["accuracy_interval"])
    value = facts.get("metrics", {}).get(metric.name)
    return Interval(float("nan") if value is None else float(value), float("nan"), float("nan"))


def _slots(known: Known, metric: Metric, period: Period) -> tuple[Slot, ...]:
    place: dict[str, list[int]] = {slot: [] for slot in period.slots()}
    for row, moment in enumerate(known.moments):
        place[period.slot_of(moment)].append(row)
    nothing = Interval(float("nan"), float("nan"), float("nan"))
    return tuple(
        Slot(slot, len(rows), _score(metric, known.rows(rows)) if len(rows) >= FEW_ROWS else nothing)
        for slot, rows in place.items()
    )


def _lean(subject: Subject, asked: Asked, has_outcome: Array) -> str:
    """Say how rows with an outcome differ from those without: the quick ones are seldom like the others."""
    n_known, n_open = int(has_outcome.sum()), int((~has_outcome).sum())
    if min(n_known, n_open) < FEW_ROWS:
        return ""
    if not subject.labels:
        spread = float(np.nanstd(asked.guess))
        one, other = (float(np.nanmean(asked.guess[side])) for side in (has_outcome, ~has_outcome))
        if spread == 0 or abs(one - other) < _LEAN * spread:
            return ""
        return (
            f"Rows with an outcome were answered {say(one)} on average, those without {say(other)}: the figures lean."
        )
    shares = [np.nanmean(asked.guess[side], axis=0) for side in (has_outcome, ~has_outcome)]
    most = int(np.abs(shares[0] - shares[1]).argmax())
    one, other = (float(share[most]) for share in shares)
    if abs(one - other) < _LEAN:
        return ""
    return (
        f"Rows with an outcome were given '{subject.labels[most]}' with {say(one, 'share')} on average, those without "
        f"with {say(other, 'share')}: the figures lean towards those that are known early."
    )


def _evidence(store: "Store", subject: Subject, weeks: Sequence[Period]) -> Evidence | None:
    """Bet on losses that are larger than those on the rows held out, of each week at most about 2,500.

    Of a week with more a half is drawn, a quarter and so on, by this week or the one before: the test is looked at
    again and again, and should see other rows as seldom as can be.
    """
    reference = promised(subject).losses()
    if len(reference) < _LEAST_HELD_OUT:
        return None
    losses, week_of = [np.empty(0)], [np.empty(0, dtype=np.int64)]
    n_before = 0
    for place, week in enumerate(weeks):
        about: dict[str, Any] = {"number": subject.number, "since": week.since, "until": week.until}
        n_week, share = store.outcomes.n_arrived(subject.name, **about), 1.0
        while share * max(n_before, n_week) > _MOST_A_WEEK:
            share /= 2
        n_before = n_week
        known = known_of(subject, store.outcomes.arrived(subject.name, share=share, **about))
        losses.append(known.losses())
        week_of.append(np.full(len(known), place))
    stream = np.concatenate(losses)
    return worse(online_ranks(-reference, -stream), np.concatenate(week_of), len(weeks))
