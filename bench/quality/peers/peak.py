"""How much memory a process and all its children hold at the same moment, at most."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

_EVERY = 0.05  # seconds between two looks


class Peak:
    """The most so far, in millions of bytes.

    Pages that processes may share (libraries, files in memory) count once: as many as the process has that holds most.
    """

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._own = psutil.Process()

    def look(self) -> None:
        """Measure now."""
        alone, shared = 0, 0
        for process in (self._own, *self._own.children(recursive=True)):
            try:
                memory = process.memory_info()
            except psutil.Error:  # it has just ended
                continue
            alone += memory.rss - memory.shared
            shared = max(shared, memory.shared)
        self.megabytes = max(self.megabytes, round((alone + shared) / 1e6, 1))


@contextmanager
def peak() -> Iterator[Peak]:
    """Look again and again while the block runs."""
    found, done = Peak(), threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY):
            found.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()
        found.look()
