"""The answers to a table as a table: one row each, in order."""

from typing import Any

import polars as pl

from mantic.core.schema import Kind, Schema
from mantic.search.series.basis import BASIS, OWN


def aligned(raw: pl.DataFrame, schema: Schema, *, where: str) -> pl.DataFrame:
    """Return rows as a model wants them: columns in any order, those that it does not use may be absent.

    Raises
    ------
    SchemaError : names every column and value that does not fit.
    """
    absent = [column.name for column in schema.columns if not column.is_used and column.name not in raw.columns]
    return schema.align(raw.with_columns(pl.lit(None).alias(name) for name in absent), where=where)


def answer_table(model: Any, frame: pl.DataFrame, raw: pl.DataFrame, *, proba: bool) -> pl.DataFrame:
    """Return the identifying columns, then the answers.

    Parameters
    ----------
    frame, raw : the same rows, aligned and as they were read.
    proba : whether each class gets its probability, as `probability_CLASS`.
    """
    if model.task.name == "forecast":  # its own table says already which series and when
        answers: pl.DataFrame = model.predict(frame)
        if BASIS not in answers.columns:  # every part of a long file has the same columns
            answers = answers.with_columns(pl.lit(OWN).alias(BASIS))
        return answers
    answers = _answers(model, frame, proba=proba)
    names = [column.name for column in model.schema_.columns if column.kind == Kind.ID and column.name in raw.columns]
    return pl.DataFrame([*(raw[name] for name in names if name not in answers.columns), *answers])


def _answers(model: Any, frame: pl.DataFrame, *, proba: bool) -> pl.DataFrame:
    if not hasattr(model, "predict_proba"):
        ends = model.predict_interval(frame)
        return pl.DataFrame({"prediction": model.predict(frame), "low": ends[:, 0], "high": ends[:, 1]})
    chances = model.predict_proba(frame)
    labels = pl.Series("prediction", model.classes_[chances.argmax(axis=1)].tolist())
    decided = []
    if model.decision_ is not None:
        decided = [pl.Series("decision", model.classes_[model.decision_.decide(chances)].tolist())]
    each = [pl.Series(f"probability_{label}", chances[:, place]) for place, label in enumerate(model.classes_)]
    return pl.DataFrame([labels, *decided, *(each if proba else [])])
