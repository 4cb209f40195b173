"""Follow a fit: a bar of the time in a terminal, a rare plain line elsewhere."""

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


class _Plain:
    """Tells the first event, then new bests, at most one line in five seconds."""

    def __init__(self, started: float, seconds: float) -> None:
        self.started = started
        self.seconds = seconds
        self.told = float("-inf")

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        line = _line(event, now - self.started, self.seconds)
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
