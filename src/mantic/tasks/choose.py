"""From data and a target to the task."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from mantic.core.budget import Budget, Deadline
from mantic.core.errors import SchemaError, SettingsError
from mantic.core.run import Run
from mantic.core.schema import Column, Kind
from mantic.features.infer import infer_column
from mantic.sources.frames import to_polars
from mantic.sources.read import read
from mantic.tasks.base import Estimator
from mantic.tasks.classify import Classifier
from mantic.tasks.regress import Regressor

TASKS: dict[str, type[Estimator]] = {"classify": Classifier, "regress": Regressor}
_MOST_CODES = 10  # whole numbers with at most so many different values are taken as names of classes
_ROWS_PER_CODE = 20
_ROLES = ("time", "group", "kinds", "run")


_SAID = {Kind.NUMBER.value: "regress", Kind.CATEGORY.value: "classify", Kind.BOOLEAN.value: "classify"}


def choose(
    frame: pl.DataFrame, target: str, *, task: str | None = None, kinds: Mapping[str, str] | None = None
) -> type[Estimator]:
    """Return the estimator for a target: Regressor for numbers, Classifier for everything else.

    Parameters
    ----------
    task : "classify" or "regress" decides; without it the target's values do. Whole numbers with at most ten different
        values, each in twenty rows on average, are classes.
    kinds : column to what was said that it means; what is said of the target decides, too.

    Raises
    ------
    SchemaError : if the target is not in the frame. SettingsError : if there is no such task.

    >>> choose(pl.DataFrame({"price": [1.5, 2.25, 3.75] * 20}), "price").__name__
    'Regressor'
    """
    if task is not None:
        if task not in TASKS:
            raise SettingsError(f"there is no task '{task}'", where="--task", fix=f"known are: {', '.join(TASKS)}")
        return TASKS[task]
    if target in frame.columns and target in (kinds or {}):
        return TASKS[_task_of(target, (kinds or {})[target])]
    if target not in frame.columns:
        from mantic.tasks.door import Roles, take_columns

        take_columns(frame, Roles(target))
    values = frame[target].drop_nulls()
    column = infer_column(values)
    return Regressor if _is_number(values, column) else Classifier


def _task_of(target: str, kind: str) -> str:
    if kind not in _SAID:
        what = f"what is to be predicted cannot be of the kind '{kind}'"
        raise SettingsError(what, where=f"column '{target}'", fix=f"it may be: {', '.join(_SAID)}")
    return _SAID[kind]


def of_features(kinds: Mapping[str, str], *, target: str, group: str | None) -> dict[str, str]:
    """Return what was said of columns from which a model may learn.

    >>> of_features({"age": "number", "churned": "boolean"}, target="churned", group=None)
    {'age': 'number'}
    """
    return {name: word for name, word in kinds.items() if name not in (target, group)}


def _is_number(values: pl.Series, column: Column) -> bool:
    if values.dtype == pl.String and column.kind != Kind.NUMBER:
        return False
    if not (values.dtype.is_numeric() or column.kind == Kind.NUMBER):
        return False
    n_levels = values.n_unique()
    if n_levels <= 2:
        return False
    if values.dtype.is_numeric():
        whole = bool((values.cast(pl.Float64) % 1 == 0).all())
        return not (whole and n_levels <= _MOST_CODES and len(values) >= n_levels * _ROWS_PER_CODE)
    return True


def fitted(
    data: Any, target: str, given: Mapping[str, Any], *, task: str | None, drop: Sequence[str], began: float
) -> Estimator:
    """Return the fitting estimator, fitted; see `tasks.fit`.

    Parameters
    ----------
    given : what else was said, by name.
    began : when the fit was asked for, on `time.monotonic`: its budget counts from there.
    """
    roles: dict[str, Any] = {key: value for key, value in given.items() if key in _ROLES}
    parameters: dict[str, Any] = {key: value for key, value in given.items() if key not in _ROLES}
    frame = read(data, run=roles.get("run") or Run()) if isinstance(data, str | Path) else to_polars(data)
    frame = without(frame, drop, target=target)
    kinds = roles.get("kinds") or {}
    roles["kinds"] = of_features(kinds, target=target, group=roles.get("group"))
    model = make(choose(frame, target, task=task, kinds=kinds), parameters)
    if roles.get("run") is None:
        roles["run"] = Run(seed=model.seed, deadline=Deadline.after(Budget.parse(model.budget).seconds, since=began))
    return model.fit(frame, target, **roles)


def make(kind: type[Estimator], parameters: dict[str, Any]) -> Estimator:
    """Return an unfitted estimator; parameters that are None are left at their defaults.

    Raises
    ------
    SettingsError : if this kind has no such parameter.
    """
    given = {key: value for key, value in parameters.items() if value is not None}
    if strange := sorted(set(given) - set(kind().get_params())):
        raise SettingsError(
            f"{kind.__name__} has no {', '.join(strange)}", where="fit", fix="leave it out, or choose another task"
        )
    return kind(**given)


def without(frame: pl.DataFrame, drop: Sequence[str], *, target: str) -> pl.DataFrame:
    """Leave columns out.

    Raises
    ------
    SchemaError : if one is not there, or is the target.
    """
    strange = [name for name in drop if name not in frame.columns or name == target]
    if strange:
        raise SchemaError(
            f"cannot leave out {', '.join(strange)}: no such column, or the target itself",
            where="--drop",
            fix=f"columns are: {', '.join(frame.columns[:30])}",
        )
    return frame.drop(list(drop))
