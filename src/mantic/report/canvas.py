"""The sheet that charts are drawn on: sizes in pixels, texts that fit, scales with few and round ticks."""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mantic.core.lazy import need
from mantic.core.table import Array
from mantic.report.blocks import Axis, Series
from mantic.report.numbers import brief
from mantic.report.tokens import GRID, MUTED, REFERENCE, SERIES

WIDTH = 440  # pixels; a page of 400 pixels shows it nearly at its own size
SIZE = 12  # of all texts, pixels
LINE = 18  # from one line of text to the next, pixels
EDGE = 6  # free at the left and right, pixels
_LARGEST = 1e300  # what is larger is drawn there: sums and paddings must stay finite
_SMALLEST = 1e-290


def numbers(values: Iterable[float]) -> Array:
    """Return values as floats that can be drawn; NaN stays, what is too large or small for sums is clipped."""
    array = np.array([float(value) for value in values], dtype=float)
    array = np.where(np.isinf(array), np.nan, array)
    return np.where(
        np.abs(array) < _SMALLEST, np.where(np.isnan(array), np.nan, 0.0), np.clip(array, -_LARGEST, _LARGEST)
    )


def bounds(series: Series) -> tuple[Array, Array]:
    """Return the ends of the series' intervals, NaN where there are none."""
    absent = np.full(len(series.y), np.nan)
    if len(series.low) != len(series.y) or len(series.high) != len(series.y):
        return absent, absent
    return numbers(series.low), numbers(series.high)


def printable(text: str) -> str:
    """Return a text on one line without control characters and halves of characters, which no file may hold."""
    return "".join(" " if character.isspace() else character for character in text if _is_printable(character))


def _is_printable(character: str) -> bool:
    return character.isspace() or (
        unicodedata.category(character) not in ("Cc", "Cs") and ord(character) & 0xFFFE != 0xFFFE
    )


def width_of(text: str) -> float:
    """Return about how many pixels a text takes; a little too many rather than too few."""
    return sum(1.0 if unicodedata.east_asian_width(character) in "WF" else 0.58 for character in text) * SIZE


def fit(text: str, pixels: float) -> str:
    """Return the text on one line, shortened by an ellipsis to fit.

    >>> fit("paperless billing", 80)
    'paperless …'
    """
    text = printable(text).strip()
    if width_of(text) <= pixels:
        return text
    kept = text[: int(pixels / (0.5 * SIZE)) + 1]
    while kept and width_of(kept) + SIZE * 0.6 > pixels:
        kept = kept[:-1]
    return kept + "…"


@dataclass(frozen=True)
class Scale:
    """From where to where an axis runs, and its ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    is_log: bool = False

    @property
    def width(self) -> float:
        """Return how many pixels the widest tick label takes."""
        return max((width_of(label) for label in self.labels), default=0.0)

    def put(self, axis: Any, *, grid: str = GRID) -> None:
        """Give a Matplotlib axis this scale, its ticks, and fine lines across."""
        name = axis.axis_name
        axis.axes.set(**{f"{name}scale": "log" if self.is_log else "linear"})
        axis.axes.set(**{f"{name}lim": (self.low, self.high)})
        axis.set_ticks(self.ticks, self.labels)
        axis.set_ticks([], minor=True)
        if grid != "none":
            axis.grid(visible=True, color=grid, linewidth=1)


def scale_of(values: Iterable[Array], axis: Axis, *, n_ticks: int = 5) -> Scale | None:
    """Choose a scale for all these values; None when there is not one number among them."""
    flat = np.concatenate([np.asarray(part, dtype=float).ravel() for part in values] or [np.empty(0)])
    flat = flat[np.isfinite(flat)]
    if axis.log and (flat > 0).any():
        return _log_scale(flat[flat > 0], axis.unit)
    if not flat.size:
        return None
    low, high = float(flat.min()), float(flat.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # equal, or too near for the digits of a float
        reach = max(abs(high) * 0.1, 1e-280) if high else 1.0
        low, high = low - reach, high + reach
    pad = 0.04 * (high - low)
    is_share = axis.unit == "share" and low >= 0 and high <= 1
    padded_low = low if low == 0 or (is_share and low - pad < 0) else low - pad
    padded_high = high if high == 0 or (is_share and high + pad > 1) else high + pad
    ticks = _round_ticks(padded_low, padded_high, n_ticks)
    return Scale(padded_low, padded_high, tuple(ticks), tuple(brief(ticks, axis.unit)))


def scale_from_zero(values: Sequence[Array], axis: Axis) -> Scale | None:
    """Choose a scale for lengths, which start at zero whatever the axis asks; None as in `scale_of`."""
    known = [part[np.isfinite(part)] for part in values]
    if not any(part.size for part in known):
        return None
    start = np.zeros(1) if any(part.any() for part in known) else np.array([0.0, 1.0])
    return scale_of([*known, start], Axis(axis.label, axis.unit))


def _round_ticks(low: float, high: float, n_ticks: int) -> list[float]:
    size = 10.0 ** math.floor(math.log10((high - low) / n_ticks))
    steps = (size * factor for factor in (1, 2, 2.5, 5, 10, 20))
    step = next((step for step in steps if (high - low) / step <= n_ticks), size * 20)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)][: 2 * n_ticks] if last - first < 50 else [low, high]


def _log_scale(values: Array, unit: str) -> Scale:
    low, high = math.log10(values.min()), math.log10(values.max())
    pad = 0.04 * (high - low) or 0.5
    low, high = max(low - pad, -307.0), min(high + pad, 308.0)  # what a float holds
    powers = range(math.ceil(low), math.floor(high) + 1)
    exponents = [float(power) for power in powers][:: max(1, math.ceil(len(powers) / 5))]
    if len(exponents) < 2:
        tenths = [power + math.log10(digit) for power in range(math.floor(low), math.ceil(high)) for digit in (1, 2, 5)]
        exponents = [place for place in tenths if low <= place <= high][:6] or [(low + high) / 2]
    ticks = [10.0**exponent for exponent in exponents]
    labels = tuple(brief([tick], unit)[0] for tick in ticks)
    return Scale(10.0**low, 10.0**high, tuple(ticks), labels, is_log=True)


def category_scale(labels: Sequence[str], pixels: float) -> Scale:
    """Return a scale for places 0, 1, ... with as many of their labels as fit beside each other."""
    slot = pixels / max(1, len(labels))
    widest = max((width_of(printable(label)) for label in labels), default=0.0)
    every = max(1, math.ceil((min(widest, 80) + 8) / slot))
    ticks = tuple(float(place) for place in range(0, len(labels), every))
    texts = tuple(fit(labels[int(place)], max(slot * every - 6, 20)) for place in ticks)
    return Scale(-0.5, len(labels) - 0.5, ticks, texts)


@dataclass(frozen=True)
class Sheet:
    """How much room, in pixels, the drawing leaves around its plot."""

    height: float  # of the plot itself
    left: float = EDGE
    right: float = EDGE
    top: float = EDGE
    bottom: float = EDGE

    @property
    def plot_width(self) -> float:
        """Return the width of the plot itself."""
        return WIDTH - self.left - self.right

    def axes(self, figure: Any) -> Any:
        """Size the figure and return the empty plot, without frame and tick marks."""
        total = self.height + self.top + self.bottom
        figure.set_size_inches(WIDTH / figure.dpi, total / figure.dpi)
        axes = figure.add_axes(
            (self.left / WIDTH, self.bottom / total, self.plot_width / WIDTH, self.height / total), facecolor="none"
        )
        axes.spines[:].set_visible(False)
        axes.set(xticks=(), yticks=())
        axes.tick_params(which="both", length=0, pad=6, labelcolor=MUTED, labelsize=SIZE)
        axes.set_axisbelow(True)
        return axes


def write(axes: Any, text: str, left: float, below_top: float, **style: Any) -> None:
    """Write a text at pixels from the left and top of the whole sheet."""
    figure = axes.figure
    high = figure.get_figheight() * figure.dpi
    look = {"color": MUTED, "fontsize": SIZE, "va": "top", "ha": "left"} | style
    figure.text(left / WIDTH, 1 - below_top / high, text, **look)


def colours(series: Sequence[Series]) -> list[str]:
    """Return one colour per series: grey for references, the others in order."""
    found, place = [], 0
    for one in series:
        found.append(REFERENCE if one.is_reference else SERIES[place % len(SERIES)])
        place += not one.is_reference
    return found


def named_rows(series: Sequence[Series]) -> list[list[int]]:
    """Break the names of series into lines that fit; empty where one series needs no name."""
    if sum(bool(one.name) for one in series) < 2 and len(series) < 2:
        return []
    rows: list[list[int]] = []
    used = WIDTH
    for place, one in enumerate(series[:8]):
        wide = width_of(fit(one.name, 160)) + 34
        if used + wide > WIDTH - EDGE:
            rows.append([])
            used = EDGE
        rows[-1].append(place)
        used += int(wide)
    return rows


def head_height(rows: Sequence[Sequence[int]], label: str) -> float:
    """Return how many pixels the names of series and the label of the upright axis take above the plot."""
    return 10 + LINE * (len(rows) + bool(label))


def put_head(axes: Any, series: Sequence[Series], rows: Sequence[Sequence[int]], label: str) -> None:
    """Write the names of the series in their colours, and what the upright axis shows, above the plot."""
    figure = axes.figure
    high = figure.get_figheight() * figure.dpi
    shades = colours(series)
    for line, row in enumerate(rows):
        left = 0.0
        for place in row:
            level = 1 - (2 + LINE * line + SIZE * 0.55) / high
            ends = (left / WIDTH, (left + 14) / WIDTH)
            dash = {"linestyle": (0, (3, 2))} if series[place].is_reference else {}
            stroke = need("matplotlib.lines", why="charts").Line2D(
                ends, (level, level), color=shades[place], linewidth=2.5, transform=figure.transFigure, **dash
            )
            figure.add_artist(stroke)
            name = fit(series[place].name, 160)
            write(axes, name, left + 19, 2 + LINE * line, color=MUTED)
            left += width_of(name) + 34
    if label:
        write(axes, label, 0, 2 + LINE * len(rows))


def axis_title(axis: Axis, pixels: float = WIDTH - 2 * EDGE) -> str:
    """Return what an axis shows, with its unit unless the ticks carry it."""
    unit = "" if axis.unit in ("", "share", "%") else f" ({axis.unit})"
    return fit(axis.label + unit, pixels) if axis.label or unit else ""


def put_foot(axes: Any, label: str, sheet: Sheet) -> None:
    """Write what the level axis shows, under its ticks, at the right."""
    if label:
        total = sheet.height + sheet.top + sheet.bottom
        write(axes, label, WIDTH - sheet.right, total - 2, va="bottom", ha="right")


def rectangles(
    axes: Any, boxes: Iterable[tuple[float, float, float, float]], colour: str, *, alpha: float = 1.0
) -> None:
    """Fill many boxes (left, bottom, right, top) as one path, which keeps the drawing small."""
    path, patches = need("matplotlib.path", why="charts").Path, need("matplotlib.patches", why="charts")
    corners: list[tuple[float, float]] = []
    codes: list[Any] = []
    for left, bottom, right, top in boxes:
        corners += [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
        codes += [path.MOVETO, path.LINETO, path.LINETO, path.LINETO, path.CLOSEPOLY]
    if corners:
        axes.add_patch(
            patches.PathPatch(path(corners, codes), facecolor=colour, edgecolor="none", linewidth=0, alpha=alpha)
        )


def strokes(axes: Any, ends: Iterable[tuple[float, float, float, float]], colour: str, *, width: float = 1.5) -> None:
    """Draw many straight strokes (x, y, to x, to y) as one path."""
    xs: list[float] = []
    ys: list[float] = []
    for x, y, to_x, to_y in ends:
        xs += [x, to_x, math.nan]
        ys += [y, to_y, math.nan]
    if xs:
        axes.plot(xs, ys, color=colour, linewidth=width, solid_capstyle="butt")


def draw_nothing(figure: Any) -> None:
    """Say that there is nothing to draw."""
    axes = Sheet(height=60).axes(figure)
    axes.set_axis_off()
    write(axes, "no values to draw", WIDTH / 2, 30, ha="center")
