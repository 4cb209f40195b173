"""How the answer moves with one column, all else as it is: a curve with its interval, and where there is data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.schema import STORED, Kind
from mantic.core.table import Array
from mantic.explain.subject import COUNT, Label, Subject, answers, ends, named, short, weightings
from mantic.explain.words import Value, value_in_words
from mantic.report.blocks import Axis, Block, Chart, Grid, Group, Report, Series, Text
from mantic.report.numbers import say, say_range

_BINS = 20
_MOST_LEVELS = 12
_MOST_ASKED = 24_000  # rows that a category's levels may cost
_BARS = 24
_FAINT = 1e-9  # of the answer's own size: below, floats only

ALE, DEPENDENCE = "accumulated local effects", "partial dependence"


@dataclass(frozen=True)
class Effect:
    """What a column does to the answer of a model, centred: 0 is the answer of a usual row.

    Parameters
    ----------
    column, target : what moves, and what is moved.
    toward : the class whose probability is meant; None for a regression.
    grid : values of the column; for numbers and dates ascending, as many rows between two as between the next two.
    effect, low, high : at each of them, with the pointwise 95 % interval over rows (not over other models).
    n_rows : rows that hold each level; for numbers and dates rows between each two points.
    edges, counts : histogram of the column, for numbers only.
    unit : "share" (0 to 1, of probability), or "" for the target's own unit.
    method : how it was found; see `effect_of`.
    share_missing : of the rows, which the curve of a number or date leaves out.
    sentence : the same in words.
    """

    column: str
    target: str
    toward: Label | None
    grid: tuple[Value, ...]
    effect: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n_rows: tuple[int, ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    unit: str
    method: str
    share_missing: float
    sentence: str

    def to_facts(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "column": self.column,
            "target": self.target,
            "toward": self.toward,
            "method": self.method,
            "unit": self.unit,
            "share_missing": self.share_missing,
            "grid": [one.isoformat() if isinstance(one, datetime) else one for one in self.grid],
            "effect": list(self.effect),
            "low": list(self.low),
            "high": list(self.high),
            "n_rows": list(self.n_rows),
            "sentence": self.sentence,
        }

    @property
    def chart(self) -> Chart:
        """Return the curve, or a bar per level."""
        y = Axis(f"{_scale(self.target, self.toward)}, against the usual", self.unit)
        points = Series("effect", self.effect, low=self.low, high=self.high)
        title = f"What '{self.column}' does"
        if self.method == DEPENDENCE:
            labels = tuple(_label(one) for one in self.grid)
            return Chart("bar", title, self.sentence, (points,), Axis(self.column, labels=labels), y, horizontal=True)
        if isinstance(self.grid[0], datetime):
            labels = tuple(f"{one:%Y-%m-%d}" for one in self.grid if isinstance(one, datetime))
            return Chart("line", title, self.sentence, (points,), Axis(self.column, labels=labels), y)
        places = tuple(float(one) for one in self.grid if isinstance(one, (int, float)))
        line = Series("effect", self.effect, places, self.low, self.high)
        return Chart("line", title, self.sentence, (line,), Axis(self.column), y)

    def group(self) -> Group:
        """Return the picture, and how the rows lie under it."""
        found: list[Block] = [self.chart]
        if self.edges:
            bars = Series("rows", tuple(map(float, self.counts)), self.edges)
            told = "Where there are few rows, the curve says little."
            found.append(Chart("histogram", f"Rows by '{self.column}'", told, (bars,), Axis(self.column), Axis("rows")))
        elif self.method == DEPENDENCE:
            labels = Axis(self.column, labels=tuple(_label(one) for one in self.grid))
            told = "Where there are few rows, the bar says little."
            rows = Series("rows", tuple(map(float, self.n_rows)))
            found.append(Chart("bar", f"Rows by '{self.column}'", told, (rows,), labels, Axis("rows"), horizontal=True))
        return Group(f"Effect of '{self.column}'", tuple(found), note=self._note(), columns=2)

    def table(self) -> Grid:
        """Return the effect in figures."""
        counts: tuple[int | None, ...] = self.n_rows if self.method == DEPENDENCE else (None, *self.n_rows)
        rows = tuple(
            (_label(value), say(size, self.unit), say_range(low, high, self.unit), n)
            for value, size, low, high, n in zip(
                self.grid, self.effect, self.low, self.high, counts or (None,), strict=True
            )
        )
        last = "rows" if self.method == DEPENDENCE else "rows from the one before"
        return Grid((self.column, "effect", "95 % interval", last), rows, note=self._note())

    def _note(self) -> str:
        parts = [f"By {self.method}; 0 is the usual answer. The band is a 95 % interval over rows of this model."]
        if self.method == ALE and self.n_rows:
            parts.append(f"About {say(int(np.median(self.n_rows)))} rows lie between two points.")
        if self.share_missing:
            parts.append(f"Rows without a value ({say(self.share_missing, 'share')}) are not in it.")
        return " ".join(parts)

    def to_report(self) -> Report:
        """Return the effect as a page."""
        return Report(
            f"Effect of {self.column} on {self.target}",
            (Text(self.sentence, "verdict"), self.group()),
            facts=self.to_facts(),
        )

    def _repr_html_(self) -> str:
        """Return the page for a notebook cell."""
        return self.to_report()._repr_html_()


def effect_of(subject: Subject, column: str, *, toward: Any = None, seed: int = 0) -> Effect:
    """Say how the answer moves with one column.

    Numbers and dates: accumulated local effects, which change a value only to its neighbours and so never ask about
    rows that cannot be. Categories and booleans: partial dependence, which puts each level into all rows.

    Parameters
    ----------
    toward : the class whose probability is meant; when absent the positive one of two, else the one that moves most.

    Raises
    ------
    SchemaError : if the column is unknown, unused, a text, or empty in all background rows.
    SettingsError : if `toward` is no class.

    Source: Apley and Zhu (2020), Visualizing the Effects of Predictor Variables in Black Box Supervised Learning
    Models; Friedman (2001) for partial dependence.
    """
    subject.usable(column)
    kind = subject.model.schema[column].kind
    if kind not in _CURVES:
        raise SchemaError(
            f"'{column}' holds {kind.value} values, which have no order and no few levels",
            where="effect",
            fix="see its contributions by explain()",
        )
    code = None if toward is None or not subject.classes else subject.code_of(toward)
    if code is None and len(subject.classes) == 2:
        code = subject.positive
    curve = _CURVES[kind](subject, column, seed)
    if code is None:
        code = int(np.ptp(curve.draws[0], axis=0).argmax())
    return _told(subject, column, curve, code=code)


@dataclass(frozen=True)
class _Curve:
    """Values of the column, and the centred effect on each output: shape (n_draws, n_values, n_outputs)."""

    values: tuple[Value, ...]
    draws: Array
    n_rows: Array
    places: Array  # of the known rows, as numbers; empty for levels


def _along(subject: Subject, column: str, seed: int) -> _Curve:
    """Accumulate local effects along a number or a date."""
    known = subject.background[column]
    is_number = subject.model.schema[column].kind is Kind.NUMBER
    frame = subject.background.filter(known.is_finite().fill_null(False) if is_number else known.is_not_null())
    places = frame[column].cast(pl.Int64 if frame[column].dtype.is_temporal() else pl.Float64).to_numpy()
    if not len(places):
        raise SchemaError(
            f"'{column}' is empty in all rows that are known", where="effect", fix="choose another column"
        )
    edges = np.unique(np.quantile(places, np.linspace(0, 1, _BINS + 1), method="inverted_cdf"))
    values = pl.Series(column, edges).cast(STORED[subject.model.schema[column].kind])
    weights = weightings(len(places), seed=seed)
    if len(edges) == 1:
        n_outputs = answers(subject.model, frame[:1]).shape[1]
        return _Curve(tuple(values), np.zeros((len(weights), 1, n_outputs)), np.empty(0), places)
    at = np.clip(np.searchsorted(edges, places, side="left"), 1, len(edges) - 1)
    moved = pl.concat([frame.with_columns(values.gather(at)), frame.with_columns(values.gather(at - 1))])
    above, below = np.split(answers(subject.model, moved), 2)
    inside = np.eye(len(edges) - 1)[at - 1]  # (n_rows, n_bins); no bin is empty: each ends at a row's own value
    counts = weights @ inside
    sums = np.stack([weights @ (inside * step[:, None]) for step in (above - below).T], axis=2)
    jumps = sums / counts[:, :, None]
    curve = np.concatenate([np.zeros((len(weights), 1, jumps.shape[2])), jumps.cumsum(axis=1)], axis=1)
    middles = (curve[:, 1:] + curve[:, :-1]) / 2
    usual = np.average(middles, axis=1, weights=counts[0])[:, None, :]  # of the rows as they are, for every draw
    return _Curve(tuple(values), curve - usual, inside.sum(axis=0), places)


def _by_level(subject: Subject, column: str, seed: int) -> _Curve:
    """Put each level into all rows."""
    counted = (
        subject.background[column].value_counts(sort=True, name=COUNT).sort([COUNT, column], descending=[True, False])
    )
    counted = counted.head(_MOST_LEVELS)
    step = max(1, -(-subject.background.height * counted.height // _MOST_ASKED))
    frame = subject.background.gather_every(step)
    put = [frame.with_columns(counted[column][n : n + 1].gather([0] * frame.height)) for n in range(counted.height)]
    by_level = np.stack(np.split(answers(subject.model, pl.concat(put)), counted.height))
    weights = weightings(frame.height, seed=seed)
    weights /= weights.sum(axis=1, keepdims=True)
    means = np.einsum("dr,lro->dlo", weights, by_level)
    n_rows = counted[COUNT].to_numpy()
    usual = np.einsum("l,dlo->do", n_rows / n_rows.sum(), means)
    return _Curve(tuple(counted[column]), means - usual[:, None], n_rows, np.empty(0))


_CURVES: dict[Kind, Callable[[Subject, str, int], _Curve]] = {
    Kind.NUMBER: _along,
    Kind.DATE: _along,
    Kind.CATEGORY: _by_level,
    Kind.BOOLEAN: _by_level,
}


def _told(subject: Subject, column: str, curve: _Curve, *, code: int) -> Effect:
    draws = curve.draws[:, :, code if subject.classes else 0]
    is_level = subject.model.schema[column].kind in (Kind.CATEGORY, Kind.BOOLEAN)
    low, high = ends(draws[1:])
    edges, counts = np.empty(0), np.empty(0)
    if subject.model.schema[column].kind is Kind.NUMBER:
        counts, edges = np.histogram(curve.places, bins=min(_BARS, len(np.unique(curve.places))))
    toward = subject.classes[code] if subject.classes else None
    missing = subject.background[column].null_count() / subject.background.height
    return Effect(
        column=column,
        target=subject.target,
        toward=toward,
        grid=curve.values,
        effect=tuple(draws[0].tolist()),
        low=tuple(np.minimum(low, draws[0]).tolist()),
        high=tuple(np.maximum(high, draws[0]).tolist()),
        n_rows=tuple(int(n) for n in curve.n_rows),
        edges=tuple(map(float, edges)),
        counts=tuple(int(n) for n in counts),
        unit="share" if subject.classes else "",
        method=DEPENDENCE if is_level else ALE,
        share_missing=0.0 if is_level else missing,
        sentence=_sentence(column, _scale(subject.target, toward), curve.values, draws=draws, is_level=is_level),
    )


def _scale(target: str, toward: Label | None) -> str:
    return target if toward is None else f"probability of {named(toward)}"


def _sentence(column: str, scale: str, values: tuple[Value, ...], *, draws: Array, is_level: bool) -> str:
    lowest, highest = int(draws[0].argmin()), int(draws[0].argmax())
    gaps = draws[:, highest] - draws[:, lowest]
    low, high = ends(gaps[1:])
    if gaps[0] <= _FAINT * max(1.0, float(np.abs(draws[0]).max())) or low <= 0:
        return (
            f"'{column}' does not clearly move the {scale}."
            if gaps[0] > 0
            else f"'{column}' does not move the {scale}."
        )
    is_share = scale.startswith("probability of ")
    size, least, most = (short(100 * one if is_share else one) for one in (gaps[0], low, high))
    by = f"{size} points ({least} to {most})" if is_share else f"{size} ({least} to {most})"
    first, last = (value_in_words(values[place]) for place in (lowest, highest))
    if is_level:
        return f"The {scale} is highest where '{column}' is {last} and lowest where it is {first}: {by} apart."
    ways = np.sign(np.round(np.diff(draws[0]) / gaps[0], 2))
    if (ways >= 0).all() or (ways <= 0).all():
        verb, start, end = ("rises", first, last) if highest > lowest else ("falls", last, first)
        return f"The {scale} {verb} by {by} as '{column}' goes from {start} to {end}."
    return f"The {scale} is lowest where '{column}' is about {first} and highest about {last}: {by} apart."


def _label(value: Value) -> str:
    return value if isinstance(value, str) else value_in_words(value)
