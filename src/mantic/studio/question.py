"""A question about a draft: what it asks for in a sentence, what stands in its way, and the command that it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mantic.core.errors import ManticError, SchemaError
from mantic.report.numbers import amount, say
from mantic.studio.draft import Draft, Question
from mantic.studio.draft_folder import TABLE
from mantic.studio.question_forecast import FORECAST, meaning_of_forecast, options_of_forecast

BUDGETS = ("10s", "20s", "30s", "60s", "2m", "5m", "10m", "30m", "1h")
_MOST_CLASSES = 20  # that are offered as the one to find
_FEW_ROWS = 300
_FEW_OF_CLASS = 5

METRICS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "classify": (
        ("log_loss", "log loss: how much probability it gave to what came true"),
        ("roc_auc", "ROC AUC: how well it ranks the likely before the unlikely"),
        ("average_precision", "average precision: how pure the top of its ranking is"),
        ("brier", "Brier score: the squared error of its probabilities"),
        ("accuracy", "accuracy: the share of right answers"),
        ("balanced_accuracy", "balanced accuracy: the share of right answers, every class counting alike"),
        ("f1", "F1: finding them and being right, in one figure"),
        ("mcc", "Matthews correlation: right and wrong answers of both kinds, in one figure"),
    ),
    "regress": (
        ("rmse", "root mean squared error: large misses count most"),
        ("mae", "mean absolute error: how far off it is on average"),
        ("median_ae", "median absolute error: how far off it is in the usual case"),
        ("mape", "mean absolute percentage error: how far off it is, as a share"),
        ("r2", "R2: the share of the differences that it explains"),
    ),
}
"""Metric and what it says, the one that is used without a word first."""


@dataclass(frozen=True)
class Asked:
    """What a question means.

    Parameters
    ----------
    task : classify, regress or forecast; empty while there is no target, or it cannot be predicted.
    sentence : what is predicted, and by what it is judged.
    fault : why it cannot be asked, in words; empty when it can.
    remarks : what one should know before.
    classes : labels, where there are few.
    positive, usual : of two classes the one to find, and the one that is taken without a word.
    """

    task: str = ""
    sentence: str = ""
    fault: str = ""
    remarks: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    positive: str = ""
    usual: str = ""
    metrics: tuple[tuple[str, str], ...] = field(default=())

    @property
    def is_decidable(self) -> bool:
        """Return whether costs of errors can be weighed."""
        return self.task == "classify" and len(self.classes) == 2


@dataclass(frozen=True)
class Seen:
    """What was seen in a target.

    Parameters
    ----------
    n_rows, n_filled : rows, and those that have a value.
    labels, counts : of classes; empty for a number.
    usual : of two classes, the place of the one to find where nobody says which.
    spread : of a number the least, the middle and the largest; empty for classes.
    """

    task: str
    n_rows: int
    n_filled: int
    labels: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    usual: int = 0
    spread: tuple[float, ...] = ()


def asked_of(folder: Path, draft: Draft) -> Asked:
    """Return what the question of a draft means, by the values of its target."""
    question = draft.question
    if not question.target:
        return Asked()
    said = draft.kinds.get(question.target, "")
    try:
        if question.task == FORECAST:
            return Asked(FORECAST, *_forecast(folder, question))
        made = (folder / TABLE).stat().st_mtime_ns
        return _asked(question, _seen(folder, made, question.target, task=question.task, kind=said))
    except ManticError as error:
        return Asked(fault=f"{error.what}: {error.fix}" if error.fix else error.what)


def _forecast(folder: Path, question: Question) -> tuple[str, str, tuple[str, ...]]:
    sentence, remarks = meaning_of_forecast(folder, question)
    return sentence, "", remarks


def column_of(folder: Path, name: str) -> pl.Series:
    """Return a column of the table of a draft."""
    return pl.scan_ipc(folder / TABLE).select(pl.col(name)).collect().to_series()


def task_of(series: pl.Series, task: str, kind: str) -> str:
    """Return by which task a target is predicted: as was said, else by its kind as was said, else by its values."""
    from mantic.tasks.choose import choose

    kinds = {series.name: kind} if kind else {}
    chosen: Any = choose(series.to_frame(), series.name, task=task or None, kinds=kinds)
    return str(chosen.task.name)


def truth_of(series: pl.Series, task: str) -> tuple[Any, Any]:
    """Return the target as codes or numbers, of the rows that have one, and the labels of its classes as an array.

    Raises
    ------
    SchemaError : if it cannot be predicted.
    """
    from mantic.tasks.door import filled, plain
    from mantic.tasks.target import classes_of, numbers_of

    truth = plain(series.filter(filled(series)))
    where = f"column '{series.name}'"
    if task == "regress":
        return numbers_of(truth, where=where), np.empty(0)
    labels, codes = classes_of(truth, where=where)
    return codes, labels


@lru_cache(maxsize=64)  # a million texts take a second
def _seen(folder: Path, _: int, target: str, *, task: str, kind: str) -> Seen:
    from mantic.tasks.door import LEAST_ROWS, filled
    from mantic.tasks.target import positive_of

    series = column_of(folder, target)
    n_filled = int(filled(series).sum())
    if n_filled < LEAST_ROWS:
        what = f"{amount(n_filled, 'row has', 'rows have')} a value in '{target}'"
        raise SchemaError(what, fix="too few to learn from and to judge by")
    task = task_of(series, task, kind)
    truth, labels = truth_of(series, task)
    if task == "regress":
        if np.ptp(truth) == 0:
            raise SchemaError("the target has one value only", fix="choose another column")
        spread = tuple(float(one) for one in np.quantile(truth, [0, 0.5, 1]))
        return Seen(task, len(series), n_filled, spread=spread)
    counts = tuple(int(one) for one in np.bincount(truth))
    usual = positive_of(labels, truth) if len(labels) == 2 else 0
    return Seen(task, len(series), n_filled, tuple(str(one) for one in labels.tolist()), counts, usual)


def _asked(question: Question, seen: Seen) -> Asked:
    metrics, target = METRICS[seen.task], question.target
    metric = next((words for name, words in metrics if name == question.metric), metrics[0][1])
    remarks = _remarks(target, seen)
    if seen.task == "regress":
        low, middle, high = (say(one) for one in seen.spread)
        what = f"Predict {target}, a number from {low} to {high}, {middle} in the middle"
        return Asked(seen.task, f"{what}; judged by {metric}.", remarks=remarks, metrics=metrics)
    positive = usual = ""
    if len(seen.labels) == 2:
        usual = seen.labels[seen.usual]
        positive = question.positive if question.positive in seen.labels else usual
        place = seen.labels.index(positive)
        share = say(seen.counts[place] / seen.n_filled, "share")
        what = f"Predict {target} ({positive} or {seen.labels[1 - place]}): {share} {positive}"
    else:
        common = int(np.argmax(seen.counts))
        share = say(seen.counts[common] / seen.n_filled, "share")
        classes = amount(len(seen.labels), "class", "classes")
        what = f"Predict {target}, one of {classes}: {share} are {seen.labels[common]}"
    shown = seen.labels if len(seen.labels) <= _MOST_CLASSES else ()
    return Asked(seen.task, f"{what}; judged by {metric}.", "", remarks, shown, positive, usual, metrics)


def _remarks(target: str, seen: Seen) -> tuple[str, ...]:
    """Return what one should know before."""
    remarks = []
    if seen.n_filled < seen.n_rows:
        missing = amount(seen.n_rows - seen.n_filled, "row has", "rows have")
        remarks.append(f"{missing} no value in '{target}' and can neither teach nor judge: left out.")
    if seen.n_filled < _FEW_ROWS:
        remarks.append(f"{seen.n_filled:,} rows are few: the score will be uncertain, and the report says by how much.")
    rare = [label for label, n in zip(seen.labels, seen.counts, strict=True) if n < _FEW_OF_CLASS]
    if rare:
        remarks.append(f"Hardly any rows of {', '.join(rare[:5])}: such classes can hardly be learned or judged.")
    return tuple(remarks)


def words_of(draft: Draft, data: str) -> tuple[str, ...]:
    """Return a question as the words behind `mantic`.

    >>> draft = Draft("0", "churn", "data.csv", "ada", 0.0, question=Question("churned", drop=("id", "a,b")))
    >>> " ".join(words_of(draft, "churn.csv"))
    'fit churn.csv --target churned --budget 60s --drop id --kind a,b=id --out churn.mantic --report report.html'
    """
    asked = draft.question
    words = ["fit", data, *_option("target", asked.target), *_option("budget", asked.budget)]
    is_forecast = asked.task == FORECAST
    for name, value in options_of_forecast(asked) if is_forecast else _options_of_table(asked):
        words += _option(name, value)
    for name in asked.drop:
        words += _option("kind", f"{name}=id") if "," in name else _option("drop", name)
    for name, kind in () if is_forecast else draft.kinds.items():
        if name not in asked.drop:
            words += _option("kind", f"{name}={kind}")
    return (*words, "--out", f"{draft.name}.mantic", "--report", "report.html")


def _options_of_table(asked: Question) -> list[tuple[str, str]]:
    names = ("task", "metric", "positive", "time", "group", "cost", "capacity")
    options = [(name, getattr(asked, name)) for name in names if getattr(asked, name)]
    return [*options, ("unit", asked.unit)] if asked.unit and (asked.cost or asked.capacity) else options


def _option(name: str, value: str) -> list[str]:
    return [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]


def data_of(folder: Path, draft: Draft) -> tuple[Path, str]:
    """Return the file from which a draft is learned, and its name for a person: what was brought, as it was brought.

    What came from a database is learned from as it was read: the address may hold a password.
    """
    if "://" in draft.source or not (folder / draft.source).exists():
        return folder / TABLE, f"{draft.name}.arrow"
    return folder / draft.source, f"{draft.name}{''.join(Path(draft.source).suffixes)}"


def changed(question: Question, **changes: Any) -> Question:
    """Return a question with changes; what belonged to another target goes with it."""
    if changes.get("target", question.target) != question.target:
        return Question(target=changes["target"], budget=question.budget)
    return replace(question, **changes)
