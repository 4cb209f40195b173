"""What speaks against the score: columns that know the answer, and rows that differ from those learned from."""

import shlex

from mantic.core.metric import Metric
from mantic.core.run import Warned
from mantic.evaluate.blocks_score import name_of
from mantic.evaluate.drift import Drift
from mantic.evaluate.findings import Findings
from mantic.features.leaks.leak import Leak
from mantic.report.blocks import Alert, Axis, Block, Chart, Grid, Series, Text
from mantic.report.numbers import say, say_range

_SAYS = {
    "sure": "'{}' knows the answer",
    "likely": "'{}' seems to know the answer",
    "look at it": "Look at '{}', it may know the answer",
}


def leaks(findings: Findings) -> list[Alert]:
    """Return an alert for each column that knows the answer, with both scores, and the command that leaves them out."""
    found = []
    for leak in findings.leaks:
        level = "warning" if leak.confidence == "look at it" else "stop"
        what = f"{_SAYS[leak.confidence].format(leak.column)}: {leak.why}."
        fix = f"If it is not known when a prediction is needed, fit again without it: {_drop(findings, [leak])}"
        found.append(Alert(level, "leak", what, _both_scores(findings.metric, leak), fix, leak.column))  # type: ignore[arg-type]
    if len(found) > 1:
        what = "Without all columns that may know the answer, the honest model is one command away."
        found.append(Alert("note", "drop_leaks", what, fix=_drop(findings, list(findings.leaks))))
    return found


def again_by(findings: Findings, warning: Warned) -> str:
    """Return the command that fits with the split that a warning suggests; nothing for other warnings."""
    option = {"try_time": "--time", "try_group": "--group"}.get(warning.code)
    if option is None or warning.column is None:
        return ""
    return f"{findings.command} {shlex.join([option, warning.column])}".strip()


def _drop(findings: Findings, named: list[Leak]) -> str:
    """Return the command that fits without these; several `--drop` where a name holds a comma."""
    names = [leak.column for leak in named]
    words = ["--drop", ",".join(names)] if not any("," in name for name in names) else []
    for name in names if not words else ():
        words += ["--drop", name]
    return f"{findings.command} {shlex.join(words)}".strip()


def _both_scores(metric: Metric, leak: Leak) -> str:
    if leak.score_with is None or leak.score_without is None:
        return "A model that leans on it will disappoint in use."
    with_it, without = say(leak.score_with), say(leak.score_without)
    return f"On a quick model, {name_of(metric)} is {with_it} with it and {without} without it."


def moved(drift: Drift) -> Alert:
    """Return the alert that the judging rows are not like those learned from."""
    told = "; ".join(one.what for one in drift.columns[:3])
    return Alert(
        "warning",
        "drift",
        f"The judged rows differ from those learned from: {told or 'no single column tells how'}.",
        f"A model can tell them apart in {_of_pairs(drift)}. What was learned holds less for them.",
        "Fit again on newer rows before use, and watch these columns.",
    )


def drift(findings: Findings) -> list[Block]:
    """Return how learning and judged rows differ, column by column; nothing when they do not."""
    found = findings.drift
    if found is None or found.is_calm or not found.columns:
        return []
    bars = Series("difference", tuple(100 * one.auc for one in found.columns))
    names = tuple(one.column for one in found.columns)
    sentence = f"All columns together tell a judged row from a learned one in {_of_pairs(found)}; 50 would be chance."
    label = "pairs of a judged and a learned row told apart, of 100"
    clock = ", ".join(f"'{name}'" for name in found.clocks)
    note = f"{clock} tell the two apart by themselves and were left out." if clock else ""
    rows = tuple((one.column, one.what) for one in found.columns)
    return [
        Text(sentence),
        Chart("bar", "What moved", sentence, (bars,), Axis(labels=names), Axis(label), horizontal=True),
        Grid(("column", "how it moved"), rows, note=note),
    ]


def _of_pairs(drift: Drift) -> str:
    return f"{100 * drift.auc:.0f} of 100 pairs ({say_range(round(100 * drift.low), round(100 * drift.high))})"
