"""What still ends in time: from what is left, and from how fast this process gets on just now."""

import time

from mantic.core.budget import Deadline

_LEAST_USED = 0.02  # processor seconds from which a pace can be told
_MOST_SLOWED = 8.0  # beyond it a process waited for something else than the processor


class Clock:
    """The clock of a forecast: how much longer than processor time things take, since it was made.

    Parameters
    ----------
    deadline : when all must be over.

    >>> Clock(Deadline()).allows(1e9), Clock(Deadline.after(0)).allows(0.1)
    (True, False)
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self._wall, self._used = time.monotonic(), time.process_time()

    def paused(self, seconds: float) -> None:
        """Leave out a time in which this process waited for others: it says nothing about its pace."""
        self._wall += seconds

    def slowdown(self) -> float:
        """Return how many seconds pass for one of processor time, 1 to 8."""
        used = time.process_time() - self._used
        waited = time.monotonic() - self._wall
        return min(_MOST_SLOWED, max(1.0, waited / used)) if used > _LEAST_USED else 1.0

    def allows(self, seconds: float) -> bool:
        """Return whether so many processor seconds end in time."""
        return seconds * self.slowdown() <= self.deadline.left()
