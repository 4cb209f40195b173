"""Values as they were known day by day: what an `as_of` column says."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from mantic.core.calendar import Calendar, moment_text
from mantic.core.errors import SchemaError
from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.features.series.assemble import Roles, as_id, as_times, assemble
from mantic.features.series.finding import Finding
from mantic.features.series.holed import about
from mantic.report.numbers import amount

_RANK, _MOMENT, _STEP = "rank of the day", "the moment", "the step"


@dataclass(frozen=True)
class Vintages:
    """Every value that was ever said, in the order of the days on which it was said.

    Parameters
    ----------
    series, step, day : int64, shape (n_values,): which series, which of its steps (0 is the first of all), and the
        position in `days` of the day from which on the value was known; rising days.
    value : float64, shape (n_values,).
    days : the days on which something became known, rising; dates, moments or whole numbers.
    """

    series: Array
    step: Array
    day: Array
    value: Array
    days: pl.Series

    def at(self, day: int, n_series: int) -> Array:
        """Return what was known on a day, shape (n_series, n_steps), NaN where nothing was; it ends with the latest."""
        n_known = int(np.searchsorted(self.day, day, side="right"))
        step = self.step[:n_known]
        found = np.full((n_series, int(step.max()) + 1 if n_known else 0), np.nan)
        found[self.series[:n_known], step] = self.value[:n_known]  # of several, the last one stays
        return found

    def ends(self) -> Array:
        """Return the latest step that was known on each day, shape (n_days,)."""
        highest = np.full(len(self.days), -1)
        np.maximum.at(highest, self.day, self.step)
        return np.maximum.accumulate(highest)


@dataclass(frozen=True)
class Known:
    """Series as they are known now, all up to the same step, and what was known before.

    Parameters
    ----------
    panel : the series; `truth` is NaN where nothing is known, also at the end of a series that reports late.
    ids, names : one row and one text per series.
    vintages : what was known when; its step 0 is `first` on the calendar.
    findings : what was found in the data.
    """

    panel: Panel
    ids: pl.DataFrame
    names: tuple[str, ...]
    vintages: Vintages
    first: int
    findings: tuple[Finding, ...]


def latest(frame: pl.DataFrame, roles: Roles) -> pl.DataFrame:
    """Return for each series and moment the row that was known last; all rows where nothing is revised.

    Of several that became known on the same day the last one counts, as in `Vintages.at`.
    """
    if not roles.as_of or roles.as_of not in frame.columns:
        return frame
    days = _days(frame, roles)
    ordered = frame.with_columns(days.rank("dense").alias(_RANK)).filter(pl.col(roles.target).is_not_null())
    keys = [roles.time, *roles.series]
    newest = ordered.filter(pl.col(_RANK) == pl.col(_RANK).max().over(keys))
    return newest.unique(keys, keep="last", maintain_order=True).drop(_RANK)


def known(frame: pl.DataFrame, roles: Roles, *, freq: str | Calendar | None, seasons: tuple[int, ...] | None) -> Known:
    """Return the series of a table with an `as_of` column.

    Parameters
    ----------
    frame : one row per series, moment and day on which its value became known; a row per change is enough.
    freq : as in `prepare`.
    seasons : lengths of cycles; by the calendar when None.

    Raises
    ------
    SchemaError : names columns that are missing or hold something else, values below 0, and several moments in a step.
    """
    missing = [name for name in (roles.time, roles.target, *roles.series, roles.as_of) if name not in frame.columns]
    if missing:
        raise SchemaError(
            "; ".join(f"there is no column '{name}'" for name in missing), where="the table",
            fix=f"columns are: {', '.join(frame.columns[:30])}",
        )  # fmt: skip
    findings: list[Finding] = []
    holed, calendar = assemble(latest(frame, roles), roles, freq, findings)
    if (holed.values < 0).any():
        raise SchemaError(
            f"column '{roles.target}' holds values below 0, which are no counts of an outbreak", where="the table",
            fix="leave as_of out to forecast them like other series",
        )  # fmt: skip
    last = int(holed.last.max())
    lengths = last - (holed.last - np.diff(holed.bounds) + 1) + 1
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    if (late := np.flatnonzero(holed.last < last)).size:
        what = amount(len(late), "series has", "series have")
        text = f"{what} no value yet for the latest step; it is forecast all the same"
        findings.append(about(holed, late, Finding("reports_late", text, len(late))))
    truth = np.full(int(bounds[-1]), np.nan)
    for place in range(len(holed)):
        own = holed.one(place)
        truth[bounds[place] : bounds[place] + len(own)] = own
    seen = truth[~np.isnan(truth)]
    panel = Panel(
        np.concatenate([filled(truth[bounds[place] : bounds[place + 1]][None])[0] for place in range(len(holed))]),
        truth, bounds, np.full(len(holed), last), calendar, calendar.seasons if seasons is None else seasons,
        np.empty((len(truth), 0)), is_count=bool((seen % 1 == 0).all()), is_floored=True,
    )  # fmt: skip
    first = int(last - lengths.max() + 1)
    vintages = _vintages(frame, roles, holed.ids, calendar=calendar, first=first)
    return Known(panel, holed.ids, holed.names, vintages, first, tuple(findings))


def filled(values: Array) -> Array:
    """Return series with holes on the line between the neighbours' logarithms; NaN stays before a series begins.

    >>> filled(np.array([[np.nan, 1.0, np.nan, 4.0]])).round(2)
    array([[ nan, 1.  , 2.16, 4.  ]])
    """
    found = np.array(values)
    for own in found:
        there = np.flatnonzero(~np.isnan(own))
        if len(there) and len(there) < len(own) - there[0]:
            inside = np.arange(there[0], len(own))
            holes = inside[np.isnan(own[inside])]
            own[holes] = np.expm1(np.interp(holes, there, np.log1p(own[there])))
    return found


def _vintages(frame: pl.DataFrame, roles: Roles, ids: pl.DataFrame, *, calendar: Calendar, first: int) -> Vintages:
    times, _ = as_times(frame[roles.time], roles.time_written)
    value = frame[roles.target].cast(pl.Float64, strict=False)
    days = _days(frame, roles)
    if roles.series:
        asked = pl.DataFrame([as_id(frame[name], roles.fractional) for name in roles.series])
        numbered = ids.with_columns(pl.int_range(pl.len()).alias(_RANK))
        series = asked.join(numbered, on=ids.columns, how="left", maintain_order="left", nulls_equal=True)[_RANK]
    else:
        series = pl.zeros(frame.height, pl.Int64, eager=True)
    is_there = times.is_not_null() & value.is_not_null() & value.is_not_nan() & series.is_not_null()
    step = np.full(frame.height, -1)
    step[is_there.to_numpy()] = calendar.steps(times.filter(is_there)) - first
    is_there = is_there & pl.Series(step >= 0)
    rank = days.filter(is_there).rank("dense").cast(pl.Int64).to_numpy() - 1
    order = np.argsort(rank, kind="stable")
    chosen = is_there.to_numpy()
    check_moments(pl.DataFrame({_RANK: series.filter(is_there)}), times.filter(is_there), calendar, where=roles.time)
    return Vintages(
        series.filter(is_there).to_numpy().astype(np.int64)[order], step[chosen][order], rank[order],
        value.filter(is_there).to_numpy()[order], days.filter(is_there).unique().sort(),
    )  # fmt: skip


def check_moments(ids: pl.DataFrame, times: pl.Series, calendar: Calendar, *, where: str) -> None:
    """Refuse several moments in one step of a series: nothing says whether they are parts of it, or correct each other.

    Parameters
    ----------
    ids : what tells the series apart, a row for each of `times`.
    where : name of the column of time.

    Raises
    ------
    SchemaError : if there are such.
    """
    steps = pl.Series(_STEP, calendar.steps(times))
    rows = pl.DataFrame([*ids.iter_columns(), times.alias(_MOMENT), steps]).unique()
    found = rows.group_by(*ids.columns, _STEP).agg(pl.col(_MOMENT).sort()).filter(pl.col(_MOMENT).list.len() > 1)
    if found.height:
        first, second = (moment_text(one) for one in found.sort(_STEP)[_MOMENT][0].head(2))
        what = amount(found.height, "step has rows", "steps have rows")
        raise SchemaError(
            f"{what} of several moments, as {first} and {second} in one step of '{calendar.name}'",
            where=f"column '{where}'",
            fix="add these rows up, or keep one of them, for each day of as_of; or choose another freq=",
        )  # fmt: skip


def _days(frame: pl.DataFrame, roles: Roles) -> pl.Series:
    """Return the days on which rows became known.

    Raises
    ------
    SchemaError : if they are no moments, or some are missing.
    """
    days, fault = as_times(frame[roles.as_of], roles.as_of_written)
    if not fault and days.null_count():
        fault = f"{amount(days.null_count(), 'row does', 'rows do')} not say when the value was known"
    if fault:
        raise SchemaError(fault, where=f"column '{roles.as_of}'", fix="give the day on which each value was known")
    return days
