"""One look at a model that answers: traffic, quality, what it is likely to be, and drift."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mantic.core.errors import SettingsError
from mantic.watch.asked import Subject, read_asked, read_stream
from mantic.watch.drift import Drifted, drift_of
from mantic.watch.estimate import Estimate, estimate_of
from mantic.watch.period import Period, weeks
from mantic.watch.quality import Quality, quality_of
from mantic.watch.traffic import Traffic, traffic_of

if TYPE_CHECKING:
    from mantic.store.store import Store


@dataclass(frozen=True)
class Watched:
    """What was seen of one version in a period.

    Parameters
    ----------
    n_rows, n_read : rows that it answered, and how many of these were looked at one by one.
    drift : the columns, the one that moves the answers most first.
    estimate : None for a model of numbers, or where rows are few.
    """

    name: str
    number: int | None
    is_classes: bool
    period: Period
    traffic: Traffic
    n_rows: int
    n_read: int
    drift: tuple[Drifted, ...]
    quality: Quality
    estimate: Estimate | None

    @property
    def moved(self) -> tuple[Drifted, ...]:
        """Return the columns that moved."""
        return tuple(one for one in self.drift if one.state == "moved")


def watch(store: "Store", subject: Subject, period: Period) -> Watched:
    """Look at what a version answered in a period, and at the quarter's evidence up to the end of it.

    Raises
    ------
    SettingsError : if it is a forecast, which is about series and not about rows.
    """
    if subject.is_forecast:
        raise SettingsError(
            "a forecast is not watched row by row", where=subject.name,
            fix=f"hold it against what came later: mantic evaluate {subject.name} LATER.csv",
        )  # fmt: skip
    quarter = weeks(period.until)
    asked, stream = read_asked(store, subject, period), read_stream(store, subject, quarter)
    return Watched(
        subject.name,
        subject.number,
        bool(subject.labels),
        period,
        traffic_of(store, subject.name, period),
        asked.n_all,
        len(asked),
        drift_of(subject, asked.frame, stream),
        quality_of(store, subject, asked, period=period, weeks=quarter),
        estimate_of(subject, asked, stream),
    )
