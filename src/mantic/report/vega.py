"""A chart as a Vega-Lite specification, for a page that answers to the pointer and the keyboard.

It shows the same numbers on the same scales and in the same colours as the drawing of `svg`. Words from outside stand
in it only as values of data, never where Vega reads an expression.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mantic.core.table import Array
from mantic.report.blocks import Axis, Chart, Series
from mantic.report.canvas import Scale, colours, numbers, printable, scale_from_zero, scale_of
from mantic.report.curves import FEW, MOST_ON_A_LINE, MOST_POINTS, Curve, bins_of, curves_of, sample, turning_points
from mantic.report.numbers import say, say_range
from mantic.report.rows import MOST_CELLS, MOST_FIGURES, MOST_ROWS, STRONGEST, is_upright, labels_of, padded
from mantic.report.vega_look import (
    ACCENT,
    CONFIG,
    DASHES,
    INK,
    REFERENCE,
    SECOND,
    Spec,
    coloured,
    level,
    names,
    places,
    quantity,
    stretched,
    title,
    variable,
)

_HEIGHT = 280  # of the whole, pixels, where no rows make it
_MOST_ASIDE = 8  # series that can be put aside
_STRETCHED_FROM = 12  # points; fewer are told apart without coming nearer
_SHOWN = {"filter": "indexof(hidden, datum.series) < 0"}
_CLIPPED = {"clip": {"expr": "is_near"}}  # whole dots at the edges, until the axis is stretched
_IN_ORDER = {"order": {"field": "order", "type": "quantitative"}}  # of lines; an area would fall apart by it
Row = dict[str, Any]


def to_vega(chart: Chart) -> Spec | None:
    r"""Return the specification; None for a picture, and where there is nothing to draw.

    Marks whose name begins with "hit" are what pointer and arrow keys reach; each says its values in `told`. What
    Vega itself does not do stands in `usermeta`: the series that can be put aside (their numbers go into the signal
    `hidden`), and the ends of the axis that can be stretched (signals `left` and `right`).

    >>> to_vega(Chart("line", "Rise", "It rises.", (Series("a", (1.0, 2.0)),)))["data"]["values"][1]["told"]
    'a\nplace: 1\nvalue: 2'
    """
    make = _MAKERS.get(chart.kind)
    return make(chart) if make else None


def _line(chart: Chart) -> Spec | None:
    curves = curves_of(chart)
    kept = [turning_points(curve.y, MOST_ON_A_LINE) for curve in curves]
    colour = coloured(_colours(chart))
    is_few = max((len(index) for index in kept), default=0) <= FEW
    band = colour | {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}
    layers = [
        _layer("isValid(datum.low)", {"type": "area", "opacity": 0.16, **_CLIPPED}, band),
        _layer("!datum.reference", {"type": "line", "strokeWidth": 2, **_CLIPPED}, colour | _IN_ORDER),
        _hit({"type": "point", "filled": True, "size": 40, "opacity": 1 if is_few else 0, **_CLIPPED}, colour),
    ]
    return _plane(chart, curves, kept, layers)


def _points(chart: Chart) -> Spec | None:
    curves = curves_of(chart)
    n_points = sum(len(curve.y) for curve in curves if not curve.series.is_reference)
    share = min(1.0, MOST_POINTS / max(n_points, 1))
    kept = [sample(len(curve.y), 1.0 if curve.series.is_reference else share) for curve in curves]
    colour = coloured(_colours(chart))
    opacity = 0.8 if n_points <= 60 else 0.5 if n_points <= 300 else 0.35
    reach = colour | {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}
    layers = [_layer("isValid(datum.low)", {"type": "rule", **_CLIPPED}, reach)] if n_points <= FEW else []
    layers.append(_hit({"type": "point", "filled": True, "size": 36, "opacity": opacity, **_CLIPPED}, colour))
    return _plane(chart, curves, kept, layers)


def _plane(chart: Chart, curves: Sequence[Curve], kept: Sequence[Array], layers: list[Spec]) -> Spec | None:
    """Return a chart over two number axes, of which the level one can be stretched."""
    x_scale = scale_of([curve.x for curve in curves], chart.x)
    y_scale = scale_of([part for curve in curves for part in (curve.y, curve.low, curve.high)], chart.y)
    if x_scale is None or y_scale is None:
        return None
    if chart.x.labels:
        x_scale = replace(x_scale, low=-0.5, high=len(chart.x.labels) - 0.5)
    rows = [
        row
        for number, (curve, index) in enumerate(zip(curves, kept, strict=True))
        for row in _plane_rows(chart, number, curve, index=index, x_scale=x_scale, y_scale=y_scale)
    ]
    dashed = {"type": "line", "color": REFERENCE, "strokeWidth": 1.2, "strokeDash": DASHES, **_CLIPPED}
    detail = _IN_ORDER | {"detail": {"field": "series", "type": "nominal"}}
    n_places = len({row["x"] for row in rows})
    spec = _spec(chart, rows, [_layer("datum.reference", dashed, detail), *layers])
    spec["encoding"] = {
        "x": stretched("x", chart.x, x_scale),
        "y": quantity("y", chart.y, y_scale),
    }
    ends = [x_scale.low, x_scale.high]
    spec["params"] += [{"name": "left", "value": ends[0]}, {"name": "right", "value": ends[1]}]
    spec["params"].append({"name": "is_near", "expr": f"left > {ends[0]!r} || right < {ends[1]!r}"})
    if n_places >= _STRETCHED_FROM:
        spec["usermeta"]["ends"] = ends
        brush = {"type": "interval", "encodings": ["x"], "translate": False, "zoom": False}
        spec["layer"][-1]["params"] = [{"name": "brush", "select": brush}]
    return spec


def _plane_rows(
    chart: Chart, number: int, curve: Curve, *, index: Array, x_scale: Scale, y_scale: Scale
) -> Iterator[Row]:
    """Yield the points of one series; what is not known, and what is as usual, is left out: there may be hundreds."""
    xs, (ys, lows, highs) = _near(curve.x, x_scale), (_near(one, y_scale) for one in (curve.y, curve.low, curve.high))
    for place in map(int, index):
        if not np.isfinite(curve.x[place]):
            continue
        told = _told(chart, curve.series, place, x=_x_told(chart, curve, place))
        row: Row = {"series": number, "order": place, "x": float(xs[place]), "y": _number(ys[place]), "told": told}
        if np.isfinite(lows[place]) and np.isfinite(highs[place]):
            row |= {"low": float(lows[place]), "high": float(highs[place])}
        yield row | ({"reference": True} if curve.series.is_reference else {})


def _near(values: Array, scale: Scale) -> Array:
    """Return values as exact as a drawing can show: to a hundred-thousandth of the axis."""
    span = scale.high - scale.low
    decimals = 5 - math.floor(math.log10(span)) if span > 0 and not scale.is_log else 400
    return values if abs(decimals) > 15 else np.round(values, decimals)


def _histogram(chart: Chart) -> Spec | None:
    curves = [bins_of(curve) for curve in curves_of(chart, n_more=1)]
    x_scale = scale_of([curve.x for curve in curves], chart.x)
    y_scale = scale_from_zero([curve.y for curve in curves], chart.y)
    if x_scale is None or y_scale is None:
        return None
    edges = np.concatenate([curve.x for curve in curves])
    if not x_scale.is_log and edges.max() > edges.min():
        x_scale = Scale(float(edges.min()), float(edges.max()), (), ())
    rows = []
    for number, curve in enumerate(curves):
        for place, (left, right, y) in enumerate(zip(curve.x, curve.x[1:], curve.y, strict=False)):
            told = _told(chart, curve.series, place, x=say_range(left, right, chart.x.unit))
            rows.append(
                {"series": number, "x": float(left), "x2": float(right), "y": float(y), "told": told}
                | {"reference": curve.series.is_reference}
            )
    is_alone = sum(bool(len(curve.y)) for curve in curves) == 1
    bars: Spec = (
        {"type": "bar", "binSpacing": 1, "opacity": 0.9}
        if is_alone
        else {"type": "bar", "fillOpacity": 0.28, "binSpacing": 0, "strokeWidth": 1.6}
    )
    edge = {} if is_alone else {"stroke": coloured(_colours(chart))["color"]}
    outline = {"type": "bar", "binSpacing": 0, "fillOpacity": 0, "stroke": REFERENCE, "strokeWidth": 1.2}
    spec = _spec(chart, rows, [_hit(bars, coloured(_colours(chart)) | edge), _layer("datum.reference", outline, {})])
    spec["encoding"] = {
        "x": level("x", chart.x, x_scale),
        "x2": {"field": "x2"},
        "y": quantity("y", chart.y, y_scale) | {"stack": None},
        "y2": {"datum": 0},
    }
    return spec


def _bar(chart: Chart) -> Spec | None:
    labels = labels_of(chart)
    stands = is_upright(chart, labels)
    labels = labels if stands else labels[:MOST_ROWS]
    parts = [padded(series, len(labels)) for series in chart.series]
    scale = scale_from_zero([part for trio in parts for part in trio], chart.y)
    if scale is None or not labels:
        return None
    rows = []
    for number, (series, (y, low, high)) in enumerate(zip(chart.series, parts, strict=True)):
        for place in np.flatnonzero(np.isfinite(y)).tolist():
            told = _told(chart, series, place, x=printable(labels[place]).strip())
            ends = {"low": _number(low[place]), "high": _number(high[place]), "reference": series.is_reference}
            rows.append({"series": number, "at": place, "y": float(y[place]), "told": told} | ends)
    bars = [number for number, series in enumerate(chart.series) if not series.is_reference]
    along, across = ("y", "x") if stands else ("x", "y")
    beside = {f"{across}Offset": {"field": "series", "type": "nominal", "sort": bars}} if len(bars) > 1 else {}
    whisker = beside | {along: {"field": "low", "type": "quantitative"}, f"{along}2": {"field": "high"}}
    tick = {"type": "tick", "color": REFERENCE, "thickness": 2, "bandSize": 22}
    layers = [
        _hit({"type": "bar"}, coloured(_colours(chart)) | beside),
        _layer("isValid(datum.low) && !datum.reference", {"type": "rule", "color": INK, "strokeWidth": 1.3}, whisker),
        _layer("datum.reference", tick, {}) | {"name": "hit_reference"},
    ]
    return _over_places(chart, rows, layers, labels=labels, scale=scale, stands=stands)


def _box(chart: Chart) -> Spec | None:
    boxes = [(one, numbers(one.y)) for one in chart.series if len(one.y) == 5][:MOST_ROWS]
    boxes = [(one, values) for one, values in boxes if np.isfinite(values).all()]
    scale = scale_of([values for _, values in boxes], chart.y)
    if scale is None:
        return None
    parts = ("low", "first", "y", "third", "high")
    said = ("lowest", "first quarter", "median", "third quarter", "highest")
    rows: list[Row] = []
    for place, (one, values) in enumerate(boxes):
        lines = [f"{name}: {say(value, chart.y.unit)}" for name, value in zip(said, values, strict=True)]
        told = "\n".join([printable(one.name).strip(), *lines])
        rows.append({"at": place, "series": 0, "told": told} | dict(zip(parts, map(float, values), strict=True)))
    reach = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    middle = {"x": {"field": "first", "type": "quantitative"}, "x2": {"field": "third"}}
    layers: list[Spec] = [
        {"mark": {"type": "rule", "color": ACCENT, "strokeWidth": 1.5}, "encoding": reach},
        {"mark": {"type": "bar", "color": ACCENT, "opacity": 0.35}, "encoding": middle, "name": "hit"},
        {"mark": {"type": "tick", "color": ACCENT, "thickness": 3, "bandSize": 18}},
    ]
    labels = [one.name for one, _ in boxes]
    return _over_places(chart, rows, layers, labels=labels, scale=scale, stands=False)


def _waterfall(chart: Chart) -> Spec | None:
    labels = labels_of(chart)
    steps = np.nan_to_num(numbers(chart.series[0].y)) if chart.series else np.empty(0)
    n_more = max(0, min(len(labels), len(steps)) - MOST_ROWS)
    if n_more:
        steps = np.append(steps[:MOST_ROWS], steps[MOST_ROWS:].sum())
        labels = [*labels[:MOST_ROWS], f"{n_more} more"]
    labels, steps = labels[: len(steps)], steps[: len(labels)]
    sums = numbers(steps.cumsum())
    scale = scale_of([sums], Axis(chart.y.label, chart.y.unit))
    if scale is None or not np.isfinite(sums).all():
        return None
    labels, steps = [*labels, "result"], np.append(steps, 0.0)
    sums = np.append(sums, sums[-1])
    rows: list[Row] = []
    for place, (label, step, total) in enumerate(zip(labels, steps, sums, strict=True)):
        is_end = place in (0, len(labels) - 1)
        change = [] if is_end else [f"{'+' if step >= 0 else ''}{say(float(step), chart.y.unit)}"]
        lines = [printable(label).strip(), *change, f"{'' if is_end else 'then '}{say(float(total), chart.y.unit)}"]
        before = float(total if is_end else sums[place - 1])
        told = {"told": "\n".join(lines), "end": is_end, "colour": ACCENT if step >= 0 else SECOND}
        rows.append({"at": place, "series": 0, "before": before, "y": float(total)} | told)
    stretch = {"x": {"field": "before", "type": "quantitative"}, "x2": {"field": "y"}}
    raw = {"color": {"field": "colour", "type": "nominal", "scale": None, "legend": None}}
    layers = [
        _layer("!datum.end", {"type": "bar"}, stretch | raw) | {"name": "hit"},
        _layer("datum.end", {"type": "tick", "color": INK, "thickness": 3, "bandSize": 18}, {}) | {"name": "hit_end"},
    ]
    return _over_places(chart, rows, layers, labels=labels, scale=scale, stands=False)


def _over_places(
    chart: Chart, rows: list[Row], layers: list[Spec], *, labels: Sequence[str], scale: Scale, stands: bool
) -> Spec:
    """Return a chart of lengths over named places: upright, or one row each from the top."""
    spec = _spec(chart, rows, layers, labels=labels)
    spec["usermeta"]["along"] = "x" if stands else "y"
    n_bars = sum(not one.is_reference for one in chart.series) if chart.kind == "bar" else 1
    spec["height"] = _HEIGHT if stands else (18 + 10 * max(1, n_bars)) * len(labels) + 48
    along = quantity("y", Axis(chart.y.label, chart.y.unit), scale) | {"stack": None}
    spec["encoding"] = (
        {"y": along, "x": places("at", title(chart.x) or "")} if stands else {"x": along, "y": places("at")}
    )
    return spec


def _heat(chart: Chart) -> Spec | None:
    matrix = [numbers(row[:MOST_CELLS]) for row in chart.matrix[:MOST_CELLS]]
    largest = max((float(abs(value)) for row in matrix for value in row if np.isfinite(value)), default=None)
    if largest is None:
        return None
    width = max(len(row) for row in matrix)
    across, down = (_padded_names(axis.labels, n) for axis, n in ((chart.x, width), (chart.y, len(matrix))))
    rows: list[Row] = []
    for at, values in enumerate(matrix):
        for place, value in enumerate(values):
            if np.isfinite(value):
                told = [f"{chart.y.label}: {down[at]}", f"{chart.x.label}: {across[place]}", say(float(value))]
                strength = STRONGEST * abs(float(value)) / (largest or 1.0)
                look = {"strength": strength, "colour": ACCENT if value >= 0 else SECOND}
                words = "\n".join(printable(line).strip().removeprefix(": ") for line in told)
                rows.append({"series": 0, "at": at, "place": place, "value": say(float(value)), "told": words} | look)
    cells = {
        "color": {"field": "colour", "type": "nominal", "scale": None, "legend": None},
        "opacity": {"field": "strength", "type": "quantitative", "scale": None, "legend": None},
    }
    figures = {"text": {"field": "value"}}
    layers: list[Spec] = [{"mark": {"type": "rect"}, "encoding": cells, "name": "hit"}]
    if len(rows) <= MOST_FIGURES and width <= 10:
        layers.append({"mark": {"type": "text", "color": INK, "fontSize": 13}, "encoding": figures})
    spec = _spec(chart, rows, layers, labels=across)
    spec["params"].append({"name": "rows", "value": down})
    spec["height"] = max(9, min(44, 360 // len(matrix))) * len(matrix) + 60
    flat, upright = places("place", title(chart.x) or ""), places("at", title(chart.y) or "")
    longest = max((len(name) for name in across), default=0)
    flat["axis"] |= {"labelAngle": -90 if longest * 8 > 380 / width else 0, "labelLimit": 90}
    upright["axis"] |= {"labelExpr": "rows[datum.value]"}
    for axis in (flat, upright):
        axis["scale"] = {"paddingInner": 0.03, "paddingOuter": 0}
    spec["encoding"] = {"x": flat, "y": upright}
    spec["usermeta"]["along"] = "xy"
    return spec


def _spec(chart: Chart, rows: list[Row], layers: list[Spec], *, labels: Sequence[str] = ()) -> Spec:
    """Return what all kinds share."""
    named = [one for one in chart.series if one.name]
    can_hide = (
        chart.kind in ("line", "points", "histogram", "bar") and 2 <= len(named) == len(chart.series) <= _MOST_ASIDE
    )
    series = [
        [printable(one.name).strip(), colour, one.is_reference]
        for one, colour in zip(chart.series, _colours(chart), strict=True)
    ]
    return {
        "width": "container",
        "height": _HEIGHT,
        "autosize": {"type": "fit", "contains": "padding", "resize": True},
        "padding": {"left": 2, "top": 6, "right": 8, "bottom": 2},
        "config": CONFIG,
        "usermeta": {"series": series if can_hide else [], "along": "x"},
        "params": [{"name": "hidden", "value": []}, {"name": "labels", "value": names(labels or chart.x.labels)}],
        "data": {"values": rows},
        "transform": [_SHOWN],
        "layer": layers,
    }


def spec_block(chart: Chart) -> str:
    """Return the specification as a block of data for a page; nothing where there is none."""
    spec = to_vega(chart)
    if spec is None:
        return ""
    text = json.dumps(spec, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" class="m-spec">{text}</script>'


def _layer(which: str, mark: Spec, encoding: Spec) -> Spec:
    return {"transform": [{"filter": which}], "mark": mark, "encoding": encoding}


def _hit(mark: Spec, encoding: Spec) -> Spec:
    return _layer("!datum.reference && isValid(datum.y)", mark, encoding) | {"name": "hit"}


def _colours(chart: Chart) -> list[str]:
    return [variable(one) for one in colours(chart.series)]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _x_told(chart: Chart, curve: Curve, place: int) -> str:
    x = float(curve.x[place])
    if chart.x.labels and x == int(x) and 0 <= x < len(chart.x.labels):
        return printable(chart.x.labels[int(x)]).strip()
    return say(x, chart.x.unit)


def _told(chart: Chart, series: Series, place: int, *, x: str) -> str:
    """Return the values of a point in words, a line each."""
    value = say(series.y[place], chart.y.unit)
    if len(series.low) == len(series.high) == len(series.y):
        value += f" ({say_range(series.low[place], series.high[place], chart.y.unit)})"
    lines = [series.name] if series.name else []
    lines += [f"{chart.x.label or 'place'}: {x}" if chart.x.label or chart.kind != "bar" else x]
    lines += [f"{chart.y.label or 'value'}: {value}"]
    if place < len(series.texts) and series.texts[place] != x:
        lines.append(series.texts[place])
    return "\n".join(printable(line).strip() for line in lines)


def _padded_names(labels: Sequence[str], n: int) -> list[str]:
    return names([*labels[:n], *map(str, range(len(labels) + 1, n + 1))])


_MAKERS: dict[str, Callable[[Chart], Spec | None]] = {
    "line": _line,
    "points": _points,
    "histogram": _histogram,
    "bar": _bar,
    "box": _box,
    "waterfall": _waterfall,
    "heat": _heat,
}
