"""What a worker imports while it waits for its first job: what comes first in a search stands first."""

from mantic.core.lazy import need, need_alone
from mantic.search import trial  # noqa: F401  (the work itself)

need_alone("lightgbm", why="the search")
need("sklearn.linear_model", why="the search")
