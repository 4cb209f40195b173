"""What a pooled learner sees of a series: its recent shape in its own units, and the step that is asked."""

from dataclasses import dataclass

import numpy as np

from mantic.core.calendar import Unit
from mantic.core.panel import Panel
from mantic.core.table import Array

_N_RECENT = 8  # latest values
_LONGEST_WINDOW = 200  # steps of the window that gives the units
_N_TURNS = 4  # of the cycle, for means at the same place
_TINY = 1e-9


@dataclass(frozen=True)
class Asked:
    """Questions: which series, how many values of it were known, and which step after them is meant (1 is the next).

    All have shape (n_questions,).
    """

    series: Array
    n_known: Array
    step: Array


@dataclass(frozen=True)
class Seen:
    """Features of questions, and how answers are turned into values: base + unit x answer.

    Parameters
    ----------
    numbers : float32, shape (n_questions, n_features); NaN where a series is too short.
    base, unit : what repeats itself, and the size of changes; shape (n_questions,).
    """

    numbers: Array
    base: Array
    unit: Array


class Lags:
    """Features from a panel; everything is relative to what was known at the origin.

    Parameters
    ----------
    panel : the series; its `future` may hold what is known of the steps after the end.
    """

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.start = panel.bounds[:-1]
        self.unit = np.repeat(_units(panel), panel.lengths)  # else a large series would drown those that follow it
        self.total = np.concatenate([[0.0], np.cumsum(panel.values / self.unit)])
        self.seasons = tuple(one for one in panel.seasons if one <= _LONGEST_WINDOW)
        self.main = self.seasons[0] if self.seasons else 1
        self.window = self.seasons[-1] if self.seasons else 4
        change = np.abs(np.diff(panel.values, prepend=panel.values[:1]))
        change[self.start] = 0.0
        self.changed = np.concatenate([[0.0], np.cumsum(change / self.unit)])
        self.calendar = self._calendar_columns()

    @property
    def least(self) -> int:
        """Return how many values must be known at an origin."""
        return max(4, self.main + 1)

    def see(self, asked: Asked) -> Seen:
        """Return the features of questions; a series must have `least` known values."""
        end = self.start[asked.series] + asked.n_known  # flat position of the step after the last known one
        known = asked.n_known
        level = self._mean(end, known, np.full(len(end), self.window))
        unit = self._size(end, known, level)
        base = self._base(asked, end, level)
        columns = [
            *(self._at(end - 1 - lag, end - known, end) for lag in range(_N_RECENT)),
            *self._same_place(asked, end),
            *(self._mean(end, known, np.full(len(end), width)) for width in self._widths()),
            self._before(end, known),
            base,
        ]
        relative = [(one - level) / unit for one in columns]
        plain = [
            asked.step.astype(float), np.log(unit / np.maximum(_TINY, np.abs(level) + unit)), np.log(known),
            *self._calendar_of(asked), *self._known_of(asked),
        ]  # fmt: skip
        numbers = np.column_stack([*relative, *plain]).astype(np.float32)
        return Seen(np.clip(numbers, -1e6, 1e6), base, unit)

    def truth(self, asked: Asked) -> Array:
        """Return what came at the steps that are asked about; they must lie inside of the series."""
        return np.asarray(self.panel.values[self.start[asked.series] + asked.n_known + asked.step - 1])

    def _at(self, place: Array, first: Array, end: Array) -> Array:
        """Return values at flat positions, NaN outside of what is known."""
        is_there = (place >= first) & (place < end)
        return np.where(is_there, self.panel.values[np.where(is_there, place, 0)], np.nan)

    def _mean(self, end: Array, known: Array, width: Array) -> Array:
        width = np.minimum(width, known)
        return np.asarray((self.total[end] - self.total[end - width]) / width * self.unit[end - 1])

    def _before(self, end: Array, known: Array) -> Array:
        """Return the mean of the window before the latest one: where the level came from."""
        width = np.minimum(self.window, known // 2)
        found = (self.total[end - width] - self.total[end - 2 * width]) / np.maximum(1, width) * self.unit[end - 1]
        return np.asarray(np.where(width > 0, found, np.nan))

    def _size(self, end: Array, known: Array, level: Array) -> Array:
        width = np.minimum(2 * self.window, known - 1)
        change = (self.changed[end] - self.changed[end - width]) / np.maximum(1, width) * self.unit[end - 1]
        return np.asarray(np.maximum(change, 1e-3 * np.abs(level) + _TINY))

    def _widths(self) -> tuple[int, ...]:
        return tuple(sorted({2, 4, *self.seasons, 2 * self.window}))

    def _turn(self, asked: Asked, season: int) -> Array:
        """Return how many whole cycles lie between a step and the last known value at its place."""
        return np.asarray((asked.step + season - 1) // season)

    def _base(self, asked: Asked, end: Array, level: Array) -> Array:
        """Return the value a cycle ago, moved by how far the level went since; the last value without a cycle."""
        first = end - asked.n_known
        found = self._at(end - 1, first, end)
        for season in self.seasons:
            turn = self._turn(asked, season)
            then = self._at(end + asked.step - 1 - turn * season, first, end)
            found = np.where(np.isnan(then), found, then)
        return found

    def _same_place(self, asked: Asked, end: Array) -> list[Array]:
        """Return the values one and two cycles ago and the mean of the latest turns, for each cycle."""
        first, found = end - asked.n_known, []
        for season in self.seasons:
            turn = self._turn(asked, season)
            turns = [self._at(end + asked.step - 1 - (turn + more) * season, first, end) for more in range(_N_TURNS)]
            is_there = np.stack([~np.isnan(one) for one in turns])
            total = np.stack([np.nan_to_num(one) for one in turns]).sum(axis=0)
            count = is_there.sum(axis=0)
            found += [turns[0], turns[1], np.where(count > 0, total / np.maximum(1, count), np.nan)]
        return found

    def _calendar_columns(self) -> bool:
        return self.panel.calendar.unit is not Unit.STEP

    def _calendar_of(self, asked: Asked) -> list[Array]:
        """Return month, day of the month, day of the week and hour of the steps, as far as they differ."""
        if not self.calendar:
            return []
        panel = self.panel
        step = panel.last[asked.series] - panel.lengths[asked.series] + asked.n_known + asked.step
        unique, inverse = np.unique(step, return_inverse=True)
        times = panel.calendar.times(unique)
        parts = [times.dt.month(), times.dt.day(), times.dt.weekday(), times.dt.ordinal_day()]
        if not panel.calendar.is_date:
            parts.append(times.dt.hour())
        return [one.to_numpy().astype(float)[inverse] for one in parts]

    def _known_of(self, asked: Asked) -> list[Array]:
        """Return what is known beforehand of the steps, and how far it lies from a cycle ago; NaN where nobody said it.

        What is learned is how far a value lies from that of a cycle ago, which such a change explains.
        """
        panel, found = self.panel, []
        place = self.start[asked.series] + asked.n_known + asked.step - 1
        is_past = place < panel.bounds[1:][asked.series]
        for column in range(panel.known.shape[1]):
            own = np.where(is_past, panel.known[np.where(is_past, place, 0), column], np.nan)
            if panel.future is not None:
                ahead = np.clip(place - panel.bounds[1:][asked.series], 0, panel.future.shape[1] - 1)
                own = np.where(is_past, own, panel.future[asked.series, ahead, column])
            found.append(own)
            end = self.start[asked.series] + asked.n_known
            for season in self.seasons:
                then = end + asked.step - 1 - self._turn(asked, season) * season
                there = (then >= self.start[asked.series]) & (then < end)
                found.append(own - np.where(there, panel.known[np.where(there, then, 0), column], np.nan))
        return found


def _units(panel: Panel) -> Array:
    """Return a power of 2 about as large as a series' values: what is measured in it has the very same digits."""
    level = np.add.reduceat(np.abs(panel.values), panel.bounds[:-1]) / panel.lengths
    return np.asarray(np.ldexp(1.0, np.frexp(np.where(level > 0, level, 1.0))[1]))
