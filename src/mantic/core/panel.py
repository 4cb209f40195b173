"""Many series side by side, on one calendar, without holes: what a series learner sees."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mantic.core.calendar import Calendar
from mantic.core.holidays import Holidays
from mantic.core.table import Array

_BLOCK = 500_000  # values that are worked on at once: a few copies of them take little memory


@dataclass(frozen=True)
class Panel:
    """Series of any length; each has a value at every step from its first to its last.

    Parameters
    ----------
    values : float64, shape (n_values,): the series one after the other, holes filled and outliers tamed.
    truth : as `values`, but as it was observed: NaN where nothing was.
    bounds : int64, shape (n_series + 1,): series i holds values[bounds[i] : bounds[i + 1]]; none is empty.
    last : int64, shape (n_series,): the calendar's step of each series' last value.
    calendar : which moments the steps are.
    seasons : lengths of the cycles, in steps, the shortest first; may be empty.
    known : float64, shape (n_values, n_known): what is known beforehand, beside each value; may have no columns.
    future : float64, shape (n_series, n_steps, n_known): the same for the steps after the last; None when not given.
    is_count : whether all values are whole numbers of 0 or more.
    is_floored : whether no value is below 0.
    is_sold_only : whether rows stood only for steps in which something was counted, so that one without a row is a 0.
    quiet : where rows of counts are finer than steps: the least time between two moments, and the longest time without
        a row at the begin and at the end of a whole step, in numbers or microseconds; else empty.
    n_sums : how many of the series, the first ones, are sums of others.
    holidays : those of a country, over all steps and a horizon more; None where there is no country.
    """

    values: Array
    truth: Array
    bounds: Array
    last: Array
    calendar: Calendar
    seasons: tuple[int, ...]
    known: Array
    future: Array | None = None
    is_count: bool = False
    is_floored: bool = False
    is_sold_only: bool = False
    quiet: tuple[int, ...] = ()
    n_sums: int = 0
    holidays: Holidays | None = None

    def __len__(self) -> int:
        """Return the number of series."""
        return len(self.bounds) - 1

    @property
    def lengths(self) -> Array:
        """Return the number of steps of each series."""
        return np.diff(self.bounds)

    @property
    def season(self) -> int:
        """Return the length of the shortest cycle; 1 where there is none."""
        return self.seasons[0] if self.seasons else 1

    def one(self, place: int) -> Array:
        """Return the values of a series."""
        return self.values[self.bounds[place] : self.bounds[place + 1]]

    def recent(self, longest: int) -> Array:
        """Return the latest values of all series, shape (n_series, longest); NaN stands before a series begins."""
        return self._right(self.values, longest)

    def recent_truth(self, longest: int) -> Array:
        """Return the latest observations of all series, as `recent` does; NaN also where nothing was observed."""
        return self._right(self.truth, longest)

    def _right(self, flat: Array, longest: int) -> Array:
        places = self.bounds[1:, None] - np.arange(longest, 0, -1)
        is_there = places >= self.bounds[:-1, None]
        return np.where(is_there, flat[np.where(is_there, places, 0)], np.nan)

    def rows(self, index: Array) -> "Panel":
        """Return the panel of these series (positions or a mask), in this order."""
        everything = np.arange(len(self))
        chosen = everything[index]
        if np.array_equal(chosen, everything):
            return self
        lengths = self.lengths[chosen]
        flat = spans(self.bounds[:-1][chosen], lengths)
        bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        future = None if self.future is None else self.future[chosen]
        return replace(
            self, values=self.values[flat], truth=self.truth[flat], bounds=bounds, last=self.last[chosen],
            known=self.known[flat], future=future, n_sums=int((chosen < self.n_sums).sum()),
        )  # fmt: skip

    def until(self, n_back: int, *, least: int, horizon: int) -> tuple["Panel", Array]:
        """Return the panel as it was `n_back` steps before each series' end, and which series were there.

        Parameters
        ----------
        least : steps that a series must have had by then; those that had fewer are left out.
        horizon : steps for which what is known beforehand comes along.
        """
        there = np.flatnonzero(self.lengths - n_back >= least)
        ends = self.bounds[1:][there] - n_back
        starts = self.bounds[:-1][there]
        flat = spans(starts, ends - starts)
        bounds = np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int64)
        future = None
        if self.known.shape[1]:
            coming = np.minimum(ends[:, None] + np.arange(horizon), self.bounds[1:][there][:, None] - 1)
            future = self.known[coming]
        cut = replace(
            self, values=self.values[flat], truth=self.truth[flat], bounds=bounds, last=self.last[there] - n_back,
            known=self.known[flat], future=future, n_sums=int((there < self.n_sums).sum()),
        )  # fmt: skip
        return cut, there

    def after(self, n_back: int, horizon: int, there: Array) -> Array:
        """Return what was observed in the `horizon` steps that follow `n_back` steps before the end; NaN beyond it."""
        places = (self.bounds[1:][there] - n_back)[:, None] + np.arange(horizon)
        is_there = places < self.bounds[1:][there][:, None]
        return np.where(is_there, self.truth[np.where(is_there, places, 0)], np.nan)

    def scale(self, season: int) -> Array:
        """Return the mean absolute change over a season in each series: the unit of scaled errors, above 0.

        A series that never changes, or is shorter than a season, takes its change from step to step, or its size.
        """
        size = np.add.reduceat(np.abs(self.values), self.bounds[:-1]) / self.lengths
        found = np.where(size > 0, np.maximum(size, 1e-9), 1.0)
        for lag in (1, season):
            change = self._change(lag)
            found = np.where(change > 0, change, found)
        return found

    def _change(self, lag: int) -> Array:
        """Return the mean absolute change over so many steps in each series; 0 where there is none."""
        owner = np.repeat(np.arange(len(self)), self.lengths)
        is_same = owner[lag:] == owner[:-lag]
        change = np.abs(self.values[lag:] - self.values[:-lag])[is_same]
        total = np.bincount(owner[lag:][is_same], change, minlength=len(self))
        return np.asarray(total / np.maximum(1, self.lengths - lag))


def spans(starts: Array, lengths: Array) -> Array:
    """Return the positions of spans one after the other.

    >>> spans(np.array([3, 10]), np.array([2, 3])).tolist()
    [3, 4, 10, 11, 12]
    """
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(int(ends[-1]) if len(ends) else 0)


def alike(values: Array, bounds: Array) -> Iterator[tuple[Array, Array]]:
    """Give series of equal length together, in blocks: their positions, and their values, shape (n_alike, length).

    What is done with a row of them has the same bits as with the series alone, and takes far less time.

    Parameters
    ----------
    values, bounds : series one after the other, as in a `Panel`.

    >>> [(place.tolist(), rows.tolist()) for place, rows in alike(np.arange(5.0), np.array([0, 2, 3, 5]))]
    [([1], [[2.0]]), ([0, 2], [[0.0, 1.0], [3.0, 4.0]])]
    """
    lengths = np.diff(bounds)
    order = np.argsort(lengths, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        length = int(lengths[group[0]])
        for block in blocks(group, length):
            yield block, values[bounds[block][:, None] + np.arange(length)]


def blocks(index: Array, n_each: int) -> list[Array]:
    """Return positions in blocks of about 500,000 values, where each position stands for so many."""
    return np.array_split(index, max(1, min(len(index), -(-len(index) * n_each // _BLOCK))))


def evenly(n_series: int, most: int) -> Array:
    """Return positions of at most so many series, evenly from the first to the last.

    >>> evenly(10, 4).tolist(), evenly(3, 4).tolist()
    ([0, 3, 6, 9], [0, 1, 2])
    """
    return np.unique(np.linspace(0, n_series - 1, min(n_series, most)).astype(np.int64))
