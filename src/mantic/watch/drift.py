"""Do the rows asked lately look like those learned from? Column by column, sorted by what it does to the answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from mantic.core.schema import Column, Kind
from mantic.evaluate.drift import how_it_moved
from mantic.report.blocks import Chart
from mantic.report.numbers import amount, say
from mantic.watch.asked import Stream, Subject
from mantic.watch.evidence import Evidence, alarms, moved
from mantic.watch.pictures import pictures
from mantic.watch.rank import online_ranks
from mantic.watch.replay import Effects, effects
from mantic.watch.scores import new_words, scores

LIMIT = 40.0  # times four weeks pass on average, or more, before drift is claimed where there is none
FEW_ROWS = 50
MANY_NEW = 0.05  # share of rows with a value never seen, to be told before all else
_TOLD = 0.05  # share of new words more or less than is usual


@dataclass(frozen=True)
class Drifted:
    """One column.

    Parameters
    ----------
    state : "moved", "calm", or "few": too few rows to say.
    effect : mean absolute change of an answer by this column's shift (see `replay`); NaN for few rows.
    evidence : against "nothing has moved"; the largest of its views.
    unseen : share of rows with a value that was never seen in training; 0 where that cannot be known.
    missing : share of empty values, in training and lately.
    sentence : how it moved, or that it did not.
    charts : in training, and lately.
    """

    column: str
    kind: Kind
    state: Literal["moved", "calm", "few"]
    effect: float
    is_large: bool
    evidence: Evidence
    unseen: float
    missing: tuple[float, float]
    sentence: str
    charts: tuple[Chart, Chart]


def drift_of(subject: Subject, lately: pl.DataFrame, stream: Stream, *, seed: int = 0) -> tuple[Drifted, ...]:
    """Hold every used column of recent rows against training, the one that moves the answers most first.

    Parameters
    ----------
    lately : aligned rows that are shown and asked again.
    stream : rows that the test sees.
    """
    before = subject.model.background_
    columns = [column for column in subject.schema.columns if column.is_used]
    found = {column.name: _evidence(before[column.name], stream, column, seed) for column in columns}
    is_few = lately.height < FEW_ROWS
    loud = set() if is_few else alarms(found, LIMIT)
    felt = Effects({}, float("inf")) if is_few else effects(subject, lately, seed=seed)
    every = []
    for column in columns:
        name = column.name
        one = _drifted(column, before[name], lately[name], evidence=found[name], felt=felt, is_loud=name in loud)
        every.append(one)
    return tuple(sorted(every, key=lambda one: (one.state != "moved", -np.nan_to_num(one.effect))))


def mean_of(views: Sequence[Evidence]) -> Evidence:
    """Return the mean over the views of a column, which is as good as one of them against false alarms."""
    value, peak, lately = np.mean([(one.value, one.peak, one.lately) for one in views], axis=0).tolist()
    return Evidence(value, peak, lately, views[0].n_rows, views[0].n_lately)


def _evidence(before: pl.Series, stream: Stream, column: Column, seed: int) -> Evidence:
    pairs = scores(before, stream.frame[column.name], column)
    return mean_of([moved(online_ranks(one, other, seed=seed), stream.week, stream.n_weeks) for one, other in pairs])


def _drifted(
    column: Column, before: pl.Series, now: pl.Series, *, evidence: Evidence, felt: Effects, is_loud: bool
) -> Drifted:
    state: Literal["moved", "calm", "few"] = "few" if len(now) < FEW_ROWS else "moved" if is_loud else "calm"
    effect = felt.by_column.get(column.name, float("nan"))
    unseen = unseen_share(now, column)
    gone, empty = (float(one.is_null().mean() or 0.0) if len(one) else 0.0 for one in (before, now))  # type: ignore[arg-type]
    sentence = _sentence(before, now, column, state=state, unseen=unseen)
    return Drifted(
        column.name, column.kind, state, effect, effect >= felt.large, evidence, unseen, (gone, empty), sentence,
        pictures(before, now, column),
    )  # fmt: skip


def unseen_share(now: pl.Series, column: Column) -> float:
    """Return the share of rows whose category was never seen in training; 0 where only the commonest were kept.

    >>> unseen_share(pl.Series(["a", "x", None, "a"]), Column("plan", Kind.CATEGORY, levels=("a", "b"), n_levels=2))
    0.25
    """
    if column.kind is not Kind.CATEGORY or len(column.levels) < column.n_levels or not len(now):
        return 0.0
    return float((~now.drop_nulls().is_in(list(column.levels))).sum() / len(now))


def _sentence(before: pl.Series, now: pl.Series, column: Column, *, state: str, unseen: float) -> str:
    if state == "few":
        return f"{amount(len(now), 'row is', 'rows are')} too few to say anything of '{column.name}'"
    if unseen >= MANY_NEW:
        return f"'{column.name}' has a value never seen in training in {say(unseen, 'share')} of the rows"
    if state == "calm":
        return f"'{column.name}' looks like training"
    if column.kind is Kind.TEXT:
        return _text_moved(before, now, column.name)
    return how_it_moved(column, before, now, rows="recent rows")


def _text_moved(before: pl.Series, now: pl.Series, name: str) -> str:
    own, asked = new_words(before, now)
    usual, new = (float(one[one >= 0].mean()) if (one >= 0).any() else 0.0 for one in (own, asked))
    if abs(new - usual) >= _TOLD:
        return f"in '{name}' {say(new, 'share')} of the words are new, against {say(usual, 'share')} in training"
    lengths: Sequence[float] = [float(one.str.count_matches(r"\w+").mean() or 0.0) for one in (before, now)]  # type: ignore[arg-type]
    return f"'{name}' has {say(lengths[1])} words on average, against {say(lengths[0])} in training"
