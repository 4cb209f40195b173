"""A restored model answers once before it is handed out: what does not fit together shows here, not before a caller."""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from mantic.tasks.base import Estimator

_LEVEL = 0.9
_N_ROWS = 64


def try_out(estimator: "Estimator") -> None:
    """Ask a model about rows that it keeps, and about one that holds nothing, as a table and one by one.

    Raises
    ------
    Exception : of any kind, if it cannot answer. ValueError : if what it keeps or answers has another shape than its
        task, or is no number.
    """
    model, kept = estimator.model_, estimator.background_
    n_classes = model.n_classes
    n_labels = len(getattr(estimator, "classes_", ()))
    if n_labels != n_classes or (n_classes < 1) != (estimator.task.name == "regress"):
        raise ValueError(f"the model answers for {n_classes} classes, and {n_labels} are named")
    if estimator.background_answers_.width and estimator.background_answers_.height != kept.height:
        raise ValueError("there are not as many answers as rows that are kept with the model")
    names = estimator.schema_.names
    for text in (*names, estimator.target_.name, *getattr(estimator, "classes_", ())):
        str(text).encode()  # half a character could be in no answer
    nothing = estimator.schema_.align([dict.fromkeys(names)])
    rows = pl.concat([estimator.schema_.align(kept).head(_N_ROWS), nothing])
    with np.errstate(all="ignore"):
        guess = model.predict(rows)
        _check(guess, (rows.height, n_classes) if n_classes else (rows.height,))
        if n_classes:
            model.conformal.sets(guess, level=_LEVEL)
        else:
            model.conformal.interval(guess, level=_LEVEL)
        _check(estimator.row_plan_.predict(dict.fromkeys(names)), (n_classes or 1,))


def _check(guess: Any, shape: tuple[int, ...]) -> None:
    if np.shape(guess) != shape or np.asarray(guess).dtype.kind != "f" or not np.isfinite(guess).all():
        raise ValueError("its answers are no numbers, or not as many as there should be")
