"""Charts over named places: bar, box, waterfall, heat; and the picture."""

import base64
import binascii
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mantic.core.lazy import need
from mantic.core.table import Array
from mantic.report.blocks import Chart, Series
from mantic.report.canvas import (
    EDGE,
    LINE,
    SIZE,
    WIDTH,
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
    printable,
    put_foot,
    put_head,
    rectangles,
    scale_from_zero,
    scale_of,
    strokes,
    width_of,
    write,
)
from mantic.report.numbers import brief, say, say_alike
from mantic.report.tokens import ACCENT, GRID, INK, MUTED, REFERENCE, SECOND, SURFACE

MOST_ROWS = 30
MOST_CELLS = 40  # per side
MOST_FIGURES = 150  # in cells
_LABELS = 170  # the most that labels at the side may take, pixels
STRONGEST = 0.55  # opacity of the largest cell: the figure on it keeps its contrast in light and dark
PICTURES = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,")


def draw_bar(figure: Any, chart: Chart) -> None:
    """Draw bars from zero: upright for a few short labels, otherwise down the side with their figures."""
    labels = labels_of(chart)
    if not labels:
        draw_nothing(figure)
        return
    (_draw_upright if is_upright(chart, labels) else _draw_lying)(figure, chart, labels)


def is_upright(chart: Chart, labels: Sequence[str]) -> bool:
    """Whether bars have room to stand beside each other, over their labels."""
    slot = (WIDTH - 60) / max(1, len(labels))
    return not chart.horizontal and 1 <= len(labels) <= 12 and max(map(width_of, labels)) + 8 <= slot


def _draw_lying(figure: Any, chart: Chart, labels: Sequence[str]) -> None:
    shown = labels[:MOST_ROWS]
    parts = [padded(series, len(shown)) for series in chart.series]
    x_scale = scale_from_zero([part for trio in parts for part in trio], chart.y)
    if x_scale is None:
        draw_nothing(figure)
        return
    bars = [place for place, series in enumerate(chart.series) if not series.is_reference]
    thick = 14 if len(bars) <= 1 else 8
    pitch = max(26, thick * len(bars) + 12)
    figures = _figures(parts[bars[0]][0], chart.y.unit) if len(bars) == 1 else []
    axes = _side_plot(figure, chart, (shown, figures), pitch=pitch, x_scale=x_scale)
    for place, (series, colour) in enumerate(zip(chart.series, colours(chart.series), strict=True)):
        y, low, high = parts[place]
        at = np.arange(len(shown), dtype=float)
        if series.is_reference:
            strokes(axes, ((v, p - 0.36, v, p + 0.36) for p, v in zip(at, y, strict=True)), REFERENCE, width=2)
            continue
        at = at + (bars.index(place) - (len(bars) - 1) / 2) * (thick + 1) / pitch
        half = thick / pitch / 2
        rectangles(
            axes, ((0.0, p - half, v, p + half) for p, v in zip(at, y, strict=True) if not math.isnan(v)), colour
        )
        _whiskers(axes, ((a, p, b, p) for p, a, b in zip(at, low, high, strict=True)), cap=half * 0.5)
    if x_scale.low < 0:
        axes.axvline(0, color=REFERENCE, linewidth=1)
    _say_rest(axes, len(labels), len(shown))


def _draw_upright(figure: Any, chart: Chart, labels: Sequence[str]) -> None:
    parts = [padded(series, len(labels)) for series in chart.series]
    y_scale = scale_from_zero([part for trio in parts for part in trio], chart.y)
    if y_scale is None:
        draw_nothing(figure)
        return
    bars = [place for place, series in enumerate(chart.series) if not series.is_reference]
    rows, y_title, x_title = named_rows(chart.series), axis_title(chart.y), axis_title(chart.x)
    head = head_height(rows, y_title) + 4 + (LINE if len(bars) == 1 else 0)
    sheet = Sheet(180, EDGE + y_scale.width + 8, EDGE, head, 24 + LINE * bool(x_title))
    axes = sheet.axes(figure)
    category_scale(labels, sheet.plot_width).put(axes.xaxis, grid="none")
    y_scale.put(axes.yaxis)
    put_head(axes, chart.series, rows, y_title)
    put_foot(axes, x_title, sheet)
    half = min(0.36, 28 / (sheet.plot_width / len(labels))) / max(1, len(bars))
    for place, (series, colour) in enumerate(zip(chart.series, colours(chart.series), strict=True)):
        y, low, high = parts[place]
        at = np.arange(len(labels), dtype=float)
        if series.is_reference:
            strokes(axes, ((p - 0.42, v, p + 0.42, v) for p, v in zip(at, y, strict=True)), REFERENCE, width=2)
            continue
        at = at + (bars.index(place) - (len(bars) - 1) / 2) * 2 * half
        edge = half * 0.94
        rectangles(
            axes, ((p - edge, 0.0, p + edge, v) for p, v in zip(at, y, strict=True) if not math.isnan(v)), colour
        )
        _whiskers(axes, ((p, a, p, b) for p, a, b in zip(at, low, high, strict=True)), cap=half * 0.3)
        if len(bars) == 1:
            tops = np.fmax(np.fmax(y, high), 0.0)
            for p, top, text in zip(at, tops, _figures(y, chart.y.unit), strict=True):
                _note(axes, text, (p, top), ha="center", va="bottom", xytext=(0, 3))
    axes.axhline(0, color=REFERENCE, linewidth=1)


def draw_box(figure: Any, chart: Chart) -> None:
    """Draw one box per series, each on its own row: whiskers, quartiles, median."""
    boxes = [(series.name, numbers(series.y)) for series in chart.series if len(series.y) == 5]
    shown = boxes[:MOST_ROWS]
    x_scale = scale_of([values for _, values in shown], chart.y)
    if x_scale is None:
        draw_nothing(figure)
        return
    names = [printable(name) for name, _ in shown]
    axes = _side_plot(figure, chart, (names, []), pitch=30, x_scale=x_scale)
    for place, (_, (low, first, middle, third, high)) in enumerate(shown):
        strokes(axes, [(low, place, first, place), (third, place, high, place)], ACCENT)
        rectangles(axes, [(first, place - 0.27, third, place + 0.27)], ACCENT, alpha=0.3)
        strokes(axes, [(middle, place - 0.27, middle, place + 0.27)], ACCENT, width=3)
    _say_rest(axes, len(boxes), len(shown))


def draw_waterfall(figure: Any, chart: Chart) -> None:
    """Draw how steps lead from a start to an end, one row each, downwards."""
    labels = labels_of(chart)
    steps = np.nan_to_num(numbers(chart.series[0].y)) if chart.series else np.empty(0)
    if not labels or not len(steps) or not np.isfinite(steps.cumsum()).all():
        draw_nothing(figure)
        return
    n_left_out = max(0, min(len(labels), len(steps)) - MOST_ROWS)
    if n_left_out:
        steps = np.append(steps[:MOST_ROWS], steps[MOST_ROWS:].sum())
        labels = [*labels[:MOST_ROWS], f"{n_left_out} more"]
    labels, steps = labels[: len(steps)], steps[: len(labels)]
    sums = numbers(steps.cumsum())
    x_scale = scale_of([sums], replace(chart.y, log=False))
    if x_scale is None:
        draw_nothing(figure)
        return
    changes = [text if text.startswith("-") else f"+{text}" for text in _figures(steps[1:], chart.y.unit)]
    first, last = _figures(sums[[0, -1]], chart.y.unit)
    axes = _side_plot(figure, chart, ([*labels, "result"], [first, *changes, last]), pitch=26, x_scale=x_scale)
    for is_up, colour in ((True, ACCENT), (False, SECOND)):
        rows = [row for row in range(1, len(steps)) if (steps[row] >= 0) == is_up]
        rectangles(axes, ((sums[row - 1], row - 0.28, sums[row], row + 0.28) for row in rows), colour)
    strokes(axes, ((sums[row], row - 0.28, sums[row], row + 1.28) for row in range(1, len(steps))), REFERENCE, width=1)
    strokes(axes, [(sums[0], -0.28, sums[0], 1.28)], REFERENCE, width=1)
    strokes(axes, ((sums[s], r - 0.3, sums[s], r + 0.3) for r, s in ((0, 0), (len(steps), -1))), INK, width=3)


def draw_heat(figure: Any, chart: Chart) -> None:
    """Draw a matrix: the stronger the colour the larger the figure; a second colour below zero."""
    n_rows, n_columns = len(chart.matrix), max((len(row) for row in chart.matrix), default=0)
    matrix = np.full((min(n_rows, MOST_CELLS), min(n_columns, MOST_CELLS)), np.nan)
    for place, row in enumerate(chart.matrix[:MOST_CELLS]):
        matrix[place, : len(row)] = numbers(row[:MOST_CELLS])
    if not np.isfinite(matrix).any():
        draw_nothing(figure)
        return
    side = [printable(label) for label in chart.y.labels[: len(matrix)]]
    left = EDGE + 8 + min(_LABELS, max(map(width_of, side), default=0.0))
    wide = (WIDTH - left - EDGE) / matrix.shape[1]
    under = [fit(label, 90) for label in chart.x.labels[: matrix.shape[1]]]
    longest = max(map(width_of, under), default=0.0)
    is_turned = longest + 4 > wide
    x_title, y_title = axis_title(chart.x), axis_title(chart.y)
    high = max(9.0, min(44.0, 360 / len(matrix)))
    bottom = (longest + 10 if is_turned else 24) + LINE * bool(x_title)
    sheet = Sheet(high * len(matrix), left, EDGE, head_height([], y_title), bottom)
    axes = sheet.axes(figure)
    every = (max(1, math.ceil((SIZE + 1) / wide)), max(1, math.ceil((SIZE + 1) / high)))
    across = tuple(range(0, len(under), every[0]))
    down = tuple(range(0, len(side), every[1]))
    Scale(-0.5, matrix.shape[1] - 0.5, across, tuple(under[place] for place in across)).put(axes.xaxis, grid="none")
    Scale(len(matrix) - 0.5, -0.5, down, tuple(fit(side[place], _LABELS) for place in down)).put(
        axes.yaxis, grid="none"
    )
    axes.tick_params(axis="x", rotation=90 if is_turned else 0)
    _cells(axes, matrix, gap=(min(1.5, wide / 8) / wide, min(1.5, high / 8) / high))
    if high >= SIZE + 4 and matrix.size <= MOST_FIGURES:
        _cell_figures(axes, matrix, wide)
    put_head(axes, (), [], y_title)
    put_foot(axes, x_title, sheet)


def draw_picture(figure: Any, chart: Chart) -> None:
    """Draw a picture in its own proportions."""
    data = picture_bytes(chart.picture)
    size = picture_size(data)
    if size is None:
        draw_nothing(figure)
        return
    picture = need("PIL.Image", why="pictures").open(io.BytesIO(data)).convert("RGBA")
    axes = Sheet(min(600.0, WIDTH * size[1] / size[0])).axes(figure)
    axes.imshow(picture)
    axes.set_axis_off()


def picture_bytes(address: str) -> bytes:
    """Return what a data: address holds; empty when it is no picture of a kind that runs no code."""
    kind = next((kind for kind in PICTURES if address.startswith(kind)), None)
    if kind is None:
        return b""
    try:
        return base64.b64decode(address[len(kind) :], validate=True)
    except binascii.Error:
        return b""


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, None when it is no picture that can be read."""
    pil = need("PIL.Image", why="pictures")
    try:
        with pil.open(io.BytesIO(data)) as picture:
            width, height = picture.size
    except (OSError, ValueError, pil.DecompressionBombError, pil.DecompressionBombWarning):
        return None
    return (width, height) if width and height else None


def labels_of(chart: Chart) -> list[str]:
    """Return the name of each place along the axis; places without one are numbered."""
    longest = max((len(series.y) for series in chart.series), default=0)
    given = chart.x.labels or next((series.texts for series in chart.series if series.texts), ())
    return [printable(label) for label in (*given, *map(str, range(len(given) + 1, longest + 1)))][:longest]


def padded(series: Series, n: int) -> tuple[Array, Array, Array]:
    """Return the series' values and the ends of their intervals, each as long as n."""
    room = np.full(n, np.nan)
    return tuple(np.concatenate([part[:n], room[len(part) :]]) for part in (numbers(series.y), *bounds(series)))  # type: ignore[return-value]


def _figures(values: Array, unit: str) -> list[str]:
    texts = [say(value, unit) for value in values] if unit == "share" else say_alike(list(values))
    return texts if all(len(text) <= 9 for text in texts) else [brief([value])[0] for value in np.nan_to_num(values)]


def _side_plot(
    figure: Any, chart: Chart, texts: tuple[Sequence[str], Sequence[str]], *, pitch: float, x_scale: Scale
) -> Any:
    """Lay out rows from top to bottom: labels at the left, figures (where given) at the right, a scale below."""
    labels, figures = texts
    rows, title = named_rows(chart.series) if chart.kind == "bar" else [], axis_title(chart.y)
    left = EDGE + 8 + min(_LABELS, max(map(width_of, labels), default=0.0))
    right = EDGE + 8 + max(map(width_of, figures), default=0.0) if figures else EDGE + x_scale.width / 2
    sheet = Sheet(pitch * len(labels), left, right, head_height(rows, "") if rows else 4, 24 + LINE * bool(title))
    axes = sheet.axes(figure)
    x_scale.put(axes.xaxis)
    places = tuple(float(place) for place in range(len(labels)))
    down = Scale(len(labels) - 0.5, -0.5, places, tuple(fit(label, _LABELS) for label in labels))
    down.put(axes.yaxis, grid="none")
    axes.tick_params(axis="y", labelcolor=INK)
    for place, text in enumerate(figures):
        write(axes, text, WIDTH - EDGE, sheet.top + pitch * (place + 0.5), ha="right", va="center_baseline", color=INK)
    put_head(axes, chart.series, rows, "")
    put_foot(axes, title, sheet)
    return axes


def _whiskers(axes: Any, ends: Any, *, cap: float) -> None:
    known = [trio for trio in ends if not any(math.isnan(value) for value in trio)]
    is_level = bool(known) and all(y == to_y for _, y, _, to_y in known)
    caps = []
    for x, y, to_x, to_y in known:
        for a, b in ((x, y), (to_x, to_y)):
            caps.append((a, b - cap, a, b + cap) if is_level else (a - cap, b, a + cap, b))
    strokes(axes, [*known, *caps], SURFACE, width=3.5)  # a rim, so that they show on the bar too
    strokes(axes, [*known, *caps], INK, width=1.3)


def _note(axes: Any, text: str, place: tuple[float, float], **style: Any) -> None:
    look = {"color": INK, "fontsize": SIZE, "textcoords": "offset points", "annotation_clip": False}
    axes.annotate(text, place, **(look | style))


def _say_rest(axes: Any, n_all: int, n_shown: int) -> None:
    if n_all > n_shown:
        total = axes.figure.get_figheight() * axes.figure.dpi
        write(axes, f"{n_shown} of {n_all:,} shown", EDGE, total - 2, va="bottom", color=MUTED)


def _cells(axes: Any, matrix: Array, *, gap: tuple[float, float]) -> None:
    """Fill the cells in ten strengths, each strength one path."""
    across, down = 0.5 - gap[0] / 2, 0.5 - gap[1] / 2
    rectangles(axes, [(-0.5, -0.5, matrix.shape[1] - 0.5, len(matrix) - 0.5)], GRID, alpha=0.4)
    largest = float(np.nanmax(np.abs(matrix))) or 1.0
    strength = np.nan_to_num(np.round(np.abs(matrix) / largest * 10))
    for colour, is_side in ((ACCENT, matrix >= 0), (SECOND, matrix < 0)):
        for level in range(1, 11):
            places = np.argwhere(is_side & (strength == level))
            boxes = ((c - across, r - down, c + across, r + down) for r, c in places)
            rectangles(axes, boxes, colour, alpha=STRONGEST * level / 10)


def _cell_figures(axes: Any, matrix: Array, wide: float) -> None:
    flat = np.nan_to_num(matrix).ravel()
    texts = brief([float(f"{value:.2g}") if abs(value) < 1 else float(f"{value:.4g}") for value in flat])
    if max(map(width_of, texts)) + 4 > wide:
        return
    for (row, column), text in zip(np.ndindex(matrix.shape), texts, strict=True):
        if not math.isnan(matrix[row, column]):
            axes.text(column, row, text, color=INK, fontsize=SIZE, ha="center", va="center_baseline")
