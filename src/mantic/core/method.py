"""The contract of a series learner, and the decorators that make a file one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from mantic.core.lazy import absent
from mantic.core.panel import Panel
from mantic.core.registry import Registry
from mantic.core.run import Run
from mantic.core.table import Array

Suits = Callable[[Panel, int], Array]
"""From a panel and a horizon to which series a method suits, bool, shape (n_series,)."""


@dataclass(frozen=True)
class About:
    """What a method says of itself.

    Parameters
    ----------
    name : what reports call it; also the file's name.
    suits : which series it may be asked about.
    needs : packages that must be installed.
    good_for, costs : one short sentence each.
    is_pooled : whether it learns from all series together.
    like, times : a method and how many times its cost this one takes; where it is known, nothing has to be tried.
    guess : from a panel and a horizon to the processor seconds of one lesson, for a method that cannot be tried on few
        series, or that takes long for a single one; nothing is begun that would not end in time.
    ready : loads what it needs before the first answer, where that takes long; what it takes is no series' cost.
    """

    name: str
    suits: Suits
    needs: tuple[str, ...]
    good_for: str
    costs: str
    is_pooled: bool = False
    like: str = ""
    times: float = 1.0
    guess: Callable[[Panel, int], float] | None = None
    ready: Callable[[], None] | None = None


class Method(Protocol):
    """One way to forecast that a search may try."""

    @property
    def about(self) -> About:
        """Return what it says of itself."""
        ...

    def learn(self, panel: Panel, horizon: int, run: Run) -> Self:
        """Learn what all series have in common; a method that looks at one series at a time learns nothing here."""
        ...

    def forecast(self, panel: Panel, horizon: int, run: Run) -> Array:
        """Return the next steps of each series, float64, shape (n_series, horizon); NaN where it has no answer.

        Stops when `run.deadline` passes, with NaN for the series that it did not reach.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write what was learned; data only."""
        ...

    def load(self, folder: Path) -> Self:
        """Return the method with what `save` wrote."""
        ...


METHODS: Registry[Method] = Registry(
    "forecasting method", package="mantic.learners.series", entry_points="mantic.series"
)


@dataclass(frozen=True)
class Local:
    """A method that is a function of the panel and keeps nothing."""

    about: About
    function: Callable[[Panel, int], Array]

    def learn(self, panel: Panel, horizon: int, run: Run) -> Self:
        """Learn nothing."""
        return self

    def forecast(self, panel: Panel, horizon: int, run: Run) -> Array:
        """Return what the function says of all series at once."""
        return self.function(panel, horizon)

    def save(self, folder: Path) -> None:
        """Write nothing."""

    def load(self, folder: Path) -> Self:
        """Return itself."""
        return self


@dataclass(frozen=True)
class OneByOne(Local):
    """A method that is a function of one series: (values, horizon, panel) to the next steps."""

    function: Callable[..., Array]

    def forecast(self, panel: Panel, horizon: int, run: Run) -> Array:
        """Return what the function says of each series; a series on which it fails, or that comes too late, has NaN."""
        found = np.full((len(panel), horizon), np.nan)
        for place in range(len(panel)):
            if run.deadline.passed:
                break
            try:
                found[place] = self.function(panel.one(place), horizon, panel)
            except _NO_ANSWER:
                continue
        found[~np.isfinite(found).all(axis=1)] = np.nan
        return found


# What libraries raise on a series that they cannot fit: it is one series without an answer of this method.
_NO_ANSWER = (ValueError, ArithmeticError, NotImplementedError, RuntimeError, IndexError, np.linalg.LinAlgError)


def everywhere(panel: Panel, horizon: int) -> Array:
    """Return that a method suits every series."""
    return np.ones(len(panel), dtype=bool)


def method(about: About) -> Callable[[Callable[[Panel, int], Array]], Callable[[Panel, int], Array]]:
    """Make a function of (panel, horizon) a method."""

    def mark(function: Callable[[Panel, int], Array]) -> Callable[[Panel, int], Array]:
        METHODS.add(about.name, Local(about, function))
        return function

    return mark


def method_of_one(about: About) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """Make a function of (values, horizon, panel) a method that is asked series by series."""

    def mark(function: Callable[..., Array]) -> Callable[..., Array]:
        METHODS.add(about.name, OneByOne(about, function))
        return function

    return mark


def can_be_used(one: Method) -> bool:
    """Whether all packages that a method needs are installed; imports none of them."""
    return not absent(one.about.needs)
