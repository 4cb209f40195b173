"""What stands behind a forecast: each method's own, and how much it counts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mantic.features.series.assemble import Roles
from mantic.report.blocks import Grid, Group, Report, Text
from mantic.report.numbers import say
from mantic.search.series.foretold import Foretold
from mantic.sources.frames import to_polars
from mantic.tasks.series_answer import places_of

_ONLY_KNOWN = 1e-12


@dataclass(frozen=True)
class Voices:
    """What each method foresaw for some rows.

    Parameters
    ----------
    rows : one dictionary per row: prediction, and for each method its own forecast and its weight; `foreseen` is what
        these come to, where the prediction was moved so that sums add up.
    is_median : whether the weighted median counts; else the weighted mean, to which the parts add up.
    """

    rows: tuple[dict[str, Any], ...]
    is_median: bool

    def to_facts(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"kind": self._kind, "rows": [dict(row) for row in self.rows]}

    def to_report(self, *, first: int = 0) -> Report:
        """Return it as tables; `first` is the number of the first row."""
        groups = []
        for place, row in enumerate(self.rows):
            cells = tuple((one["method"], one["forecast"], round(one["weight"], 3)) for one in row["methods"])
            grid = Grid(("method", "its own forecast", "weight"), cells, bars=("weight",))
            said = f"{say(row['prediction'])}: the weighted {self._kind} of what these methods foresaw"
            moved = f", {say(row['foreseen'])}, moved so that all levels add up." if "foreseen" in row else "."
            text = Text(said + moved)
            groups.append(Group(f"Row {first + place}", (text, grid)))
        return Report("Why this forecast", tuple(groups), facts=self.to_facts())

    @property
    def _kind(self) -> str:
        return "median" if self.is_median else "mean"


def explain(told: Foretold, roles: Roles, rows: Any) -> Voices:
    """Return what each method foresaw for rows that name series and moments; raises as `answers_for` does."""
    from mantic.tasks.series_answer import answers_for, check_known

    frame = rows if isinstance(rows, pl.DataFrame) else to_polars(rows)
    check_known(told, roles, frame)
    answers_for(told, roles, (80,), frame)
    series, step = places_of(told, roles, frame)
    weights = told.mixture.weights[series].T
    voices = told.voices[:, series, step]
    present = np.where(np.isnan(voices), 0.0, weights)
    share = present / np.maximum(_ONLY_KNOWN, present.sum(axis=0))
    found = tuple(
        {
            "prediction": float(told.forecast[series[row], step[row]]),
            **({} if told.coherent is None else {"foreseen": float(told.coherent.base[series[row], step[row]])}),
            "methods": [
                {"method": name, "forecast": float(voices[place, row]), "weight": float(share[place, row])}
                for place, name in enumerate(told.mixture.names)
                if share[place, row] > 0
            ],
        }
        for row in range(len(series))
    )
    return Voices(found, told.mixture.is_median)
