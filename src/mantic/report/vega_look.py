"""How a Vega-Lite chart of ours looks: axes and colours from the page's design tokens, texts as drawings have them."""

from collections.abc import Sequence
from typing import Any

from mantic.report.blocks import Axis
from mantic.report.canvas import Scale, axis_title, printable
from mantic.report.tokens import TOKENS

Spec = dict[str, Any]
INK, MUTED, GRID, REFERENCE, ACCENT, SECOND = (
    f"var(--{name})" for name in ("ink", "muted", "grid", "reference", "accent", "second")
)
DASHES = [4, 3]
_VARIABLES = {token.light: f"var(--{token.name})" for token in TOKENS}
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
CONFIG: Spec = {
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "domain": False, "ticks": False, "gridColor": GRID, "labelColor": MUTED, "labelFontSize": 13, "labelPadding": 6,
        "titleColor": MUTED, "titleFontSize": 13, "titleFontWeight": "normal", "titleLimit": 420, "labelLimit": 170,
        "labelSeparation": 6, "tickCount": 5,
    },
    "axisX": {"titleAnchor": "end", "labelFlush": False},
    "axisY": {
        "titleAngle": 0, "titleAnchor": "end", "titleAlign": "left", "titleBaseline": "bottom", "titleX": 0,
        "titleY": -8,
    },
    "scale": {"bandPaddingInner": 0.4, "bandPaddingOuter": 0.2},
}  # fmt: skip


def variable(colour: str) -> str:
    """Return the page's variable for one of the light values that drawings use."""
    return _VARIABLES[colour]


def quantity(field: str, axis: Axis, scale: Scale) -> Spec:
    """Return a channel for numbers, with the very ends that the drawing has."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {
            "type": "log" if scale.is_log else "linear",
            "domain": [scale.low, scale.high],
            "nice": False,
            "zero": False,
        },
        "axis": {"title": title(axis), "labelExpr": _said(axis, scale)},
    }


def level(field: str, axis: Axis, scale: Scale) -> Spec:
    """Return a channel for numbers from left to right, without lines across."""
    channel = quantity(field, axis, scale)
    channel["axis"]["grid"] = False
    return channel


def stretched(field: str, axis: Axis, scale: Scale) -> Spec:
    """Return a channel for numbers from the signal `left` to the signal `right`."""
    channel = level(field, axis, scale)
    del channel["scale"]["domain"]
    channel["scale"] |= {"domainMin": {"expr": "left"}, "domainMax": {"expr": "right"}}
    return channel


def places(field: str, axis_title_: str = "") -> Spec:
    """Return a channel for named places; the names stand in the parameter `labels`."""
    return {
        "field": field,
        "type": "ordinal",
        "axis": {"title": axis_title_ or None, "labelExpr": "labels[datum.value]", "labelAngle": 0, "grid": False},
    }


def coloured(colours: Sequence[str]) -> Spec:
    """Return the channel that gives each series, by its number, its colour."""
    scale = {"domain": list(range(len(colours))), "range": list(colours)}
    return {"color": {"field": "series", "type": "nominal", "scale": scale, "legend": None}}


def title(axis: Axis) -> str | None:
    """Return what an axis shows; Vega takes None for nothing."""
    return axis_title(axis) or None


def names(labels: Sequence[str]) -> list[str]:
    """Return names of places as one line each."""
    return [printable(label).strip() for label in labels]


def _said(axis: Axis, scale: Scale) -> str:
    """Return the expression that words a tick."""
    if axis.labels:
        return "datum.value % 1 ? '' : (labels[datum.value] || '')"
    if axis.unit == "share":
        return "format(datum.value * 100, '.4~g') + ' %'"
    if axis.unit == "%":
        return "format(datum.value, '.4~g') + ' %'"
    large = max(abs(scale.low), abs(scale.high)) >= 10_000
    return "datum.value ? format(datum.value, '.3~s') : '0'" if large else "format(datum.value, '.4~g')"
