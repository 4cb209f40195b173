"""The one sentence for whoever has to decide."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mantic.core.table import Array
from mantic.evaluate.findings import Findings
from mantic.evaluate.intervals import Difference, Interval, wilson
from mantic.evaluate.scoreboard import Scoreboard, known
from mantic.report.numbers import amount, say, say_range

_RARE = 0.1  # a class of less than this share is spoken of as something to be found
_LITTLE = 0.1  # better than guessing by less than this share of what is possible is called weak
_FEW_ROWS = 30
_DUST = 1e-5  # an interval of less than this width is a sum of rounding errors
_TOP = 0.1  # share of the rows that somebody would look at


@dataclass(frozen=True)
class Verdict:
    """What to think of a model.

    Parameters
    ----------
    sentence : for people who know nothing of statistics.
    level : "good", "weak" (hardly better than guessing, or it cannot be told) or "useless" (not better).
    facts : the figures in it, as plain JSON values.
    """

    sentence: str
    level: Literal["good", "weak", "useless"]
    facts: dict[str, Any]


def judge(findings: Findings, board: Scoreboard | None = None) -> Verdict:
    """Say how good a model is on rows that it has not seen.

    Parameters
    ----------
    board : scores that were worked out before; made when absent.

    The model is useless when the 95 % interval of its lead over the dummy includes zero.
    """
    board = board or Scoreboard.of(findings)
    lead = board.ahead_of("baseline")
    facts: dict[str, Any] = {"ahead_of_baseline": _plain(lead)}
    level: Literal["good", "weak", "useless"] = "good"
    parts = []
    if not np.isfinite(lead.low):
        level = "weak"
        parts.append(_cannot_tell(findings))
    elif lead.low <= 0:
        level = "useless"
        parts.append("Not better than guessing: do not use.")
    elif _skill(board) < _LITTLE:
        level = "weak"
        parts.append("Better than guessing, but only a little.")
    parts.append(_classes(findings, board, facts) if findings.is_classes else _numbers(board, facts))
    if findings.is_classes and level != "useless":
        parts.append(_ranking(board, facts))
    if findings.linear_guess is not None and level != "useless":
        ahead = board.ahead_of("linear")
        facts["ahead_of_linear"] = _plain(ahead)
        parts += _against_linear(ahead)
    if findings.n_test < _FEW_ROWS:
        parts.append(f"Judged on {amount(findings.n_test, 'row')} only: hold it lightly.")
    return Verdict(" ".join(part for part in parts if part), level, facts | {"level": level})


def _against_linear(ahead: Difference) -> list[str]:
    if ahead.high < 0:
        return ["A plain linear model does better: use that."]
    return ["No better than a plain linear model."] if ahead.low <= 0 else []


def _cannot_tell(findings: Findings) -> str:
    if findings.n_test < 2:
        return "It cannot be told whether this is better than guessing: there are too few held-out rows."
    if findings.is_classes and len(np.unique(findings.truth)) == 1:
        only = _name(findings, findings.truth[0])
        return f"It cannot be told whether this is better than guessing: all held-out rows are {only}."
    return "It cannot be told whether this is better than guessing on these rows."


def _skill(board: Scoreboard) -> float:
    """Return the share of the way from the dummy to perfect that the model goes; 0 to 1."""
    metric = board.findings.metric
    score, base = board.score(metric, "model"), board.score(metric, "baseline")
    best = 1.0 if metric.higher_is_better else 0.0  # all of mantic's own metrics end there
    return (score - base) / (best - base) if best != base and np.isfinite(score) else 1.0


# ------------------------------------------------------------------------------------------------------------- classes


def _classes(findings: Findings, board: Scoreboard, facts: dict[str, Any]) -> str:
    accuracy = _accuracy(board)
    base = board.score(known("accuracy"), "baseline")
    facts |= {"accuracy": accuracy.score, "accuracy_interval": [accuracy.low, accuracy.high], "accuracy_baseline": base}
    against = findings.baseline_name or f"always saying {_name(findings, _usual(findings))}"
    if findings.is_binary:
        case = _case(findings)
        if 0 < np.mean(findings.truth == case) < _RARE:
            return f"{_finding(findings, case, facts)} Overall {_right(accuracy)}, against {of_100(base)} by {against}."
        told = f"About {_right(accuracy)}, against {of_100(base)} by {against}"
        return f"{told}; {_saying(findings, case, facts)}."
    return f"About {_right(accuracy)}, against {of_100(base)} by {against}."


def _right(accuracy: Interval) -> str:
    low, high = of_100(accuracy.low), of_100(accuracy.high)
    span = f" ({low}-{high})" if low != high else ""
    return f"{of_100(accuracy.score)} of 100 right{span}"


def _accuracy(board: Scoreboard) -> Interval:
    """Return accuracy with an interval that is not empty when all answers are right, or all wrong."""
    interval = board.interval(known("accuracy"))
    if interval.high - interval.low > _DUST:
        return interval
    return Interval(interval.score, *wilson(interval.score, board.plan.n_units))


def _case(findings: Findings) -> int:
    """Return the class that is spoken of: class 1, or class 0 when that is the rare one."""
    share = float(np.mean(findings.truth == 0))
    return 0 if 0 < share < _RARE else 1


def _saying(findings: Findings, case: int, facts: dict[str, Any]) -> str:
    says, right, found = _counts(findings, case)
    name = _name(findings, case)
    facts |= {"case": findings.classes[case], "precision": right, "recall": found}
    if not says:
        return f"it never says {name}"
    finds = f" and it finds {of_100(found)} of 100 of them" if np.isfinite(found) else ""
    return f"when it says {name} it is right {of_100(right)} of 100 times{finds}"


def _finding(findings: Findings, case: int, facts: dict[str, Any]) -> str:
    """Return how a rare class is found: by an alarm, and by looking at the rows ranked highest."""
    is_case = findings.truth == case
    name = _name(findings, case)
    says, right, found = _counts(findings, case)
    n_top = max(1, round(_TOP * findings.n_test))
    top = np.argsort(-findings.guess[:, case], kind="stable")[:n_top]
    caught = float(is_case[top].sum() / is_case.sum())
    facts |= {"case": findings.classes[case], "precision": right, "recall": found, "found_in_top_tenth": caught}
    share = f"{name} is rare ({say(float(is_case.mean()), 'share')} of the rows)."
    finds = f"It finds {of_100(found)} of 100 of them, and when it says so it is right {of_100(right)} of 100 times."
    ranks = f"Among the tenth of the rows that it ranks highest lie {of_100(caught)} of 100 of them (10 by chance)."
    return f"{share} {finds if says else f'It never says {name} outright.'} {ranks}"


def _counts(findings: Findings, case: int) -> tuple[bool, float, float]:
    """Return whether it ever says so, the share of these that is right, and the share of cases that is found."""
    said = findings.guess.argmax(axis=1) == case
    true = findings.truth == case
    hit = float((said & true).sum())
    return (
        bool(said.any()),
        hit / float(said.sum()) if said.any() else float("nan"),
        hit / float(true.sum()) if true.any() else float("nan"),
    )


def _ranking(board: Scoreboard, facts: dict[str, Any]) -> str:
    """Return a remark when the calls are no better than the dummy's although the probabilities are."""
    area = board.score(known("roc_auc"), "model")
    calls_are_better = facts["accuracy_interval"][0] > facts["accuracy_baseline"]
    if calls_are_better or not np.isfinite(area) or area < 0.6 or "found_in_top_tenth" in facts:
        return ""
    pairs = f"of two rows of different classes it orders {of_100(area)} of 100 rightly"
    return f"Its ranking tells more than its calls: {pairs}."


def _usual(findings: Findings) -> int:
    return int(findings.baseline_guess.mean(axis=0).argmax())


def _name(findings: Findings, code: int) -> str:
    return f"'{findings.classes[int(code)]}'"


# ------------------------------------------------------------------------------------------------------------- numbers


def _numbers(board: Scoreboard, facts: dict[str, Any]) -> str:
    findings = board.findings
    off = board.interval(known("mae"))
    half = board.score(known("median_ae"), "model")
    base = board.score(known("mae"), "baseline")
    facts |= {"mae": off.score, "mae_interval": [off.low, off.high], "median_ae": half, "mae_baseline": base}
    span = f"{say_range(_round(off.low), _round(off.high))}; " if np.isfinite(off.low) and off.low < off.high else ""
    against = findings.baseline_name or "always saying the average"
    told = f"Typically off by {say(_round(off.score))} ({span}half of the answers are within {say(_round(half))})"
    return f"{told}, against {say(_round(base))} by {against}; {_explains(board, facts)}."


def _explains(board: Scoreboard, facts: dict[str, Any]) -> str:
    if np.ptp(board.findings.truth) == 0:
        return "all held-out answers are equal, so there are no differences to explain"
    share = board.score(known("r2"), "model")
    facts["r2"] = share
    return f"explains {say(share, 'share')} of the differences" if share > 0 else "explains none of the differences"


def _round(value: float, figures: int = 3) -> float:
    """Round to three figures: more would claim more than is known."""
    if not np.isfinite(value) or value == 0:
        return value
    return float(f"{value:.{figures}g}")


def of_100(share: float) -> str:
    """Write a share as a count out of 100, with a decimal only close to the ends.

    >>> of_100(0.8512), of_100(0.997), of_100(1.0), of_100(0.99999)
    ('85', '99.7', '100', '99.9')
    """
    if not np.isfinite(share):
        return "?"
    hundred = 100 * share
    if 99 < hundred < 100:
        return f"{min(hundred, 99.9):.1f}"
    return f"{max(hundred, 0.1):.1f}" if 0 < hundred < 1 else f"{hundred:.0f}"


def _plain(difference: Difference) -> dict[str, float | None]:
    return {key: _or_none(value) for key, value in vars(difference).items()}


def _or_none(value: float | Array) -> float | None:
    return float(value) if np.isfinite(value) else None
