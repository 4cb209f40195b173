"""From data and a target to a fitted model, in one call; what that loads counts as its time."""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

if TYPE_CHECKING:
    from mantic.core.run import Run
    from mantic.tasks.base import Estimator


class Settings(TypedDict, total=False):
    """What `fit` hands on: the estimator's own parameters, and the roles of columns."""

    budget: str | float
    seed: int
    metric: str | None
    learners: list[str] | None
    params: dict[str, Any] | None
    positive: Any
    time: str | None
    group: str | None
    kinds: Mapping[str, str] | None
    run: "Run | None"


def fit(
    data: Any, target: str, *, task: str | None = None, drop: Sequence[str] = (), **settings: Unpack[Settings]
) -> "Estimator":
    """Fit the fitting estimator on a file, address or table.

    Parameters
    ----------
    data : path or address as `mantic.read` takes it, or a table of any library.
    target : name of the column to predict.
    task : "classify" or "regress"; chosen by the target's values when absent.
    drop : columns to leave out.
    settings : budget, seed, metric, learners, params, positive of the estimator; time, group, kinds of its `fit`.

    >>> import polars as pl
    >>> model = fit(pl.DataFrame({"a": [1, 2] * 30, "b": ["x", "y"] * 30}), "b", budget="1 trial")
    >>> type(model).__name__
    'Classifier'
    """
    began = monotonic()
    from mantic.tasks.choose import fitted

    return fitted(data, target, settings, task=task, drop=drop, began=began)
