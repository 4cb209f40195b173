"""From what a user hands over to what a search works on: aligned features and a numeric target."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.lazy import need
from mantic.core.moments import by_the_clock
from mantic.core.run import Run
from mantic.core.schema import UTC, Column, Kind, Schema
from mantic.core.table import Array, Target
from mantic.features.infer import infer
from mantic.features.said import with_kinds
from mantic.report.numbers import amount
from mantic.sources.frames import to_polars

LEAST_ROWS = 5  # to learn from some and be judged by others
_TARGET = "\0target"  # stands for a target that came as an array


@dataclass(frozen=True)
class Given:
    """The rows of a fit.

    Parameters
    ----------
    schema, frame : of the features, aligned.
    target, column : what is predicted, as numbers and as a column.
    classes : labels by class code, of the type that came in; empty for a regression.
    moment, groups : what orders the rows in time and what ties rows together, shape (n_rows,), or None.
    positive : of two classes, the code of the one that precision, recall and their like are about.
    """

    schema: Schema
    frame: pl.DataFrame
    target: Target
    column: Column
    classes: Array
    moment: Array | None = None
    groups: Array | None = None
    positive: int = 1


@dataclass(frozen=True)
class Taken:
    """A user's table taken apart: features with their schema, the truth as an array, and columns of other roles."""

    features: pl.DataFrame
    truth: Array
    target: str
    schema: Schema
    others: dict[str, pl.Series]


@dataclass(frozen=True)
class Roles:
    """Names of columns that are no features: the target, what orders the rows, what ties them together."""

    target: str
    time: str | None = None
    group: str | None = None


def accept_fit(
    estimator: Any, X: Any, y: Any, *, roles: tuple[str | None, str | None], kinds: Mapping[str, str], run: Run
) -> Taken:
    """Take training data apart; scikit-learn's own checks see it first (names, counts, shapes, finite numbers).

    Parameters
    ----------
    kinds : column to what it means, where that was said.

    Raises
    ------
    SchemaError, ValueError, TypeError : the latter two are scikit-learn's own.
    """
    time, group = roles
    if y is None:
        raise SchemaError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None", where="fit",
            fix="give a column name or an array of answers",
        )  # fmt: skip
    if isinstance(y, str):
        frame = to_polars(X)
        take_columns(frame, Roles(y, time, group))  # says what is missing, before rows are counted
        features, truth, others = take_columns(drop_unlabelled(frame, y, run), Roles(y, time, group))
        _note_columns(estimator, features)
        return Taken(features, plain(truth), y, with_kinds(infer(features), features, kinds), others)
    name = str(getattr(y, "name", None) or "y")
    if not is_frame(X):
        if named := [one for one in roles if one is not None]:
            raise SchemaError(
                f"an array has no column '{named[0]}'", where="fit", fix="give a table with names: pandas, polars, ..."
            )
        array, truth = validation().validate_data(
            estimator,
            X,
            y,
            dtype=None,
            ensure_all_finite="allow-nan",
            y_numeric=estimator.task.sklearn_kind == "regressor",
            ensure_min_samples=LEAST_ROWS,
        )
        features = to_polars(array)
        schema = infer(features) if array.dtype.kind in "OUS" else all_numbers(features)
        return Taken(features, truth, name, with_kinds(schema, features, kinds), {})
    truth = validation().column_or_1d(np.asarray(y), warn=True)
    frame = to_polars(X)
    validation().check_consistent_length(frame, truth)
    frame = frame.with_columns(pl.Series(_TARGET, np.arange(len(truth))))
    features, _, others = take_columns(frame, Roles(_TARGET, time, group))
    _note_columns(estimator, features)
    return Taken(features, truth, name, with_kinds(infer(features), features, kinds), others)


def accept_labelled(estimator: Any, X: Any, y: Any, *, run: Run) -> Taken:
    """Take rows with known answers apart, for evaluation; `y` is a column name or the answers."""
    if not isinstance(y, str):
        truth = validation().column_or_1d(np.asarray(y))
        validation().check_consistent_length(X, truth)
        if not len(truth) or (truth.dtype.kind == "f" and np.isnan(truth).any()):
            raise SchemaError(
                "a row has no answer" if len(truth) else "there are no rows", where="y", fix="leave such rows out"
            )
        return Taken(X, truth, "y", Schema(), {})
    frame = to_polars(X)
    if y in frame.columns:
        frame = drop_unlabelled(frame, y, run)
    features, truth, _ = take_columns(frame, Roles(y))
    return Taken(features, plain(truth), y, Schema(), {})


def accept_predict(estimator: Any, X: Any, schema: Schema) -> pl.DataFrame:
    """Return new rows aligned with the schema: columns by name, or by position for arrays.

    Columns that were not learned from are left out when all that were are there; otherwise scikit-learn's own message
    says what differs.
    """
    if isinstance(X, list) and X and isinstance(X[0], dict):
        return schema.align(X)
    if is_frame(X):
        frame = to_polars(X)
        if set(schema.names) < set(frame.columns):
            frame = frame.select(schema.names)
        if tuple(frame.columns) != schema.names or not hasattr(estimator, "feature_names_in_"):
            validation().validate_data(estimator, frame, reset=False, skip_check_array=True)
        return schema.align(frame)
    array = validation().validate_data(estimator, X, reset=False, dtype=None, ensure_all_finite="allow-nan")
    frame = to_polars(array)
    return schema.align(frame.rename(dict(zip(frame.columns, schema.names, strict=True))))


def validation() -> Any:
    """Return scikit-learn's own checks: they know arrays, and their messages are what its users expect."""
    return need("sklearn.utils.validation", why="arrays, and tables that do not fit")


def _note_columns(estimator: Any, features: pl.DataFrame) -> None:
    """Keep number and names of the columns where scikit-learn looks for them."""
    estimator.n_features_in_ = features.width
    estimator.feature_names_in_ = np.asarray(features.columns, dtype=object)


def is_frame(data: Any) -> bool:
    """Whether this is a table with named columns, of any library."""
    return isinstance(nw.from_native(data, pass_through=True), nw.DataFrame | nw.LazyFrame)


def used(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Return the columns of aligned rows that models look at: a number of the row tells copies apart, and no model."""
    return frame.select(column.name for column in schema.columns if column.is_used)


def all_numbers(frame: pl.DataFrame) -> Schema:
    """Return the schema of an array of numbers: every column is a number, whatever its values look like."""
    return Schema(tuple(Column(name, Kind.NUMBER) for name in frame.columns))


def plain(series: pl.Series) -> Array:
    """Return a column as an array: numbers and booleans as such, everything else as texts."""
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return series.to_numpy()
    if isinstance(series.dtype, pl.Datetime):
        series = by_the_clock(series)
    return series.cast(pl.String).to_numpy().astype(str)


def take_columns(frame: pl.DataFrame, roles: Roles) -> tuple[pl.DataFrame, pl.Series, dict[str, pl.Series]]:
    """Split a frame into features, target, and the columns of other roles (time stays a feature, group does not).

    Raises
    ------
    SchemaError : names every role whose column is missing.
    """
    wanted = {"target": roles.target, "time": roles.time, "group": roles.group}
    missing = [f"the {role} column '{name}'" for role, name in wanted.items() if name and name not in frame.columns]
    if missing:
        raise SchemaError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not in the table",
            where="the table's header",
            fix=_nearest([name for name in wanted.values() if name and name not in frame.columns], frame.columns),
        )
    others = {role: frame[name] for role, name in wanted.items() if name and role != "target"}
    features = frame.drop([name for name in (roles.target, roles.group) if name])
    if features.width == 0:
        raise SchemaError("there is no column to predict from", where="the table", fix="add columns beside the target")
    return features, frame[roles.target], others


def _nearest(names: list[str], known: list[str]) -> str:
    from difflib import get_close_matches

    near = [f"did you mean '{found[0]}'?" for name in names if (found := get_close_matches(name, known, n=1))]
    shown = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    return " ".join([*near, f"columns are: {shown}"])


def drop_unlabelled(frame: pl.DataFrame, target: str, run: Run) -> pl.DataFrame:
    """Leave out rows without a target, and say how many.

    Raises
    ------
    SchemaError : if fewer than two rows are left.
    """
    has_target = filled(frame[target])
    lost = frame.height - int(has_target.sum())
    if frame.height - lost < LEAST_ROWS:
        raise SchemaError(
            f"{frame.height - lost} of {frame.height} rows have a target: too few to learn from and to judge by",
            where=f"column '{target}'",
            fix="give at least a few dozen rows with a target",
        )
    if lost:
        run.warn(
            "no_target",
            f"left out: {amount(lost, 'row has', 'rows have')} no value in '{target}', of {frame.height:,}",
            column=target,
        )
        frame = frame.filter(has_target)
    return frame


def filled(target: pl.Series) -> pl.Series:
    """Return which rows have a target: not missing, not-a-number or an empty text."""
    found = target.is_not_null()
    if target.dtype.is_float():
        found &= target.is_not_nan()
    elif target.dtype == pl.String:
        found &= target != ""
    return found


def moments(series: pl.Series, column: Column) -> Array:
    """Return what orders rows in time as numbers.

    Parameters
    ----------
    column : what the series means, as found or as said.

    Raises
    ------
    SchemaError : if the column holds neither dates nor numbers, or some are missing.
    """
    if series.dtype.is_temporal() or column.kind == Kind.DATE:
        from mantic.core.cast import cast_column

        stamps = cast_column(series, Column(series.name, Kind.DATE, form=column.form, zone=UTC))[0].cast(pl.Int64)
    elif series.dtype.is_numeric():
        stamps = series.cast(pl.Float64).fill_nan(None)
    else:
        raise SchemaError(
            f"'{series.name}' cannot order rows in time: it holds {column.kind.value} values",
            where="the time column",
            fix="give a column of dates or of increasing numbers",
        )
    if stamps.null_count():
        raise SchemaError(
            f"{amount(stamps.null_count(), 'row has', 'rows have')} no value in the time column '{series.name}'",
            where="the time column",
            fix="fill them or leave these rows out",
        )
    return stamps.to_numpy()
