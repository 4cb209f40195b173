"""All that is done with rows before anything is forecast."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import polars as pl

from mantic.core.calendar import Calendar, Unit
from mantic.core.errors import SettingsError
from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.features.series.assemble import Roles, assemble
from mantic.features.series.cycles import find_cycle
from mantic.features.series.demand import CLASSES, demand_classes
from mantic.features.series.finding import Finding
from mantic.features.series.holed import Holed
from mantic.features.series.repair import repair, without_holes
from mantic.features.series.sold import sold_to_the_end


@dataclass(frozen=True)
class Prepared:
    """Series to forecast.

    Parameters
    ----------
    panel : the series, in the order of `ids`.
    ids : one row per series, the columns of `Roles.series` as texts; no columns where there is one series without.
    names : a text per series.
    findings : what was found, and what was done about it.
    demand : class of each series, a position in `demand.CLASSES`.
    """

    panel: Panel
    ids: pl.DataFrame
    names: tuple[str, ...]
    findings: tuple[Finding, ...]
    demand: Array


def prepare(
    frame: pl.DataFrame,
    roles: Roles,
    *,
    freq: str | Calendar | None = None,
    season: int | Sequence[int] | None = None,
    is_sold_only: bool | None = None,
) -> Prepared:
    """Return the series of a long table, repaired for methods to learn from, and what was found on the way.

    Parameters
    ----------
    frame : one row per series and moment, in any order.
    freq : name of the frequency, or the calendar itself; the commonest gap over all series when absent.
    season : lengths of the cycles in steps; what is usual for the calendar when absent, and for plain numbers what the
        values repeat after.
    is_sold_only : whether a step without a row is a 0, where that is known from before; told from the rows when absent.

    Raises
    ------
    SchemaError : names all columns that are not there or hold something else.
    SettingsError : if there is no such frequency, or a season is no whole number of 1 or more.
    """
    findings: list[Finding] = []
    holed, calendar = assemble(frame, roles, freq, findings, is_sold_only=is_sold_only)
    holed = sold_to_the_end(holed, findings)
    seasons = _seasons(season, calendar)
    if seasons is None:
        plain = _panel(holed, calendar, (), values=without_holes(holed.values, holed.bounds, 1))
        seasons = find_cycle(plain)
        found = f"repeats after {seasons[0]} steps" if seasons else "has no clear cycle"
        text = f"whole numbers say nothing about seasons: the data {found}; season= would say it"
        findings.append(Finding("season_guessed", text, n_series=len(holed)))
    copies = repair(holed, seasons[0] if seasons else 1, findings)
    panel = _panel(copies.holed, calendar, seasons, values=copies.values)
    demand = demand_classes(panel)
    _tell_classes(demand, findings)
    return Prepared(panel, copies.holed.ids, copies.holed.names, tuple(findings), demand)


def _seasons(season: int | Sequence[int] | None, calendar: Calendar) -> tuple[int, ...] | None:
    if season is None:
        return None if calendar.unit is Unit.STEP else calendar.seasons
    return seasons_of(season)


def seasons_of(season: int | Sequence[int] | None) -> tuple[int, ...] | None:
    """Return the lengths of cycles that were asked for, the shortest first; None where nothing was.

    Raises
    ------
    SettingsError : if one is no whole number of 1 or more.
    """
    if season is None:
        return None
    several: Any = season  # the user's, of whatever type
    found: tuple[Any, ...] = (several,) if isinstance(several, Real) else tuple(several)
    if not all(isinstance(one, Real) and float(one).is_integer() and float(one) >= 1 for one in found):
        raise SettingsError(f"{season!r} is no season", where="season", fix="give lengths in steps, as in season=12")
    return tuple(sorted({int(one) for one in found if one > 1}))


def _panel(holed: Holed, calendar: Calendar, seasons: tuple[int, ...], *, values: Array) -> Panel:
    seen = holed.values[~np.isnan(holed.values)]
    is_floored = bool((seen >= 0).all())
    known = holed.known.copy()
    owner = np.repeat(np.arange(len(holed)), np.diff(holed.bounds))
    for column in range(known.shape[1]):
        is_said = np.bincount(owner, np.isfinite(known[:, column]), minlength=len(holed)) > 0
        known[~is_said[owner], column] = 0.0
        known[:, column] = without_holes(known[:, column], holed.bounds, 1)
    panel = Panel(values, holed.values, holed.bounds, holed.last, calendar, seasons, known)
    is_count = is_floored and bool((seen % 1 == 0).all())
    return replace(panel, is_floored=is_floored, is_count=is_count, is_sold_only=holed.is_sold_only, quiet=holed.quiet)


def _tell_classes(demand: Array, findings: list[Finding]) -> None:
    counts = {name: int((demand == code).sum()) for code, name in enumerate(CLASSES)}
    text = "demand is " + ", ".join(f"{name} in {count:,}" for name, count in counts.items() if count) + " series"
    findings.append(Finding("demand", text, n_series=len(demand)))
