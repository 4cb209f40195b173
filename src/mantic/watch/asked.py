"""Rows that were asked lately, read from the store a share at a time, and what was answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mantic.core.schema import Schema
from mantic.core.table import Array
from mantic.watch.period import Period

if TYPE_CHECKING:
    from mantic.store.predictions import Prediction
    from mantic.store.store import Store

MOST_ROWS = 10_000  # of one reading
_MOST_A_WEEK = 1_500  # rows that evidence is taken from


@dataclass(frozen=True)
class Subject:
    """A model under its name.

    Parameters
    ----------
    model : fitted; has `schema_`, `background_`, `predict`, and `predict_proba` where it says classes.
    number : of its version in the store; None looks at all rows of the name.
    """

    name: str
    number: int | None
    model: Any

    @property
    def schema(self) -> Schema:
        """Return the columns that a row has."""
        found: Schema = self.model.schema_
        return found

    @property
    def is_forecast(self) -> bool:
        """Whether it answers for series and not for rows."""
        return str(self.model.task.name) == "forecast"

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the classes, of two the positive one last; empty for a number."""
        if not hasattr(self.model, "predict_proba"):
            return ()
        names = tuple(str(label) for label in self.model.classes_.tolist())
        return names[::-1] if len(names) == 2 and self.facts.get("positive") == names[0] else names

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return what was promised: the facts of the fit's report."""
        found: Mapping[str, Any] = self.model.report_.facts
        return found

    def answers(self, frame: pl.DataFrame) -> Array:
        """Return what it answers: probabilities by `labels`, shape (n_rows, n_classes), or values (n_rows, 1)."""
        if not self.labels:
            return np.asarray(self.model.predict(frame), dtype=float)[:, None]
        guess = np.asarray(self.model.predict_proba(frame), dtype=float)
        return guess if self.labels[0] == str(self.model.classes_[0]) else guess[:, ::-1]


@dataclass(frozen=True)
class Asked:
    """Answered rows, oldest first.

    Parameters
    ----------
    ids : by which outcomes find them.
    moments : when they were answered, as the store keeps it.
    frame : the rows as the schema stores them.
    guess : probabilities (n_rows, n_classes) by the subject's labels, or values (n_rows,); NaN where none was kept.
    n_all : how many rows there are, of which these are all or a share.
    """

    ids: tuple[str, ...]
    moments: tuple[str, ...]
    frame: pl.DataFrame
    guess: Array
    n_all: int

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)


@dataclass(frozen=True)
class Stream:
    """Rows that a test sees, in the order of their weeks.

    Parameters
    ----------
    frame, guess : as in `Asked`.
    week : the week of each row, 0 to n_weeks - 1, not falling; shape (n_rows,).
    """

    frame: pl.DataFrame
    guess: Array
    week: Array
    n_weeks: int


def read_asked(store: "Store", subject: Subject, period: Period) -> Asked:
    """Return the rows of a period; of very many a share drawn by chance, at most 10,000."""
    about: dict[str, Any] = {"number": subject.number, "since": period.since, "until": period.until}
    n_all = store.predictions.count(subject.name, **about)
    share = 1.0 if n_all <= MOST_ROWS else 0.95 * MOST_ROWS / n_all
    return asked_of(subject, store.predictions.thinned(subject.name, share, limit=MOST_ROWS, **about), n_all=n_all)


def read_stream(store: "Store", subject: Subject, weeks: Sequence[Period]) -> Stream:
    """Return rows of each week of a quarter, at most 1,500 a week.

    Which rows of a week are read is decided by how many there were in the week before, not by what comes: a test that
    is looked at again and again may only see its rows one after the other.
    """
    n_before, parts, week_of = 0, [asked_of(subject, (), n_all=0)], [np.empty(0, dtype=np.int64)]
    for place, week in enumerate(weeks):
        about: dict[str, Any] = {"number": subject.number, "since": week.since, "until": week.until}
        share = min(1.0, _MOST_A_WEEK / max(1, n_before))
        n_before = store.predictions.count(subject.name, **about)
        if n_before:
            rows = store.predictions.thinned(subject.name, share, limit=_MOST_A_WEEK, **about)
            parts.append(asked_of(subject, rows, n_all=n_before))
            week_of.append(np.full(len(rows), place))
    frame = pl.concat([one.frame for one in parts])
    return Stream(frame, np.concatenate([one.guess for one in parts]), np.concatenate(week_of), len(weeks))


def asked_of(subject: Subject, rows: "Sequence[Prediction]", *, n_all: int) -> Asked:
    """Return predictions as a table."""
    return Asked(
        tuple(one.id for one in rows),
        tuple(one.at for one in rows),
        _frame(subject.schema, rows),
        guess_of(subject.labels, [one.answer for one in rows]),
        n_all,
    )


def guess_of(labels: Sequence[str], answers: Sequence[Mapping[str, Any]]) -> Array:
    """Return kept answers as probabilities (n_rows, n_classes), or where there are no labels as values (n_rows,).

    >>> guess_of(("no", "yes"), [{"probability": {"no": 0.75, "yes": 0.25}}, {}]).tolist()
    [[0.75, 0.25], [nan, nan]]
    """
    if not labels:
        return np.array([_number(one.get("prediction")) for one in answers], dtype=float)
    none: dict[str, Any] = {}
    rows = [
        [_number(known.get(label)) for label in labels] for known in (one.get("probability", none) for one in answers)
    ]
    return np.array(rows, dtype=float).reshape(len(answers), len(labels))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _frame(schema: Schema, rows: "Sequence[Prediction]") -> pl.DataFrame:
    empty = dict.fromkeys(schema.names)
    if not rows:
        return schema.align([empty]).clear()
    return schema.align([empty | dict(rows[0].row), *(one.row for one in rows[1:])], where="what the store keeps")
