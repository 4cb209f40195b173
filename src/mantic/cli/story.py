"""The story of a piece of work: what was told, and when, until it is put down."""

import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from mantic.core.run import Event, Measured, Progress

Told = tuple[str, dict[str, Any]]
_MOST = 10_000  # events; beyond, only what is better than all before


@dataclass
class Story:
    """A listener that remembers what it hears; steps of progress are left out, as there may be thousands.

    Parameters
    ----------
    started : when this sitting began, on `time.monotonic`.
    spent : seconds of earlier sittings.
    begun : set when there is a first model.
    """

    started: float
    spent: float = 0.0
    begun: threading.Event = field(default_factory=threading.Event)
    _waiting: list[Told] = field(default_factory=list)
    _n_heard: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: Event) -> None:
        """Remember an event, with the seconds since the start."""
        if isinstance(event, Progress):
            return
        if isinstance(event, Measured) and event.name == "first_model":
            self.begun.set()
        self._n_heard += 1
        if self._n_heard > _MOST and isinstance(event, Measured) and not event.facts.get("best"):
            return
        facts = asdict(event) | {"seconds_in": round(self.spent + time.monotonic() - self.started, 3)}
        with self._lock:
            self._waiting.append((type(event).__name__.lower(), facts))

    @property
    def began(self) -> str:
        """Return when this sitting began, in UTC."""
        return datetime.fromtimestamp(time.time() - (time.monotonic() - self.started), UTC).isoformat()

    def take(self) -> list[Told]:
        """Return what was heard since the last time."""
        with self._lock:
            taken, self._waiting = self._waiting, []
        return taken

    def give_back(self, events: list[Told]) -> None:
        """Remember again what could not be put down."""
        with self._lock:
            self._waiting[:0] = events
