"""Models of the store that pages ask: loaded once, the latest few are held."""

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from mantic.core.errors import ManticError
from mantic.serve.served import Served
from mantic.store.store import Store

_MOST = 8


@dataclass(frozen=True)
class Loaded:
    """The models that were asked lately; a version never changes, so what is held stays right."""

    store: Store
    _held: "OrderedDict[str, Served]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)  # for a moment: not while something is loaded
    _loading: dict[str, threading.Lock] = field(default_factory=dict)  # by version, so that nothing is loaded twice
    _begun: set[str] = field(default_factory=set)  # beside the pages, once each
    _beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "mantic-loaded"))

    def close(self) -> None:
        """Wait for what is being loaded beside the pages."""
        self._beside.shutdown(cancel_futures=True)

    def begin(self, name: str, number: int) -> None:
        """Load a version beside the pages, so that who opens it next does not wait; faults are told to who asks.

        What cannot be loaded is not tried again here.
        """
        words = f"{name}/{number}"
        with self._lock:
            if words in self._held or words in self._begun:
                return
            self._begun.add(words)
        with suppress(RuntimeError):  # Studio is closing
            self._beside.submit(self._load_beside, name, number)

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
        words = str(self.store.models.get(f"{name}/{number}"))  # one that was deleted is not shown from memory
        with self._lock:
            mine = self._loading.setdefault(words, threading.Lock())
        with mine:
            return self._found(words) or self._kept(words, self._load(name, words))

    def _load_beside(self, name: str, number: int) -> None:
        with suppress(ManticError):
            self.served(name, number)
            self._begun.discard(f"{name}/{number}")

    def _load(self, name: str, words: str) -> Served:
        from mantic.tasks.base import load

        with self.store.models.file(words) as path:
            return Served(name, load(path))

    def _found(self, words: str) -> Served | None:
        with self._lock:
            if words in self._held:
                self._held.move_to_end(words)
            return self._held.get(words)

    def _kept(self, words: str, served: Served) -> Served:
        with self._lock:
            self._held[words] = served
            self._loading.pop(words, None)
            while len(self._held) > _MOST:
                self._held.popitem(last=False)
        return served
