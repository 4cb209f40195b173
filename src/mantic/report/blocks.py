"""The six kinds of block, charts as data, and the Report that holds them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Cell = str | float | int | bool | None


@dataclass(frozen=True)
class Text:
    """A paragraph; `verdict` is the one sentence that a manager reads, `code` is set in monospace and can be copied."""

    body: str
    style: Literal["paragraph", "verdict", "code"] = "paragraph"


@dataclass(frozen=True)
class Number:
    """One figure with its unit and, where it is an estimate, its interval; `note` says against what to hold it."""

    label: str
    value: float | str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """A table for people. `bars` names number columns to be drawn with a bar behind the figure."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    note: str = ""
    bars: tuple[str, ...] = ()


@dataclass(frozen=True)
class Axis:
    """An axis: what it shows, in what unit; `labels` for categories in order."""

    label: str = ""
    unit: str = ""
    log: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """Points of one thing: `y` over `x`, with an interval `low` to `high` where known.

    line, points: x and y. bar: y per label of the x axis. histogram: x holds the n + 1 edges, y the n counts.
    box: y holds low whisker, quartile, median, quartile, high whisker of one box; its name is its label.
    waterfall: y holds signed steps per label of the x axis, the first is where it starts. picture: not used.
    `texts`: one per point, for hover and the table twin.
    """

    name: str
    y: tuple[float, ...]
    x: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    is_reference: bool = False  # drawn thin and grey: a diagonal, a baseline


@dataclass(frozen=True)
class Chart:
    """A chart as data: one of eight kinds. `sentence` says in words what it shows (also its text alternative)."""

    kind: Literal["line", "bar", "points", "histogram", "box", "heat", "waterfall", "picture"]
    title: str
    sentence: str
    series: tuple[Series, ...] = ()
    x: Axis = Axis()
    y: Axis = Axis()
    matrix: tuple[tuple[float, ...], ...] = ()  # heat: rows top to bottom, y.labels x x.labels
    picture: str = ""  # picture: a data: address
    horizontal: bool = False  # bar, box, waterfall: categories down the side


@dataclass(frozen=True)
class Alert:
    """A problem or a remark: what, why it matters, what to do. `code` is stable; `level` sorts."""

    level: Literal["stop", "warning", "note"]
    code: str
    what: str
    why: str = ""
    fix: str = ""
    column: str | None = None


@dataclass(frozen=True)
class Group:
    """Blocks under one heading; `fold` starts closed; `columns` is how many stand beside each other on a wide page."""

    title: str
    blocks: tuple["Block", ...] = ()
    note: str = ""
    fold: bool = False
    columns: int = 1


Block = Text | Number | Grid | Chart | Alert | Group


@dataclass(frozen=True)
class Report:
    """What a person should see, as pure data; `facts` is the same for machines (plain JSON values)."""

    title: str
    blocks: tuple[Block, ...] = ()
    subtitle: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the report as JSON text, restored by `from_json`."""
        from mantic.report.json_form import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """Restore what `to_json` wrote."""
        from mantic.report.json_form import from_json

        return from_json(text)

    def save(self, path: str | Path) -> Path:
        """Write one self-contained page (.html) or the data (.json), atomically; return the path."""
        from mantic.report.html import save

        return save(self, Path(path))

    def _repr_html_(self) -> str:
        """Return the report for a notebook cell."""
        from mantic.report.html import fragment

        return fragment(self)

    def alerts(self) -> Sequence[Alert]:
        """Return all alerts, wherever they stand."""
        return [block for block in _walk(self.blocks) if isinstance(block, Alert)]


def _walk(blocks: Sequence[Block]) -> list[Block]:
    found: list[Block] = []
    for block in blocks:
        found.append(block)
        if isinstance(block, Group):
            found += _walk(block.blocks)
    return found
