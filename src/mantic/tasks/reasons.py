"""Reasons for answers of an estimator."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mantic.core.model import Importance
from mantic.core.run import Run
from mantic.explain.explanation import Explanation, explain_rows

if TYPE_CHECKING:
    import polars as pl

    from mantic.tasks.base import Estimator


def explain(estimator: "Estimator", frame: "pl.DataFrame", run: Run) -> Explanation:
    """Explain aligned rows; importance over all columns is the one that the fit measured on held-out rows."""
    known = [Importance(**one) for one in estimator.report_.facts.get("importance", []) if None not in one.values()]
    found = explain_rows(
        estimator.model_,
        frame,
        estimator.background_,
        target=estimator.target_.name,
        classes=np.asarray(estimator.classes_).tolist() if estimator.model_.n_classes else (),
        seed=run.seed,
    )
    return replace(found, importance=tuple(known))
