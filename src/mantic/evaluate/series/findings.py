"""What a report of forecasts is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.evaluate.series.score import N_DRAWS, Judged
from mantic.report.blocks import Block
from mantic.search.series.coherent import Coherent


@dataclass(frozen=True)
class SeriesFindings:
    """Everything that is known about a forecast when its report is written.

    Parameters
    ----------
    target : name of the column that is forecast.
    names : a text for each series.
    panel : the series.
    looked : positions of the series that are judged and shown; of very many a part that lies evenly among them.
    judged : forecasts of these that have met the truth; None where none has.
    forecast, quantiles : of these and the steps to come, shape (n_looked, horizon) and (n_looked, horizon, n_levels).
    levels : of the quantiles.
    voices : weight of each method by its name, over all series.
    losses : of each level of weights that was tried; `level` is the one that was chosen.
    ledger : a line per method: name, foretold and spent processor seconds, outcome, reason, loss on the past.
    repairs : what was found in the data, as plain values.
    warnings : what was told while it worked, as plain values.
    n_calibrated : errors from which the intervals come.
    seconds : of wall clock.
    asked : parameters and columns, as plain values.
    n_rows : of the table.
    more : blocks of a special kind of forecast, and what they say as plain values.
    coherent : how forecasts of sums and of what they are made of add up; None where there are no sums.
    n_draws : of series, for the ranges of scores; 0 where there is no time for them.
    """

    target: str
    names: Sequence[str]
    panel: Panel
    looked: Array
    judged: Judged | None
    forecast: Array
    quantiles: Array
    levels: Array
    voices: Mapping[str, float]
    losses: Mapping[str, float]
    level: str
    ledger: Sequence[Mapping[str, Any]]
    repairs: Sequence[Mapping[str, Any]]
    warnings: Sequence[Mapping[str, Any]]
    n_calibrated: int
    seconds: float
    asked: Mapping[str, Any]
    n_rows: int
    more: tuple[Sequence[Block], Mapping[str, Any]] = ((), {})
    coherent: Coherent | None = None
    n_draws: int = N_DRAWS
