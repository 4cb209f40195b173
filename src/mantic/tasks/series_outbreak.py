"""The walk of an outbreak: what was known when, voices, blend, alarm, report."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from time import monotonic as time_now
from typing import Any

import numpy as np
import polars as pl

from mantic.core.calendar import moment_text
from mantic.core.curves import LEVELS
from mantic.core.errors import SchemaError
from mantic.core.run import Run
from mantic.core.schema import Column, Kind
from mantic.core.season import cycle
from mantic.core.table import Array
from mantic.evaluate.series.findings import SeriesFindings
from mantic.evaluate.series.outbreak import OutbreakFindings, outbreak_blocks, outbreak_facts
from mantic.evaluate.series.report import forecast_report
from mantic.evaluate.series.score import Judged
from mantic.features.series.assemble import Roles, Written, as_id, as_times
from mantic.features.series.prepare import seasons_of
from mantic.features.series.revision import nowcast
from mantic.features.series.vintages import Known, check_moments, known
from mantic.search.series.combine import Mixture
from mantic.search.series.foretold import Foretold
from mantic.search.series.outbreak import Outbreak
from mantic.search.series.outbreak_mix import widened
from mantic.search.series.outbreak_search import Foreseen, foresee
from mantic.search.series.spread import Spread
from mantic.tasks.series_answer import numbers_of, probabilities
from mantic.tasks.series_asked import Asked
from mantic.tasks.series_walk import Walked, row_schema

_LEAST_STEPS = 4
_REPORT_SHARE = 0.1  # of the budget
_N_CHECKED = 12  # days of the past on which the nowcast is held against what values became


@dataclass(frozen=True)
class About:
    """What a report says of the work: the target, the columns that were named, warnings, and seconds."""

    target: str
    columns: Mapping[str, Any]
    warnings: list[dict[str, Any]]
    seconds: float


def walk_outbreak(frame: pl.DataFrame, roles: Roles, asked: Asked, run: Run, *, started: float) -> Walked:
    """Forecast within the run's deadline from values as they were known day by day; as `walk`."""
    held = known(frame, roles, freq=asked.freq, seasons=seasons_of(asked.season))
    if int(held.panel.lengths.max()) < _LEAST_STEPS:
        raise SchemaError(
            f"no series has more than {int(held.panel.lengths.max())} steps", where="the table",
            fix=f"give {_LEAST_STEPS} steps or more of the past",
        )  # fmt: skip
    left = run.deadline.left()
    work = run if left == float("inf") else run.until(run.deadline.earlier(_REPORT_SHARE * left))
    found = foresee(held, asked.horizon, work, n_methods=asked.n_methods)
    capacity = asked.parameters.get("capacity")
    outbreak = Outbreak(found.quantiles, found.curves.offset, held.vintages, held.first, capacity)
    told = _told(held, found, outbreak)
    columns = {"time": roles.time, "series": list(roles.series), "as_of": roles.as_of}
    about = About(roles.target, columns, [asdict(one) for one in run.warnings], time_now() - started)
    report = forecast_report(_findings(held, found, told, asked=asked, about=about))
    seen = held.panel.truth[np.isfinite(held.panel.truth)]
    target = Column(roles.target, Kind.NUMBER, low=float(seen.min()), high=float(seen.max()))
    return Walked(told, report, row_schema(told, roles), target)


def grown(told: Foretold, roles: Roles, rows: pl.DataFrame, *, asked: Asked, run: Run) -> Walked:
    """Return the forecast from all that was told so far and the new rows, which may revise what is old."""
    missing = [name for name in (roles.time, roles.target, *roles.series, roles.as_of) if name not in rows.columns]
    if missing:
        raise SchemaError(
            "; ".join(f"column '{name}' is missing" for name in missing), where="the rows",
            fix=f"columns are: {', '.join(rows.columns[:30])}",
        )  # fmt: skip
    before = _long(told, roles)
    fresh = rows.select(
        *(as_id(rows[name], roles.fractional).alias(name) for name in roles.series),
        _like(rows, roles.time, before, roles.time_written), _like(rows, roles.as_of, before, roles.as_of_written),
        numbers_of(rows, roles, (roles.target,))[roles.target],
    )  # fmt: skip
    fresh = _on_grid(fresh, told, roles)
    return walk_outbreak(pl.concat([before, fresh.select(before.columns)]), roles, asked, run, started=time_now())


def _like(rows: pl.DataFrame, name: str, before: pl.DataFrame, written: Written) -> pl.Series:
    times, fault = as_times(rows[name], written)
    if fault or times.dtype.is_integer() != before[name].dtype.is_integer():
        what = fault or f"column '{name}' holds another kind of moments than before"
        raise SchemaError(what, where="the rows", fix="write moments as they were written when the model was fitted")
    return times.cast(before[name].dtype)


def _on_grid(fresh: pl.DataFrame, told: Foretold, roles: Roles) -> pl.DataFrame:
    """Return new rows with the moments of their steps: what was told before has no others any more."""
    calendar, times = told.panel.calendar, fresh[roles.time]
    valued = fresh.drop_nulls([roles.time, roles.target])
    check_moments(valued.select(roles.series), valued[roles.time], calendar, where=roles.time)
    moments = times.drop_nulls().unique()
    return fresh.with_columns(times.replace(moments, calendar.times(calendar.steps(moments)).cast(times.dtype)))


def _long(told: Foretold, roles: Roles) -> pl.DataFrame:
    """Return all that was ever told as a long table."""
    outbreak = told.outbreak
    assert outbreak is not None
    held = outbreak.vintages
    columns: dict[str, Any] = {name: told.ids[name].gather(held.series) for name in told.ids.columns}
    columns[roles.time] = told.panel.calendar.times(held.step + outbreak.first)
    columns[roles.as_of] = held.days.gather(held.day)
    columns[roles.target] = held.value
    return pl.DataFrame(columns)


def _told(held: Known, found: Foreseen, outbreak: Outbreak) -> Foretold:
    n_series, horizon = found.quantiles.shape[:2]
    weights = np.tile(found.blend.weights, (n_series, 1))
    mixture = Mixture(found.names, weights, False, "recent interval scores", {})
    nothing = np.zeros(len(LEVELS))
    n_errors = int(np.isfinite(found.truth).sum())
    ones = np.ones(n_series), np.ones(horizon), np.ones((n_series, 1))
    spread = Spread(*ones, LEVELS, nothing, n_errors, reach=np.ones(len(LEVELS)))
    wide = [widened(one, found.blend.factor, outbreak.offset) for one in found.voices]
    means = np.stack([replace(outbreak, quantiles=one).mean() for one in wide])
    return Foretold(held.panel, held.ids, mixture, spread, outbreak.mean(), means, outbreak=outbreak)


def _findings(held: Known, found: Foreseen, told: Foretold, *, asked: Asked, about: About) -> SeriesFindings:
    levels = probabilities(asked.levels)
    more = _outbreak_findings(held, found, told)
    losses = _losses(held, found)
    ledger = [
        {
            "name": name, "learner": name, "loss": losses[name], "foretold": None, "spent": round(spent, 3),
            "outcome": "used" if weight > 0 else "left out",
            "reason": "" if weight > 0 else "speaks only where no other can",
        }
        for name, spent, weight in zip(found.names, found.spent, found.blend.weights, strict=True)
    ]  # fmt: skip
    return SeriesFindings(
        about.target, held.names, held.panel, np.arange(len(held.panel)), _judged(held, found, levels), told.forecast,
        told.quantiles(levels), levels,
        dict(zip(found.names, found.blend.weights.tolist(), strict=True)), {}, told.mixture.level, ledger,
        [one.to_facts() for one in held.findings], about.warnings, told.spread.n_errors, about.seconds,
        {**asked.parameters, **about.columns}, len(held.vintages.value), (outbreak_blocks(more), outbreak_facts(more)),
    )  # fmt: skip


def _judged(held: Known, found: Foreseen, levels: Array) -> Judged | None:
    """Return what the blend said of origins that it had not seen, against what is known of them now."""
    there = np.isfinite(found.truth).any(axis=(1, 2)) & np.isfinite(found.past).any(axis=(1, 2, 3))
    if not there.any():
        return None
    panel, past = held.panel, found.past[there]
    unseen = Outbreak(found.quantiles, found.curves.offset, held.vintages, held.first)
    quantiles = np.stack([replace(unseen, quantiles=one).at(levels) for one in past])
    guess, scale = past[..., len(LEVELS) // 2], panel.scale(panel.season)
    return Judged(found.truth[there], guess, _reference(held, found)[there], quantiles, levels, scale)


def _reference(held: Known, found: Foreseen) -> Array:
    """Return what seasonal naive would have said at each origin, shape (n_origins, n_series, horizon)."""
    panel, horizon = held.panel, found.truth.shape[2]
    said = np.full(found.truth.shape, np.nan)
    for at, origin in enumerate(found.origins):
        cut, series = panel.until(found.curves.n_steps - 1 - int(origin), least=1, horizon=horizon)
        said[at, series] = cycle(cut, horizon, panel.seasons[:1])
    return said


def _losses(held: Known, found: Foreseen) -> Mapping[str, float | None]:
    """Return the mean interval score of each voice on the past, as a share of seasonal naive's error."""
    truth = found.truth
    naive = np.abs(truth - _reference(held, found))
    unit = float(naive[np.isfinite(naive)].mean()) if np.isfinite(naive).any() else 0.0
    result: dict[str, float | None] = {}
    for place, name in enumerate(found.names):
        away = truth[..., None] - found.voices_past[place]
        lost = 2 * np.maximum(LEVELS * away, (LEVELS - 1) * away)
        there = np.isfinite(lost)
        result[name] = float(lost[there].mean() / unit) if there.any() and unit > 0 else None
    return result


def _outbreak_findings(held: Known, found: Foreseen, told: Foretold) -> OutbreakFindings:
    vintages, n_series = held.vintages, len(held.panel)
    now = vintages.at(len(vintages.days) - 1, n_series)
    outbreak = told.outbreak
    assert outbreak is not None
    times = held.panel.calendar.times(told.steps()[0])
    revision = found.revision
    n_ages = int(np.flatnonzero(revision.n_pairs).max()) + 1 if revision.n_pairs.any() else 0
    return OutbreakFindings(
        np.exp(revision.shared[:n_ages]), revision.doubt[:n_ages], revision.n_pairs[:n_ages],
        np.nan_to_num(now[:, -1]), np.nan_to_num(found.curves.values[:, -1]), len(vintages.days),
        _by_nowcast(held), found.blend.factor, told.names, [moment_text(one) for one in times.to_list()],
        outbreak.capacity, None if outbreak.capacity is None else outbreak.above(outbreak.capacity),
    )  # fmt: skip


def _by_nowcast(held: Known) -> tuple[float, float]:
    """Return the relative error of the latest value as it was told and as it was foreseen, on days of the past."""
    vintages, n_series = held.vintages, len(held.panel)
    last = len(vintages.days) - 1
    now = vintages.at(last, n_series)
    ends = vintages.ends()
    errors: list[tuple[float, float]] = []
    for day in range(max(1, last - _N_CHECKED), last):
        end = int(ends[day])
        if now.shape[1] - 1 - end < 2:
            continue
        then, _ = nowcast(vintages, day, n_series)
        told = vintages.at(day, n_series)[:, end]
        late = now[:, end]
        there = np.isfinite(told) & np.isfinite(late)
        if there.any() and late[there].sum() > 0:
            size = float(late[there].sum())
            errors.append(tuple(float(np.abs(one[there] - late[there]).sum()) / size for one in (told, then[:, end])))  # type: ignore[arg-type]
    if not errors:
        return float("nan"), float("nan")
    first, second = np.mean(np.array(errors), axis=0)
    return float(first), float(second)
