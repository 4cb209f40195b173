"""The target as numbers: class codes, or values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from mantic.core.cast import cast_column
from mantic.core.errors import SchemaError
from mantic.core.schema import Column, Kind
from mantic.core.table import Array
from mantic.features.infer import infer_column


def classes_of(truth: Array, *, where: str) -> tuple[Array, Array]:
    """Return the labels (sorted, of their own type) and the code of each row, int64.

    Raises
    ------
    SchemaError : if there are fewer than two classes, or too many to learn each.

    >>> classes_of(np.array(["no", "yes", "no"]), where="column 'churned'")[1].tolist()
    [0, 1, 0]
    """
    if truth.dtype == object:
        truth = np.array([str(value) for value in truth])
    labels, codes = np.unique(truth, return_inverse=True)
    if len(labels) < 2:
        raise SchemaError(
            f"the target has one class only, {labels[0]!s}: there is nothing to tell apart",
            where=where,
            fix="add rows of another class, or choose another target",
        )
    if len(labels) > 1000 or (len(labels) > 50 and len(labels) > len(truth) / 2):
        raise SchemaError(
            f"the target has {len(labels):,} different values in {len(truth):,} rows: too many to learn each",
            where=where,
            fix="predict a number with --task regress, or group rare values first",
        )
    return labels, codes.astype(np.int64).reshape(-1)


_AFFIRMATIVE = ("1", "true", "yes", "y", "t", "positive", "pos", "1.0")


def positive_of(labels: Array, codes: Array) -> int:
    """Return the code of the class that precision, recall and their like are about, of two.

    The larger number; of texts the one that says yes; else the rarer one, because that is what one looks for.

    >>> positive_of(np.array(["calcification", "other"]), np.array([0, 1, 1]))
    0
    """
    if labels.dtype.kind in "biuf":
        return 1
    says_yes = [str(label).strip().lower() in _AFFIRMATIVE for label in labels]
    if says_yes[0] != says_yes[1]:
        return int(says_yes[1])
    first, second = np.bincount(codes, minlength=2)
    return int(first >= second)


def positive_among(names: Sequence[str], facts: Mapping[str, Any]) -> int:
    """Return the code of the positive class by the facts of a report; 1 where they name none, as older ones do.

    >>> positive_among(("ill", "well"), {"positive": "ill"})
    0
    """
    return names.index(facts["positive"]) if facts.get("positive") in names else 1


def numbers_of(truth: Array, *, where: str) -> Array:
    """Return the target as float64; numbers kept as text are read.

    Raises
    ------
    SchemaError : if it holds anything but numbers.

    >>> numbers_of(np.array(["1.5", "2"]), where="column 'price'").tolist()
    [1.5, 2.0]
    """
    if truth.dtype.kind in "biuf":
        return truth.astype(np.float64)
    check_filled(truth, where=where)
    series = pl.Series("target", truth.astype(str))
    column = infer_column(series)
    values, fault = cast_column(series, Column("target", Kind.NUMBER, form=column.form))
    if fault or values.null_count():
        raise SchemaError(
            f"the target holds {column.kind.value} values, not numbers", where=where, fix="use --task classify"
        )
    return values.to_numpy().astype(np.float64)


def check_filled(truth: Array, *, where: str) -> None:
    """Refuse answers that came as objects and are missing in part.

    Raises
    ------
    SchemaError : says how many are missing.
    """
    if truth.dtype != object:
        return
    n_empty = sum(value is None or value != value for value in truth.tolist())
    if n_empty:
        raise SchemaError(
            f"{n_empty:,} of {len(truth):,} answers are missing",
            where=where,
            fix="leave these rows out, or give the target by its column's name: then they are left out and counted",
        )
