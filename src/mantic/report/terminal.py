"""A Report in the terminal: verdict, figures, alerts and tables; charts stay on the page."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TextIO

from mantic.core.lazy import need
from mantic.report.blocks import Alert, Block, Cell, Chart, Grid, Group, Number, Report, Text
from mantic.report.numbers import say, say_alike, say_range

_MOST_ROWS = 30
_LEVELS = {"stop": ("STOP", "bold red"), "warning": ("WARNING", "bold yellow"), "note": ("NOTE", "bold blue")}
_ASCII = str.maketrans({"–": "-", "…": "...", "∞": "inf", "×": "x", "—": "-", "’": "'", "−": "-"})


def show(report: Report, console_width: int, *, file: TextIO) -> None:
    """Write the report for a terminal; folded groups and charts are left out.

    Parameters
    ----------
    console_width : in characters; 40 or more reads well.
    file : where to; colours only if it is a terminal and NO_COLOR is not set, plain ASCII if its encoding is.

    >>> import sys
    >>> show(Report("Churn", (Text("Use it.", style="verdict"),)), 40, file=sys.stdout)
    Churn
    <BLANKLINE>
    Use it.
    """
    console = need("rich.console", why="the terminal").Console(
        file=file, width=max(20, console_width), highlight=False, markup=False, emoji=False, soft_wrap=False
    )
    screen = _Screen(console, is_ascii=not (file.encoding or "utf-8").lower().startswith("utf"))
    if report.title:
        screen.line(report.title, "bold")
    if report.subtitle:
        screen.line(report.subtitle, "dim")
    verdicts = [block for block in report.blocks if isinstance(block, Text) and block.style == "verdict"]
    screen.put(verdicts)
    screen.put([block for block in report.blocks if block not in verdicts])


@dataclass(frozen=True)
class _Screen:
    console: Any
    is_ascii: bool

    def text(self, words: object, style: str = "") -> Any:
        """Return words that can neither mark up nor steer the terminal."""
        kept = "".join(
            sign for sign in str(words) if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cs", "Cf")
        )
        if self.is_ascii:
            kept = kept.translate(_ASCII).encode("ascii", "replace").decode()
        return need("rich.text", why="the terminal").Text(kept, style=style)

    def line(self, words: object, style: str = "") -> None:
        self.console.print(self.text(words, style))

    def put(self, blocks: Sequence[Block]) -> None:
        for kind, run in groupby(blocks, key=type):
            _SHOWERS[kind](self, list(run))

    def table(self, heads: Sequence[str], columns: Sequence[Sequence[str]], right: Sequence[bool]) -> None:
        box = need("rich.box", why="the terminal")
        look = box.ASCII2 if self.is_ascii else box.SIMPLE_HEAD
        table = need("rich.table", why="the terminal").Table(box=look, show_header=any(heads), pad_edge=False)
        for head, is_right in zip(heads, right, strict=True):
            table.add_column(self.text(head), justify="right" if is_right else "left", overflow="fold")
        for cells in zip(*columns, strict=True):
            table.add_row(*(self.text(cell) for cell in cells))
        self.console.print(table)


def _texts(screen: _Screen, texts: Sequence[Text]) -> None:
    for text in texts:
        screen.line("")
        screen.line(text.body, "bold" if text.style == "verdict" else "")


def _numbers(screen: _Screen, numbers: Sequence[Number]) -> None:
    values, ranges = [], []
    for one in numbers:
        values.append(f"{one.value} {one.unit}".strip() if isinstance(one.value, str) else say(one.value, one.unit))
        has_range = one.low is not None and one.high is not None
        ranges.append(say_range(one.low, one.high, one.unit) if has_range else "")
    columns = [[one.label for one in numbers], values, ranges, [one.note for one in numbers]]
    kept = [column for column in columns if any(column)]
    screen.line("")
    screen.table([""] * len(kept), kept, [column is values for column in kept])


def _alerts(screen: _Screen, alerts: Sequence[Alert]) -> None:
    for alert in sorted(alerts, key=lambda alert: list(_LEVELS).index(alert.level)):
        word, style = _LEVELS[alert.level]
        screen.line("")
        what = screen.text(alert.what)
        screen.console.print(screen.text(f"{word} ", style) + what)
        for line in (alert.why, alert.fix and f"-> {alert.fix}"):
            if line:
                screen.line(line, "dim" if line == alert.why else "")


def _grids(screen: _Screen, grids: Sequence[Grid]) -> None:
    for grid in grids:
        screen.line("")
        if grid.title:
            screen.line(grid.title, "bold")
        rows = grid.rows[:_MOST_ROWS]
        columns = [_column([row[n] if n < len(row) else None for row in rows]) for n in range(len(grid.columns))]
        screen.table(grid.columns, [texts for texts, _ in columns], [is_right for _, is_right in columns])
        rest = len(grid.rows) - len(rows)
        for note in (grid.note, f"{rest:,} more rows" if rest else ""):
            if note:
                screen.line(note, "dim")


def _column(values: Sequence[Cell]) -> tuple[list[str], bool]:
    is_number = any(value is not None for value in values) and not any(isinstance(v, (str, bool)) for v in values)
    return (say_alike(values) if is_number else [say(value) for value in values]), is_number


def _groups(screen: _Screen, groups: Sequence[Group]) -> None:
    for group in groups:
        inside = [block for block in group.blocks if not isinstance(block, Chart)]
        if group.fold or not inside:
            continue
        screen.line("")
        screen.line(group.title, "bold underline")
        if group.note:
            screen.line(group.note, "dim")
        screen.put(inside)


def _nothing(screen: _Screen, charts: Sequence[Chart]) -> None:
    return None


_SHOWERS: dict[type, Callable[[_Screen, Any], None]] = {
    Text: _texts,
    Number: _numbers,
    Alert: _alerts,
    Grid: _grids,
    Group: _groups,
    Chart: _nothing,
}
