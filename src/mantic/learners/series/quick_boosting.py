"""Fewer trees on lags, for a short budget."""

from functools import partial

import numpy as np

from mantic.core.method import METHODS, About
from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.learners.series._lags import Lags
from mantic.learners.series.boosting import Boosting, origins_of, seconds_of

_ROUNDS, _ROWS = 100, 25_000
_LEAST = 2_000  # origins; with fewer, boosting itself is as quick


def _suits(panel: Panel, horizon: int) -> Array:
    return np.asarray((panel.lengths >= Lags(panel).least) & (origins_of(panel, horizon) >= _LEAST))


METHODS.add(
    "quick_boosting",
    Boosting(
        About(
            "quick_boosting", _suits, ("lightgbm",), "as boosting, where there is little time", "2 to 4 s in all",
            is_pooled=True, guess=partial(seconds_of, rounds=_ROUNDS, most_rows=_ROWS),
        ),
        rounds=_ROUNDS, rate=0.1, most_rows=_ROWS,
    ),
)  # fmt: skip
