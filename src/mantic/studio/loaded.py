"""Models of the store that pages ask: loaded once, the latest few are held."""

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from mantic.serve.served import Served
from mantic.store.store import Store

_MOST = 8


@dataclass(frozen=True)
class Loaded:
    """The models that were asked lately; a version never changes, so what is held stays right."""

    store: Store
    _held: "OrderedDict[str, Served]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "mantic-loaded"))

    def close(self) -> None:
        """Wait for what is being loaded beside the pages."""
        self._beside.shutdown(cancel_futures=True)

    def begin(self, name: str, number: int) -> None:
        """Load a version beside the pages, so that who opens it next does not wait; faults are told to who asks."""
        if not self.holds(name, number):
            self._beside.submit(self.served, name, number)

    def holds(self, name: str, number: int) -> bool:
        """Whether a version is in memory."""
        return f"{name}/{number}" in self._held

    def get(self, name: str, number: int) -> Any:
        """Return the fitted estimator of a version; raises as `served` does."""
        return self.served(name, number).model

    def served(self, name: str, number: int) -> Served:
        """Return a version as a server asks it, one frame at a time.

        Raises
        ------
        StoreError : if there is no such version. ArtifactError : if its file cannot be used.
        """
        from mantic.tasks.base import load

        words = str(self.store.models.get(f"{name}/{number}"))  # one that was deleted is not shown from memory
        with self._lock:
            if words not in self._held:
                with self.store.models.file(words) as path:
                    self._held[words] = Served(name, load(path))
                while len(self._held) > _MOST:
                    self._held.popitem(last=False)
            self._held.move_to_end(words)
            return self._held[words]
