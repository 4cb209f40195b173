"""Explanations of rows: for people a sentence and a picture each, for machines plain values."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import MAXYEAR, MINYEAR
from typing import Any

import polars as pl

from mantic.core.model import Importance, Model
from mantic.core.table import Array
from mantic.explain.shap import shapley
from mantic.explain.words import Reason, plain_value, sentence, signed, value_in_words
from mantic.report.blocks import Axis, Block, Chart, Grid, Group, Report, Series, Text
from mantic.report.numbers import say
from mantic.search.margin import to_guess

_MOST_ROWS = 20  # on a page
_STEPS = 8  # of a waterfall; the rest is one step

Label = str | int | float | bool


@dataclass(frozen=True)
class Explained:
    """One row's answer and its reasons.

    Parameters
    ----------
    prediction : the class, or the value.
    probability : of each class by its name; None for a regression.
    base : where the sum of contributions starts: the usual margin.
    reasons : strongest first; their sum with `base` is the margin.
    toward : the class whose margin (log-odds, or log-probability) they add to; None for a regression, where they are in
        the target's unit.
    sentence : the same in words.
    """

    prediction: Label
    probability: dict[str, float] | None
    base: float
    reasons: tuple[Reason, ...]
    toward: Label | None
    sentence: str

    @property
    def margin(self) -> float:
        """Return the sum of the base and all contributions."""
        return self.base + sum(one.contribution for one in self.reasons)


@dataclass(frozen=True)
class Explanation:
    """Why a model answers some rows as it does, and which columns matter to it in all."""

    target: str
    rows: tuple[Explained, ...]
    importance: tuple[Importance, ...] = ()

    def to_facts(self) -> dict[str, Any]:
        """Return plain JSON values: per row prediction, probability, base, toward, contributions and the sentence."""
        return {
            "target": self.target,
            "rows": [_row_facts(one) for one in self.rows],
            "importance": [{key: plain_value(value) for key, value in asdict(one).items()} for one in self.importance],
        }

    def to_report(self) -> Report:
        """Return a page with a waterfall for each of the first 20 rows, and the columns that matter in all."""
        groups: list[Block] = [
            Group(f"Row {number + 1}", (Text(one.sentence), _waterfall(one, self.target)))
            for number, one in enumerate(self.rows[:_MOST_ROWS])
        ]
        if len(self.rows) > _MOST_ROWS:
            groups.append(_list(self.rows[_MOST_ROWS:], first=_MOST_ROWS + 1))
        overall = _overall(self.importance)
        return Report(f"Why: {self.target}", (*groups, *overall), facts=self.to_facts())

    def _repr_html_(self) -> str:
        """Return the report for a notebook cell."""
        return self.to_report()._repr_html_()


def explain_rows(
    model: Model,
    frame: pl.DataFrame,
    background: pl.DataFrame,
    *,
    target: str,
    classes: Sequence[Label] = (),
    seed: int = 0,
) -> Explanation:
    """Explain each row of an aligned frame.

    Parameters
    ----------
    background : aligned rows of the usual kind, used when the model cannot say its contributions itself.
    target : what is predicted, for the sentences.
    classes : labels of the class codes; empty for a regression.

    Returns
    -------
    An Explanation without importances; `dataclasses.replace(it, importance=...)` adds them.
    """
    if frame.is_empty():
        return Explanation(target, ())
    contributions = shapley(model, frame, background, seed=seed)
    guess = to_guess(contributions.sum(axis=1), model.n_classes)
    rows = []
    for at, values in enumerate(_of_our_calendar(frame).iter_rows()):
        explain = _explain_class if classes else _explain_value
        rows.append(explain(guess[at], contributions[at], _named(model, frame, values), classes))
    return Explanation(target, tuple(rows))


def _of_our_calendar(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame without dates before the year 1 or after 9999, which Python cannot hold."""
    dates = pl.col(pl.Datetime)
    return frame.with_columns(pl.when(dates.dt.year().is_between(MINYEAR, MAXYEAR)).then(dates))


Values = list[tuple[int, str, Any]]  # place in the schema, name and value of each used column


def _named(model: Model, frame: pl.DataFrame, values: Sequence[Any]) -> Values:
    by_name = dict(zip(frame.columns, values, strict=True))
    return [
        (place, column.name, by_name[column.name])
        for place, column in enumerate(model.schema.columns)
        if column.is_used
    ]


def _reasons(contributions: Array, values: Values) -> tuple[Reason, ...]:
    found = [Reason(name, value, float(contributions[place])) for place, name, value in values]
    return tuple(sorted(found, key=lambda one: -abs(one.contribution)))


def _explain_class(guess: Array, contributions: Array, values: Values, classes: Sequence[Label]) -> Explained:
    best = int(guess.argmax())
    output, toward = (0, 1) if len(classes) == 2 else (best, best)
    reasons = _reasons(contributions[:, output], values)
    shown = classes[best]
    name = f"'{shown}'" if isinstance(shown, str) else str(shown)
    return Explained(
        classes[best],
        {str(label): float(share) for label, share in zip(classes, guess, strict=True)},
        float(contributions[-1, output]),
        reasons,
        classes[toward],
        sentence(f"{name} ({say(float(guess[best]), 'share')})", reasons, sign=1.0 if best == toward else -1.0),
    )


def _explain_value(guess: Array, contributions: Array, values: Values, _: Sequence[Label]) -> Explained:
    reasons = _reasons(contributions[:, 0], values)
    base = float(contributions[-1, 0])
    told = f"{_short(float(guess))}, where {_short(base)} is usual"
    sign = 1.0 if float(guess) >= base else -1.0
    return Explained(float(guess), None, base, reasons, None, sentence(told, reasons, sign=sign))


def _row_facts(row: Explained) -> dict[str, Any]:
    return {
        "prediction": plain_value(row.prediction),
        "probability": row.probability,
        "base": plain_value(row.base),
        "toward": row.toward,
        "contributions": [
            {"column": one.column, "value": plain_value(one.value), "contribution": plain_value(one.contribution)}
            for one in row.reasons
        ],
        "sentence": row.sentence,
    }


def _waterfall(row: Explained, target: str) -> Chart:
    shown, others = row.reasons[:_STEPS], row.reasons[_STEPS:]
    rest = sum(one.contribution for one in others)
    labels = ["usual", *(f"{one.column} is {value_in_words(one.value)}" for one in shown)]
    steps = [row.base, *(one.contribution for one in shown)]
    if others:
        labels.append(f"{len(others)} other columns")
        steps.append(rest)
    scale = f"log-odds of '{row.toward}'" if row.toward is not None else target
    if row.probability is not None and len(row.probability) > 2:
        scale = f"log-probability of '{row.toward}', less the mean of all classes"
    strongest = f"Strongest: {labels[1]} ({signed(steps[1])})." if shown else "No column is used."
    return Chart(
        "waterfall",
        f"From the usual {say(float(f'{row.base:.3g}'))} to {say(float(f'{row.margin:.3g}'))}",
        strongest,
        (Series("contribution", tuple(float(one) for one in steps)),),
        x=Axis(labels=tuple(labels)),
        y=Axis(scale),
        horizontal=True,
    )


def _list(rows: Sequence[Explained], *, first: int) -> Group:
    cells = tuple((first + number, one.sentence) for number, one in enumerate(rows))
    return Group("More rows", (Grid(("row", "why"), cells),), fold=True)


def _overall(importance: Sequence[Importance]) -> list[Block]:
    known = [one for one in importance if math.isfinite(one.mean)][:15]
    if not known:
        return []
    bars = Series(
        "importance",
        tuple(one.mean for one in known),
        low=tuple(one.low for one in known),
        high=tuple(one.high for one in known),
    )
    names = tuple(one.column for one in known)
    told = f"In all it depends most on {', '.join(names[:3])}."
    chart = Chart("bar", "What it depends on in all", told, (bars,), Axis(labels=names), Axis(), horizontal=True)
    return [Group("All rows", (chart,))]


def _short(value: float) -> str:
    return say(float(f"{value:.3g}")) if math.isfinite(value) else say(None)
