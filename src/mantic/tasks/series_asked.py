"""What was asked of a forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Asked:
    """What was asked of a forecast.

    Parameters
    ----------
    horizon, levels, freq, season : as the estimator has them.
    n_methods : how many methods beside the naive family; as many as there is time for when None.
    hierarchy : columns over which sums are formed; none when empty.
    country : whose holidays are reckoned with, if that is better; none when empty.
    parameters : all of the estimator's, for the report.
    """

    horizon: int
    levels: Sequence[float]
    freq: str | None
    season: int | Sequence[int] | None
    n_methods: int | None
    hierarchy: Sequence[str]
    country: str
    parameters: Mapping[str, Any]


def plain_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as plain values, which a report and a file can hold.

    >>> plain_parameters({"horizon": np.int64(7), "levels": np.array([80, 95]), "pretrained": Path("a")})
    {'horizon': 7, 'levels': (80, 95), 'pretrained': 'a'}
    """
    return {name: _plain(value) for name, value in given.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | range | np.ndarray):
        return tuple(map(_plain, value))
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, Path) else value
