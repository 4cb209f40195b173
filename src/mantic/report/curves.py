"""Charts over two number axes: line, points, histogram."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mantic.core.table import Array
from mantic.report.blocks import Chart, Series
from mantic.report.canvas import (
    EDGE,
    LINE,
    SIZE,
    Scale,
    Sheet,
    axis_title,
    bounds,
    category_scale,
    colours,
    draw_nothing,
    fit,
    head_height,
    named_rows,
    numbers,
    put_foot,
    put_head,
    scale_from_zero,
    scale_of,
    strokes,
    width_of,
)
from mantic.report.tokens import REFERENCE, SURFACE

_HEIGHT = 210  # of the plot, pixels
MOST_ON_A_LINE = 300
MOST_POINTS = 700
FEW = 30  # up to here each point of a line is marked


@dataclass(frozen=True)
class Curve:
    """A series as it can be drawn: numbers of equal length, NaN where there is none."""

    series: Series
    colour: str
    x: Array
    y: Array
    low: Array
    high: Array

    def at(self, index: Array) -> "Curve":
        """Return only these points."""
        return replace(self, x=self.x[index], y=self.y[index], low=self.low[index], high=self.high[index])


def draw_line(figure: Any, chart: Chart) -> None:
    """Draw lines with their bands; gaps stay gaps, long lines keep their highs and lows."""
    curves = [curve.at(turning_points(curve.y, MOST_ON_A_LINE)) for curve in curves_of(chart)]
    plot = _plot(figure, chart, curves)
    if plot is None:
        return
    for curve in sorted(curves, key=lambda curve: not curve.series.is_reference):
        if curve.series.is_reference:
            plot.plot(curve.x, curve.y, color=REFERENCE, linewidth=1.2, linestyle=(0, (4, 3)))
            continue
        if np.isfinite(curve.low).any():
            plot.fill_between(curve.x, curve.low, curve.high, color=curve.colour, alpha=0.16, linewidth=0)
        plot.plot(curve.x, curve.y, color=curve.colour, linewidth=2, solid_joinstyle="round", solid_capstyle="round")
        if len(curve.y) <= FEW:
            _dots(plot, curve, size=5, alpha=1.0)


def draw_points(figure: Any, chart: Chart) -> None:
    """Draw points, thinned by chance (always the same one) and paler the more there are."""
    curves = curves_of(chart)
    n_points = sum(len(curve.y) for curve in curves if not curve.series.is_reference)
    share = min(1.0, MOST_POINTS / max(n_points, 1))
    curves = [curve.at(sample(len(curve.y), 1.0 if curve.series.is_reference else share)) for curve in curves]
    plot = _plot(figure, chart, curves)
    if plot is None:
        return
    alpha = 0.8 if n_points <= 60 else 0.5 if n_points <= 300 else 0.3
    for curve in sorted(curves, key=lambda curve: not curve.series.is_reference):
        if curve.series.is_reference:
            plot.plot(curve.x, curve.y, color=REFERENCE, linewidth=1.2, linestyle=(0, (4, 3)))
            continue
        if n_points <= FEW:
            strokes(plot, zip(curve.x, curve.low, curve.x, curve.high, strict=True), curve.colour)
        _dots(plot, curve, size=5.5, alpha=alpha)


def draw_histogram(figure: Any, chart: Chart) -> None:
    """Draw counts over their edges; several series lie over each other, outlined."""
    curves = [bins_of(curve) for curve in curves_of(chart, n_more=1)]
    plot = _bin_plot(figure, chart, curves)
    if plot is None:
        return
    drawn = [curve for curve in curves if len(curve.y)]
    for curve in drawn:
        if curve.series.is_reference:
            plot.stairs(curve.y, curve.x, color=REFERENCE, linewidth=1.2)
            continue
        is_alone = len(drawn) == 1
        plot.stairs(curve.y, curve.x, color=curve.colour, fill=True, alpha=0.9 if is_alone else 0.28, linewidth=0)
        if is_alone and len(curve.y) <= 80:
            strokes(plot, ((x, 0.0, x, y) for x, y in zip(curve.x[1:], curve.y, strict=True)), SURFACE, width=1)
        elif not is_alone:
            plot.stairs(curve.y, curve.x, color=curve.colour, linewidth=1.6)


def curves_of(chart: Chart, *, n_more: int = 0) -> list[Curve]:
    """Return each series of a chart; `x` has `n_more` numbers more than `y`. What a log axis cannot show is NaN."""
    found = []
    for series, colour in zip(chart.series, colours(chart.series), strict=True):
        y, (low, high) = numbers(series.y), bounds(series)
        x = numbers(series.x) if series.x else np.arange(len(y) + n_more, dtype=float)
        n = max(0, min(len(x) - n_more, len(y)))
        if chart.x.log:
            x = np.where(x > 0, x, np.nan)
        if chart.y.log and not n_more:
            y, low, high = (np.where(part > 0, part, np.nan) for part in (y, low, high))
        found.append(Curve(series, colour, x[: n + n_more if n else 0], y[:n], low[:n], high[:n]))
    return found


def bins_of(curve: Curve) -> Curve:
    """Return counts over rising edges; nothing where the edges are not."""
    if not len(curve.y) or not np.isfinite(curve.x).all() or (np.diff(curve.x) < 0).any():
        return replace(curve, x=np.empty(0), y=np.empty(0))
    return replace(curve, y=np.nan_to_num(curve.y))


def _plot(figure: Any, chart: Chart, curves: Sequence[Curve]) -> Any | None:
    """Lay out a plot for these curves; None (and a word to the reader) when there is nothing to draw."""
    y_scale = scale_of([part for curve in curves for part in (curve.y, curve.low, curve.high)], chart.y)
    return _laid_out(figure, chart, curves, x_scale=scale_of([curve.x for curve in curves], chart.x), y_scale=y_scale)


def _bin_plot(figure: Any, chart: Chart, curves: Sequence[Curve]) -> Any | None:
    """Lay out a plot for counts: upwards from zero, the outer bins touch the sides."""
    x_scale = scale_of([curve.x for curve in curves], chart.x)
    if x_scale is not None and not x_scale.is_log:
        edges = np.concatenate([curve.x for curve in curves])
        x_scale = replace(x_scale, low=float(edges.min()), high=float(edges.max()))
        x_scale = _inside(x_scale) if x_scale.high > x_scale.low else replace(x_scale, high=x_scale.low + 1.0)
    y_scale = scale_from_zero([curve.y for curve in curves], chart.y)
    return _laid_out(figure, chart, curves, x_scale=x_scale, y_scale=y_scale)


def _laid_out(
    figure: Any, chart: Chart, curves: Sequence[Curve], *, x_scale: Scale | None, y_scale: Scale | None
) -> Any | None:
    """Put scales, names and labels on the sheet."""
    if y_scale is None or x_scale is None:
        draw_nothing(figure)
        return None
    ends = _ends(curves, x_scale, y_scale)
    rows = [] if ends else named_rows([curve.series for curve in curves])
    y_title, x_title = axis_title(chart.y), axis_title(chart.x)
    right = max((width_of(name) for *_, name in ends), default=0.0) + 10 if ends else EDGE + 14
    sheet = Sheet(_HEIGHT, EDGE + y_scale.width + 8, right, head_height(rows, y_title) + 4, 24 + LINE * bool(x_title))
    if chart.x.labels:
        x_scale = category_scale(chart.x.labels, sheet.plot_width)
    axes = sheet.axes(figure)
    x_scale.put(axes.xaxis, grid="none")
    y_scale.put(axes.yaxis)
    put_head(axes, [curve.series for curve in curves], rows, y_title)
    put_foot(axes, x_title, sheet)
    for x, y, colour, name in ends:
        style = {"color": colour, "fontsize": SIZE, "va": "center", "xytext": (7, 0), "textcoords": "offset points"}
        axes.annotate(name, (x, y), annotation_clip=False, **style)
    return axes


def _inside(scale: Scale) -> Scale:
    kept = [place for place, tick in enumerate(scale.ticks) if scale.low <= tick <= scale.high]
    return replace(scale, ticks=tuple(scale.ticks[p] for p in kept), labels=tuple(scale.labels[p] for p in kept))


def _ends(curves: Sequence[Curve], x_scale: Scale, y_scale: Scale) -> list[tuple[float, float, str, str]]:
    """Return where each name can stand at the end of its line; nothing if two would touch."""
    if len(curves) < 2 or len(curves) > 5 or x_scale.is_log or y_scale.is_log:
        return []
    found = []
    for curve in curves:
        if not curve.series.name or len(curve.x) != len(curve.y):
            return []
        known = np.flatnonzero(np.isfinite(curve.x) & np.isfinite(curve.y))
        if not len(known):
            return []
        x, y = float(curve.x[known[-1]]), float(curve.y[known[-1]])
        if (x_scale.high - x) > 0.12 * (x_scale.high - x_scale.low):
            return []
        found.append((x, y, curve.colour, fit(curve.series.name, 100)))
    pixels = sorted((y - y_scale.low) / (y_scale.high - y_scale.low) * _HEIGHT for _, y, _, _ in found)
    return found if all(np.diff(pixels) >= SIZE + 3) else []


def turning_points(y: Array, most: int) -> Array:
    """Return places that keep the shape of a long line: the ends, lows and highs of equal stretches."""
    if len(y) <= most:
        return np.arange(len(y))
    kept = {0, len(y) - 1}
    for stretch in np.array_split(np.arange(len(y)), most // 3):
        part = y[stretch]
        gap = np.isnan(part)
        places = (0, int(np.where(gap, np.inf, part).argmin()), int(np.where(gap, -np.inf, part).argmax()))
        kept.update(int(stretch[place]) for place in places)
    return np.array(sorted(kept))


def sample(n: int, share: float) -> Array:
    """Return places of a share of n points, drawn by chance, always the same."""
    if share >= 1.0:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, size=max(1, int(n * share)), replace=False))


def _dots(axes: Any, curve: Curve, *, size: float, alpha: float) -> None:
    axes.plot(
        curve.x,
        curve.y,
        color=curve.colour,
        linestyle="none",
        marker="o",
        markersize=size,
        markeredgewidth=0,
        alpha=alpha,
    )
