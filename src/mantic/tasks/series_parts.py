"""Rows that came later, without those of a step that is only partly there."""

import numpy as np
import polars as pl

from mantic.core.calendar import moment_text
from mantic.core.run import Run
from mantic.features.series.assemble import Roles, as_times
from mantic.search.series.foretold import Foretold
from mantic.tasks.series_answer import places_of


def whole(told: Foretold, roles: Roles, rows: pl.DataFrame, run: Run) -> pl.DataFrame:
    """Return rows without those of the first and last new step where rows begin or end in the midst of it.

    A sum of so few rows would be too small, and what was taken in is taken in for good. Where a step without a row
    would be a 0, a first step that others follow stays, as the smaller fault. Nothing is left out where steps have a
    row each, or the model does not say.
    """
    if not told.panel.quiet or not rows.height:
        return rows
    series, step = places_of(told, roles, rows)
    at = step + told.panel.last[np.maximum(series, 0)] + 1
    times = as_times(rows[roles.time], roles.time_written)[0]
    later = at > told.panel.last.max()
    if not later.any():
        return rows
    ends = np.array([at[later].min(), at[later].max()])
    ordered = times.filter(pl.Series(later)).sort()
    kind = pl.Int64() if times.dtype.is_integer() else pl.Datetime("us")
    first, last, begin, end = (
        one.cast(kind).to_physical().to_numpy()[0]
        for one in (ordered[:1], ordered[-1:], *map(told.panel.calendar.times, (ends[:1], ends[1:] + 1)))
    )
    least, before, after = told.panel.quiet
    is_part = np.array([first - begin + least > 2 * before, end - last > 2 * after])
    if not is_part.any():
        return rows
    said = np.array([f"begin on {moment_text(ordered[0])}", f"end on {moment_text(ordered[-1])}"])
    is_followed = ends[0] < ends[1] - is_part[1]
    is_out = np.isin(at, ends[is_part & np.array([not (told.panel.is_sold_only and is_followed), True])])
    text = (
        f"rows {' and '.join(said[is_part])}, in the midst of a step: its sum is too small, and {int(is_out.sum()):,} "
        "rows were left out; give all rows of a step at once"
    )
    run.warn("part_of_a_step", text)
    return rows.filter(pl.Series(~is_out))
