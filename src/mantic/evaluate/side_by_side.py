"""Versions of a model side by side: what is known of each, and whether their scores can be told apart."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from mantic.report.blocks import Block, Cell, Chart, Grid, Group, Report, Series, Text
from mantic.store.version import Version

_FACTS = (
    "task", "target", "metric", "score", "low", "high", "created", "by", "n_bytes", "fingerprint", "sha256", "note",
)  # fmt: skip
_MOST_COLUMNS = 30


def facts_of(version: Version) -> dict[str, Any]:
    """Return a version for machines."""
    facts = asdict(version)
    del facts["deleted"]
    return {"model": str(version), **facts}


def minute(moment: str) -> str:
    """Return a moment to the minute.

    >>> minute("2026-05-01T12:34:56.000000Z")
    '2026-05-01 12:34'
    """
    return moment[:16].replace("T", " ")


def rows_of(versions: Sequence[Version]) -> list[tuple[Any, ...]]:
    """Return a row per fact for people: moments to the minute, digests by how they begin."""
    brief: dict[str, Callable[[str], str]] = {
        "created": minute,
        "fingerprint": lambda text: text[:19],
        "sha256": lambda text: text[:12],
    }
    facts = [facts_of(one) for one in versions]
    return [(name, *(brief[name](one[name]) if name in brief else one[name] for one in facts)) for name in _FACTS]


def sentence_of(versions: Sequence[Version]) -> str:
    """Say whether the scores can be told apart; they may be of different rows."""
    if len({(one.task, one.target, one.metric) for one in versions}) > 1:
        return "They answer different questions, or are measured differently: their scores cannot be compared."
    intervals = [one.interval for one in versions]
    if any(interval is None for interval in intervals):
        return "Not all of them say how sure their score is."
    if len({one.fingerprint for one in versions}) > 1 or not versions[0].fingerprint:
        return "They may have learned from different data: 'mantic evaluate' on the same rows tells them apart."
    known = [interval for interval in intervals if interval is not None]
    if max(low for low, _ in known) <= min(high for _, high in known):
        return "Their intervals overlap: they may be equally good. 'mantic evaluate' on new rows says more."
    return "Their intervals do not all overlap: on such rows the difference is more than chance."


def side_by_side(versions: Sequence[Version], reports: Sequence[Mapping[str, Any]] = ()) -> Report:
    """Return versions side by side.

    Parameters
    ----------
    reports : the facts of each version's own report; with them figures and columns are compared too.
    """
    names = tuple(str(one) for one in versions)
    blocks: list[Block] = [Text(sentence_of(versions), "verdict")]
    if reports:
        blocks += _figures(names, reports)
        blocks += _columns(names, reports)
    blocks.append(Grid(("what", *names), tuple(rows_of(versions)), title="What is kept of each"))
    return Report("Versions side by side", tuple(blocks))


def _figures(names: tuple[str, ...], reports: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Return the metrics of each; of two, the difference too."""
    known = [facts.get("metrics") or {} for facts in reports]
    metrics = [metric for metric in known[0] if all(metric in one for one in known)]
    rows: list[tuple[Cell, ...]] = []
    for metric in metrics:
        values = [one[metric] for one in known]
        rows.append((metric.replace("_", " "), *values, *([values[1] - values[0]] if len(values) == 2 else [])))
    heads = ("figure", *names, *(("difference",) if len(names) == 2 else ()))
    note = "each as its own report says, on the rows that judged it; a difference within the intervals may be chance"
    return [Grid(heads, tuple(rows), title="Figures", note=note)] if rows else []


def _columns(names: tuple[str, ...], reports: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Return how much each column matters to each version; a dash where a version does not have it."""
    known = [
        {one["column"]: one["mean"] for one in facts.get("importance") or () if one.get("is_loss", True)}
        for facts in reports
    ]
    columns = list(dict.fromkeys(column for one in known for column in one))[:_MOST_COLUMNS]
    rows = tuple((column, *(one.get(column) for one in known)) for column in columns)
    title = "How much each column matters"
    return [Grid(("column", *names), rows, title=title, bars=names)] if rows else []


def overlaid(versions: Sequence[Version], reports: Sequence[Report]) -> list[Chart]:
    """Return the line charts that all these reports have, each with the lines of every version in it."""
    of_each = [{chart.title: chart for chart in _lines(report.blocks)} for report in reports]
    shared = [title for title in of_each[0] if all(title in charts for charts in of_each)]
    return [_overlaid(list(map(str, versions)), [charts[title] for charts in of_each]) for title in shared]


def _overlaid(names: Sequence[str], charts: Sequence[Chart]) -> Chart:
    own = [
        replace(series, name=name if len(_own(chart)) == 1 else f"{name}, {series.name}")
        for name, chart in zip(names, charts, strict=True)
        for series in _own(chart)
    ]
    references = [series for series in charts[0].series if series.is_reference]
    sentence = " ".join(f"{name}: {chart.sentence}" for name, chart in zip(names, charts, strict=True))
    return replace(charts[0], series=(*own, *references), sentence=sentence)


def _own(chart: Chart) -> list[Series]:
    return [series for series in chart.series if not series.is_reference]


def _lines(blocks: Sequence[Block]) -> Iterator[Chart]:
    for block in blocks:
        if isinstance(block, Group):
            yield from _lines(block.blocks)
        elif isinstance(block, Chart) and block.kind == "line":
            yield block
