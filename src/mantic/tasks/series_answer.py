"""From questions about series to rows of answers, in the user's own words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from mantic.core.calendar import Unit
from mantic.core.errors import SchemaError
from mantic.core.table import Array
from mantic.features.series.assemble import Roles, as_id, as_times
from mantic.search.series.foretold import Foretold

LEVEL, PATH, VALUE = "level", "path", "value"
_MOST_FAULTS = 5


def probabilities(levels: Sequence[float]) -> Array:
    """Return the probabilities of the ends of intervals and of the median, rising; levels are in per cent.

    >>> probabilities([50, 80]).round(3).tolist()
    [0.1, 0.25, 0.5, 0.75, 0.9]
    """
    tails = sorted({(100 - level) / 200 for level in levels})
    return np.round([*tails, 0.5, *(1 - tail for tail in reversed(tails))], 6)


def quantile_name(probability: float) -> str:
    """Return the name of the column of a quantile.

    >>> quantile_name(0.025), quantile_name(0.9)
    ('q0.025', 'q0.9')
    """
    return f"q{probability:g}"


def answer_names(levels: Sequence[float]) -> list[str]:
    """Return the names of the columns of an answer, without those that say which series and when."""
    return ["mean", "median", *(quantile_name(one) for one in probabilities(levels) if one != 0.5)]


OVER = "over_capacity"
"""The column with the probability of more than the capacity."""


def all_answers(told: Foretold, roles: Roles, levels: Sequence[float]) -> pl.DataFrame:
    """Return one row for each series and step, series after series."""
    n_series, horizon = told.forecast.shape
    series = np.repeat(np.arange(n_series), horizon)
    return _answers(told, roles, levels, series=series, step=np.tile(np.arange(horizon), n_series))


def answers_for(told: Foretold, roles: Roles, levels: Sequence[float], rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each row that names a series and a moment, in their order.

    Raises
    ------
    SchemaError : names rows whose series is not known, or whose moment lies outside of what is foretold.
    """
    series, step = _found(told, roles, rows)
    return _answers(_knowing(told, roles, rows, series=series, step=step), roles, levels, series=series, step=step)


def futures(told: Foretold, roles: Roles, rows: pl.DataFrame | None, *, n: int, seed: int) -> pl.DataFrame:
    """Return `n` whole futures of each row that names a series and a moment, of all when there are none; long.

    Raises
    ------
    SchemaError : as `answers_for`.
    """
    if rows is None:
        n_series, horizon = told.forecast.shape
        series, step = np.repeat(np.arange(n_series), horizon), np.tile(np.arange(horizon), n_series)
    else:
        series, step = _found(told, roles, rows)
        told = _knowing(told, roles, rows, series=series, step=step)
    taken = [name for name in (roles.time, *roles.series) if name in (PATH, VALUE)]
    if taken:
        raise SchemaError(
            f"columns of the answer would be called like {', '.join(taken)}", where="sample", fix="rename these columns"
        )
    drawn = told.paths(n, seed=seed)[:, series, step]
    found = _named(told, roles, series=np.repeat(series, n), step=np.repeat(step, n))
    return found.with_columns(
        pl.Series(PATH, np.tile(np.arange(n), len(series))), pl.Series(VALUE, drawn.T.ravel())
    )  # fmt: skip


def _found(told: Foretold, roles: Roles, rows: pl.DataFrame) -> tuple[Array, Array]:
    """Return the series and step of each row, or name those that are not foretold."""
    series, step = places_of(told, roles, rows)
    faults = [f"row {row} names a series that is not known" for row in np.flatnonzero(series < 0)[:_MOST_FAULTS]]
    is_out = (series >= 0) & ((step < 0) | (step >= told.horizon))
    for row in np.flatnonzero(is_out)[:_MOST_FAULTS]:
        first, last = told.panel.calendar.times(told.steps()[series[row]][[0, -1]]).to_list()
        faults.append(f"row {row} asks for a moment outside of {first} to {last}")
    if faults:
        n_more = int((series < 0).sum() + is_out.sum()) - len(faults)
        more = f"; and {n_more:,} more" if n_more > 0 else ""
        raise SchemaError(
            "; ".join(faults) + more, where="the rows (the first is row 0)",
            fix="leave these rows out; update() takes later values in, and fit() other series",
        )  # fmt: skip
    return series, step


def _knowing(told: Foretold, roles: Roles, rows: pl.DataFrame, *, series: Array, step: Array) -> Foretold:
    """Return the forecast with what rows say of the columns that are known beforehand."""
    if told.learned and all(name in rows.columns for name in roles.known):
        return told.knowing(_future(told, roles, rows, series=series, step=step))
    return told


def _future(told: Foretold, roles: Roles, rows: pl.DataFrame, *, series: Array, step: Array) -> Array:
    """Return what rows say of the columns that are known beforehand; the last value where they say nothing."""
    ends = told.panel.known[told.panel.bounds[1:] - 1]
    future = np.repeat(ends[:, None], told.horizon, axis=1)
    for place, name in enumerate(roles.known):
        values = rows[name].cast(pl.Float64, strict=False).to_numpy()
        is_said = np.isfinite(values)
        future[series[is_said], step[is_said], place] = values[is_said]
    return future


def places_of(told: Foretold, roles: Roles, rows: pl.DataFrame) -> tuple[Array, Array]:
    """Return for each row the position of its series (-1: unknown) and the step after its end (0 is the next).

    Raises
    ------
    SchemaError : names columns that are missing, and a column of time that holds no moments.
    """
    missing = [name for name in (roles.time, *roles.series) if name not in rows.columns]
    if missing:
        raise SchemaError(
            "; ".join(f"column '{name}' is missing" for name in missing), where="the rows",
            fix=f"columns are: {', '.join(rows.columns[:30])}",
        )  # fmt: skip
    times, fault = as_times(rows[roles.time])
    calendar = told.panel.calendar
    is_like = times.dtype.is_integer() == (calendar.unit is Unit.STEP)
    if fault or not is_like or times.null_count():
        what = fault or f"column '{roles.time}' holds another kind of moments than before, or gaps"
        raise SchemaError(what, where="the rows", fix="write moments as they were written when the model was fitted")
    series = told.places(pl.DataFrame([as_id(rows[name]) for name in roles.series], schema=None))
    series = np.zeros(rows.height, dtype=np.int64) if not roles.series else series
    return series, calendar.steps(times) - told.panel.last[np.maximum(series, 0)] - 1


def _named(told: Foretold, roles: Roles, *, series: Array, step: Array) -> pl.DataFrame:
    """Return what tells rows apart: the level where there are sums, series, and moment."""
    columns: dict[str, Any] = {}
    if told.coherent is not None:
        levels = told.coherent.hierarchy
        columns[LEVEL] = np.array(levels.levels, dtype=object)[levels.level[series]].tolist()
    columns |= {name: told.ids[name].gather(series) for name in told.ids.columns}
    columns[roles.time] = told.panel.calendar.times(told.panel.last[series] + 1 + step)
    return pl.DataFrame(columns)


def _answers(told: Foretold, roles: Roles, levels: Sequence[float], *, series: Array, step: Array) -> pl.DataFrame:
    found = probabilities(levels)
    quantiles = told.quantiles(found)[series, step]
    columns: dict[str, Any] = {"mean": told.forecast[series, step]}
    columns["median"] = quantiles[:, list(found).index(0.5)]
    columns |= {quantile_name(one): quantiles[:, place] for place, one in enumerate(found) if one != 0.5}
    if told.outbreak is not None and told.outbreak.capacity is not None:
        columns[OVER] = told.outbreak.above(told.outbreak.capacity)[series, step]
    return _named(told, roles, series=series, step=step).hstack(pl.DataFrame(columns))


def like(table: pl.DataFrame, library: str) -> Any:
    """Return a table in the library in which the user works: polars, pandas or pyarrow."""
    if library == "pandas":
        import pandas

        return pandas.DataFrame({series.name: series.to_numpy() for series in table.iter_columns()})
    return table.to_arrow() if library == "pyarrow" else table


def library_of(data: Any) -> str:
    """Return the library of a table."""
    return type(data).__module__.partition(".")[0]
