"""A decision in words: what to do, what it is worth, and whether a model is needed for it."""

import math
from collections.abc import Mapping

import numpy as np

from mantic.evaluate.decide import Decision, Policy, Weighed, times
from mantic.evaluate.intervals import Interval
from mantic.evaluate.verdict import of_100
from mantic.report.numbers import amount, say, say_range

_FEW_CASES = 20
_PER: Mapping[str, str] = {"day": "a day", "week": "a week", "month": "a month", "1,000 rows": "per 1,000 rows"}
_DOING: Mapping[str, str] = {
    "nobody": "acting on nobody",
    "everybody": "acting on everybody",
    "random": "acting on as many by chance",
}


def sentence(decision: Decision, weighed: Weighed) -> str:
    """Return what a manager reads."""
    parts = [_rule(decision), *_limit(decision), _worth(decision)]
    if decision.costs.is_binary:
        n_cases = int(weighed.is_case.sum())
        if n_cases < _FEW_CASES:
            parts.append(f"Judged on {amount(n_cases, 'row')} of {case(decision)} only: hold it lightly.")
    return " ".join(parts)


def case(decision: Decision) -> str:
    """Return the name of the class that is acted on."""
    return f"'{decision.costs.classes[decision.costs.positive]}'"


def word(decision: Decision) -> str:
    """Return what the figures are: cost, gain or found."""
    return decision.costs.kind


def per(decision: Decision) -> str:
    """Return for how many rows a figure stands.

    Depends on the capacity: "a day", "per batch of 1,409 rows", "per 1,000 rows".
    """
    return _PER.get(decision.period) or f"per batch of {decision.n_rows:,.0f} rows"


def shown(decision: Decision, value: Interval) -> Interval:
    """Return a value per row as it is shown: for the period, and as a cost where people speak of costs."""
    whole = times(value, decision.n_rows)
    return flipped(whole) if decision.costs.kind == "cost" else whole


def flipped(value: Interval) -> Interval:
    """Return a gain as a cost, or a cost as a gain."""
    return Interval(0.0 - value.score, 0.0 - value.high, 0.0 - value.low)


def doing(policy: Policy) -> str:
    """Return what a policy does, as a noun."""
    return _DOING.get(policy.key) or policy.name.replace("always decide", "always deciding")


def rounded(value: Interval) -> Interval:
    """Round to three figures, both ends to the same place: more would claim more than is known.

    >>> rounded(Interval(141.2, 38.43, 235.1))
    Interval(score=141.0, low=38.0, high=235.0)
    """
    largest = max(abs(value.low), abs(value.high))
    places = 2 - math.floor(math.log10(largest)) if 0 < largest < math.inf else 0
    low, high = (round(end, places) + 0.0 for end in (value.low, value.high))
    return Interval(float(f"{value.score:.3g}") + 0.0, low, high)


def figure(value: float, unit: str) -> str:
    """Write an amount to three figures."""
    return say(float(f"{value:.3g}") + 0.0, unit)


def span(value: Interval) -> str:
    """Write an interval in brackets, after a space; nothing where there is none."""
    ends = rounded(value)
    if not np.isfinite(ends.low) or ends.low == ends.high:
        return ""
    return f" ({say_range(ends.low, ends.high)})"


def _rule(decision: Decision) -> str:
    if decision.threshold is None:
        return "Decide the class with the least expected cost."
    if decision.share == 0:
        return "Act on nobody: no probability is high enough."
    if decision.share == 1 and decision.threshold <= 0:
        return "Act on everybody."
    return (
        f"Act on a row when the probability of {case(decision)} is {decision.threshold:.3g} or more: "
        f"that is {of_100(decision.share or 0.0)} of 100 rows."
    )


def _limit(decision: Decision) -> list[str]:
    capacity, share = decision.capacity, decision.share
    if capacity is None or share is None:
        return []
    if decision.limit == "cost":
        return [f"The capacity ({capacity.text}) is not reached: more would not pay."]
    more = "" if decision.costs.kind == "found" else "; more rows would pay"
    told = [f"That is what the capacity ({capacity.text}) allows{more}."]
    if share > capacity.share + 3 * np.sqrt(capacity.share / decision.n_held_out):
        told.append(
            f"Beware: these are more than the {of_100(capacity.share)} of 100 allowed; many rows have the same "
            "probability, or they are no longer as they were."
        )
    return told


def _worth(decision: Decision) -> str:
    best = decision.policy(decision.best_trivial)
    told = f"It {_does(decision, decision.value)} {per(decision)}"
    if not np.isfinite(best.ahead.low):
        return f"{told}; whether that is better than {doing(best)} cannot be told on so few rows."
    if decision.level == "good":
        return f"{told}, {_ahead(decision, best)} than {doing(best)}, the best that goes without a model."
    than = "worse" if best.ahead.high < 0 else "not clearly better"
    alone = _does(decision, best.value)
    return f"{told}, which is {than} than {doing(best)} ({alone}): for this decision no model is needed."


def _does(decision: Decision, value: Interval) -> str:
    whole = times(value, decision.n_rows)
    kind = decision.costs.kind
    is_cost = kind == "cost" or whole.score < 0
    amount = flipped(whole) if is_cost else whole
    verb = "finds" if kind == "found" else "costs" if is_cost else "brings"
    return f"{verb} {figure(amount.score, decision.costs.unit)}{span(amount)}"


def _ahead(decision: Decision, best: Policy) -> str:
    lead = times(best.ahead, decision.n_rows)
    than = "less" if decision.costs.kind == "cost" else "more"
    return f"{figure(lead.score, decision.costs.unit)} {than}{span(lead)}"
