"""What the user asked of a fit."""

from dataclasses import dataclass

from mantic.core.budget import Budget
from mantic.core.learner import Params
from mantic.core.metric import Metric
from mantic.search.record import Record


@dataclass(frozen=True)
class Wishes:
    """What the user asked of a fit; `again` is a search that is to be repeated instead of a new one."""

    metric: Metric
    budget: Budget
    learners: tuple[str, ...] | None
    fixed: dict[str, Params]
    seed: int
    again: Record | None = None
