"""What there is time for: decided from the budget that is left, and from how fast this machine is just now."""

import os
from dataclasses import dataclass

from mantic.core.load import load_seconds, worker_seconds

_REPORT_SHARE, _REPORT_LEAST, _REPORT_MOST = 0.12, 0.4, 8.0  # of the budget, kept for judging and the report
_LOAD_SHARE = 0.3  # of the time left may go into loading what a first model can do without
_READY_SHARE = 0.5  # of the time to search may be gone when workers are ready; else they are not worth their start
_IDLE = 1.2  # up to this slowdown nobody else computes


@dataclass(frozen=True)
class Haste:
    """The clock of a fit at one moment.

    Parameters
    ----------
    left : seconds of the budget, for everything.
    slowdown : how much longer things take than on an idle machine, 1 or more.
    n_cores : of this machine.
    """

    left: float
    slowdown: float
    n_cores: int = os.cpu_count() or 2

    @property
    def reserve(self) -> float:
        """Return the seconds to keep for judging and the report.

        >>> Haste(10.0, 1.0).reserve, Haste(10.0, 3.0).reserve
        (1.2, 3.5999999999999996)
        """
        if self.left == float("inf"):
            return 0.0
        return min(0.4 * self.left, self.slowdown * min(_REPORT_MOST, max(_REPORT_LEAST, _REPORT_SHARE * self.left)))

    @property
    def first_load(self) -> float:
        """Return the processor seconds that may be spent on loading what a first model can do without."""
        return _LOAD_SHARE * self.left / self.slowdown

    def workers(self, most: int) -> int:
        """Return how many worker processes are ready soon enough to be worth their start; 0 to search right here."""
        if self.left == float("inf"):
            return most
        to_search = self.left - self.reserve
        return next((n for n in range(most, 0, -1) if self._ready(n) <= _READY_SHARE * to_search), 0)

    def allows(self, libraries: tuple[str, ...], *, share: float) -> bool:
        """Return whether libraries can be loaded in a share of the time that is left."""
        return load_seconds(libraries) * self.slowdown <= share * self.left

    def _ready(self, n_workers: int) -> float:
        """Return the seconds until so many workers are ready, which share the cores with us and with others."""
        n_others = max(0.0, self.slowdown * self.n_cores - 1) if self.slowdown > _IDLE else 0.0
        return worker_seconds() * max(1.0, (1 + n_workers + n_others) / self.n_cores)
