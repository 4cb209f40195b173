"""What a fit was asked, for its journal: another table or another question must not go on from there."""

import hashlib
from importlib.metadata import version
from typing import Any

from mantic.core.table import Array
from mantic.tasks.door import Given
from mantic.tasks.wishes import Wishes

_LIBRARIES = ("mantic", "numpy", "polars", "lightgbm", "scikit-learn")


def about(given: Given, wishes: Wishes) -> dict[str, Any]:
    """Return the facts that must be the same in every sitting; the budget may grow."""
    return {
        "rows": given.frame.height,
        "columns": list(given.frame.columns),
        "kinds": [column.kind.value for column in given.schema.columns],
        "content": _digest(given),
        "metric": wishes.metric.name,
        "learners": list(wishes.learners) if wishes.learners is not None else None,
        "params": wishes.fixed,
        "seed": wishes.seed,
        **{name: version(name) for name in _LIBRARIES},
    }


def _digest(given: Given) -> str:
    """Return a digest of all cells in their order; polars' hash of a row differs between its versions."""
    found = hashlib.sha256(given.frame.hash_rows(seed=1).to_numpy().tobytes())
    arrays: tuple[Array | None, ...] = (given.target.values, given.moment, given.groups)
    for array in arrays:
        found.update(b"" if array is None else array.tobytes())
    return found.hexdigest()[:16]
