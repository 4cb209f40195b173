"""Each kind of block as HTML; every text from outside passes `escape`."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape as _escape
from itertools import groupby

from mantic.report.blocks import Alert, Block, Cell, Chart, Grid, Group, Number, Text
from mantic.report.canvas import printable
from mantic.report.numbers import float_of, say, say_alike, say_range
from mantic.report.svg import to_svg
from mantic.report.twin import as_grid

_MOST_ROWS = 500
_SENTENCE = 40  # letters from which a cell holds a sentence, which is not squeezed on a phone
_LEVELS = ("stop", "warning", "note")
_WORDS = {"stop": "Stop", "warning": "Warning", "note": "Note"}
_PER_CENT = re.compile(r"(?<=\d) (?=%)")  # the sign stays with its figure
_ICONS = {
    "stop": '<path d="M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z"/><path d="M5.5 8h5"/>',
    "warning": '<path d="M8 1.8 15 14.2H1z"/><path d="M8 6.2v3.6M8 11.8v.4"/>',
    "note": '<circle cx="8" cy="8" r="6.8"/><path d="M8 7.4v4M8 4.6v.4"/>',
}


@dataclass(frozen=True)
class Place:
    """Where a block stands: the level of the next heading (2 to 6), and the anchor of its top-level group.

    `behind` says, as HTML, what stands behind the drawing of each chart: a page with scripts draws it anew from that.
    """

    level: int = 2
    anchor: str = ""
    behind: Callable[[Chart], str] = lambda _: ""


def escape(text: object) -> str:
    """Return any text so that a page shows it and nothing more."""
    lines = str(text).split("\n")
    return _PER_CENT.sub("\u00a0", "\n".join(_escape(printable(line)) for line in lines))


def render(blocks: Sequence[Block], place: Place) -> str:
    """Return blocks as HTML; neighbouring numbers become one row of tiles, neighbouring alerts one sorted list."""
    parts = []
    for kind, run in groupby(blocks, key=type):
        parts.append(_RENDERERS[kind](list(run), place))
    return "".join(parts)


def _texts(texts: Sequence[Text], place: Place) -> str:
    return "".join(_text(text) for text in texts)


def _text(text: Text) -> str:
    if text.style == "code":
        return f'<pre tabindex="0"><code>{escape(text.body)}</code></pre>'
    paragraphs = [part for part in text.body.split("\n\n") if part.strip()]
    style = ' class="m-verdict"' if text.style == "verdict" else ""
    return "".join(f"<p{style}>{escape(part)}</p>" for part in paragraphs)


def _numbers(numbers: Sequence[Number], place: Place) -> str:
    n_columns = len(numbers) if len(numbers) <= 5 else -(-len(numbers) // -(-len(numbers) // 5))  # rows of equal length
    return f'<dl class="m-tiles m-tiles-{n_columns}">{"".join(map(_number, numbers))}</dl>'


def _number(number: Number) -> str:
    is_text = isinstance(number.value, str)
    value = f"{number.value} {number.unit}".strip() if is_text else say(number.value, number.unit)
    lines = [f'<dd class="m-value{" m-words" if len(value) > (6 if is_text else 10) else ""}">{escape(value)}</dd>']
    if number.low is not None and number.high is not None:
        lines.append(f'<dd class="m-range">{escape(say_range(number.low, number.high, number.unit))}</dd>')
    if number.note:
        lines.append(f'<dd class="m-small">{escape(number.note)}</dd>')
    return f"<div><dt>{escape(number.label)}</dt>{''.join(lines)}</div>"


def _alerts(alerts: Sequence[Alert], place: Place) -> str:
    ordered = sorted(alerts, key=lambda alert: _LEVELS.index(alert.level))
    return f'<ul class="m-alerts" role="list">{"".join(map(_alert, ordered))}</ul>'


def _alert(alert: Alert) -> str:
    icon = f'<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{_ICONS[alert.level]}</svg>'
    column = f"<code>{escape(alert.column)}</code>" if alert.column else ""
    lines = [
        f'<p class="m-level">{icon}<b>{_WORDS[alert.level]}</b>{column}</p><p class="m-what">{escape(alert.what)}</p>'
    ]
    for head, body in (("Why it matters", alert.why), ("What to do", alert.fix)):
        lines += [f"<p><b>{head}</b> {escape(body)}</p>"] if body else []
    return f'<li class="m-{alert.level}" data-code="{escape(alert.code)}">{"".join(lines)}</li>'


def _grids(grids: Sequence[Grid], place: Place) -> str:
    return "".join(_grid(grid) for grid in grids)


def _grid(grid: Grid) -> str:
    shown = replace(grid, rows=grid.rows[:_MOST_ROWS])
    left_out = len(grid.rows) - len(shown.rows)
    notes = [note for note in (grid.note, f"{left_out:,} more rows are not shown" if left_out else "") if note]
    title = f'<figcaption class="m-title">{escape(grid.title)}</figcaption>' if grid.title else ""
    note = "".join(f'<p class="m-small">{escape(text)}</p>' for text in notes)
    return f'<figure class="m-grid">{title}{table(shown)}{note}</figure>'


def table(grid: Grid) -> str:
    """Return a table in a box that scrolls by itself; number columns align right, `bars` lie behind their figures."""
    is_number = [_is_number([row[n] for row in grid.rows if n < len(row)]) for n in range(len(grid.columns))]
    columns = [_column(grid, n, is_number=is_number[n]) for n in range(len(grid.columns))]
    heads = "".join(
        f'<th scope="col"{_right(right)}>{escape(name)}</th>' if name else f"<td{_right(right)}></td>"
        for name, right in zip(grid.columns, is_number, strict=True)
    )
    rows = "".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(*columns, strict=True))
    label = escape(grid.title or "figures")
    return (
        f'<div class="m-scroll" tabindex="0" role="group" aria-label="{label}"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _column(grid: Grid, n: int, *, is_number: bool) -> list[str]:
    values: list[Cell] = [row[n] if n < len(row) else None for row in grid.rows]
    if not is_number:
        texts = [say(value) for value in values]
        wide = ' class="m-said"' if max(map(len, texts), default=0) > _SENTENCE else ""
        return [f"<td{wide}>{escape(text)}</td>" for text in texts]
    texts = say_alike(values)
    if grid.columns[n] not in grid.bars:
        return [f'<td class="m-right">{text}</td>' for text in texts]
    sizes = [abs(float_of(value)) if value is not None else 0.0 for value in values]
    largest = max((size for size in sizes if math.isfinite(size)), default=0.0) or 1.0
    shares = [min(100.0, size / largest * 100) if math.isfinite(size) else 0.0 for size in sizes]
    return [
        f'<td class="m-right m-bar m-share-{share:.0f}">{text}</td>' for text, share in zip(texts, shares, strict=True)
    ]


def _is_number(values: Sequence[Cell]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(not isinstance(value, (str, bool)) for value in known)


def _right(is_number: bool) -> str:
    return ' class="m-right"' if is_number else ""


def _charts(charts: Sequence[Chart], place: Place) -> str:
    return "".join(_chart(chart, place) for chart in charts)


def _chart(chart: Chart, place: Place) -> str:
    twin = as_grid(chart)
    title = f'<b class="m-title">{escape(chart.title)}</b>' if chart.title else ""
    sentence = f"<span>{escape(chart.sentence)}</span>" if chart.sentence else ""
    caption = f"<figcaption>{title}{sentence}</figcaption>" if title or sentence else ""
    figures = f"<details><summary>Show the figures</summary>{table(replace(twin, title=chart.title))}" if twin else ""
    if twin:
        figures += (f'<p class="m-small">{escape(twin.note)}</p>' if twin.note else "") + "</details>"
    return f'<div class="m-chart"><figure>{caption}{to_svg(chart)}{place.behind(chart)}{figures}</figure></div>'


def _groups(groups: Sequence[Group], place: Place) -> str:
    return "".join(_group(group, place) for group in groups)


def _group(group: Group, place: Place) -> str:
    anchor = f' id="{place.anchor}"' if place.anchor and place.level == 2 else ""
    head = f"<h{place.level}>{escape(group.title)}</h{place.level}>" if group.title else ""
    note = f'<p class="m-lead">{escape(group.note)}</p>' if group.note else ""
    inner = replace(place, level=min(6, place.level + 1), anchor="")
    body = note + _beside(group, inner)
    if group.fold:
        summary = f"<summary>{head or 'More'}</summary>"
        return f'<section{anchor}><details class="m-fold">{summary}{body}</details></section>'
    return f"<section{anchor}>{head}{body}</section>"


def _beside(group: Group, inner: Place) -> str:
    if group.columns < 2:
        return render(group.blocks, inner)
    cells = "".join(f"<div>{render(list(run), inner)}</div>" for run in _cells(group.blocks))
    return f'<div class="m-beside m-columns-{min(group.columns, 4)}">{cells}</div>'


def _cells(blocks: Sequence[Block]) -> list[list[Block]]:
    """Return what stands in each cell: numbers and alerts that follow each other stay together."""
    cells: list[list[Block]] = []
    for block in blocks:
        if cells and isinstance(block, (Number, Alert)) and type(cells[-1][-1]) is type(block):
            cells[-1].append(block)
        else:
            cells.append([block])
    return cells


_RENDERERS: dict[type, Callable[..., str]] = {
    Text: _texts,
    Number: _numbers,
    Grid: _grids,
    Chart: _charts,
    Alert: _alerts,
    Group: _groups,
}
