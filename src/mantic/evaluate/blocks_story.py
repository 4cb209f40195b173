"""Around the figures: problems, drivers, slices, the worst failures, what was tried, and how to do it again."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mantic.core.table import Array
from mantic.evaluate.blocks_leak import again_by, leaks, moved
from mantic.evaluate.blocks_score import name_of
from mantic.evaluate.findings import Findings
from mantic.evaluate.metrics import absolute_rows, log_loss_rows
from mantic.evaluate.slices import find_slices
from mantic.evaluate.verdict import Verdict
from mantic.report.blocks import Alert, Axis, Block, Cell, Chart, Grid, Group, Series, Text
from mantic.report.numbers import say

_DRIVERS, _TRIALS, _FAILURES, _SHOWN_COLUMNS = 15, 30, 10, 6
_LONGEST = 80  # characters of a text in a cell


def alerts(findings: Findings, verdict: Verdict) -> list[Alert]:
    """Return what is wrong, worst first: a useless model, leaks with both scores, then warnings."""
    found: list[Alert] = []
    if verdict.level == "useless":
        found.append(
            Alert(
                "stop",
                "not_better_than_guessing",
                "This model is not better than guessing.",
                "Its lead over the dummy may be chance: the 95 % interval includes none.",
                "Add columns that say something about the target, or rows; do not use it.",
            )
        )
    found += leaks(findings)
    if findings.drift is not None and not findings.drift.is_calm and findings.is_apart:
        found.append(moved(findings.drift))
    leaking = {leak.column for leak in findings.leaks}
    for one in findings.warnings:
        if not (one.code == "leak" and one.column in leaking):
            what = f"{one.text[:1].upper()}{one.text[1:]}"
            found.append(Alert("warning", one.code, what, fix=again_by(findings, one), column=one.column))
    return found


def drivers(findings: Findings) -> list[Block]:
    """Return the columns that matter most, with intervals."""
    known = [one for one in findings.importance if np.isfinite(one.mean)]
    best = sorted(known, key=lambda one: -one.mean)[:_DRIVERS]
    if not best:
        return []
    sure = [one.column for one in best if one.low > 0]
    sentence = f"Most depends on {_list(sure[:3])}." if sure else "No single column matters for certain."
    label = f"how much worse {name_of(findings.metric)} gets without it"
    if not best[0].is_loss:
        sentence = (
            f"The answer is moved most by {_list([one.column for one in best[:3]])}; there was no time to see "
            "whether that helps."
        )
        label = "how far it moves the answer, on average"
    bars = Series(
        "importance",
        tuple(one.mean for one in best),
        low=tuple(_or(one.low, one.mean) for one in best),
        high=tuple(_or(one.high, one.mean) for one in best),
    )
    names = tuple(one.column for one in best)
    return [Chart("bar", "What it depends on", sentence, (bars,), Axis(labels=names), Axis(label), horizontal=True)]


def row_losses(findings: Findings) -> tuple[Array, str]:
    """Return how wrong each row is, and how that is called: log loss, or the absolute error."""
    if findings.is_classes:
        return log_loss_rows(findings.truth, findings.guess), "log loss"
    return absolute_rows(findings.truth, findings.guess), "error"


def slices(findings: Findings) -> list[Block]:
    """Return where it fails, worst first by total harm."""
    loss, called = row_losses(findings)
    found = find_slices(findings.frame, findings.schema, loss)
    note = "One column at a time; at most 5 of 100 named slices are false alarms (Benjamini and Hochberg)."
    if not found:
        return [Text("No group of rows, told by one column, is clearly predicted worse than the rest.")]
    rows = tuple(
        (f"{one.column} {one.what}", one.n_rows, say(one.share, "share"), _short(one.loss), _short(one.rest),
         f"{one.loss / one.rest:.1f}" if one.rest > 0 else say(None))
        for one in found
    )  # fmt: skip
    return [
        Text(f"Worst: {found[0].sentence}."),
        Grid(("rows where", "rows", "share", called, f"{called} elsewhere", "times"), rows, note=note),
    ]


def failures(findings: Findings) -> list[Block]:
    """Return the ten worst predictions with the columns that matter most."""
    loss, _ = row_losses(findings)
    worst = np.argsort(-loss, kind="stable")[: min(_FAILURES, findings.n_test)]
    columns = _columns_that_matter(findings)
    gap = "stated for the true one" if findings.is_classes else "off by"
    rows = tuple(
        (int(at) + 1, *_answer(findings, int(at)), *(_cell(findings.frame[name][int(at)]) for name in columns))
        for at in worst
    )
    return [Grid(("row", "true", "predicted", gap, *columns), rows, note="Rows are counted among the held-out ones.")]


def tried(findings: Findings) -> list[Block]:
    """Return what the search tried, best first."""
    if not findings.trials:
        return []
    sign = -1 if findings.metric.higher_is_better else 1
    order = sorted(findings.trials, key=lambda one: sign * one.score if np.isfinite(one.score) else np.inf)
    rows = tuple(
        (one.learner, _params(one.params), say(one.score), f"{one.seconds:.1f} s", say(one.weight, "share"), one.note)
        for one in order[:_TRIALS]
    )
    note = f"Scores ({name_of(findings.metric)}) are on rows that the trial had not seen, yet the search chose by them."
    if len(order) > _TRIALS:
        note += f" {len(order) - _TRIALS} more are left out."
    grid = Grid(("learner", "parameters", "score", "time", "share in the model", "remark"), rows, note=note)
    return [grid, *_row_cost(findings)]


def _row_cost(findings: Findings) -> list[Block]:
    """Return what an answer for one row costs, and what of the model makes it dear."""
    if findings.latency_ms is None:
        return []
    sentence = f"An answer for one row takes {findings.latency_ms:.2g} ms of one core."
    if findings.long_way:
        sentence += f" Most of that is the long way of a table ({'; '.join(findings.long_way)})."
    return [Text(sentence)]


def promise(findings: Findings) -> list[Block]:
    """Return how the intervals or sets kept their promise on held-out rows."""
    one = findings.conformal
    if one is None:
        return []
    kept = f"{one.coverage:.1%}".replace("%", " %")
    if findings.is_classes:
        width = f"a set holds {one.width:.2f} classes on average"
        return [Text(f"{say(one.level, 'share')} sets held the true class in {kept} of held-out rows; {width}.")]
    width = f"typical width {say(float(f'{one.width:.3g}'))}"
    return [Text(f"{say(one.level, 'share')} intervals contained the truth in {kept} of held-out rows; {width}.")]


def again(findings: Findings) -> list[Block]:
    """Return how to do it again, in a shell and in Python."""
    found = [Text(text, "code") for text in (findings.command, findings.script) if text]
    return [Group("How to do it again", tuple(found), fold=True)] if found else []


def data(findings: Findings) -> list[Block]:
    """Return what went in."""
    kinds: dict[str, int] = {}
    for column in findings.schema.columns:
        kinds[column.kind.value] = kinds.get(column.kind.value, 0) + 1
    rows: list[tuple[Cell, ...]] = [("target", findings.target), ("held-out rows", findings.n_test)]
    rows += [("rows to learn from", findings.n_train)] if findings.n_train else []
    rows += [("columns", ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))]
    rows += [("how rows were held out", findings.split)] if findings.split else []
    rows += [("classes", len(findings.classes))] if findings.is_classes else []
    rows += [("seconds", round(findings.seconds, 1))] if findings.seconds else []
    return [Group("The data", (Grid(("what", "value"), tuple(rows)),), fold=True)]


def _columns_that_matter(findings: Findings) -> list[str]:
    ranked = sorted((one for one in findings.importance if np.isfinite(one.mean)), key=lambda one: -one.mean)
    names = [one.column for one in ranked] or [one.name for one in findings.schema.columns if one.is_used]
    return [name for name in names if name in findings.frame.columns][:_SHOWN_COLUMNS]


def _answer(findings: Findings, at: int) -> tuple[Cell, ...]:
    if findings.is_classes:
        code = int(findings.truth[at])
        called = findings.classes[int(findings.guess[at].argmax())]
        return findings.classes[code], called, say(float(findings.guess[at, code]), "share")
    truth, guess = float(findings.truth[at]), float(findings.guess[at])
    return _short(truth), _short(guess), _short(guess - truth)


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return _short(value)
    text = str(value).removesuffix(" 00:00:00")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _short(value: float) -> str:
    return say(float(f"{value:.4g}")) if np.isfinite(value) else say(None)


def _params(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {say(value) if isinstance(value, float) else value}" for key, value in params.items())


def _list(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _or(value: float, instead: float) -> float:
    return value if np.isfinite(value) else instead
