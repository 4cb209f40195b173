"""A fit as it stands, made from the events that it has told: what a person who waits wants to see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mantic.evaluate.blocks_score import metric_name
from mantic.report.numbers import say, say_range
from mantic.store.runs import RUNNING, KeptEvent, KeptRun

_MOST_ROWS = 40
_MOST_LINES = 200


@dataclass(frozen=True)
class Tried:
    """A candidate.

    Parameters
    ----------
    number : its place in the search.
    params : what is special about it, in words.
    score, low, high : in the user's metric, on rows that it had not seen; None where not measured.
    took : seconds of its fits.
    at : seconds since the start.
    is_whole : whether it was tried on all parts of the rows; else it fell behind on the first.
    """

    number: int
    learner: str
    params: str
    score: float
    low: float | None
    high: float | None
    took: float
    at: float
    is_whole: bool


@dataclass(frozen=True)
class Live:
    """How a fit stands.

    Parameters
    ----------
    phase : what it does at the moment.
    elapsed, seconds : since the start, with all earlier sittings; and of the budget, None where it is in trials.
    metric, higher_is_better : by which it is judged; empty before that is known.
    baseline : the score of guessing.
    first : the score of the first model.
    best : the best candidate so far.
    tried : the best first; at most 40.
    n_tried, n_behind : how many were tried on all parts of the rows, and how many fell behind on the first.
    lines : the log: second and words, oldest first.
    """

    phase: str
    elapsed: float
    seconds: float | None
    metric: str
    higher_is_better: bool
    baseline: float | None
    first: float | None
    best: Tried | None
    tried: tuple[Tried, ...]
    n_tried: int
    n_behind: int
    warnings: tuple[str, ...]
    lines: tuple[tuple[float, str], ...]
    task: str = ""

    @property
    def guessing(self) -> str:
        """Return what the baseline is, in words."""
        return "repeating the last season" if self.task == "forecast" else "guessing"

    @property
    def sentence(self) -> str:
        """Return how it stands in one sentence.

        The score of the best is a little too good, as it was chosen for it; the page says so.
        """
        if self.baseline is None:
            return "No model yet."
        name = metric_name(self.metric)
        if self.best is None:
            guessing = self.guessing.capitalize()
            return f"{guessing} scores {say(self.baseline)} in {name}; nothing better is known yet."
        range_ = "" if self.best.low is None else f" ({say_range(self.best.low, self.best.high)})"
        return (
            f"The best candidate, {self.best.learner}, scores {say(self.best.score)}{range_} in {name}; "
            f"{self.guessing} scores {say(self.baseline)}."
        )


def live_of(run: KeptRun, events: Sequence[KeptEvent], *, now: datetime | None = None) -> Live:
    """Return how a run stands by its events, all of them from the first."""
    facts = [one.facts for one in events]
    baseline = _last(facts, "baseline")
    about: Mapping[str, Any] = baseline["facts"] if baseline else {}
    higher = bool(about.get("higher_is_better"))
    tried = _tried(facts, str(about.get("metric", "")))
    whole = sorted((one for one in tried if one.is_whole), key=lambda one: -one.score if higher else one.score)
    behind = [one for one in tried if not one.is_whole]
    first = _last(facts, "first_model")
    phases = [str(one.facts["name"]) for one in events if one.kind == "started"]
    return Live(
        phase=phases[-1] if phases else "starting",
        elapsed=_elapsed(run, events, now or datetime.now(UTC)),
        seconds=run.facts.get("seconds"),
        metric=str(about.get("metric", "")),
        higher_is_better=higher,
        baseline=None if baseline is None else baseline["value"],
        first=None if first is None else first["value"],
        best=whole[0] if whole else None,
        tried=tuple(whole[:_MOST_ROWS]),
        n_tried=len(whole),
        n_behind=len(behind),
        warnings=tuple(str(one.facts["text"]) for one in events if one.kind == "warned"),
        lines=tuple(_lines(events))[-_MOST_LINES:],
        task=str(about.get("task", "")),
    )


def _elapsed(run: KeptRun, events: Sequence[KeptEvent], now: datetime) -> float:
    told = float(events[-1].facts.get("seconds_in", 0.0)) if events else 0.0
    if run.state != RUNNING or run.is_cut_off or not run.facts.get("sat"):
        return told
    sat = datetime.fromisoformat(str(run.facts["sat"]))
    return max(told, float(run.facts.get("spent", 0.0)) + (now - sat).total_seconds())


def _last(facts: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    return next((one for one in reversed(facts) if one.get("name") == name and one.get("value") is not None), None)


def _tried(facts: Sequence[Mapping[str, Any]], metric: str) -> list[Tried]:
    """Return every candidate once, as it was told last: one that was tried on all parts counts over its first part."""
    found: dict[int, Tried] = {}
    for one in facts:
        more = one.get("facts")
        is_whole = one.get("name") == metric
        if not isinstance(more, dict) or "number" not in more or one.get("value") is None:
            continue
        if is_whole or (one.get("name") == "first_fold" and not more.get("goes_on")):
            found[more["number"]] = Tried(
                more["number"], str(more["learner"]), _params(more.get("params", {})), float(one["value"]),
                more.get("low"), more.get("high"), float(more.get("took", 0.0)), float(one.get("seconds_in", 0.0)),
                is_whole,
            )  # fmt: skip
    return list(found.values())


def _params(params: Mapping[str, Any]) -> str:
    if not params:
        return "as it comes"
    return ", ".join(
        f"{name.replace('_', ' ')} {say(value) if isinstance(value, float) else value}"
        for name, value in params.items()
    )


def _lines(events: Sequence[KeptEvent]) -> list[tuple[float, str]]:
    found = []
    for one in events:
        words = _words(one)
        if words:
            found.append((float(one.facts.get("seconds_in", 0.0)), words))
    return found


def _words(event: KeptEvent) -> str:
    """Return a line of the log; empty for what an earlier sitting has told already."""
    facts = event.facts
    if event.kind != "measured":
        return str(facts.get("text") or facts.get("name") or "")
    more = facts.get("facts") or {}
    if more.get("recalled") or facts.get("value") is None:
        return ""
    name, value = str(facts["name"]), say(float(facts["value"]))
    if name in _PLAIN:
        return f"{_PLAIN[name]} {value}"
    if name == "first_fold":
        return "" if more.get("goes_on") else f"{more.get('learner')} falls behind on the first part: {value}"
    best = ", the best so far" if more.get("best") else ""
    return f"{more.get('learner', name)} scores {value}{best}"


_PLAIN = {"baseline": "guessing scores", "first_model": "a first model scores"}
