"""The figures: tiles at the top, and all metrics side by side with the dummy and the linear model."""

from collections.abc import Sequence

import numpy as np

from mantic.core.metric import Metric
from mantic.evaluate.findings import Findings
from mantic.evaluate.metrics import metrics_of
from mantic.evaluate.scoreboard import Scoreboard
from mantic.report.blocks import Cell, Grid, Group, Number
from mantic.report.numbers import say, say_range

NAMES = {
    "log_loss": "log loss",
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "brier": "Brier score",
    "mcc": "Matthews correlation",
    "rmse": "RMSE",
    "mae": "mean error",
    "median_ae": "median error",
    "r2": "R²",
    "mape": "mean error in per cent",
    "mase": "MASE",
    "wis": "WIS",
}
"""How a metric is called in print; others by their own name."""

_RANKED = ("roc_auc", "average_precision")
_MANY_CLASSES = 10  # with more, intervals of what is ranked class by class take seconds
_SHARES = ("accuracy", "balanced_accuracy", "mape")


def name_of(metric: Metric) -> str:
    """Return how a metric is called in print."""
    return metric_name(metric.name)


def metric_name(name: str) -> str:
    """Return how a metric of a name is called in print.

    >>> metric_name("roc_auc"), metric_name("log_loss"), metric_name("mase")
    ('ROC AUC', 'log loss', 'MASE')
    """
    return NAMES.get(name, name.replace("_", " "))


def tiles(board: Scoreboard) -> Group:
    """Return the score with its interval, what it is held against, how many rows, and how it was judged."""
    findings = board.findings
    metric = findings.metric
    interval = board.interval(metric)
    better = "higher is better" if metric.higher_is_better else "lower is better"
    blocks = [
        Number(name_of(metric), interval.score, low=_or_none(interval.low), high=_or_none(interval.high), note=better),
        Number(findings.baseline_name or "dummy", board.score(metric, "baseline"), note="what it has to beat"),
    ]
    if findings.linear_guess is not None:
        blocks.append(Number("plain linear model", board.score(metric, "linear"), note="on the same rows"))
    blocks.append(Number("held-out rows", findings.n_test, note=_of_rows(findings)))
    return Group("The score", tuple(blocks), note=findings.split)


def scores(board: Scoreboard) -> Grid:
    """Return every metric of the task for the model, the linear model and the dummy."""
    findings = board.findings
    whos = ["model", *(["linear"] if findings.linear_guess is not None else []), "baseline"]
    shown = _shown(findings)
    rows = [_row(board, metric, whos, with_interval=_is_cheap(findings, metric)) for metric in shown]
    titles = {"model": "model", "linear": "linear model", "baseline": findings.baseline_name or "dummy"}
    return Grid(
        ("metric", "model", "95 % interval", *(titles[who] for who in whos[1:]), "better is"),
        tuple(rows),
        note=f"The search went by {name_of(findings.metric)}; it did not see these rows." if findings.trials else "",
    )


def _is_cheap(findings: Findings, metric: Metric) -> bool:
    is_slow = metric.name in _RANKED and len(findings.classes) > _MANY_CLASSES
    return metric.name == findings.metric.name or not is_slow


def values(board: Scoreboard) -> dict[str, float]:
    """Return every metric of the task by name."""
    return {metric.name: board.score(metric, "model") for metric in _shown(board.findings)}


def _shown(findings: Findings) -> Sequence[Metric]:
    others = [metric for metric in metrics_of(findings.task) if metric.name != findings.metric.name]
    return [findings.metric, *others]


def _row(board: Scoreboard, metric: Metric, whos: Sequence[str], *, with_interval: bool) -> tuple[Cell, ...]:
    unit = "share" if metric.name in _SHARES else ""
    span = ""
    if with_interval:
        interval = board.interval(metric)
        span = say_range(interval.low, interval.high, unit) if np.isfinite(interval.low) else say(None)
    figures = [say(board.score(metric, who), unit) for who in whos]
    return (name_of(metric), figures[0], span, *figures[1:], "higher" if metric.higher_is_better else "lower")


def _of_rows(findings: Findings) -> str:
    return f"of {findings.n_rows:,} in all" if findings.n_rows > findings.n_test else ""


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
