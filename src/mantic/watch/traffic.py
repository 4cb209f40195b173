"""How many rows were answered, hour by hour or day by day, by which version."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mantic.report.blocks import Axis, Block, Chart, Series, Text
from mantic.report.numbers import amount
from mantic.watch.period import Period

if TYPE_CHECKING:
    from mantic.store.store import Store


@dataclass(frozen=True)
class Traffic:
    """Rows answered in a period.

    Parameters
    ----------
    by : "hour" or "day".
    slots : every hour or day of the period, as the store's moments begin.
    by_version : rows in each slot, by the number of the version; None is a model that is not kept.
    newest : when the last row of all was answered, also before the period; empty when there was none.
    """

    by: str
    slots: tuple[str, ...]
    by_version: dict[int | None, tuple[int, ...]]
    newest: str

    @property
    def n_rows(self) -> int:
        """Return how many rows were answered."""
        return sum(map(sum, self.by_version.values()))

    def block(self) -> Block:
        """Return the rows over time, a line for each version; a sentence where there are none."""
        if not self.n_rows:
            last = f" The last one was on {self.newest[:10]}." if self.newest else ""
            return Text(f"No row was answered from {words(self.slots[0])} to {words(self.slots[-1])}.{last}")
        total = [sum(parts) for parts in zip(*self.by_version.values(), strict=True)]
        top = max(range(len(total)), key=lambda place: total[place])
        busiest = f" The busiest {self.by} was {words(self.slots[top])} with {total[top]:,}."
        shown = tuple(words(slot) for slot in self.slots)
        places = tuple(map(float, range(len(shown))))
        series = tuple(
            Series(f"version {number}" if number else "rows", tuple(map(float, rows)), x=places, texts=shown)
            for number, rows in self.by_version.items()
        )
        return Chart(
            "line", f"Rows by {self.by}", f"{amount(self.n_rows, 'row was', 'rows were')} answered.{busiest}",
            series, x=Axis(f"{self.by} (UTC)", labels=shown), y=Axis("rows"),
        )  # fmt: skip


def traffic_of(store: "Store", name: str, period: Period) -> Traffic:
    """Count the rows of a period."""
    slots = tuple(period.slots())
    place = {slot: at for at, slot in enumerate(slots)}
    found: dict[int | None, list[int]] = {}
    for one in store.predictions.counts(name, since=period.since, until=period.until, by=period.by):
        found.setdefault(one.number, [0] * len(slots))[place[one.at]] += one.n_rows
    newest = store.predictions.newest(name, until=period.until, limit=1)
    ordered = sorted(found, key=lambda number: number or 0)
    return Traffic(
        period.by, slots, {number: tuple(found[number]) for number in ordered}, newest[0].at if newest else ""
    )


def words(slot: str) -> str:
    """Return an hour or day as people write it.

    >>> words("2026-05-01T12"), words("2026-05-01")
    ('05-01 12:00', '05-01')
    """
    day, _, hour = slot.partition("T")
    return f"{day[5:]} {hour}:00" if hour else day[5:]
