"""The story of a piece of work as it is kept: what was told, and when."""

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from mantic.core.run import Event, Progress

_MOST = 2_000  # events


@dataclass
class Story:
    """A listener that remembers; steps of progress are left out, as there may be thousands.

    Parameters
    ----------
    started : when the work began, on `time.monotonic`.
    """

    started: float
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Remember an event, with the seconds since the start."""
        if not isinstance(event, Progress) and len(self.events) < _MOST:
            facts = asdict(event) | {"seconds_in": round(time.monotonic() - self.started, 3)}
            self.events.append((type(event).__name__.lower(), facts))

    @property
    def began(self) -> str:
        """Return when the work began, in UTC."""
        return datetime.fromtimestamp(time.time() - (time.monotonic() - self.started), UTC).isoformat()
