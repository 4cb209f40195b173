"""From probabilities to a decision: chosen on rows of the search, valued on rows that nothing has seen."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from mantic.core.errors import SettingsError
from mantic.core.table import Array
from mantic.evaluate.capacity import Capacity
from mantic.evaluate.costs import Costs
from mantic.evaluate.facts import plain
from mantic.evaluate.intervals import Interval, mean_with_unseen
from mantic.evaluate.resample import Resamples
from mantic.evaluate.threshold import by_capacity, by_cost, theory
from mantic.evaluate.unseen import Answers, Unseen
from mantic.report.blocks import Report

_MOST_KINDS = 200  # of events that an interval reckons with; more classes have more
PER_ROWS = 1_000.0  # what is said of many rows, where neither a day nor a batch was asked for


@dataclass(frozen=True)
class Policy:
    """One way to decide, valued on the held-out rows.

    Parameters
    ----------
    key : "decision", "nobody", "everybody", "random" (as many as the capacity allows), "half" (at probability 0.5),
        "theory" (at the threshold for right probabilities); for more than two classes "constant" and "likeliest".
    name : for people.
    value : per row, in the unit of the costs; above 0 is a gain, below 0 a cost.
    ahead : how much more the decision is worth per row than this policy; above 0 the decision is better.
    share : of the rows that is acted on, 0 to 1; None where there are more than two classes.
    is_possible : whether the capacity allows it.
    """

    key: str
    name: str
    value: Interval
    ahead: Interval
    share: float | None = None
    is_possible: bool = True


@dataclass(frozen=True)
class Decision:
    """How to decide, and what that is worth.

    Parameters
    ----------
    target, costs, capacity : what was asked.
    threshold : act on a row whose probability of `costs.classes[costs.positive]` is this or more; None where there are
        more than two classes: the one with the least expected cost is then decided.
    limit : what the threshold comes from: "cost" (it pays from here on) or "capacity" (more rows would pay).
    value : per row on the held-out rows, with a 95 % interval; in the unit of the costs, above 0 is a gain.
    share : of the held-out rows that is acted on, 0 to 1; None for more than two classes.
    period, n_rows : "day", "week", "month", "batch" or "1,000 rows", and how many rows that is.
    policies : the decision itself, then what it is held against.
    best_trivial : key of the best policy that needs no model.
    level : "good" when the decision is clearly better than that, else "useless".
    sentence : what a manager reads.
    report : the same as pictures and tables.
    n_held_out : how many rows judged.
    """

    target: str
    costs: Costs
    capacity: Capacity | None
    threshold: float | None
    limit: Literal["cost", "capacity"]
    value: Interval
    share: float | None
    period: str
    n_rows: float
    policies: tuple[Policy, ...]
    best_trivial: str
    level: Literal["good", "useless"]
    n_held_out: int
    sentence: str = ""
    report: Report = field(default=Report(""), compare=False)

    @property
    def value_per_period(self) -> Interval:
        """Return the value of a day, a week, a month, a batch, or 1,000 rows."""
        return times(self.value, self.n_rows)

    def policy(self, key: str) -> Policy:
        """Return one of the policies."""
        return next(one for one in self.policies if one.key == key)

    def decide(self, guess: Array) -> Array:
        """Return the code of the class that is decided for each row.

        Parameters
        ----------
        guess : probabilities, columns in the order of `costs.classes`; shape (n_rows, n_classes).
        """
        if self.threshold is None:
            return np.asarray((guess @ self.costs.array()).argmin(axis=1))
        positive = self.costs.positive
        return np.where(guess[:, positive] >= self.threshold, positive, 1 - positive)

    def to_facts(self) -> dict[str, Any]:
        """Return everything but the report as plain JSON values; not-a-number is None."""
        facts = asdict(self)
        facts.pop("report")
        facts["value_per_period"] = asdict(self.value_per_period)
        return dict(plain(facts))

    def to_json(self) -> str:
        """Return it as JSON text, restored by `from_json`."""
        facts = asdict(self)
        facts["report"] = self.report.to_json()
        return json.dumps(facts, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Decision":
        """Restore what `to_json` wrote.

        Raises
        ------
        ValueError, KeyError, TypeError, ArtifactError : if the text is no decision.
        """
        facts = json.loads(text)
        costs = facts["costs"]
        matrix = tuple(tuple(float(one) for one in row) for row in costs["matrix"])
        facts["costs"] = Costs(**costs | {"matrix": matrix, "classes": tuple(costs["classes"])})
        facts["capacity"] = None if facts["capacity"] is None else Capacity(**facts["capacity"])
        facts["policies"] = tuple(
            Policy(**one | {"value": Interval(**one["value"]), "ahead": Interval(**one["ahead"])})
            for one in facts["policies"]
        )
        facts["value"] = Interval(**facts["value"])
        facts["report"] = Report.from_json(facts["report"])
        n_classes = len(facts["costs"].classes)
        if len(matrix) != n_classes or any(len(row) != n_classes for row in matrix):
            raise ValueError("the costs do not fit the classes")
        is_known = isinstance(facts["threshold"], float) and facts["costs"].positive in (0, 1)
        if not (is_known if n_classes == 2 else facts["threshold"] is None):
            raise ValueError("the threshold does not fit the classes")
        return cls(**facts)

    def _repr_html_(self) -> str:
        """Return the report for a notebook cell."""
        return self.report._repr_html_()


def times(value: Interval, factor: float) -> Interval:
    """Return an interval for so many rows."""
    return Interval(value.score * factor, value.low * factor, value.high * factor)


@dataclass(frozen=True)
class Weighed:
    """The held-out rows with what decisions on them are worth.

    Parameters
    ----------
    answers : truth and probabilities of the held-out rows.
    thresholds : the threshold of each part, chosen on inner rows of that part alone; empty for more than two classes.
    plan : the weights by which intervals are drawn.
    """

    unseen: Unseen
    costs: Costs
    capacity: Capacity | None
    thresholds: Mapping[int, float]
    plan: Resamples

    @classmethod
    def of(cls, unseen: Unseen, costs: Costs, *, capacity: Capacity | None = None, seed: int = 0) -> "Weighed":
        """Choose thresholds and draw the weights."""
        plan = Resamples.draw(len(unseen.held_out), clusters=unseen.clusters, seed=seed)
        return cls(unseen, costs, capacity, thresholds_of(unseen, costs, capacity), plan)

    @property
    def answers(self) -> Answers:
        """Return truth and probabilities of the held-out rows."""
        return self.unseen.held_out

    @property
    def chance(self) -> Array:
        """Return the probability of the class that is acted on; shape (n_rows,)."""
        return np.asarray(self.answers.guess[:, self.costs.positive])

    @property
    def is_case(self) -> Array:
        """Return whether each row is of the class that is acted on."""
        return np.asarray(self.answers.truth == self.costs.positive)

    def acted(self, thresholds: Mapping[int, float] | None = None) -> Array:
        """Return which rows are acted on, each by the threshold of its own part."""
        known = self.thresholds if thresholds is None else thresholds
        own = np.array([known[int(part)] for part in self.answers.part.tolist()])
        return np.asarray(self.chance >= own)

    def acting(self, acted: Array) -> Array:
        """Return what is done with each row of two classes; `acted` may be a share, for acting by chance."""
        done = np.empty((len(acted), 2))
        done[:, self.costs.positive], done[:, 1 - self.costs.positive] = acted, 1.0 - acted
        return done

    def least_cost(self, costs: Costs | None = None) -> Array:
        """Return what is done with each row when the class with the least expected cost is decided."""
        guess = self.answers.guess.astype(np.float64)
        return np.asarray(np.eye(guess.shape[1])[(guess @ (costs or self.costs).array()).argmin(axis=1)])

    def worth(self, done: Array, costs: Costs | None = None) -> Array:
        """Return the value of each row; above 0 is a gain.

        Parameters
        ----------
        done : for every class the share (0 or 1, or between by chance) in which it is decided; (n_rows, n_classes).
        """
        return np.asarray(-(done * (costs or self.costs).array()[self.answers.truth]).sum(axis=1))

    def interval(self, done: Array, against: Array | None = None) -> Interval:
        """Return the value per row of what is done, or of its lead over something else, with a 95 % interval."""
        other = np.zeros_like(done) if against is None else against
        both = np.unique(np.hstack([done, other]), axis=0)
        apart = both[:, : done.shape[1]] - both[:, done.shape[1] :]
        kinds = -(apart @ self.costs.array().T).ravel()  # with any truth: some may be absent here, and cost most
        if len(kinds) > _MOST_KINDS:
            kinds = np.quantile(kinds, np.linspace(0, 1, _MOST_KINDS))
        return mean_with_unseen(self.worth(done) - self.worth(other), kinds, self.plan)


def thresholds_of(unseen: Unseen, costs: Costs, capacity: Capacity | None) -> dict[int, float]:
    """Return the threshold of each part, and of the kept model, chosen without the rows that judge it."""
    if not costs.is_binary:
        return {}
    found = {}
    for part in {*unseen.held_out.part.tolist(), unseen.kept}:
        inner = unseen.inner.of(part)
        chance = inner.guess[:, costs.positive].astype(np.float64)
        found[part] = by_cost(chance, inner.truth == costs.positive, costs)
        if capacity is not None:
            scores = chance if len(chance) else unseen.held_out.guess[:, costs.positive]  # looks at no answers
            found[part] = max(found[part], by_capacity(scores, capacity.share))
    return found


def check_needed(costs: Costs, *, is_limited: bool) -> None:
    """Refuse costs by which it is right to act on everybody, where no capacity (`is_limited`) makes one choose."""
    if costs.is_binary and not is_limited and costs.edges[1] <= 0:
        raise SettingsError(
            "by these costs acting on everybody is always right, so no model is needed",
            where=f"--cost {costs.text}",
            fix="say what a false alarm costs (fp above tn), or how many can be acted on (--capacity)",
        )


def decide(weighed: Weighed, *, target: str) -> Decision:
    """Decide by the thresholds that were chosen, and say what that is worth beside the obvious policies.

    The value belongs to the held-out rows: each is decided by a threshold that was chosen on other rows.

    Raises
    ------
    SettingsError : if by these costs acting on everybody is always right, so that no model is needed.

    Source: Elkan (2001), The Foundations of Cost-Sensitive Learning; Vickers and Elkin (2006), Decision Curve Analysis,
    for the policies that it is held against.
    """
    costs, capacity = weighed.costs, weighed.capacity
    check_needed(costs, is_limited=capacity is not None)
    ways = _of_two(weighed) if costs.is_binary else _of_many(weighed)
    own = ways[0].done
    policies = tuple(
        Policy(
            one.key, one.name, weighed.interval(one.done), weighed.interval(own, one.done), share=one.share(costs),
            is_possible=one.key in ("decision", "random") or _fits(one, weighed),
        )
        for one in ways
    )  # fmt: skip
    trivial = [one for one in policies if one.key in ("nobody", "everybody", "random", "constant") and one.is_possible]
    best = max(trivial, key=lambda one: one.value.score)
    threshold = weighed.thresholds[weighed.unseen.kept] if costs.is_binary else None
    period, n_rows = _period(capacity)
    return Decision(
        target, costs, capacity, threshold, limit=_limit(weighed), value=policies[0].value,
        share=policies[0].share, period=period, n_rows=n_rows, policies=policies, best_trivial=best.key,
        level="good" if best.ahead.low > 0 else "useless", n_held_out=len(weighed.answers),
    )  # fmt: skip


@dataclass(frozen=True)
class _Way:
    """A policy before it is valued: what is done with each row."""

    key: str
    name: str
    done: Array

    def share(self, costs: Costs) -> float | None:
        return float(self.done[:, costs.positive].mean()) if costs.is_binary else None


def _fits(way: _Way, weighed: Weighed) -> bool:
    """Whether the capacity allows it."""
    return weighed.capacity is None or (way.share(weighed.costs) or 0.0) <= weighed.capacity.share


def _of_two(weighed: Weighed) -> list[_Way]:
    """Return the policies for two classes, the decision first."""
    capacity, n_rows = weighed.capacity, len(weighed.answers)
    ways = [
        ("decision", "this decision", weighed.acted()),
        ("nobody", "act on nobody", np.zeros(n_rows)),
        ("everybody", "act on everybody", np.ones(n_rows)),
    ]
    if capacity is not None:
        ways.append(("random", "act on as many by chance", np.full(n_rows, capacity.share)))
    ways.append(("half", "act at 0.5", weighed.chance >= 0.5))
    aim = theory(weighed.costs)
    if 0 < aim <= 1:
        ways.append(("theory", f"act at {aim:.3g}, right in theory", weighed.chance >= aim))
    return [_Way(key, name, weighed.acting(acted.astype(np.float64))) for key, name, acted in ways]


def _of_many(weighed: Weighed) -> list[_Way]:
    """Return the policies for more than two classes, the decision first."""
    names = weighed.costs.classes
    each = np.eye(len(names))
    always = [np.tile(row, (len(weighed.answers), 1)) for row in each]
    best = int(np.argmax([weighed.worth(done).mean() for done in always]))
    return [
        _Way("decision", "this decision", weighed.least_cost()),
        _Way("constant", f"always decide '{names[best]}'", always[best]),
        _Way("likeliest", "decide the likeliest class", each[weighed.answers.guess.argmax(axis=1)]),
    ]


def _limit(weighed: Weighed) -> Literal["cost", "capacity"]:
    if weighed.capacity is None:
        return "cost"
    free = thresholds_of(weighed.unseen, weighed.costs, None)[weighed.unseen.kept]
    return "capacity" if weighed.thresholds[weighed.unseen.kept] > free else "cost"


def _period(capacity: Capacity | None) -> tuple[str, float]:
    if capacity is None or not capacity.period:
        return "1,000 rows", PER_ROWS
    return capacity.period, capacity.n_rows
