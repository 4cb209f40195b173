"""Rows of the training table that are most like the asked one, how they turned out, and what the model says of them."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mantic.core.errors import SettingsError
from mantic.core.table import Array
from mantic.explain.importance import mean_contributions
from mantic.explain.likeness import Likeness
from mantic.explain.subject import Label, Subject, named, short
from mantic.explain.words import Value, plain_value
from mantic.report.blocks import Cell, Grid, Group, Report, Text
from mantic.report.numbers import say

_SHOWN_COLUMNS = 4
_FLOOR = 1e-3  # weight of a column that does not matter: it decides between rows that are else equal
_ASKED = 200  # rows whose contributions stand in for importances
_LONGEST = 60  # characters of a text in a cell


@dataclass(frozen=True)
class Neighbour:
    """One row that is like the asked one.

    Parameters
    ----------
    values : of the columns that the model uses, those that matter most first.
    likeness : 0 to 1; 1 is equal in all of them.
    truth : how it turned out; None when that was not kept.
    answer : what the model says of it.
    is_held_out : whether the answer is that of a model which had not seen the row.
    """

    values: dict[str, Value]
    likeness: float
    truth: Label | None
    answer: Label
    is_held_out: bool


@dataclass(frozen=True)
class Similar:
    """The rows most like one row, nearest first; `values` are its own, `answer` what the model says of it."""

    target: str
    values: dict[str, Value]
    answer: Label
    rows: tuple[Neighbour, ...]
    sentence: str

    def to_facts(self) -> dict[str, Any]:
        """Return plain JSON values."""
        rows = [
            {
                "likeness": one.likeness,
                "truth": one.truth,
                "prediction": one.answer,
                "held_out": one.is_held_out,
                "values": {name: plain_value(value) for name, value in one.values.items()},
            }
            for one in self.rows
        ]
        return {"target": self.target, "prediction": self.answer, "rows": rows, "sentence": self.sentence}

    def group(self) -> Group:
        """Return the sentence and the rows as a table, the asked one on top."""
        names = tuple(self.values)[:_SHOWN_COLUMNS]
        own: tuple[Cell, ...] = ("asked", None, _cell(self.answer), *(_cell(self.values[name]) for name in names))
        rows = tuple(
            (say(one.likeness, "share"), _cell(one.truth), _cell(one.answer), *(_cell(one.values[n]) for n in names))
            for one in self.rows
        )
        note = "Likeness counts each column by how much it matters to the model; columns that matter most are shown."
        grid = Grid(("alike", "truth", "predicted", *names), (own, *rows), note=note)
        return Group("Rows like this one", (Text(self.sentence), grid))

    def to_report(self) -> Report:
        """Return the rows as a page."""
        return Report(f"Rows like this one: {self.target}", (self.group(),), facts=self.to_facts())

    def _repr_html_(self) -> str:
        """Return the page for a notebook cell."""
        return self.to_report()._repr_html_()


def similar_to(subject: Subject, row: pl.DataFrame, *, n: int = 5) -> Similar:
    """Return the background rows most like one aligned row, in the columns that matter to the model.

    Parameters
    ----------
    row : one row, aligned.
    n : how many.

    Raises
    ------
    SettingsError : if `n` is below 1.
    """
    if n < 1:
        raise SettingsError(f"there are no {n} rows", where="similar", fix="ask for one row or more")
    names, weights = _weights(subject)
    apart = Likeness.of(subject.model.schema, subject.background).distances(row, subject.background) @ weights
    nearest = np.argsort(apart, kind="stable")[:n]
    order = [names[place] for place in np.argsort(-weights, kind="stable")]
    asked = subject.model.predict(row)[0]
    guesses = subject.model.predict(subject.background[nearest])
    held_out = _held_out(subject)
    found = []
    for place, guess in zip(nearest, guesses, strict=True):
        values = subject.background.row(int(place), named=True)
        seen = held_out[place] if held_out is not None and np.isfinite(held_out[place]).all() else None
        found.append(
            Neighbour(
                {name: values[name] for name in order},
                float(1 - apart[place]),
                _truth(subject, int(place)),
                subject.answer(guess if seen is None else seen),
                seen is not None,
            )
        )
    own = row.row(0, named=True)
    rows, answer = tuple(found), subject.answer(asked)
    told = _sentence(subject, rows, subject.told(asked))
    return Similar(subject.target, {name: own[name] for name in order}, answer, rows, told)


def _weights(subject: Subject) -> tuple[list[str], Array]:
    """Return the used columns and how much each matters; the weights sum to 1."""
    names = [column.name for column in subject.model.schema.columns if column.is_used]
    known = subject.importance
    if not any(one.mean > 0 for one in known):
        parts = subject.model.contributions(subject.background[:_ASKED])
        known = () if parts is None else mean_contributions(parts, subject.model.schema.names)
    sizes = {one.column: one.mean for one in known if np.isfinite(one.mean)}
    found = np.array([max(0.0, sizes.get(name, 0.0)) for name in names])
    found = found / found.sum() if found.sum() > 0 else np.ones(len(names))
    found = found + _FLOOR
    return names, found / max(found.sum(), _FLOOR)


def _held_out(subject: Subject) -> Array | None:
    return subject.held_out if len(subject.held_out) == subject.background.height else None


def _truth(subject: Subject, place: int) -> Label | None:
    if len(subject.truth) != subject.background.height:
        return None
    value = subject.truth[place]
    return subject.classes[int(value)] if subject.classes else float(value)


def _sentence(subject: Subject, rows: tuple[Neighbour, ...], told: str) -> str:
    truths = [one.truth for one in rows if one.truth is not None]
    if not truths:
        return f"The model says {told}; how the {len(rows)} rows most like this one turned out was not kept."
    head = f"Of the {len(truths)} known rows most like this one" if len(truths) > 1 else "Of the one row most like this"
    if subject.classes:
        counted = Counter(truths).most_common(3)
        shares = ", ".join(f"{count} {'was' if count == 1 else 'were'} {named(label)}" for label, count in counted)
        return f"{head}, {shares}; the model says {told} of this one."
    values = np.array(truths, dtype=float)
    if len(values) == 1:
        return f"The one row most like this had {short(values[0])}; the model says {told} of this one."
    between = f"lie between {short(values.min())} and {short(values.max())}, {short(values.mean())} on average"
    return f"The {len(values)} known rows most like this one {between}; the model says {told} of this one."


def _cell(value: Any) -> Cell:
    if isinstance(value, float):
        return short(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    text = str(value).removesuffix(" 00:00:00")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
