"""The search for the forecast of an outbreak: voices asked now and on days before, blended and widened."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mantic.core.calendar import Unit
from mantic.core.curves import LEVELS, Curves
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.features.series.revision import Revision, nowcast
from mantic.features.series.vintages import Known, filled
from mantic.search.series.outbreak_mix import MEMBERS, SPARE, Blend, blend

_BACKS = (1, 3, 5, 7)  # steps of the past after which voices are judged
_LEAST_OFFSET = 0.05  # of the mean of a series that holds no counts
_YEAR_DAYS = 365.2425
_PATIENCE = 1.3  # how much longer than the one before a question may take


@dataclass(frozen=True)
class Foreseen:
    """What a search ends with.

    Parameters
    ----------
    quantiles : at `LEVELS`, shape (n_series, horizon, n_levels).
    names, voices : of the methods, and what each said of the steps to come, shape (n_voices, n_series, horizon,
        n_levels).
    blend : how they were mixed.
    origins : the steps (0 is the first of all) after which the past was foretold, the latest first.
    truth, past : what is known of it now, shape (n_origins, n_series, horizon), and quantiles by a blend that had not
        seen that origin, shape (n_origins, n_series, horizon, n_levels).
    voices_past : what each method said then, shape (n_voices, n_origins, n_series, horizon, n_levels).
    revision : how values are revised.
    curves : what the methods saw.
    spent : processor seconds of each method.
    """

    quantiles: Array
    names: tuple[str, ...]
    voices: Array
    blend: Blend
    origins: Array
    truth: Array
    past: Array
    voices_past: Array
    revision: Revision
    curves: Curves
    spent: tuple[float, ...]


def foresee(known: Known, horizon: int, run: Run, *, n_methods: int | None = None) -> Foreseen:
    """Ask all voices now and after steps before, by what was known then; blend and widen them.

    Voices that cost little are asked whatever the deadline; steps of the past are asked the latest first.

    Parameters
    ----------
    n_methods : how many voices beside the flat one; all when None.
    """
    now, revision = curves_on(known, len(known.vintages.days) - 1, horizon)
    usable = [name for name, one in MEMBERS.items() if one.is_spare or one.suits(now.begun())]
    usable = usable if n_methods is None else usable[: 1 + n_methods]
    origins = [now.n_steps - 1 - back for back in _BACKS]
    origins = [one for one in origins if one + 1 - horizon >= max(MEMBERS[name].least for name in usable)]
    asked = {name: _ask(known, name, now=now, origins=origins, run=run) for name in usable}
    spent = tuple(one[2] for one in asked.values() if one is not None)
    names = tuple(name for name, one in asked.items() if one is not None)
    voices = np.stack([one[0] for one in asked.values() if one is not None])
    past = np.stack([one[1] for one in asked.values() if one is not None])
    truth = _came(now.values, origins, horizon)
    age = np.array([now.n_steps - 1 - one for one in origins], dtype=float)
    spare = np.array([MEMBERS[name].is_spare for name in names])
    chosen = blend(past, truth, offset=now.offset, age=age, is_spare=spare)
    unseen = np.full(past.shape[1:], np.nan)
    for at in range(len(origins)):
        others = np.arange(len(origins)) != at
        own = blend(past[:, others], truth[others], offset=now.offset, age=age[others], is_spare=spare)
        unseen[at] = _rising(own.mix(past[:, at], now.offset))
    told = _came(known.vintages.at(len(known.vintages.days) - 1, len(now)), origins, horizon)
    mixed = chosen.mix(voices, now.offset)
    mixed = np.where(np.isfinite(mixed), mixed, voices[names.index(SPARE)])  # of a series that has only begun
    return Foreseen(
        _rising(mixed), names, voices, chosen, np.array(origins, dtype=np.int64), told, unseen,
        past, revision, now, spent,
    )  # fmt: skip


def _ask(
    known: Known, name: str, *, now: Curves, origins: Sequence[int], run: Run
) -> tuple[Array, Array, float] | None:
    """Return what a voice says now and said at origins, and the processor seconds; None if there was no time at all.

    NaN at origins for which there was no time, or of which too little was known then, however long the calendar.
    """
    member, shape = MEMBERS[name], (len(now), now.horizon, len(LEVELS))
    past, cost, spent = np.full((len(origins), *shape), np.nan), 0.0, 0.0
    voice: Array | None = None
    for at, origin in enumerate([now.n_steps - 1, *origins]):
        if (at or member.is_costly) and run.deadline.left() < max(_PATIENCE * cost, 1e-9):
            break
        started = time.process_time(), time.monotonic()
        seen = (now if not at else then(known, origin, now.horizon)).begun()
        if not (member.is_spare or member.can_speak(seen)):
            continue
        answer = _rising(member.foresee(seen, run))
        spent, cost = spent + time.process_time() - started[0], time.monotonic() - started[1]
        if at:
            past[at - 1] = answer
        else:
            voice = answer
        run.progress(at + 1, len(origins) + 1)
    return None if voice is None else (voice, past, spent)


def curves_on(known: Known, day: int, horizon: int) -> tuple[Curves, Revision]:
    """Return the curves as a day of telling knew them, with revisions foreseen from what was told until then."""
    values, revision = nowcast(known.vintages, day, len(known.panel))
    return _curves(known, values, horizon), revision


def then(known: Known, origin: int, horizon: int) -> Curves:
    """Return the curves that end with a step, as they were known when it was the latest one.

    Before the first day of telling, and for steps that were never the latest, it is the next day's values that are cut
    off there: what was told first after it, without revisions that are foreseen.
    """
    vintages, n_series = known.vintages, len(known.panel)
    ends = vintages.ends()
    exact = np.flatnonzero(ends == origin)
    if len(exact):
        return curves_on(known, int(exact[-1]), horizon)[0]
    later = int(np.flatnonzero(ends > origin)[0])
    values = filled(vintages.at(later, n_series)[:, : origin + 1])
    return _curves(known, values, horizon)


def _curves(known: Known, values: Array, horizon: int) -> Curves:
    panel, n_steps = known.panel, values.shape[1]
    phase = np.zeros(n_steps + horizon)
    if panel.calendar.unit is not Unit.STEP:
        times = panel.calendar.times(known.first + np.arange(n_steps + horizon))
        phase = times.dt.ordinal_day().to_numpy() / _YEAR_DAYS
    elif panel.seasons:
        phase = np.arange(n_steps + horizon) / panel.seasons[-1] % 1
    offset = np.ones(len(panel))
    if not panel.is_count:  # of what was known at the time
        there = np.isfinite(values)
        mean = np.where(there, values, 0.0).sum(axis=1) / np.maximum(1, there.sum(axis=1))
        offset = np.maximum(_LEAST_OFFSET * mean, 1e-9)
    return Curves(values, phase, offset)


def _came(values: Array, origins: Sequence[int], horizon: int) -> Array:
    """Return what followed origins, shape (n_origins, n_series, horizon), NaN where nothing did yet."""
    padded = np.concatenate([values, np.full((len(values), horizon), np.nan)], axis=1)
    found = [padded[:, one + 1 : one + 1 + horizon] for one in origins]
    return np.stack(found) if found else np.empty((0, len(values), horizon))


def _rising(quantiles: Array) -> Array:
    return np.sort(quantiles, axis=-1)
