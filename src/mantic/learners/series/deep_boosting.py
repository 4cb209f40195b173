"""More and larger trees on lags, where there is very much to learn from."""

import numpy as np

from mantic.core.method import METHODS, About
from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.learners.series._lags import Lags
from mantic.learners.series.boosting import Boosting, origins_of

_LEAST = 50_000  # origins; with fewer, larger trees learn noise


def _suits(panel: Panel, horizon: int) -> Array:
    return np.asarray((panel.lengths >= Lags(panel).least) & (origins_of(panel, horizon) >= _LEAST))


METHODS.add(
    "deep_boosting",
    Boosting(
        About(
            "deep_boosting", _suits, ("lightgbm",), "long series with several cycles", "five times what boosting costs",
            is_pooled=True, like="boosting", times=5.0,
        ),
        rounds=600, leaves=63, most_rows=300_000,
    ),
)  # fmt: skip
