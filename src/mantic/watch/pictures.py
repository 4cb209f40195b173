"""A column as it was in training and as it was asked lately: two charts on the same axis."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from mantic.core.schema import Column, Kind
from mantic.core.table import Array
from mantic.report.blocks import Axis, Chart, Series
from mantic.report.numbers import say

_MOST_BINS, _MOST_BARS = 20, 8
_LONGEST = 28  # letters of a level
BEFORE, NOW = "training", "lately"


def pictures(before: pl.Series, now: pl.Series, column: Column) -> tuple[Chart, Chart]:
    """Return the distribution in training and lately, in per cent of the rows that are not empty."""
    return _DRAW[column.kind](before, now, column)


def _numbers(before: pl.Series, now: pl.Series, column: Column) -> tuple[Chart, Chart]:
    return _beside(before.cast(pl.Float64), now.cast(pl.Float64), column.name, unit=column.unit)


def _words(before: pl.Series, now: pl.Series, column: Column) -> tuple[Chart, Chart]:
    was, is_now = (one.str.count_matches(r"\w+").cast(pl.Float64) for one in (before, now))
    return _beside(was, is_now, f"words of {column.name}", unit="words")


def _beside(before: pl.Series, now: pl.Series, name: str, *, unit: str) -> tuple[Chart, Chart]:
    sides = _finite(before), _finite(now)
    edges = _edges(sides)
    first, last = (_histogram(side, edges, name, unit=unit, what=what) for side, what in zip(sides, _WHAT, strict=True))
    return first, last


def _levels(before: pl.Series, now: pl.Series, column: Column) -> tuple[Chart, Chart]:
    shares = [_shares(one) for one in (before, now)]
    ranked = sorted({**shares[0], **shares[1]}, key=lambda level: -max(one.get(level, 0.0) for one in shares))
    shown = ranked[:_MOST_BARS]
    labels = [level if len(level) <= _LONGEST else f"{level[: _LONGEST - 1]}…" for level in shown]
    n_rest = len(ranked) - len(shown)
    charts = []
    for share, what in zip(shares, _WHAT, strict=True):
        bars = [share.get(level, 0.0) for level in shown]
        rest = [max(0.0, 1.0 - sum(bars))] if n_rest else []
        top = max(share, key=lambda level: share[level], default="")
        said = f"'{top}' is commonest ({say(share[top], 'share')})." if share else "It was always empty."
        charts.append(
            Chart(
                "bar", f"{column.name}, {what}", f"'{column.name}' {what}: {said}",
                (Series(what, tuple(100 * bar for bar in [*bars, *rest])),),
                x=Axis(column.name, labels=(*labels, *([f"{n_rest:,} others"] if n_rest else []))),
                y=Axis("rows", "%"), horizontal=True,
            )
        )  # fmt: skip
    return charts[0], charts[1]


def _dates(before: pl.Series, now: pl.Series, column: Column) -> tuple[Chart, Chart]:
    sides = [_finite(one.dt.epoch("s").cast(pl.Float64)) for one in (before, now)]
    edges = _edges(sides)
    days = (edges[-1] - edges[0]) / 86_400
    form = "%Y" if days > 3650 else "%Y-%m" if days > 90 else "%Y-%m-%d" if days > 2 else "%H:%M"
    labels = tuple((datetime(1970, 1, 1) + timedelta(seconds=float(at))).strftime(form) for at in edges[:-1])
    charts = []
    for side, what in zip(sides, _WHAT, strict=True):
        counts = np.histogram(side, edges)[0]
        said = "It was always empty."
        if len(side):
            first, last = (
                (datetime(1970, 1, 1) + timedelta(seconds=float(at))).date() for at in (side.min(), side.max())
            )
            said = f"from {first} to {last}."
        charts.append(
            Chart(
                "line", f"{column.name}, {what}", f"'{column.name}' {what}: {said}",
                (Series(what, _per_cent(counts), x=tuple(map(float, range(len(counts)))), texts=labels),),
                x=Axis(column.name, labels=labels), y=Axis("rows", "%"),
            )
        )  # fmt: skip
    return charts[0], charts[1]


def _histogram(side: Array, edges: Array, name: str, *, unit: str, what: str) -> Chart:
    counts = np.histogram(np.clip(side, edges[0], edges[-1]), edges)[0]
    said = f"half lie below {say(float(np.median(side)))}." if len(side) else "always empty."
    return Chart(
        "histogram", f"{name}, {what}", f"'{name}' {what}: {said}",
        (Series(what, _per_cent(counts), x=tuple(map(float, edges))),),
        x=Axis(name, unit), y=Axis("rows", "%"),
    )  # fmt: skip


def _edges(sides: Sequence[Array]) -> Array:
    """Return common edges; what lies far out is drawn in the outer bins."""
    both = np.concatenate([side for side in sides if len(side)] or [np.zeros(1)])
    low, high = float(both.min()), float(both.max())
    inner = [np.quantile(side, [0.005, 0.995]) for side in sides if len(side)]
    if inner:
        near, far = float(min(one[0] for one in inner)), float(max(one[1] for one in inner))
        if far > near and high - low > 4 * (far - near):
            low, high = near, far
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    n_distinct = len(np.unique(both[:5_000]))
    return np.linspace(low, high, int(min(_MOST_BINS, max(2, n_distinct))) + 1)


def _finite(numbers: pl.Series) -> Array:
    values: Array = numbers.drop_nulls().to_numpy()
    return np.asarray(values[np.isfinite(values)])


def _per_cent(counts: Array) -> tuple[float, ...]:
    return tuple((100 * counts / max(1, counts.sum())).tolist())


def _shares(series: pl.Series) -> dict[str, float]:
    filled = series.drop_nulls().cast(pl.String)
    return {level: n / len(filled) for level, n in filled.alias("level").value_counts(name="n", sort=True).iter_rows()}


_WHAT = (f"in {BEFORE}", NOW)
_DRAW: dict[Kind, Callable[[pl.Series, pl.Series, Column], tuple[Chart, Chart]]] = {
    Kind.NUMBER: _numbers,
    Kind.CATEGORY: _levels,
    Kind.BOOLEAN: _levels,
    Kind.DATE: _dates,
    Kind.TEXT: _words,
}
