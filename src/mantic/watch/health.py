"""One sentence on how a model does, from what is kept: quick enough for a page that lists all models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mantic.report.numbers import amount
from mantic.watch.alert import DRIFT, findings, looked_at, open_alerts
from mantic.watch.look import Watched

if TYPE_CHECKING:
    from mantic.store.alerts import KeptAlert
    from mantic.store.store import Store

_SEVERITY = ("stop", "warning", "note")
_QUIET = timedelta(days=1)
_WEEKDAYS = timedelta(days=6)  # so long the name of a day says which one is meant


@dataclass(frozen=True)
class Health:
    """How a model does: `level` is "good", "quiet" (nothing is asked or known), or that of the worst alert."""

    level: str
    sentence: str


def health(store: "Store", name: str, *, now: datetime | None = None) -> Health:
    """Return how a model does by its alerts and its traffic, without looking at rows.

    >>> import tempfile
    >>> from mantic.store.store import open_store
    >>> with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
    ...     health(store, "churn").sentence
    'Nothing was asked yet.'
    """
    now = datetime.now(UTC) if now is None else now
    newest = store.predictions.newest(name, limit=1)
    trouble = _trouble(open_alerts(store, name), newest[0].at if newest else "", now)
    if trouble is not None:
        return trouble
    asked = f"{amount(store.predictions.count(name, since=now - timedelta(days=7)), 'row')} in 7 days"
    at = looked_at(store, name)
    if at is None and any(one.task == "forecast" for one in store.models.list(name)[:1]):  # nobody can look at it
        return Health("good", f"{asked}.")
    if at is None or now - at > _QUIET:
        return Health("quiet", f"{asked}; not looked at {'yet' if at is None else f'since {_day(at, now)}'}.")
    return Health("good", f"{asked}, no alerts.")


def health_of(watched: Watched, alerts: "Sequence[KeptAlert]") -> Health:
    """Return how a model does after a look at it and its open alerts."""
    trouble = _trouble(alerts, watched.traffic.newest, watched.period.until)
    if trouble is not None:
        return trouble
    if (first := next(findings(watched), None)) is not None:
        told = f"{amount(len(watched.moved), 'column')} moved" if first.code == DRIFT else first.text.removesuffix(".")
        return Health("quiet", f"{told}; no alert about that is open.")
    if any(one.state == "few" for one in watched.drift):
        return Health("good", f"{amount(watched.n_rows, 'row')} so far: too few to hold against training.")
    return Health("good", f"Healthy: {watched.n_rows:,} rows look like training.")


def _trouble(alerts: "Sequence[KeptAlert]", newest: str, now: datetime) -> Health | None:
    if alerts:
        worst = min(
            alerts, key=lambda one: (_SEVERITY.index(one.level), one.id)
        )  # of one look, the first has the most effect
        return Health(worst.level, f"{worst.text}{f' And {len(alerts) - 1} more.' if len(alerts) > 1 else ''}")
    if not newest:
        return Health("quiet", "Nothing was asked yet.")
    at = datetime.fromisoformat(newest)
    if now - at > _QUIET:
        return Health("quiet", f"No traffic since {_day(at, now)}.")
    return None


def _day(at: datetime, now: datetime) -> str:
    return at.strftime("%A") if now - at < _WEEKDAYS else str(at.date())
