"""A chart as an SVG that works on light and dark pages, or as a Matplotlib figure to restyle."""

import hashlib
import io
import re
import threading
from collections.abc import Callable, Iterator
from html import escape
from typing import Any
from xml.etree import ElementTree

from mantic.core.lazy import need
from mantic.report.blocks import Chart
from mantic.report.canvas import SIZE, WIDTH, draw_nothing, printable
from mantic.report.curves import draw_histogram, draw_line, draw_points
from mantic.report.rows import draw_bar, draw_box, draw_heat, draw_picture, draw_waterfall, picture_bytes, picture_size
from mantic.report.tokens import TOKENS

_DRAWERS: dict[str, Callable[[Any, Chart], None]] = {
    "line": draw_line,
    "bar": draw_bar,
    "points": draw_points,
    "histogram": draw_histogram,
    "box": draw_box,
    "heat": draw_heat,
    "waterfall": draw_waterfall,
    "picture": draw_picture,
}
_STYLE = {"text.parse_math": False, "svg.fonttype": "none", "path.simplify": True, "axes.xmargin": 0, "axes.ymargin": 0}
_LOCK = threading.Lock()  # Matplotlib's settings are global while one chart is drawn
_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_COLOURS = {token.light: token.css for token in TOKENS}
_KEPT = ("font-size", "text-anchor")  # of a text's style; the family comes from the page
_NUMBER = re.compile(r"-?\d+\.\d+")
_BRAILLE = 0x2800  # signs that the font has, so rare that three of them can stand for any other letter
_FOREIGN = re.compile("[^\\x00-\\xff…–∞]")
_STAND_IN = re.compile("[\\u2800-\\u287f]{3}")
_LINK = "{http://www.w3.org/1999/xlink}href"


def to_svg(chart: Chart) -> str:
    """Draw a chart as one SVG element: text stays text, colours are CSS variables with light fallbacks.

    It is 440 pixels wide, scales with the page, and holds no script, style sheet, network address or date: the same
    chart gives the same text. What it shows in words is its title and `aria-label`.

    >>> from mantic.report.blocks import Series
    >>> to_svg(Chart("line", "Rise", "It rises.", (Series("a", (1.0, 2.0)),)))[:27]
    '<svg xmlns="http://www.w3.o'
    """
    if chart.kind == "picture":
        return _picture(chart)
    text = io.StringIO()
    salt = hashlib.sha256(repr(chart).encode("utf-8", "replace")).hexdigest()
    with _LOCK, _settings(salt):
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        drawn = _drawn(chart)
        _put_stand_ins(drawn)
        drawn.savefig(text, format="svg", metadata=nothing)
    tree = ElementTree.fromstring(text.getvalue())
    for one in list(tree):
        if one.find("{*}style") is not None or one.tag.endswith("metadata"):
            tree.remove(one)
    view_box = tree.get("viewBox", "")
    _tidy(tree, _linked(tree))
    return _root(chart, view_box, "".join(_serial(child) for child in tree))


def figure(chart: Chart) -> Any:
    """Return the chart as a Matplotlib figure, in the light colours, for whoever wants to restyle it.

    >>> from mantic.report.blocks import Series
    >>> len(figure(Chart("line", "Rise", "It rises.", (Series("a", (1.0, 2.0)),))).axes)
    1
    """
    with _LOCK, _settings("mantic"):
        return _drawn(chart)


def _drawn(chart: Chart) -> Any:
    sheet: Any = need("matplotlib.figure", why="charts").Figure(dpi=72, facecolor="none")
    canvas: Any = need("matplotlib.backends.backend_svg", why="charts").FigureCanvasSVG
    canvas(sheet)  # type: ignore[no-untyped-call,unused-ignore]
    _DRAWERS.get(chart.kind, lambda figure, _: draw_nothing(figure))(sheet, chart)  # type: ignore[no-untyped-call]
    return sheet


def _put_stand_ins(drawn: Any) -> None:
    """Replace letters that Matplotlib's font may lack, about which it would warn; `_serial` puts them back.

    Only the size of a text is asked of that font: the letters themselves come from the reader's fonts.
    """
    for axes in drawn.axes:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticklabels([_FOREIGN.sub(_stand_in, label.get_text()) for label in axis.get_ticklabels()])
    for text in drawn.findobj(need("matplotlib.text", why="charts").Text):
        text.set_text(_FOREIGN.sub(_stand_in, text.get_text()))


def _stand_in(found: re.Match[str]) -> str:
    code = ord(found[0])
    return "".join(chr(_BRAILLE + (code >> shift & 127)) for shift in (14, 7, 0))


def _original(found: re.Match[str]) -> str:
    first, second, third = (ord(sign) - _BRAILLE for sign in found[0])
    return chr(first << 14 | second << 7 | third)


def _settings(salt: str) -> Any:
    """Return a context with Matplotlib's own defaults and ours, whatever the user has set."""
    matplotlib = need("matplotlib", why="charts")
    skipped = {"backend", "interactive", "toolbar", "timezone", "date.epoch"}
    defaults = {name: value for name, value in matplotlib.rcParamsDefault.items() if name not in skipped}
    return matplotlib.rc_context(defaults | _STYLE | {"svg.hashsalt": salt})


def _linked(tree: ElementTree.Element) -> dict[str, str]:
    """Return a short new id for each part that another one uses; no two charts of a page share one."""
    links = [one.get(_LINK, "")[1:] for one in tree.iter() if one.get(_LINK)]
    links += [one.get("clip-path", "")[5:-1] for one in tree.iter() if one.get("clip-path")]
    return {name: f"m{name}" for name in dict.fromkeys(links)}


def _tidy(element: ElementTree.Element, ids: dict[str, str]) -> None:
    for child in list(element):
        _tidy(child, ids)
    element.tag = element.tag.rpartition("}")[2]
    attributes = dict(element.attrib)
    element.attrib.clear()
    if attributes.get("id") in ids:
        element.set("id", ids[attributes["id"]])
    if _LINK in attributes:
        element.set("href", "#" + ids[attributes.pop(_LINK)[1:]])
    if "clip-path" in attributes:
        element.set("clip-path", f"url(#{ids[attributes.pop('clip-path')[5:-1]]})")
    for name in ("x", "y", "width", "height", "d", "transform"):
        if name in attributes and not attributes[name].startswith("rotate(-0 "):
            element.set(name, " ".join(_NUMBER.sub(_rounded, attributes[name]).split()))
    if style := _style(element.tag, attributes.get("style", "")):
        element.set("style", style)
    element.text = element.text if element.tag == "text" else None
    element.tail = None
    if element.tag == "g":
        _share_style(element)


def _style(tag: str, style: str) -> str:
    kept = []
    for part in style.split(";"):
        name, _, value = (piece.strip() for piece in part.partition(":"))
        if (tag == "text" and name.startswith("font") and name not in _KEPT) or value == f"{SIZE}px":
            continue
        value = _NUMBER.sub(_rounded, value) if not value.startswith("#") else _COLOURS.get(value, value)
        kept += [f"{name}:{value}"] if name else []
    return ";".join(kept)


def _share_style(group: ElementTree.Element) -> None:
    """Say a style that all children of a group share only once, at the group."""
    styles = {child.get("style") for child in group}
    if len(group) > 1 and len(styles) == 1 and (style := styles.pop()) and not group.get("style"):
        group.set("style", style)
        for child in group:
            del child.attrib["style"]


def _rounded(found: re.Match[str]) -> str:
    return f"{round(float(found[0]), 2) + 0.0:g}" if abs(float(found[0])) < 1e5 else found[0]


def _serial(element: ElementTree.Element) -> str:
    """Write an element; groups that say nothing are left out, their children stay."""
    inside = escape(_STAND_IN.sub(_original, element.text or ""), quote=False) + "".join(
        _serial(child) for child in element
    )
    if element.tag == "g" and not element.attrib:
        return inside
    if element.tag in ("g", "defs", "text") and not inside:
        return ""
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in _spelled_out(element.attrib))
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>" if inside else f"<{element.tag}{attributes}/>"


def _spelled_out(attributes: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield attributes, with a style as one attribute for each of its parts: a page may forbid inline styles."""
    for name, value in attributes.items():
        if name == "style":
            yield from ((key, said) for key, _, said in (part.partition(":") for part in value.split(";")))
        else:
            yield name, value


def _root(chart: Chart, view_box: str, body: str) -> str:
    words = escape(" ".join(printable(chart.sentence or chart.title).split()))
    height = view_box.rsplit(maxsplit=1)[-1]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="{view_box}" role="img" '
        f'aria-label="{words}" font-family="{_FONT}" font-size="{SIZE}" stroke-linejoin="round">'
        f"<title>{words}</title>{body}</svg>"
    )


def _picture(chart: Chart) -> str:
    size = picture_size(picture_bytes(chart.picture))
    if size is None:
        return _root(chart, f"0 0 {WIDTH} 40", f'<text x="{WIDTH // 2}" y="24" text-anchor="middle">no picture</text>')
    height = min(600, max(1, round(WIDTH * size[1] / size[0])))
    image = f'<image href="{escape(chart.picture)}" width="{WIDTH}" height="{height}"/>'
    return _root(chart, f"0 0 {WIDTH} {height}", image)
