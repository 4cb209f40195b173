"""One model that is served: rows in, plain JSON values out."""

import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import polars as pl

from mantic.core.errors import SettingsError
from mantic.core.schema import Column, Schema
from mantic.core.table import Array
from mantic.evaluate.decide import Decision
from mantic.report.blocks import Report
from mantic.search.row import RowPlan
from mantic.serve.question import Question

LEVEL = 0.9  # of the intervals
_QUALITY = ("metric", "score", "interval", "baseline", "metrics", "verdict", "n_rows", "warnings")


class Estimator(Protocol):
    """What a model needs in order to be served: a fitted Classifier or Regressor."""

    schema_: Schema
    target_: Column
    version_: str
    report_: Report

    @property
    def task(self) -> Any:
        """Return what has a `name`: "classify" or "regress"."""
        ...

    def predict(self, X: Any) -> Any:
        """Return one answer per row."""
        ...

    def explain(self, X: Any) -> Any:
        """Return an explanation that has `to_facts()`."""
        ...


@dataclass(frozen=True)
class Served:
    """A fitted estimator under its name. One call at a time: learners may share buffers between calls."""

    name: str
    model: Estimator
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.task not in _ANSWERS:
            raise SettingsError(
                f"the model '{self.name}' has the task '{self.task}'",
                where="serve",
                fix=f"served are: {', '.join(_ANSWERS)}",
            )

    @property
    def task(self) -> str:
        """Return the name of its task."""
        return str(self.model.task.name)

    @property
    def schema(self) -> Schema:
        """Return the columns that a row has."""
        return self.model.schema_

    @property
    def plan(self) -> RowPlan | None:
        """Return the model's plan for single rows, if there is one and no part of it needs a frame."""
        plan = getattr(self.model, "row_plan_", None)
        return plan if plan is not None and plan.is_fast else None

    def head(self) -> dict[str, str]:
        """Return name and version, which stand in every answer."""
        return {"model": self.name, "version": self.model.version_}

    def about(self) -> dict[str, Any]:
        """Return all that a caller may want to know: task, target, columns, and how good it was when fitted."""
        facts = self.model.report_.facts
        return {
            **self.head(),
            "task": self.task,
            "target": json_ready(asdict(self.model.target_)),
            "columns": json_ready(json.loads(self.schema.to_json())),
            "metrics": json_ready({name: facts[name] for name in _QUALITY if name in facts}),
        }

    def predict(self, question: Question) -> dict[str, Any]:
        """Return the answer to a question: one prediction per row."""
        with self._lock:
            if question.frame is None:
                answers = _ROW_ANSWERS[self.task](self.model, question.values)
            else:
                answers = _ANSWERS[self.task](self.model, question.frame)
        return {**self.head(), "predictions": answers, "warnings": list(question.warnings)}

    def explain(self, question: Question) -> dict[str, Any]:
        """Return what each column added to each prediction."""
        with self._lock:
            facts = self.model.explain(question.frame).to_facts()
        return {**self.head(), **json_ready(facts), "warnings": list(question.warnings)}


def json_ready(value: Any) -> Any:
    """Return a value that JSON can hold: NumPy scalars as plain ones, not-a-number and infinity as null.

    >>> json_ready({"a": (1.5, float("nan"))})
    {'a': [1.5, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): json_ready(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(one) for one in value]
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return json_ready(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def decision_of(model: Any) -> Decision | None:
    """Return how a model decides, or None where nobody told it."""
    found: Decision | None = getattr(model, "decision_", None)
    return found


def _classes(model: Any, frame: pl.DataFrame) -> list[dict[str, Any]]:
    return _with_labels(model, model.predict_proba(frame))


def _classes_of_rows(model: Any, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    return _with_labels(model, np.array([model.row_plan_.answer(row) for row in rows]))


def _with_labels(model: Any, probabilities: Array) -> list[dict[str, Any]]:
    labels = json_ready(model.classes_.tolist())
    names = [str(label) for label in labels]
    answers: list[dict[str, Any]] = [
        {"prediction": labels[best], "probability": dict(zip(names, json_ready(row), strict=True))}
        for best, row in zip(probabilities.argmax(axis=1).tolist(), probabilities.tolist(), strict=True)
    ]
    if (decision := decision_of(model)) is None:
        return answers
    decided = decision.decide(probabilities).tolist()
    return [answer | {"decision": labels[code]} for answer, code in zip(answers, decided, strict=True)]


def _values(model: Any, frame: pl.DataFrame) -> list[dict[str, Any]]:
    return _with_intervals(model.predict(frame), model.predict_interval(frame, level=LEVEL))


def _values_of_rows(model: Any, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    values = np.array([model.row_plan_.answer(row)[0] for row in rows])
    return _with_intervals(values, model.model_.conformal.interval(values, level=LEVEL))


def _with_intervals(values: Array, intervals: Array) -> list[dict[str, Any]]:
    return [
        {"prediction": json_ready(value), "interval": json_ready(interval), "level": LEVEL}
        for value, interval in zip(values.tolist(), intervals.tolist(), strict=True)
    ]


_ANSWERS: Mapping[str, Callable[[Any, pl.DataFrame], list[dict[str, Any]]]] = {"classify": _classes, "regress": _values}
_ROW_ANSWERS: Mapping[str, Callable[[Any, Sequence[Sequence[Any]]], list[dict[str, Any]]]] = {
    "classify": _classes_of_rows,
    "regress": _values_of_rows,
}
