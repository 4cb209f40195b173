"""The picture of a series: what was, what is to come, and how sure that is."""

from dataclasses import dataclass

import numpy as np

from mantic.core.calendar import moment_text
from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.report.blocks import Axis, Chart, Series
from mantic.report.numbers import say

_SHOWN = 120  # steps of the past


@dataclass(frozen=True)
class Seen:
    """A series and what is to come of it.

    Parameters
    ----------
    panel, place : where the series is.
    forecast : shape (horizon,).
    band : ends of the interval, shape (horizon, 2), which holds the share `level`.
    said : what was forecast a horizon ago, shape (horizon,).
    """

    panel: Panel
    place: int
    forecast: Array
    band: Array
    level: float
    said: Array | None = None


def picture(seen: Seen, *, title: str, name: str, target: str) -> Chart:
    """Return the end of a series and its forecast with an interval."""
    panel, place, forecast = seen.panel, seen.place, seen.forecast
    truth = panel.truth[panel.bounds[place] : panel.bounds[place + 1]][-_SHOWN:]
    horizon = len(forecast)
    n_past = len(truth)
    past, ahead = _places(0, n_past), _places(n_past, n_past + horizon)
    times = panel.calendar.times(panel.last[place] + np.arange(1 - n_past, horizon + 1))
    texts = tuple(moment_text(one) for one in times.to_list())
    low, high = (tuple(seen.band[:, end].tolist()) for end in (0, 1))
    lines = [
        Series("what was", tuple(truth.tolist()), past),
        Series("forecast", tuple(forecast.tolist()), ahead, low, high),
    ]
    if seen.said is not None:
        before = _places(n_past - horizon, n_past)
        lines.append(Series("said then", tuple(seen.said.tolist()), before, is_reference=True))
    sentence = f"{name}: the forecast ends at {say(float(forecast[-1]))}; the band holds {say(seen.level, 'share')}."
    return Chart("line", title, sentence, tuple(lines), Axis("moment", labels=texts), Axis(target))


def _places(first: int, end: int) -> tuple[float, ...]:
    return tuple(map(float, range(first, end)))
