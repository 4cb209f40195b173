"""How a forecast did at each level of a hierarchy."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mantic.core.table import Array
from mantic.evaluate.series.score import Judged, by_series, coverage
from mantic.report.blocks import Grid
from mantic.report.numbers import say
from mantic.search.series.coherent import Coherent

_WAYS = {
    "structure": "all levels have a say, by how many series they hold and how much these change",
    "mint": "all levels have a say, by the errors of the past",
    "bottom_up": "series are added up",
}


def by_level(coherent: Coherent, judged: Judged) -> list[dict[str, Any]]:
    """Return a row for each level: its name, nodes, scaled errors of the forecast and of seasonal naive, coverage."""
    found, level = [], coherent.hierarchy.level
    for place, name in enumerate(coherent.hierarchy.levels):
        own = _of(judged, level == place)
        errors, naive = (_middle(by_series(one)) for one in (own, replace(own, guess=own.reference)))
        held = {str(one.level): one.share for one in coverage(own)}
        found.append(
            {"level": name, "n_series": int((level == place).sum()), "mase": errors, "naive": naive, "held": held}
        )
    return found


def level_table(rows: list[dict[str, Any]], coherent: Coherent) -> Grid:
    """Return the rows as a table for people."""
    levels = list(rows[0]["held"])
    cells = tuple(
        (row["level"], row["n_series"], row["mase"], row["naive"], *(say(row["held"][one], "share") for one in levels))
        for row in rows
    )
    columns = ("level", "series", "MASE", "seasonal naive", *(f"inside {say(float(one), 'share')}" for one in levels))
    tried = "; ".join(f"{_said(name)} {say(loss)}" for name, loss in coherent.losses.items())
    note = f"Forecasts add up exactly: {_WAYS[coherent.name]}."
    note += f" Root mean squared scaled error on the past, mean over levels: {tried}." if tried else ""
    note += f" No other way was tried: {coherent.reason}." if coherent.reason else ""
    return Grid(columns, cells, note=note)


def level_facts(rows: list[dict[str, Any]], coherent: Coherent) -> Mapping[str, Any]:
    """Return the same as plain values."""
    return {
        "way": coherent.name, "losses": dict(coherent.losses), "reason": coherent.reason,
        "names": list(coherent.hierarchy.levels), "levels": rows,
    }  # fmt: skip


def _said(name: str) -> str:
    return name.replace("_", " ")


def _middle(values: Array) -> float:
    """Return the mean of what is there, NaN where nothing is: of a sum nothing came if a part of it is not known."""
    found = values[np.isfinite(values)]
    return float(found.mean()) if len(found) else float("nan")


def _of(judged: Judged, index: Any) -> Judged:
    return Judged(
        judged.truth[:, index], judged.guess[:, index], judged.reference[:, index], judged.quantiles[:, index],
        judged.levels, judged.scale[index],
    )  # fmt: skip
