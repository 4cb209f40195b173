"""What a worker imports while it waits for its first job: what comes first in a search stands first."""

from mantic.core.lazy import need
from mantic.search import trial  # noqa: F401  (the work itself)

for name in ("lightgbm", "sklearn.linear_model"):
    need(name, why="the search")
