"""What it costs to load a library on this machine, so that a short budget can do without it."""

import sys
from collections.abc import Iterable
from functools import cache
from importlib import util
from pathlib import Path

# Processor seconds to load a library, with its compiled files (.pyc) at hand, and without. Measured.
_SECONDS = {
    "catboost": (0.8, 3.0),
    "lightgbm": (0.2, 0.8),
    "scipy": (0.15, 0.5),
    "sklearn": (1.0, 4.0),
    "xgboost": (1.7, 5.0),
}
_WORKER_SECONDS = (1.4, 4.3)  # for a worker to be ready


def load_seconds(libraries: Iterable[str]) -> float:
    """Return the processor seconds that loading these libraries will take; nothing for one that is there.

    >>> load_seconds(["json"])
    0.0
    """
    absent = [name for name in libraries if not _is_loaded(name)]
    return max((_SECONDS.get(name, (0.0, 0.0))[is_cold()] for name in absent), default=0.0)


def worker_seconds() -> float:
    """Return the processor seconds that a worker process takes before it can do its first job."""
    return _WORKER_SECONDS[is_cold()]


@cache
def is_cold() -> bool:
    """Whether Python must compile libraries as it loads them, because nobody has kept what it made of them before."""
    found = util.find_spec("scipy")
    return found is None or found.cached is None or not Path(found.cached).exists()


def _is_loaded(name: str) -> bool:
    return name in sys.modules or f"mantic.core.alone.{name}" in sys.modules
