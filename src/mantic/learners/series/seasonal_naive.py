"""What was a season ago."""

from mantic.core.method import About, everywhere, method
from mantic.core.panel import Panel
from mantic.core.season import cycle
from mantic.core.table import Array

_ABOUT = About("seasonal_naive", everywhere, (), "what repeats itself; the reference of every report", "nothing")


@method(_ABOUT)
def seasonal_naive(panel: Panel, horizon: int) -> Array:
    """Return each series' latest season again, shape (n_series, horizon); its last value where it is shorter."""
    return cycle(panel, horizon, panel.seasons[:1])
