"""Follow long work: a bar in a terminal, a rare plain line elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mantic.core.budget import Deadline
from mantic.core.run import Event, Listener, Measured, Progress, Started

_RARELY = 5.0  # seconds between plain lines


@contextmanager
def following(started: float, deadline: Deadline) -> Iterator[Listener]:
    """Give a listener that shows how far a fit is; what it showed on a terminal is gone at the end.

    Parameters
    ----------
    started : on `time.monotonic`.
    """
    seconds = deadline.at - started
    if not sys.stderr.isatty():
        yield _Plain(started, seconds)
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import ProgressColumn, SpinnerColumn, TextColumn
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    class Clock(ProgressColumn):
        """Draws the time that is gone against the budget."""

        max_refresh = 0.2

        def render(self, task: Any) -> Any:
            gone = time.monotonic() - started
            if seconds == float("inf"):
                return Text(f"{gone:.0f} s")
            return ProgressBar(total=seconds, completed=min(gone, seconds), width=24)

    with Bars(
        SpinnerColumn(),
        Clock(),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        task = bars.add_task("reading", total=None)
        yield lambda event: _describe(bars, task, _line(event, time.monotonic() - started, seconds))


def _describe(bars: Any, task: Any, line: str) -> None:
    if line:
        bars.update(task, description=line)


@contextmanager
def counting() -> Iterator[Listener]:
    """Give a listener that shows how much of a known amount is done, in percent; a bar is gone at the end."""
    if not sys.stderr.isatty():
        yield _Rare()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    with Bars(
        BarColumn(24), TaskProgressColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bars:
        task = bars.add_task("", total=100)
        yield lambda event: bars.update(task, completed=event.done) if isinstance(event, Progress) else None


class _Rare:
    """Tells how much is done, at most once in five seconds and not at once."""

    def __init__(self) -> None:
        self.told = time.monotonic()

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        if isinstance(event, Progress) and now - self.told >= _RARELY:
            self.told = now
            print(f"{100 * event.done / event.total:.0f} % done", file=sys.stderr, flush=True)


class _Plain:
    """Tells the first model, then new bests, at most one line in five seconds; what is being done is for a terminal."""

    def __init__(self, started: float, seconds: float) -> None:
        self.started = started
        self.seconds = seconds
        self.told = float("-inf")

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        line = "" if isinstance(event, Started) else _line(event, now - self.started, self.seconds)
        if line and now - self.told >= _RARELY:
            self.told = now
            print(line, file=sys.stderr, flush=True)


def _line(event: Event, gone: float, seconds: float) -> str:
    """Return what an event means to somebody who waits; empty when nothing."""
    clock = f"{gone:.0f} s" if seconds == float("inf") else f"{gone:.0f} of {seconds:.0f} s"
    if isinstance(event, Measured):
        if not event.facts.get("best", True):
            return ""
        by = f" by {event.facts['learner']}" if "learner" in event.facts else ""
        return f"{clock}  best so far: {event.name.replace('_', ' ')} {event.value:.4g}{by}"
    if isinstance(event, Started | Progress):
        return f"{clock}  {event.message()}"
    return ""
