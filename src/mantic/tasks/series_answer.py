"""From questions about series to rows of answers, in the user's own words."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from mantic.core.calendar import Unit
from mantic.core.errors import SchemaError
from mantic.core.panel import blocks
from mantic.core.table import Array
from mantic.features.series.assemble import Roles, as_id, as_numbers, as_times
from mantic.search.series.basis import BASIS, KIN, OWN
from mantic.search.series.foretold import Foretold
from mantic.search.series.newcomer import settled, unheard

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


def all_parts(told: Foretold, roles: Roles, levels: Sequence[float]) -> Iterator[pl.DataFrame]:
    """Give the same in parts of some thousands of series: however many there are, they take little memory."""
    n_series, horizon = told.forecast.shape
    if told.coherent is not None or told.outbreak is not None:  # what adds up, or is told anew each day, is one whole
        yield all_answers(told, roles, levels)
        return
    for places in blocks(np.arange(n_series), horizon * (2 + 2 * len(levels))):
        yield all_answers(told.some(places), roles, levels)


def answers_for(told: Foretold, roles: Roles, levels: Sequence[float], rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each row that names a series and a moment, in their order.

    Raises
    ------
    SchemaError : names rows whose moment lies outside of what is foretold.
    """
    series, step = places_of(told, roles, rows)
    if told.coherent is not None or told.outbreak is not None:
        check_known(told, roles, rows)  # what is like a sum, or told anew each day, has no kin
    _check_moments(told, series, step)
    is_known = series >= 0
    if is_known.all():
        return _answers_of_known(told, roles, levels, rows, series=series, step=step)
    known = rows.filter(pl.Series(is_known))
    parts = []
    if known.height:
        own = _answers_of_known(told, roles, levels, known, series=series[is_known], step=step[is_known])
        parts.append(own.with_columns(pl.lit(OWN).alias(BASIS)))
    strange = rows.filter(pl.Series(~is_known))
    parts.append(_answers_of_unknown(told, roles, levels, strange, step=step[~is_known]))
    order = np.argsort(np.concatenate([np.flatnonzero(is_known), np.flatnonzero(~is_known)]), kind="stable")
    return pl.concat(parts)[order]


def futures(told: Foretold, roles: Roles, rows: pl.DataFrame | None, *, n: int, seed: int) -> pl.DataFrame:
    """Return `n` whole futures of each row that names a series and a moment, of all when there are none; long.

    Raises
    ------
    SchemaError : names rows whose series is not known, or whose moment lies outside of what is foretold.
    """
    if rows is None:
        n_series, horizon = told.forecast.shape
        series, step = np.repeat(np.arange(n_series), horizon), np.tile(np.arange(horizon), n_series)
    else:
        check_known(told, roles, rows)
        series, step = places_of(told, roles, rows)
        _check_moments(told, series, step)
        told = _knowing(told, roles, rows, series=series, step=step)
    taken = [name for name in (roles.time, *roles.series) if name in (PATH, VALUE)]
    if taken:
        raise SchemaError(
            f"columns of the answer would be called like {', '.join(taken)}", where="sample", fix="rename these columns"
        )
    drawn = _drawn(told, n, seed=seed, series=series, step=step)
    found = _named(told, roles, series=np.repeat(series, n), step=np.repeat(step, n))
    return found.with_columns(
        pl.Series(PATH, np.tile(np.arange(n), len(series))), pl.Series(VALUE, drawn.ravel())
    )  # fmt: skip


def _drawn(told: Foretold, n: int, *, seed: int, series: Array, step: Array) -> Array:
    """Return futures of rows, shape (n_rows, n): of the series that are asked for, some at a time."""
    asked, place = np.unique(series, return_inverse=True)
    order = np.argsort(place, kind="stable")  # rows, series after series
    found = np.empty((len(series), n))
    parts = blocks(np.arange(len(asked)), n * told.horizon) if told.coherent is None else [np.arange(len(asked))]
    for part in parts if len(asked) else ():
        low, high = np.searchsorted(place[order], [part[0], part[-1] + 1])
        rows = order[low:high]
        found[rows] = told.paths(n, asked[part], seed=seed)[:, place[rows] - part[0], step[rows]].T
    return found


def check_known(told: Foretold, roles: Roles, rows: pl.DataFrame) -> None:
    """Refuse rows whose series is not known.

    Raises
    ------
    SchemaError : names them.
    """
    strange = np.flatnonzero(places_of(told, roles, rows)[0] < 0)
    if len(strange):
        faults = [f"row {row} names a series that is not known" for row in strange[:_MOST_FAULTS]]
        more = f"; and {len(strange) - len(faults):,} more" if len(strange) > len(faults) else ""
        raise SchemaError(
            "; ".join(faults) + more, where="the rows (the first is row 0)", fix="leave these rows out",
        )  # fmt: skip


def _check_moments(told: Foretold, series: Array, step: Array) -> None:
    """Refuse moments that lie outside of what is foretold; of a series that is not known, of what is of any."""
    steps = told.steps()
    ends = np.column_stack([steps[:, 0], steps[:, -1]])
    reach = np.where((series >= 0)[:, None], ends[series], [[ends[:, 0].min(), ends[:, 1].max()]])
    moment = steps[np.maximum(series, 0), 0] + step
    out = np.flatnonzero((moment < reach[:, 0]) | (moment > reach[:, 1]))
    if not len(out):
        return
    faults = []
    for row in out[:_MOST_FAULTS]:
        first, last = told.panel.calendar.times(reach[row]).to_list()
        faults.append(f"row {row} asks for a moment outside of {first} to {last}")
    more = f"; and {len(out) - len(faults):,} more" if len(out) > len(faults) else ""
    raise SchemaError(
        "; ".join(faults) + more, where="the rows (the first is row 0)",
        fix="leave these rows out; update() takes later values in",
    )  # fmt: skip


def _answers_of_unknown(
    told: Foretold, roles: Roles, levels: Sequence[float], rows: pl.DataFrame, *, step: Array
) -> pl.DataFrame:
    """Return what the kin of series that are not known let expect of them."""
    found = probabilities(levels)
    ids = pl.DataFrame([as_id(rows[name], roles.fractional) for name in roles.series])
    moments = told.panel.last[0] + 1 + step
    means, quantiles = np.empty(rows.height), np.empty((rows.height, len(found)))
    for own, group in ids.with_row_index("row").group_by(roles.series, maintain_order=True):
        places = group["row"].to_numpy()
        means[places], quantiles[places] = unheard(told, own, moments[places], found)
    named = ids.with_columns(told.panel.calendar.times(moments).alias(roles.time))
    return _table(named, means, quantiles, found).with_columns(pl.lit(KIN).alias(BASIS))


def _answers_of_known(
    told: Foretold, roles: Roles, levels: Sequence[float], rows: pl.DataFrame, *, series: Array, step: Array
) -> pl.DataFrame:
    return _answers(_knowing(told, roles, rows, series=series, step=step), roles, levels, series=series, step=step)


def with_known(told: Foretold, roles: Roles, rows: pl.DataFrame) -> Foretold:
    """Return the forecast with what is known of its steps by now, as rows that came later say.

    Raises
    ------
    SchemaError : if some of the columns that are known beforehand are missing, or hold texts.
    """
    if not told.learned:
        return told
    series, step = places_of(told, roles, rows)
    is_in = (series >= 0) & (step >= 0) & (step < told.horizon)
    return _knowing(told, roles, rows.filter(pl.Series(is_in)), series=series[is_in], step=step[is_in])


def _knowing(told: Foretold, roles: Roles, rows: pl.DataFrame, *, series: Array, step: Array) -> Foretold:
    """Return the forecast with what rows say of the columns that are known beforehand, where they have any of these."""
    if told.learned and any(name in rows.columns for name in roles.known):
        return settled(told.knowing(_future(told, roles, rows, series=series, step=step)))
    return told


def _future(told: Foretold, roles: Roles, rows: pl.DataFrame, *, series: Array, step: Array) -> Array:
    """Return what rows say of the columns that are known beforehand; the last value where they say nothing."""
    ends = told.panel.known[told.panel.bounds[1:] - 1]
    future = np.repeat(ends[:, None], told.horizon, axis=1)
    for place, (_, said) in enumerate(numbers_of(rows, roles, roles.known).items()):
        values = said.to_numpy()
        is_said = np.isfinite(values)
        future[series[is_said], step[is_said], place] = values[is_said]
    return future


def places_of(told: Foretold, roles: Roles, rows: pl.DataFrame) -> tuple[Array, Array]:
    """Return for each row the position of its series (-1: unknown) and the step after its end (0 is the next).

    Raises
    ------
    SchemaError : names columns that are missing, and a column of time that holds no moments.
    """
    numbers_of(rows, roles, ())
    times, fault = as_times(rows[roles.time], roles.time_written)
    calendar = told.panel.calendar
    is_like = times.dtype.is_integer() == (calendar.unit is Unit.STEP)
    if fault or not is_like or times.null_count():
        what = fault or f"column '{roles.time}' holds another kind of moments than before, or gaps"
        raise SchemaError(what, where="the rows", fix="write moments as they were written when the model was fitted")
    series = told.places(pl.DataFrame([as_id(rows[name], roles.fractional) for name in roles.series], schema=None))
    series = np.zeros(rows.height, dtype=np.int64) if not roles.series else series
    return series, calendar.steps(times) - told.panel.last[np.maximum(series, 0)] - 1


def numbers_of(rows: pl.DataFrame, roles: Roles, names: Sequence[str]) -> dict[str, pl.Series]:
    """Return columns of rows as numbers, null where there is none.

    Raises
    ------
    SchemaError : names columns that are missing, and those that hold texts.
    """
    if missing := [name for name in (roles.time, *names, *roles.series) if name not in rows.columns]:
        raise SchemaError(
            "; ".join(f"column '{name}' is missing" for name in missing), where="the rows",
            fix=f"columns are: {', '.join(rows.columns[:30])}",
        )  # fmt: skip
    numbers, faults = as_numbers(rows, names)
    if faults:
        raise SchemaError(
            "; ".join(faults), where="the rows", fix="mend these columns; leave empty what is not known",
        )  # fmt: skip
    return numbers


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
    named = _named(told, roles, series=series, step=step)
    table = _table(named, told.forecast[series, step], told.quantiles(found)[series, step], found)
    if told.outbreak is None or told.outbreak.capacity is None:
        return table
    return table.with_columns(pl.Series(OVER, told.outbreak.above(told.outbreak.capacity)[series, step]))


def _table(named: pl.DataFrame, means: Array, quantiles: Array, found: Array) -> pl.DataFrame:
    columns: dict[str, Any] = {"mean": means, "median": quantiles[:, list(found).index(0.5)]}
    columns |= {quantile_name(one): quantiles[:, place] for place, one in enumerate(found) if one != 0.5}
    return named.hstack(pl.DataFrame(columns))


def like(table: pl.DataFrame, library: str) -> Any:
    """Return a table in the library in which the user works: polars, pandas or pyarrow."""
    if library == "pandas":
        import pandas

        return pandas.DataFrame({series.name: series.to_numpy() for series in table.iter_columns()})
    return table.to_arrow() if library == "pyarrow" else table


def library_of(data: Any) -> str:
    """Return the library of a table."""
    return type(data).__module__.partition(".")[0]
