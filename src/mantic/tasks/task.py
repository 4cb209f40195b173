"""A task's decisions as data."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Task:
    """What a kind of prediction stands for: its name and what it is judged by.

    Parameters
    ----------
    name : "classify", "regress" or "forecast"; the word for learners, the command line and saved files.
    metric : the metric of a search that was not told one; proper, so that it rewards honest confidence.
    sklearn_kind : scikit-learn's word for such estimators.
    """

    name: Literal["classify", "regress", "forecast"]
    metric: str
    sklearn_kind: Literal["classifier", "regressor", "forecaster"]
