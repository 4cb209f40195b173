"""What to try, in which order: strong fixed configurations first, then neighbours of the best."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mantic.core.learner import LEARNERS, Choice, Params, Range, is_installed
from mantic.core.table import Target


@dataclass(frozen=True)
class Entry:
    """A configuration to try.

    Parameters
    ----------
    learner, params : who, and with what.
    cost : how many times longer it takes than the same learner with its defaults.
    grows : a parameter that is at least 1 and one more for every 4,000 rows; empty for none.
    """

    learner: str
    params: Params = field(default_factory=dict)
    cost: float = 1.0
    grows: str = ""

    def suited(self, n_rows: int) -> "Entry":
        """Return the entry with its growing parameter set for so many rows.

        >>> Entry("forest", {"min_samples_leaf": 1}, grows="min_samples_leaf").suited(8_000).params
        {'min_samples_leaf': 3}
        """
        if not self.grows:
            return self
        least = max(self.params[self.grows], 1 + n_rows // _ROWS_PER_STEP)
        return Entry(self.learner, self.params | {self.grows: least}, self.cost)


_SLOW = Entry(
    "boosting", {"num_leaves": 20, "learning_rate": 0.02, "min_data_in_leaf": 5, "feature_fraction": 0.5}, cost=1.8
)
_LARGE = Entry(
    "boosting", {"num_leaves": 96, "learning_rate": 0.04, "min_data_in_leaf": 40, "feature_fraction": 0.6}, cost=1.8
)
_SMALL = Entry("boosting", {"num_leaves": 8, "learning_rate": 0.05, "min_data_in_leaf": 10})
_DEEP = Entry(
    "boosting",
    {"num_leaves": 128, "learning_rate": 0.03, "min_data_in_leaf": 3, "feature_fraction": 0.9, "lambda_l2": 0.0},
    cost=3.5,
)
_HASTY = Entry("boosting", {"num_leaves": 31, "learning_rate": 0.2, "min_data_in_leaf": 10, "rounds": 120}, cost=0.1)
# Leaves that grow with the rows keep a forest's file small.
_FOREST = Entry("forest", {"n_estimators": 100, "min_samples_leaf": 5}, grows="min_samples_leaf")
_EXTRA = Entry(
    "forest",
    {"kind": "extra", "n_estimators": 100, "min_samples_leaf": 1, "max_features": 0.7},
    grows="min_samples_leaf",
)
# Rows of the same class lie together where classes are many: leaves of single rows tell them apart.
_EXACT = Entry("forest", {"kind": "extra", "n_estimators": 100, "min_samples_leaf": 1, "max_features": 0.7})
# Amounts and counts: effects multiply, and what is large varies more.
_AMOUNTS = Entry(
    "boosting",
    {
        "objective": "poisson", "num_leaves": 20, "learning_rate": 0.03, "min_data_in_leaf": 5, "feature_fraction": 0.5,
    },
    cost=2.0,
)  # fmt: skip
_ALONE = Entry("mlp", {"voices": 1, "hidden": 256, "layers": 3})
_CURVED = Entry("svm", {"C": 10.0})

# Ordered by what each adds to a blend of those before it, greedily, over eleven development tables: learned on part of
# their learning rows, chosen on another, judged on a third (mean normalised score .805, .914, .931, .935, .937, ...).
_USUAL = (
    Entry("linear"), _SLOW, _EXTRA, _LARGE, Entry("mlp"), Entry("naive_bayes"), _SMALL, _FOREST, _ALONE,
    Entry("boosting"), Entry("svm"), Entry("histgb"), Entry("catboost"), _DEEP, Entry("knn"), Entry("xgboost"),
)  # fmt: skip
# On large tables the cheap comes first: there may be no time for anything else.
_LARGE_TABLE = (Entry("linear"), Entry("boosting"), *_USUAL[1:])
# Where texts are, what reads them word by word comes first: linear models and the kernel of a support vector machine.
_WITH_TEXT = (Entry("linear"), Entry("svm"), *_USUAL[1:3], _CURVED, *_USUAL[3:])
# Boosting grows one tree per class and round: what does not comes first.
_MANY_CLASSES = (
    Entry("linear"), _HASTY, _ALONE, _EXACT, Entry("mlp"), Entry("knn"), Entry("histgb"), Entry("svm"),
    Entry("boosting"), _SLOW, _FOREST, Entry("naive_bayes"),
)  # fmt: skip
_FROM_ROWS = 100_000
_TEXT_ROWS = 3_750  # with more, the part that learns is too large for an exact kernel over words
_ROWS_PER_STEP = 4_000  # rows for which a growing parameter goes up by one
_FROM_CLASSES = 8
# How long a fit goes on, and in which form: not what it learns.
_NEVER_MOVED = ("stopping", "rounds", "n_estimators", "epochs", "share", "form", "objective", "solver", "hurry")
_NEIGHBOURS = 120
_LEADERS = 2


def portfolio(
    target: Target, names: Sequence[str] | None, fixed: Mapping[str, Params], *, has_text: bool
) -> list[Entry]:
    """Return the configurations to try first.

    Parameters
    ----------
    target : its kind, rows and number of classes decide the order; learners for other tasks are left out.
    has_text : whether a column holds texts, which decides the order too.
    names : use only these learners; a learner that the portfolio does not know is tried with its defaults.
    fixed : parameters that must hold, per learner.

    >>> portfolio(Target(np.array([1.0, 2.0])), ["tree"], {}, has_text=False)
    [Entry(learner='tree', params={}, cost=1.0, grows='')]
    """
    task = "classify" if target.is_classes else "regress"
    order = _order(target, has_text)
    if not target.is_classes and float(target.values.min()) >= 0:
        place = order.index(_SLOW) + 1
        order = (*order[:place], _AMOUNTS, *order[place:])
    rows = [one.suited(len(target)) for one in order if names is None or one.learner in names]
    rows += [Entry(name) for name in names or () if name not in {one.learner for one in rows}]
    able = [one for one in rows if _is_able(one.learner, task, named=names is not None)]
    merged = [Entry(one.learner, one.params | fixed.get(one.learner, {}), one.cost) for one in able]
    told = [(one.learner, one.params) for one in merged]
    return [one for place, one in enumerate(merged) if told[place] not in told[:place]]


def _order(target: Target, has_text: bool) -> tuple[Entry, ...]:
    if target.n_classes >= _FROM_CLASSES:
        return _MANY_CLASSES
    if has_text and len(target) <= _TEXT_ROWS:
        return _WITH_TEXT
    return _LARGE_TABLE if len(target) >= _FROM_ROWS else _USUAL


def _is_able(name: str, task: str, *, named: bool) -> bool:
    """Whether a learner is for the task and installed; one that the user names is tried, and says what is absent."""
    learner = LEARNERS.get(name)
    return task in learner.tasks and (named or is_installed(learner))


def neighbours(leaders: Sequence[Entry], fixed: Mapping[str, Params], seed: int) -> Iterator[Entry]:
    """Yield configurations near the leaders, in turn (`leaders` may be reordered by the caller between two).

    Every third one is a leader as it is: with another seed it makes a blend steadier (bagging; Breiman, 1996). Each
    turn has chance of its own, so that a search that goes on after a crash takes the same steps.
    """
    for turn in range(_NEIGHBOURS):
        chance = np.random.default_rng((seed, turn))
        if not leaders:
            return
        leader = leaders[turn % min(_LEADERS, len(leaders))]
        space = LEARNERS.get(leader.learner)().space()
        free = [key for key in space if key not in fixed.get(leader.learner, {}) and key not in _NEVER_MOVED]
        if not free:
            return
        moved = dict(leader.params)
        if turn % 3 != 2:
            for key in chance.choice(free, size=min(2, len(free)), replace=False):
                moved[str(key)] = _move(space[str(key)], moved.get(str(key), space[str(key)].default), chance)
        yield Entry(leader.learner, moved, leader.cost)


def _move(one: Range | Choice, value: object, chance: np.random.Generator) -> object:
    if isinstance(one, Choice):
        return one.values[int(chance.integers(len(one.values)))]
    now = float(value) if isinstance(value, int | float) else float(one.default)
    if one.log:
        spread = np.log(one.high / one.low) / 6
        moved = float(np.exp(np.log(now) + chance.normal(0, spread)))
    else:
        moved = now + chance.normal(0, (one.high - one.low) / 6)
    moved = min(max(moved, one.low), one.high)
    return round(moved) if one.is_whole else moved
