"""What was asked of a forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Asked:
    """What was asked of a forecast.

    Parameters
    ----------
    horizon, levels, freq, season : as the estimator has them.
    n_methods : how many methods beside the naive family; as many as there is time for when None.
    hierarchy : columns over which sums are formed; none when empty.
    parameters : all of the estimator's, for the report.
    """

    horizon: int
    levels: Sequence[float]
    freq: str | None
    season: int | Sequence[int] | None
    n_methods: int | None
    hierarchy: Sequence[str]
    parameters: Mapping[str, Any]
