"""Which rows belong together: what they say, they say once."""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mantic.core.run import Run
from mantic.core.table import Array
from mantic.search.split import units
from mantic.sources.frames import to_polars
from mantic.tasks.door import Given, is_frame, moments, used

if TYPE_CHECKING:
    from mantic.tasks.base import Estimator

_LEAST_MOMENTS = 30  # fewer are too few to draw from
_MOST_ALONE = 0.99  # share of rows without a copy from which copies do not matter


def judged_together(given: Given, rows: Array) -> Array | None:
    """Return which of these rows of a fit belong together, shape (len(rows),); None where each stands for itself."""
    groups, moment = (None if one is None else one[rows] for one in (given.groups, given.moment))
    return _together(used(given.frame, given.schema)[rows], groups, moment)


def new_together(estimator: "Estimator", rows: Any, frame: pl.DataFrame, run: Run) -> Array | None:
    """Return the same of new rows, by the columns that told it when the model was fitted.

    Parameters
    ----------
    rows, frame : as they came, and aligned.
    """
    time, group = estimator.roles_
    groups = moment = None
    if group is not None:
        table = to_polars(rows) if is_frame(rows) else pl.DataFrame()
        if group in table.columns:
            groups = table[group].rank("dense").fill_null(0).to_numpy()
        else:
            run.warn("no_groups", f"without the column '{group}' rows count as independent: ranges may be too narrow")
    if time is not None and time in frame.columns and not frame[time].null_count():
        moment = moments(frame[time], estimator.schema_[time])
    return _together(used(frame, estimator.schema_), groups, moment)


def _together(frame: pl.DataFrame, groups: Array | None, moment: Array | None) -> Array | None:
    """Return groups, else moments that many rows share, else which rows are copies of each other."""
    if groups is not None:
        return groups
    if moment is not None:
        found = np.unique(moment, return_inverse=True)[1].reshape(-1)
        return found if _LEAST_MOMENTS <= int(found.max()) + 1 < len(found) else None
    copies = units(frame)
    return copies if int(copies.max()) + 1 < _MOST_ALONE * len(copies) else None
