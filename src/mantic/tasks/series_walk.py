"""The walk of a forecast: repair, try on the past, weigh, forecast, judge."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import MAXYEAR
from time import monotonic as time_now
from typing import Any

import numpy as np
import polars as pl

from mantic.core.cast import LOCAL
from mantic.core.errors import SchemaError, SettingsError
from mantic.core.method import Method
from mantic.core.panel import Panel
from mantic.core.run import Run, Started
from mantic.core.schema import Column, Kind, Schema
from mantic.core.season import cycle
from mantic.core.table import Array
from mantic.evaluate.series.findings import SeriesFindings
from mantic.evaluate.series.holidays import holiday_blocks, holiday_facts, holiday_text
from mantic.evaluate.series.report import evaluation_report, forecast_report
from mantic.evaluate.series.score import N_DRAWS, Judged
from mantic.features.infer import MOST_LEVELS
from mantic.features.series.assemble import Roles, as_id, as_times
from mantic.features.series.finding import Finding
from mantic.features.series.hierarchy import Hierarchy, gather, gathered
from mantic.features.series.holidays import with_holidays, with_later_holidays
from mantic.features.series.prepare import Prepared, prepare
from mantic.features.series.vintages import latest
from mantic.report.blocks import Report
from mantic.search.series.add_up import added_up, added_up_again
from mantic.search.series.backtest import origins
from mantic.search.series.clock import Clock
from mantic.search.series.coherent import seconds_of
from mantic.search.series.finish import Finish
from mantic.search.series.foretell import Told, foretell, renewed, taught
from mantic.search.series.foretold import Foretold, with_means
from mantic.search.series.holiday_judge import Reckoned, reckoned
from mantic.search.series.loss import mean, yardstick
from mantic.search.series.newcomer import adopted, settled
from mantic.tasks.series_answer import numbers_of, places_of, probabilities, with_known
from mantic.tasks.series_asked import Asked
from mantic.tasks.series_parts import whole
from mantic.tasks.series_pretrained import brought, brought_again, put_away, sealed, tell, tell_absent

_LEARN_SHARE = 0.2  # of the budget, kept for a last lesson where columns are known beforehand
_SUMS_SHARE = 0.25  # of the budget, kept for making forecasts add up, where that takes so long
_REPORT_SHARE, _REPORT_LEAST, _REPORT_MOST = 0.08, 0.3, 5.0  # of the budget, kept for mixing and the report


@dataclass(frozen=True)
class Walked:
    """What a fit ends with."""

    told: Foretold
    report: Report
    schema: Schema
    target: Column


def walk(frame: pl.DataFrame, roles: Roles, asked: Asked, run: Run, *, started: float) -> Walked:
    """Forecast within the run's deadline.

    Parameters
    ----------
    started : when the budget began, on `time.monotonic`.
    """
    guest = brought(asked.parameters.get("pretrained"), run)
    clock = Clock(run.deadline)  # what a model takes to be fetched and read says nothing about the pace
    prepared, hierarchy = _prepared(frame, roles, asked)
    prepared, holidays = _with_holidays(prepared, asked)
    panel = prepared.panel
    _check_end(panel, asked.horizon)
    left, cost = run.deadline.left(), Finish.of(len(panel), len(origins(panel, asked.horizon).backs), asked.horizon)
    reserve = 0.0
    if left != float("inf"):
        reserve = min(_REPORT_MOST, max(_REPORT_LEAST, _REPORT_SHARE * left))
        reserve = max(reserve, cost.reserve(left, clock.slowdown()))
        if hierarchy is not None:
            reserve += min(_SUMS_SHARE * left, seconds_of(len(panel) * asked.horizon))
        reserve += _LEARN_SHARE * left * bool(roles.known)
    run.tell(Started("forecasting the past, method by method"))
    work = run.until(run.deadline.earlier(reserve))
    with put_away():
        done = foretell(panel, asked.horizon, work, n_methods=asked.n_methods, guest=guest, clock=clock)
    about_guest = tell(guest, done.found.ledger, done.mixture, run)
    if hierarchy is not None:
        done = added_up(done, panel, hierarchy, run)
    learned = taught(panel, done.mixture.names, asked.horizon, run) if roles.known else {}
    told = Foretold(
        panel, prepared.ids, done.mixture, done.spread, done.forecast, done.voices, done.rare, learned,
        together=done.together, coherent=done.coherent, pretrained=sealed(guest, done.mixture),
    )  # fmt: skip
    if roles.known:
        _tell_known(roles, learned, run)
    looked, levels, n_draws = done.looked(), probabilities(asked.levels), N_DRAWS
    if done.found.start.backs and not clock.allows(cost.least + cost.ranges):
        run.warn("no_ranges", "there was no time for the ranges of the scores: the report gives the scores alone")
        n_draws = 0
    few = told if told.coherent is not None else told.some(looked)
    found = SeriesFindings(
        roles.target, prepared.names, panel, looked, _judged(panel, done, levels), few.forecast, few.quantiles(levels),
        levels, dict(zip(done.mixture.names, done.mixture.weights.mean(axis=0).tolist(), strict=True)),
        done.mixture.losses, done.mixture.level, _ledger(done, panel.scale(panel.season)),
        [one.to_facts() for one in prepared.findings], [asdict(one) for one in run.warnings], done.spread.n_errors,
        time_now() - started,
        {**asked.parameters, "time": roles.time, "series": list(roles.series), "known": list(roles.known)},
        frame.height, coherent=done.coherent, n_draws=n_draws,
        more=(() if holidays is None else holiday_blocks(holidays),
              about_guest | ({} if holidays is None else holiday_facts(holidays))),
    )  # fmt: skip
    seen = panel.truth[np.isfinite(panel.truth)]
    target = Column(roles.target, Kind.NUMBER, low=float(seen.min()), high=float(seen.max()))
    return Walked(told, forecast_report(found), row_schema(told, roles), target)


def _check_end(panel: Panel, horizon: int) -> None:
    """Refuse to forecast what no calendar can name."""
    end = panel.calendar.times(panel.last.max()[None] + horizon)
    if end.dtype.is_temporal() and int(end.dt.year()[0]) > MAXYEAR:
        raise SettingsError(
            f"{horizon:,} steps of '{panel.calendar.name}' end after the year {MAXYEAR}", where="horizon",
            fix="look for a moment that lies far from the others, or ask for fewer steps",
        )  # fmt: skip


def _prepared(frame: pl.DataFrame, roles: Roles, asked: Asked) -> tuple[Prepared, Hierarchy | None]:
    """Return the series, with their sums where these are asked for."""
    prepared = prepare(frame, roles, freq=asked.freq, season=asked.season)
    return gather(prepared, asked.hierarchy) if asked.hierarchy else (prepared, None)


def _with_holidays(prepared: Prepared, asked: Asked) -> tuple[Prepared, Reckoned | None]:
    """Return the series with the holidays of a country, if one was named and they are better forecast so."""
    if not asked.country:
        return prepared, None
    found = reckoned(with_holidays(prepared.panel, asked.country, asked.horizon), asked.horizon)
    said = Finding("holidays", holiday_text(found), n_series=len(found.panel))
    return replace(prepared, panel=found.panel, findings=(*prepared.findings, said)), found


def evaluated(told: Foretold, roles: Roles, rows: pl.DataFrame, *, levels: Sequence[float], run: Run) -> Report:
    """Judge forecasts by rows that came later."""
    if roles.target not in rows.columns:
        raise SchemaError(
            f"the truth is missing: there is no column '{roles.target}'", where="the rows",
            fix=f"add '{roles.target}'",
        )  # fmt: skip
    rows = whole(told, roles, latest(rows, roles), run)
    truth, n_out = _arrived(told, roles, rows)
    if n_out:
        run.warn("left_out", f"{n_out:,} of {rows.height:,} rows are of series or moments that were not forecast")
    found = probabilities(levels)
    told = with_known(told, roles, rows)
    panel = told.panel
    if not np.isfinite(truth).any():
        raise SchemaError(
            "no row has the truth of a moment that was forecast", where="the rows",
            fix="give rows that follow those that the model was fitted on",
        )  # fmt: skip
    quantiles = told.quantiles(found)
    judged = Judged(
        truth[None], told.forecast[None], _reference(told)[None], quantiles[None], found, panel.scale(panel.season)
    )  # fmt: skip
    weights = dict(zip(told.mixture.names, told.mixture.weights.mean(axis=0).tolist(), strict=True))
    return evaluation_report(
        SeriesFindings(
            roles.target, told.names, panel, np.arange(len(panel)), judged, told.forecast, quantiles, found, weights,
            told.mixture.losses, told.mixture.level, (), (), [asdict(one) for one in run.warnings],
            told.spread.n_errors, 0.0, {}, rows.height, coherent=told.coherent,
        )
    )  # fmt: skip


def updated(told: Foretold, roles: Roles, rows: pl.DataFrame, run: Run, *, pretrained: str) -> Foretold:
    """Return the forecast from where the new rows end; weights stay, intervals learn from what was missed.

    Series may be new. A step that is only partly there is left for a later update.

    Parameters
    ----------
    pretrained : where the pretrained model is now, if one is among the methods; empty to go on without it.

    Raises
    ------
    SchemaError : names columns that are missing or hold something else. ArtifactError : as `brought_again`.
    """
    numbers = numbers_of(rows, roles, (roles.target, *roles.known))  # all that is wrong, before anything is left out
    if (kept := whole(told, roles, rows, run)) is not rows:
        rows, numbers = kept, numbers_of(kept, roles, (roles.target, *roles.known))
    guest = brought_again(told, pretrained, run)
    series, step = places_of(told, roles, rows)
    is_new, is_strange = (series >= _first_asked(told)) & (step >= 0), series < 0
    if told.coherent is None:
        is_new |= is_strange
    elif n_strange := int(is_strange.sum()):
        text = f"{n_strange:,} of {rows.height:,} rows are of series that no sum has: a new fit takes them in"
        run.warn("strange_series", text)
    if n_out := int((~is_new & ~is_strange).sum()):
        run.warn("left_out", f"{n_out:,} of {rows.height:,} rows are older than the forecast, or of sums")
    if not is_new.any():
        return told
    before = _long(told, roles)
    chosen = pl.Series(is_new)
    later = rows.filter(chosen)
    fresh = pl.DataFrame(
        [
            *(as_id(later[name], roles.fractional) for name in roles.series),
            as_times(later[roles.time], roles.time_written)[0],  # rows of one step are told apart by their own moments
            *(numbers[name].filter(chosen) for name in (roles.target, *roles.known)),
        ]
    )
    prepared = prepare(
        pl.concat([before, fresh], how="vertical_relaxed"), roles, freq=told.panel.calendar, season=told.panel.seasons,
        is_sold_only=told.panel.is_sold_only,
    )  # fmt: skip
    prepared = replace(prepared, panel=replace(prepared.panel, quiet=told.panel.quiet))
    if told.coherent is not None:
        prepared = gathered(prepared, told.coherent.hierarchy, told.ids)
    if told.panel.holidays is not None:
        known = with_later_holidays(prepared.panel, told.panel.holidays, told.horizon)
        prepared = replace(prepared, panel=known)
    truth, _ = _arrived(told, roles, rows)
    missed = (truth - with_known(told, roles, rows).forecast) / told.spread.unit(told.horizon)
    spread = told.spread.followed(missed).learned(missed)
    if n_more := len(prepared.panel) - len(told.panel):
        run.warn("newcomers", f"{n_more:,} new series: taken in as similar ones, with wide intervals")
    told = adopted(replace(told, spread=spread), prepared.panel, prepared.ids)
    grown = prepared.panel.last - told.panel.last
    spread = replace(told.spread, cycle=_turned(told.spread.cycle, grown))
    with put_away():
        voices, forecast = renewed(prepared.panel, told, run, guest=guest)
    tell_absent(guest, told.mixture, voices, run)
    rare = None if told.rare is None else told.rare.renewed(prepared.panel, told.horizon, run)
    told = replace(
        told, panel=prepared.panel, ids=prepared.ids, spread=spread, voices=voices, rare=rare,
        forecast=with_means(forecast, rare), learned=taught(prepared.panel, list(told.learned), told.horizon, run),
    )  # fmt: skip
    return added_up_again(settled(told), run)


def row_schema(told: Foretold, roles: Roles) -> Schema:
    """Return the columns of a row that asks for one series at one moment.

    Whoever makes an example of it takes the first levels and the range of moments: both are those of the first series,
    so that there is an answer.
    """
    columns = []
    for name in told.ids.columns:
        values = told.ids[name].unique(maintain_order=True)
        columns.append(
            Column(name, Kind.CATEGORY, levels=tuple(values.head(MOST_LEVELS).to_list()), n_levels=len(values))
        )
    first, last = told.panel.calendar.times(told.steps()[0, [0, -1]]).to_list()
    if isinstance(first, int):
        columns.append(Column(roles.time, Kind.NUMBER, low=float(first), high=float(last)))
    else:
        low, high = (
            one.isoformat() if hasattr(one, "hour") else f"{one.isoformat()}T00:00:00" for one in (first, last)
        )
        written = roles.time_written
        columns.append(Column(roles.time, Kind.DATE, low=low, high=high, form=written.form + LOCAL, zone=written.zone))
    for place, name in enumerate(roles.known):
        own = told.panel.known[:, place]
        columns.append(Column(name, Kind.NUMBER, low=float(own.min()), high=float(own.max())))
    return Schema(tuple(columns))


def _turned(cycle: Array, grown: Array) -> Array:
    """Return what goes round the cycle, so that column 0 is the first step after ends that have moved on."""
    season = cycle.shape[1]
    return np.take_along_axis(cycle, (np.arange(season) + grown[:, None]) % season, axis=1)


def _tell_known(roles: Roles, learned: Mapping[str, Method], run: Run) -> None:
    names = ", ".join(roles.known)
    if learned:
        text = f"what will be known of {names} is not known yet: its last values stand in until predict() is told"
    else:
        text = f"nothing that uses {names} forecast better than what does without"
    run.warn("known_columns", text)


def _judged(panel: Panel, done: Told, levels: Array) -> Judged | None:
    looked = done.looked()
    truth, past, reference = (one[:, looked] for one in (done.found.truth, done.past, done.reference))
    if not np.isfinite(truth).any():
        return None
    return Judged(
        truth, past, reference, done.past_quantiles(panel, levels), levels, panel.scale(panel.season)[looked]
    )  # fmt: skip


def _ledger(done: Told, scale: Array) -> list[dict[str, Any]]:
    """Return the ledger as plain values, with the loss of each method on the past."""
    looked = done.looked()
    found, scale = done.found.rows(looked), scale[looked]
    unit = yardstick(found.truth, done.reference[:, looked], scale)
    losses = {
        name: mean(unit.loss(found.truth, past, scale)) for name, past in zip(found.names, found.past, strict=True)
    }
    return [
        {
            "name": one.method, "learner": one.method, "loss": losses.get(one.method),
            "foretold": round(one.foretold, 3), "spent": round(one.spent, 3), "outcome": one.outcome,
            "reason": one.reason,
        }
        for one in found.ledger
    ]  # fmt: skip


def _arrived(told: Foretold, roles: Roles, rows: pl.DataFrame) -> tuple[Array, int]:
    """Return the truths of what was forecast, shape (n_series, horizon) with NaN, and how many rows are none of it.

    Rows of one step are added up if all values are counts, and copies count once, as when the model was fitted. Where
    rows stand only for what was sold, a step without a row is a 0, up to the latest step of which any series has one.
    Rows of sums are not looked at: what came of these is the sum of what came of their series.
    """
    series, step = places_of(told, roles, rows)
    value = numbers_of(rows, roles, (roles.target,))[roles.target].to_numpy()
    is_first = rows.select(pl.struct(roles.time, roles.target, *roles.series).is_first_distinct()).to_series()
    series, step, value = (one[is_first.to_numpy()] for one in (series, step, value))
    is_in = (series >= _first_asked(told)) & (step >= 0) & (step < told.horizon) & np.isfinite(value)
    truth = np.full(told.forecast.shape, np.nan)
    if told.panel.is_count:
        np.add.at(total := np.zeros_like(truth), (series[is_in], step[is_in]), value[is_in])
        truth[series[is_in], step[is_in]] = total[series[is_in], step[is_in]]
    else:
        truth[series[is_in], step[is_in]] = value[is_in]
    if told.panel.is_sold_only:
        has_row = np.zeros(truth.shape, dtype=bool)
        is_of_it = (series >= 0) & (step >= 0) & (step < told.horizon)
        has_row[series[is_of_it], step[is_of_it]] = True
        is_sold = np.isfinite(value) & ((series >= _first_asked(told)) | ((series < 0) & (told.coherent is None)))
        end = (step + told.panel.last[np.maximum(series, 0)])[is_sold].max(initial=-1) - told.panel.last
        truth[~has_row & (np.arange(told.horizon) <= end[:, None])] = 0.0
    if told.coherent is not None:
        truth = told.coherent.hierarchy.sums(truth[_first_asked(told) :])
    return truth, int((~is_in).sum())


def _first_asked(told: Foretold) -> int:
    """Return the position of the first series that is no sum."""
    return 0 if told.coherent is None else told.coherent.hierarchy.n_sums


def _reference(told: Foretold) -> Array:
    """Return what seasonal naive says of the steps that are foretold."""
    return cycle(told.panel, told.horizon, told.panel.seasons[:1])


def _long(told: Foretold, roles: Roles) -> pl.DataFrame:
    """Return all that was observed as a long table, without sums, each series to its last value."""
    panel = told.panel
    series = np.repeat(np.arange(len(panel)), panel.lengths)
    place = np.arange(len(panel.values))
    step = panel.last[series] - (panel.bounds[1:][series] - 1 - place)
    columns: dict[str, Any] = {name: told.ids[name].gather(series) for name in told.ids.columns}
    columns[roles.time] = panel.calendar.times(step)
    columns[roles.target] = panel.truth
    columns |= {name: panel.known[:, place] for place, name in enumerate(roles.known)}
    found = pl.DataFrame(columns).with_columns(pl.col(roles.target).fill_nan(None))
    end = np.maximum.reduceat(np.where(np.isfinite(panel.truth), place, -1), panel.bounds[:-1])
    is_told = (place <= end[series]) & (place >= panel.bounds[_first_asked(told)])  # for sums a series was carried on
    return found.filter(pl.Series(is_told))
