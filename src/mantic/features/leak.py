"""Columns that know the answer: recorded after it, or made from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Leak:
    """A column that should not be there when a prediction is needed.

    Parameters
    ----------
    column : its name.
    why : one sentence on what gave it away.
    score_with, score_without : the metric with the column and without it; None where not measured.
    """

    column: str
    why: str
    score_with: float | None = None
    score_without: float | None = None
