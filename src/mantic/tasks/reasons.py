"""Reasons for answers of an estimator."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.model import Importance
from mantic.core.run import Run
from mantic.explain.counterfactual import Counterfactuals, counterfactuals_of
from mantic.explain.effects import Effect, effect_of
from mantic.explain.explanation import Explanation, explain_rows
from mantic.explain.interactions import Interactions, interactions_of
from mantic.explain.neighbours import Similar, similar_to
from mantic.explain.rules import Rules, rules_of
from mantic.explain.subject import Subject
from mantic.explain.variants import Limits
from mantic.tasks.background import Background
from mantic.tasks.target import positive_among

if TYPE_CHECKING:
    from mantic.tasks.base import Estimator


def explain(estimator: "Estimator", X: Any, run: Run) -> Explanation:
    """Explain rows; importance over all columns is the one that the fit measured on held-out rows."""
    found = explain_rows(
        estimator.model_,
        _aligned(estimator, X),
        estimator.background_,
        target=estimator.target_.name,
        classes=_classes(estimator),
        seed=run.seed,
    )
    return replace(found, importance=_importance(estimator))


def effect(estimator: "Estimator", column: str, *, toward: Any = None) -> Effect:
    """Say how the answer moves with one column; see `explain.effects.effect_of`."""
    return effect_of(subject_of(estimator), column, toward=toward, seed=estimator.seed)


def interactions(estimator: "Estimator", most: int) -> Interactions:
    """Say which pairs of columns act together; see `explain.interactions.interactions_of`."""
    return interactions_of(subject_of(estimator), most=most, seed=estimator.seed)


def counterfactuals(estimator: "Estimator", frame: pl.DataFrame, wanted: Any, limits: Limits) -> Counterfactuals:
    """Say what would get one aligned row another answer; see `explain.counterfactual.counterfactuals_of`."""
    return counterfactuals_of(subject_of(estimator), _one(frame), wanted, limits=limits)


def similar(estimator: "Estimator", frame: pl.DataFrame, n: int) -> Similar:
    """Return the known rows most like one aligned row; see `explain.neighbours.similar_to`."""
    return similar_to(subject_of(estimator), _one(frame), n=n)


def rules(estimator: "Estimator") -> Rules:
    """Imitate the model by a few rules; see `explain.rules.rules_of`."""
    return rules_of(subject_of(estimator), seed=estimator.seed)


def subject_of(estimator: "Estimator") -> Subject:
    """Return what reasons are asked of: the model with the rows that were kept beside it."""
    labels = _classes(estimator)
    kept = Background(estimator.background_, estimator.background_answers_)
    return Subject(
        estimator.model_,
        estimator.target_.name,
        estimator.background_,
        classes=labels,
        positive=positive_among([str(one) for one in labels], estimator.report_.facts),
        truth=kept.truth,
        held_out=kept.held_out(estimator.model_.n_classes),
        importance=_importance(estimator),
    )


def _classes(estimator: "Estimator") -> tuple[Any, ...]:
    return tuple(np.asarray(estimator.classes_).tolist()) if estimator.model_.n_classes else ()


def _importance(estimator: "Estimator") -> tuple[Importance, ...]:
    found = estimator.report_.facts.get("importance", [])
    return tuple(Importance(**one) for one in found if None not in one.values())


def _aligned(estimator: "Estimator", X: Any) -> pl.DataFrame:
    """Return rows as the schema stores them; a single one without the checks of whole columns, which take longest."""
    names = estimator.schema_.names
    if isinstance(X, list) and len(X) == 1 and isinstance(X[0], Mapping):
        row = X[0]
    elif isinstance(X, pl.DataFrame) and X.height == 1 and (tuple(X.columns) == names or set(names) < set(X.columns)):
        row = X.row(0, named=True)
    else:
        return estimator._aligned(X)
    plan = estimator.row_plan_
    return plan.frame(plan.values(row))


def _one(frame: pl.DataFrame) -> pl.DataFrame:
    if frame.height != 1:
        raise SchemaError(f"one row is asked about, not {frame.height}", where="row", fix="give one row, as frame[3:4]")
    return frame
