"""One model that is served: rows in, plain JSON values out."""

import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import polars as pl

from mantic.core.errors import SettingsError
from mantic.core.schema import Column, Schema
from mantic.core.table import Array
from mantic.evaluate.decide import Decision
from mantic.report.blocks import Report
from mantic.search.row import RowPlan
from mantic.search.series.basis import BASIS
from mantic.serve.decode import PlainReader
from mantic.serve.example import example_row
from mantic.serve.question import Limits, Question, read_question

LEVEL = 0.9  # of the intervals
_QUICK_SECONDS = 0.0005  # a hop to a thread and back takes a good part of this
_N_TIMED = 5
_QUALITY = ("metric", "score", "interval", "baseline", "metrics", "verdict", "n_rows", "warnings")


class Estimator(Protocol):
    """What a model needs in order to be served: a fitted Classifier, Regressor or Forecaster."""

    schema_: Schema
    target_: Column
    version_: str
    report_: Report

    @property
    def task(self) -> Any:
        """Return what has a `name`: "classify", "regress" or "forecast"."""
        ...

    def predict(self, X: Any) -> Any:
        """Return one answer per row."""
        ...

    def explain(self, X: Any) -> Any:
        """Return an explanation that has `to_facts()`."""
        ...

    def save(self, path: Path) -> Any:
        """Write it to a file, from which the process of a job loads it."""
        ...


@dataclass(frozen=True)
class Served:
    """A fitted estimator under its name. Frames are answered one at a time: learners may share buffers."""

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

    @property
    def version(self) -> str:
        """Return the version of the model."""
        return self.model.version_

    @cached_property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Return what it is counted under."""
        return (("model", self.name), ("version", self.version))

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
            "row": self._row_facts(),
        }

    @cached_property
    def is_safe(self) -> bool:
        """Whether threads may ask for rows side by side: no part of the plan is a learner's `predict` of a table."""
        return self.plan is not None and not self.plan.fallback

    @cached_property
    def row_seconds(self) -> float:
        """Return how long one row takes, the best of a few; measured when it is first asked for."""
        row = dict.fromkeys(self.schema.names) | example_row(self.schema)
        question = read_question(to_bytes({"rows": [row]}), self.schema, Limits(), plan=self.plan)
        seconds = []
        for _ in range(_N_TIMED):
            started = time.perf_counter()
            self.predictions(question)
            seconds.append(time.perf_counter() - started)
        return min(seconds)

    @cached_property
    def is_quick(self) -> bool:
        """Whether a row is answered so fast that no thread is worth it."""
        return self.is_safe and self.row_seconds < _QUICK_SECONDS

    @cached_property
    def _plain(self) -> PlainReader:
        return PlainReader(self.schema)

    @cached_property
    def _head(self) -> bytes:
        return to_bytes(self.head())[:-1]

    def read_quick(self, body: bytes, limits: Limits) -> Question | None:
        """Return the question in a plain body that is answered at once; None where `read` and a thread are needed."""
        question = None if self.plan is None else self._plain.few(body)
        return None if question is None or len(question.values) > limits.max_rows else question

    def read(self, body: bytes, limits: Limits) -> Question:
        """Return the question in the body of a request; raises as `read_question` does."""
        plan = self.plan
        question = None if plan is None else self._plain.few(body)
        if question is not None and len(question.values) <= limits.max_rows:
            return question
        question = self._plain.many(body, max_rows=limits.max_rows)
        return question or read_question(body, self.schema, limits, plan=plan)

    def _row_facts(self) -> dict[str, Any]:
        """Return what one row costs, and what goes the long way of a table, and why."""
        plan = getattr(self.model, "row_plan_", None)
        fallback = ["this model has no form for one row"] if plan is None else list(plan.fallback)
        return {"milliseconds": round(1000 * self.row_seconds, 3), "fallback": fallback}

    def predictions(self, question: Question) -> list[dict[str, Any]]:
        """Return one prediction per row of a question."""
        if question.frame is None and self.is_safe:
            return _ROW_ANSWERS[self.task](self.model, question.values)
        with self._lock:
            if question.frame is None:
                return _ROW_ANSWERS[self.task](self.model, question.values)
            return _ANSWERS[self.task](self.model, question.frame)

    def reply(self, predictions: Sequence[Mapping[str, Any]], warnings: Sequence[Mapping[str, Any]]) -> bytes:
        """Return the answer to a request as JSON; what is not finite is null."""
        found = (b',"predictions":', _encode(predictions), b',"warnings":', _encode(warnings) if warnings else b"[]")
        return b"".join((self._head, *found, b"}"))

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


def to_bytes(value: Any) -> bytes:
    """Return a value as JSON text; half characters, which no text can hold, become question marks."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def _classes(model: Any, frame: pl.DataFrame) -> list[dict[str, Any]]:
    return _with_labels(model, model.predict_proba(frame))


def _classes_of_rows(model: Any, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    answer = model.row_plan_.answer
    return _with_labels(model, np.array([answer(row) for row in rows]))


def _with_labels(model: Any, probabilities: Array) -> list[dict[str, Any]]:
    labels = model.classes_.tolist()
    names = list(map(str, labels))
    answers: list[dict[str, Any]] = [
        {"prediction": labels[best], "probability": dict(zip(names, row, strict=True))}
        for best, row in zip(probabilities.argmax(axis=1).tolist(), probabilities.tolist(), strict=True)
    ]
    if (decision := decision_of(model)) is None:
        return answers
    decided = decision.decide(probabilities).tolist()
    return [answer | {"decision": labels[code]} for answer, code in zip(answers, decided, strict=True)]


def _values(model: Any, frame: pl.DataFrame) -> list[dict[str, Any]]:
    return _with_intervals(model.predict(frame), model.predict_interval(frame, level=LEVEL))


def _values_of_rows(model: Any, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    answer = model.row_plan_.answer
    values = np.array([answer(row)[0] for row in rows])
    return _with_intervals(values, model.model_.conformal.interval(values, level=LEVEL))


def _with_intervals(values: Array, intervals: Array) -> list[dict[str, Any]]:
    return [
        {"prediction": value, "interval": interval, "level": LEVEL}
        for value, interval in zip(values.tolist(), intervals.tolist(), strict=True)
    ]


_OVER = "over_capacity"  # the column of a forecast that watches a capacity


def _forecasts(model: Any, frame: pl.DataFrame) -> list[dict[str, Any]]:
    table = model.predict(frame)
    names = [name for name in table.columns if name.startswith("q") and name not in model.schema_.names]
    rows = table.select("mean", "median", *names).rows()
    answers: list[dict[str, Any]] = [
        {"prediction": mean, "median": median, "quantiles": dict(zip((name[1:] for name in names), ends, strict=True))}
        for mean, median, *ends in rows
    ]
    for name in (_OVER, BASIS):
        if name in table.columns:
            answers = [answer | {name: more} for answer, more in zip(answers, table[name].to_list(), strict=True)]
    return answers


_encode = msgspec.json.encode
_ANSWERS: Mapping[str, Callable[[Any, pl.DataFrame], list[dict[str, Any]]]] = {
    "classify": _classes,
    "regress": _values,
    "forecast": _forecasts,
}
_ROW_ANSWERS: Mapping[str, Callable[[Any, Sequence[Sequence[Any]]], list[dict[str, Any]]]] = {
    "classify": _classes_of_rows,
    "regress": _values_of_rows,
}
