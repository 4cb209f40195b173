"""Series of which rows say only what was sold: they go on, with nothing, until the table ends."""

from dataclasses import replace

import numpy as np

from mantic.core.panel import spans
from mantic.features.series.assemble import most_steps
from mantic.features.series.finding import Finding
from mantic.features.series.holed import Holed, about
from mantic.report.numbers import amount


def sold_to_the_end(holed: Holed, findings: list[Finding]) -> Holed:
    """Return series that all end at the latest step of any, with 0 after the last sale of each.

    So a thing that nobody bought lately is not forecast from the day on which it was last bought, as if that were a day
    like others. Where all these zeros would fill the memory, series end as they do, and a finding says so.
    """
    late = holed.last.max() - holed.last
    behind = np.flatnonzero(late)
    if not holed.is_sold_only or not len(behind):
        return holed
    lengths = np.diff(holed.bounds)
    together = int((lengths + late).sum(dtype=np.float64))  # as whole numbers it may be too large
    what = f"after the last row of {len(behind):,} series, up to the latest row of all"
    if together > most_steps(int(np.count_nonzero(holed.values))):
        text = f"the steps {what}, would be too many to be held as 0: these series are forecast from their last row on"
        findings.append(about(holed, behind, Finding("sold_to_last_row", text)))
        return holed
    n_more = int(late.sum())
    text = f"{amount(n_more, 'step', 'steps')} {what}, count as 0 too"
    findings.append(about(holed, behind, Finding("sold_to_the_end", text, n_more, is_repair=True)))
    bounds = np.concatenate([[0], np.cumsum(lengths + late)]).astype(np.int64)
    before = spans(bounds[:-1], lengths)
    values, known = np.zeros(int(bounds[-1])), np.full((int(bounds[-1]), holed.known.shape[1]), np.nan)
    values[before], known[before] = holed.values, holed.known
    return replace(holed, values=values, known=known, bounds=bounds, last=holed.last + late)
