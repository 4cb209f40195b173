"""Pictures of a profile: each column, what is missing, how numbers move together."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from mantic.core.schema import Column, Kind
from mantic.core.table import Array
from mantic.features.profile_table import correlation
from mantic.features.profile_view import View, percent
from mantic.report.blocks import Axis, Block, Chart, Group, Series, Text

MOST_CHARTS = 60
_MOST_BINS = 24
_MOST_BARS = 8
_MOST_GAPS = 30
_SECONDS_A_DAY = 86_400.0


def column_charts(view: View) -> Group:
    """Return a small chart of each column that has a shape, three beside each other; the target comes first."""
    columns = sorted(view.schema.columns, key=lambda column: column.name != view.target)
    drawn = [column for column in columns if column.kind in _DRAW and column.n_levels > 1]
    charts = [chart for column in drawn[:MOST_CHARTS] for chart in _DRAW[column.kind](view, column)]
    notes = [f"the first {MOST_CHARTS} of {len(drawn):,} columns are drawn"] if len(drawn) > MOST_CHARTS else []
    notes += [f"drawn from {view.sample.height:,} rows spread over all {view.n_rows:,}"] if view.is_sampled else []
    return Group("Columns in pictures", tuple(charts), note="; ".join(notes), columns=3)


def _histogram(view: View, column: Column) -> Iterator[Chart]:
    values = view.sample[column.name].drop_nulls().to_numpy()
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return
    low, high = _range(values)
    inside = values[(values >= low) & (values <= high)]
    counts, edges = np.histogram(inside, bins=_bins(inside), range=(low, high) if high > low else None)
    cut = len(values) - len(inside)
    rest = f" {cut:,} values ({percent(cut / len(values))}) lie beyond the picture." if cut else ""
    yield Chart(
        "histogram",
        column.name,
        f"Half of '{column.name}' lies below {np.median(values):,.4g}, from {values.min():,.4g} to "
        f"{values.max():,.4g}.{rest}",
        (Series("rows", tuple(map(float, counts)), x=tuple(map(float, edges))),),
        x=Axis(column.name, column.unit),
        y=Axis("rows"),
    )


def _range(values: Array) -> tuple[float, float]:
    """Return what to draw: all, or without half a per cent at either end when that would squeeze the rest."""
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = np.quantile(values, [0.005, 0.995])
    if inner_high > inner_low and high / 4 - low / 4 > inner_high - inner_low:
        return float(inner_low), float(inner_high)
    return low, high


def _bins(values: Array) -> int:
    n_distinct = len(np.unique(values[:5_000]))
    return int(max(1, min(_MOST_BINS, n_distinct)))


def _bars(view: View, column: Column) -> Iterator[Chart]:
    counts = view.sample[column.name].drop_nulls().value_counts(sort=True, name="n")
    if counts.height == 0:
        return
    top = counts.head(_MOST_BARS)
    labels = [_label(value) for value in top[column.name]]
    heights = [float(n) for n in top["n"]]
    if counts.height > _MOST_BARS:
        labels.append(f"{counts.height - _MOST_BARS:,} others")
        heights.append(float(counts["n"].sum()) - sum(heights))
    first = percent(heights[0] / max(1, view.sample.height))
    yield Chart(
        "bar",
        column.name,
        f"'{column.name}' is most often {labels[0]} ({first} of the rows).",
        (Series("rows", tuple(heights)),),
        x=Axis(column.name, labels=tuple(labels)),
        y=Axis("rows"),
        horizontal=True,
    )


def _label(value: object) -> str:
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value).strip()
    return text if len(text) <= 28 else f"{text[:27]}…"


def _dates(view: View, column: Column) -> Iterator[Chart]:
    moments = view.sample[column.name].drop_nulls().dt.epoch("s").to_numpy().astype(np.float64)
    if len(moments) == 0:
        return
    counts, edges = np.histogram(moments, bins=min(_MOST_BINS, len(np.unique(moments))))
    days = (edges[-1] - edges[0]) / _SECONDS_A_DAY
    form = "%Y" if days > 3650 else "%Y-%m" if days > 90 else "%Y-%m-%d" if days > 2 else "%H:%M"
    middles = (edges[:-1] + edges[1:]) / 2
    labels = tuple((datetime(1970, 1, 1) + timedelta(seconds=float(at))).strftime(form) for at in middles)
    zone = f" (time of {column.zone})" if column.zone else ""
    yield Chart(
        "line",
        column.name,
        f"'{column.name}' goes from {str(column.low)[:10]} to {str(column.high)[:10]}{zone}.",
        (Series("rows", tuple(map(float, counts)), x=tuple(map(float, range(len(counts)))), texts=labels),),
        x=Axis(column.name, labels=labels),
        y=Axis("rows"),
    )


def _words(view: View, column: Column) -> Iterator[Chart]:
    words = view.sample[column.name].drop_nulls().str.count_matches(r"\S+").to_numpy().astype(np.float64)
    if len(words) == 0:
        return
    low, high = _range(words)
    counts, edges = np.histogram(words[(words >= low) & (words <= high)], bins=_bins(words))
    yield Chart(
        "histogram",
        column.name,
        f"Half of the texts in '{column.name}' have {np.median(words):g} words or fewer; the longest "
        f"has {words.max():,.0f}.",
        (Series("texts", tuple(map(float, counts)), x=tuple(map(float, edges))),),
        x=Axis("words", "words"),
        y=Axis("texts"),
    )


_DRAW = {
    Kind.NUMBER: _histogram,
    Kind.CATEGORY: _bars,
    Kind.BOOLEAN: _bars,
    Kind.DATE: _dates,
    Kind.TEXT: _words,
}


def missing_chart(view: View) -> Iterator[Block]:
    """Yield a bar for each column with gaps, the emptiest first; nothing where there are none."""
    gaps = sorted((c for c in view.schema.columns if c.share_missing > 0), key=lambda c: -c.share_missing)
    if not gaps or view.n_rows == 0:
        return
    shown = gaps[:_MOST_GAPS]
    more = f" The {len(shown)} emptiest are drawn." if len(gaps) > len(shown) else ""
    yield Chart(
        "bar",
        "What is missing",
        f"{len(gaps):,} of {len(view.schema):,} columns have gaps; '{shown[0].name}' is the emptiest "
        f"({percent(shown[0].share_missing)}).{more}",
        (Series("share missing", tuple(100 * column.share_missing for column in shown)),),
        x=Axis("column", labels=tuple(_label(column.name) for column in shown)),
        y=Axis("missing", "%"),
        horizontal=True,
    )


def correlation_chart(view: View) -> Iterator[Block]:
    """Yield a heat map of how numbers move together, where there are two or more."""
    names, matrix = correlation(view)
    if len(names) < 2:
        return
    off = np.abs(matrix - np.diag(np.diag(matrix)))
    one, other = np.unravel_index(int(off.argmax()), off.shape)
    n_numbers = len([column for column in view.of_kind(Kind.NUMBER) if column.n_levels > 1])
    if n_numbers > len(names):
        yield Text(f"Of {n_numbers:,} columns of numbers the {len(names)} fullest are compared.")
    labels = tuple(_label(name) for name in names)
    yield Chart(
        "heat",
        "How numbers move together",
        f"'{names[one]}' and '{names[other]}' move together most (correlation "
        f"{matrix[one, other]:.2f}; 1 is always, 0 not at all).",
        x=Axis(labels=labels),
        y=Axis(labels=labels),
        matrix=tuple(tuple(round(float(value), 3) for value in row) for row in matrix),
    )
