"""Everything that a fit knows when it is over: what the report is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from mantic.core.metric import Metric
from mantic.core.model import Importance
from mantic.core.run import Warned
from mantic.core.schema import Schema
from mantic.core.table import Array
from mantic.evaluate.drift import Drift
from mantic.features.leaks.leak import Leak
from mantic.report.blocks import Block


@dataclass(frozen=True)
class TrialRow:
    """One thing that the search tried.

    Parameters
    ----------
    learner, params : who, and the parameters that differ from the learner's defaults.
    score : in the metric's own sense, on rows that this trial has not seen; NaN when it failed.
    drift : how the held-out rows differ from those learned from, or None when not measured.
    is_apart : whether they were meant to differ: later in time, other groups, new rows.
    seconds : wall clock.
    weight : share in the blend, 0 to 1; 0 means tried and not used.
    note : for instance "stopped at its time limit"; empty when all went well.
    """

    learner: str
    params: Mapping[str, Any]
    score: float
    seconds: float
    weight: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Conformal:
    """How the intervals (or sets of classes) did on rows that they have not seen.

    Parameters
    ----------
    level : what was promised, 0 to 1.
    coverage : the share of the held-out rows whose truth lay inside.
    width : typical (median) width of an interval in the target's unit; mean number of classes for sets.
    """

    level: float
    coverage: float
    width: float


@dataclass(frozen=True)
class Findings:
    """What is known about a model, from held-out rows and from its search.

    Parameters
    ----------
    task, target : "classify" or "regress"; name of the predicted column.
    metric : what the search optimised.
    schema : of the columns; says what slices make sense.
    frame : held-out rows, aligned (`Schema.align`); shape (n_test, n_columns).
    truth : class codes or values; shape (n_test,).
    guess : probabilities (n_test, n_classes) or values (n_test,); so are `baseline_guess` and `linear_guess`.
    baseline_guess, baseline_name : the dummy's answers and what it does, completing "against ... by": "always saying
        no". Empty lets the verdict say it.
    linear_guess : of a plain linear model, or None when there is none (or when the model is one).
    classes : names of the class codes, of two the positive one last; empty for a regression.
    clusters : which rows belong together (a group, a day), int codes (n_test,); None when rows are independent.
    split : a sentence on how the held-out rows were chosen.
    earlier : scores of the same recipe in earlier periods of the same length, the latest first; empty when not known.
    n_rows, n_train : rows in all and for learning; 0 when not known (evaluation on new rows).
    trials, warnings, leaks, importance, conformal : as their types say; empty or None when not known.
    drift : how the held-out rows differ from those learned from, or None when not measured.
    is_apart : whether they were meant to differ: later in time, other groups, new rows.
    rules : the model in a few rules, as blocks; empty when there was no time for them.
    seconds : wall clock of the fit so far; 0 when there was none.
    latency_ms : what the kept model takes to answer for one row, measured; None where there was no time to measure.
    long_way : what of the model has no form for one row and goes the long way of a table, and why.
    command, script : how to do it again in a shell and in Python; empty when there is no way.
    """

    task: str
    target: str
    metric: Metric
    schema: Schema
    frame: pl.DataFrame
    truth: Array
    guess: Array
    baseline_guess: Array
    baseline_name: str = ""
    linear_guess: Array | None = None
    classes: tuple[str, ...] = ()
    clusters: Array | None = None
    split: str = ""
    earlier: tuple[float, ...] = ()
    n_rows: int = 0
    n_train: int = 0
    trials: tuple[TrialRow, ...] = ()
    warnings: tuple[Warned, ...] = ()
    leaks: tuple[Leak, ...] = ()
    importance: tuple[Importance, ...] = field(default=())
    conformal: Conformal | None = None
    drift: Drift | None = None
    is_apart: bool = False
    rules: tuple[Block, ...] = ()
    seconds: float = 0.0
    latency_ms: float | None = None
    long_way: tuple[str, ...] = ()
    command: str = ""
    script: str = ""

    @property
    def n_test(self) -> int:
        """Return the number of held-out rows."""
        return int(self.truth.shape[0])

    @property
    def is_classes(self) -> bool:
        """Whether a category is predicted."""
        return self.task == "classify"

    @property
    def is_binary(self) -> bool:
        """Whether there are just two classes."""
        return self.is_classes and len(self.classes) == 2
