"""What evaluate, explain, serve and watch may ask of a fitted model."""

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from mantic.core.schema import Schema
from mantic.core.table import Array


@dataclass(frozen=True)
class Importance:
    """How much a column matters to a model in all, with its interval; larger matters more, about 0 is nothing.

    `is_loss` says that it is how much worse the metric gets without the column; else it is how far the column moves the
    answer on average, which never tells whether that helps.
    """

    column: str
    mean: float
    low: float
    high: float
    is_loss: bool = True


class Model(Protocol):
    """A fitted blend of learners with its encoders and calibration; frames come aligned (`Schema.align`)."""

    @property
    def schema(self) -> Schema:
        """Return the columns that it was fitted on."""
        ...

    @property
    def n_classes(self) -> int:
        """Return the number of classes; 0 for a regression."""
        ...

    def predict(self, frame: pl.DataFrame) -> Array:
        """Return probabilities, shape (n_rows, n_classes), or values, shape (n_rows,)."""
        ...

    def margin(self, frame: pl.DataFrame) -> Array:
        """Return what contributions add up to, shape (n_rows, n_outputs).

        A regression has one output, the value. Two classes have one: log-odds of class 1. More classes have n_classes:
        log-probability less the row's mean log-probability.
        """
        ...

    def contributions(self, frame: pl.DataFrame) -> Array | None:
        """Return what each column of the schema added to the margin, base last.

        Shape (n_rows, n_columns + 1, n_outputs).

        None when a member of the blend cannot say it exactly.
        """
        ...
