"""What a worker imports while it waits for its first job."""

from mantic.core.lazy import need
from mantic.search import trial  # noqa: F401  (the work itself)

for name in ("sklearn.linear_model", "sklearn.preprocessing", "lightgbm"):
    need(name, why="the search")
