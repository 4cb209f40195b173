"""Looks at models that answer: each is held for a minute, as it takes a second or two."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mantic.store.store import Store
from mantic.studio.loaded import Loaded
from mantic.watch.alert import settle
from mantic.watch.asked import Subject
from mantic.watch.look import Watched, watch
from mantic.watch.period import last

_MOST = 16
_FRESH_SECONDS = 60.0

Key = tuple[str, int, str]  # name, number, how far back


@dataclass(frozen=True)
class Looks:
    """What was seen a moment ago."""

    store: Store
    loaded: Loaded
    _held: "OrderedDict[Key, tuple[float, Watched]]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fresh(self, name: str, number: int, since: str) -> Watched | None:
        """Return a look that is not older than a minute, or None."""
        at, watched = self._held.get((name, number, since), (0.0, None))
        return watched if watched is not None and time.monotonic() - at < _FRESH_SECONDS else None

    def look(self, name: str, number: int, since: str) -> Watched:
        """Look at a version, and settle its alerts; what was seen a moment ago is given again.

        Raises
        ------
        SettingsError : if `since` is no stretch of time.
        """
        with self._lock:  # two who open a page at once need one look
            if (known := self.fresh(name, number, since)) is not None:
                return known
            period = last(since, now=datetime.now(UTC))
            found = watch(self.store, Subject(name, number, self.loaded.get(name, number)), period)
            settle(self.store, found)
            self._held[name, number, since] = (time.monotonic(), found)
            while len(self._held) > _MOST:
                self._held.popitem(last=False)
            return found

    def forget(self, name: str) -> None:
        """Look anew at a model the next time: something about it has changed."""
        with self._lock:
            for key in [key for key in self._held if key[0] == name]:
                del self._held[key]
