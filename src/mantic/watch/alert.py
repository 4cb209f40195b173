"""From a look to alerts in the store: opened once, closed when what they say is over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from mantic.report.numbers import say
from mantic.watch import drift, estimate, quality
from mantic.watch.evidence import Evidence
from mantic.watch.look import Watched
from mantic.watch.period import weeks

if TYPE_CHECKING:
    from mantic.store.alerts import KeptAlert
    from mantic.store.store import Store

DRIFT, QUALITY, HARDER = "drift", "quality", "harder_rows"  # codes: they never change their meaning
CODES = (DRIFT, QUALITY, HARDER)
_LIMITS = {DRIFT: drift.LIMIT, QUALITY: quality.LIMIT, HARDER: estimate.LIMIT}
_BY = "mantic watch"
_OVER_ROWS = 200  # so many calm rows say that it is over
_MOST = 1_000
_HARDLY = 0.0005  # of a probability
_NOTED = timedelta(hours=1)  # looks that follow sooner are not put down: the audit only grows

Key = tuple[str, str]  # code, column


@dataclass(frozen=True)
class Finding:
    """What an alert says; `column` is empty where it is about no column."""

    level: str
    code: str
    column: str
    text: str
    facts: dict[str, Any]


def settle(store: "Store", watched: Watched) -> "list[KeptAlert]":
    """Open an alert for each new finding, close those that are over; return those that are open, newest first.

    An alert of another version is over when that is neither the champion nor the canary. What somebody has closed is
    not opened again for this version before the quarter ends; what was closed because it was over is opened when recent
    rows alone speak for it.
    """
    evidence = _evidence(watched)
    stands = store.deployments.get(watched.name)
    answering = (stands.champion, stands.canary)
    began = weeks(watched.period.until)[0].since.isoformat()[:10]
    known: set[Key] = set()
    for alert in _of_ours(store, watched.name):
        key = alert.code, str(alert.facts.get("column", ""))
        number = alert.facts.get("number")
        is_ours = number == watched.number
        if is_ours:
            is_over = _is_over(evidence.get(key))
        else:  # a file may be any version
            is_over = number not in answering and None not in (number, watched.number)
        if alert.closed is None and is_over:
            store.alerts.close(alert.id, by=_BY)
        elif is_ours and (
            alert.closed is None or (alert.at >= began and not _is_back(store, alert, evidence.get(key)))
        ):
            known.add(key)
    for one in findings(watched):
        if (one.code, one.column) not in known and not _is_over(evidence.get((one.code, one.column))):
            facts = {**one.facts, "column": one.column, "number": watched.number}
            store.alerts.add(one.level, one.code, one.text, name=watched.name, facts=facts)
    at = looked_at(store, watched.name)
    if at is None or datetime.now(UTC) - at > _NOTED:
        store.audit.note("look", f"watch {watched.name}", by=_BY)
    return open_alerts(store, watched.name)


def looked_at(store: "Store", name: str) -> datetime | None:
    """Return when somebody looked at a model last, within an hour; None for never."""
    deeds = store.audit.list(f"watch {name}", limit=1)
    return datetime.fromisoformat(deeds[0].at) if deeds else None


def open_alerts(store: "Store", name: str) -> "list[KeptAlert]":
    """Return the alerts about a model that nobody has closed, newest first."""
    return [one for one in _of_ours(store, name) if one.closed is None]


def findings(watched: Watched) -> Iterator[Finding]:
    """Yield what somebody should know, each at the level that it deserves."""
    if watched.quality.is_worse:
        yield Finding("stop", QUALITY, "", watched.quality.sentence, {"n_known": watched.quality.n_known})
    if watched.estimate is not None and watched.estimate.is_harder:
        first = watched.estimate.figures[0]
        text = (
            f"Rows became harder: by its own probabilities {first.name} is {say(first.now.score)} on recent rows, "
            f"{say(first.before)} on those held out. This is an estimate."
        )
        yield Finding("warning", HARDER, "", text, {"estimate": first.now.score, "before": first.before})
    for one in watched.moved:
        told = one.sentence[0].upper() + one.sentence[1:]
        felt = f"; by itself that {moves(one.effect, is_share=watched.is_classes)}" if np.isfinite(one.effect) else ""
        level = "warning" if one.is_large or one.unseen >= drift.MANY_NEW else "note"
        yield Finding(level, DRIFT, one.column, f"{told}{felt}.", {"effect": one.effect})


def moves(effect: float, *, is_share: bool) -> str:
    """Say how far something moves the answers, in points of probability or in the target's unit.

    >>> moves(0.0431, is_share=True), moves(12.0, is_share=False), moves(0.0002, is_share=True)
    ('moves an answer by 4.3 points on average', 'moves an answer by 12 on average', 'hardly moves an answer')
    """
    if effect == 0 or (is_share and effect < _HARDLY):
        return "hardly moves an answer"
    return f"moves an answer by {f'{100 * effect:.1f} points' if is_share else say(effect)} on average"


def _of_ours(store: "Store", name: str) -> "list[KeptAlert]":
    return [one for one in store.alerts.find(name, limit=_MOST) if one.code in CODES]


def _evidence(watched: Watched) -> dict[Key, Evidence]:
    found = {(DRIFT, one.column): one.evidence for one in watched.drift}
    if watched.estimate is not None:
        found[HARDER, ""] = watched.estimate.evidence
    if watched.quality.evidence is not None:
        found[QUALITY, ""] = watched.quality.evidence
    return found


def _is_over(evidence: Evidence | None) -> bool:
    """Whether recent rows look as they should."""
    return evidence is not None and evidence.n_lately >= _OVER_ROWS and evidence.lately < 1


def _is_back(store: "Store", alert: "KeptAlert", evidence: Evidence | None) -> bool:
    """Whether an alert that was closed because it was over should be opened again."""
    deeds = store.audit.list(f"alert {alert.id}")
    is_closed_by_us = next((one.by == _BY for one in deeds if one.action == "close"), False)
    return is_closed_by_us and evidence is not None and evidence.lately >= _LIMITS[alert.code]
