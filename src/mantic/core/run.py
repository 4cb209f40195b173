"""One piece of work and its story: seed, threads, deadline, and the five events that it tells."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from numbers import Integral
from pathlib import Path
from typing import Any, Self

from mantic.core.budget import Deadline
from mantic.core.errors import SettingsError
from mantic.core.journal import Journal

MOST_SEED = 2_000_000_000  # libraries take seeds of 31 bits, and something is added to it


def check_seed(seed: Any) -> None:
    """Refuse what cannot be a seed, before anything is done with it.

    Raises
    ------
    SettingsError : says what it may be.
    """
    if not isinstance(seed, Integral) or not 0 <= int(seed) <= MOST_SEED:
        raise SettingsError(f"{seed!r} is no seed", where="seed", fix=f"give a whole number from 0 to {MOST_SEED:,}")


@dataclass(frozen=True)
class Started:
    """A piece of work began."""

    name: str

    def message(self) -> str:
        """Return the event as one line."""
        return f"{self.name} ..."


@dataclass(frozen=True)
class Progress:
    """So much of it is done, out of so much (seconds or pieces)."""

    done: float
    total: float
    what: str = ""

    def message(self) -> str:
        """Return the event as one line."""
        return f"{self.what or 'done'} {self.done:g} of {self.total:g}"


@dataclass(frozen=True)
class Measured:
    """A figure is known: a trial's score, a model's latency."""

    name: str
    value: float
    facts: dict[str, Any] = field(default_factory=dict)

    def message(self) -> str:
        """Return the event as one line."""
        return f"{self.name}: {self.value:.4g}"


@dataclass(frozen=True)
class Warned:
    """Something that the user should know; `code` is stable, `column` where it applies."""

    code: str
    text: str
    column: str | None = None

    def message(self) -> str:
        """Return the event as one line."""
        return self.text


@dataclass(frozen=True)
class Finished:
    """The piece of work ended, well or not."""

    name: str
    seconds: float

    def message(self) -> str:
        """Return the event as one line."""
        return f"{self.name} took {self.seconds:.1f} s"


Event = Started | Progress | Measured | Warned | Finished
Listener = Callable[[Event], None]


@dataclass
class Run:
    """What every piece of work is handed: how to be repeatable, when to stop, whom to tell.

    Parameters
    ----------
    seed : every random choice below comes from it.
    threads : how many threads one piece of work may use.
    deadline : when it must be over.
    folder : scratch space; made on first use as a temporary folder, removed by `close`.
    listeners : functions that receive each event; a face attaches them, the library attaches none.
    journal : where a search puts down each finished trial, and where it goes on after a crash; none by default.
    dropped : columns that were left out of the table before; reports name them in how to do it again.

    >>> run = Run(listeners=[lambda event: print(event.message())])
    >>> run.warn("few_rows", "only 12 rows")
    only 12 rows
    """

    seed: int = 0
    threads: int = 1
    deadline: Deadline = field(default_factory=Deadline)
    listeners: list[Listener] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    journal: Journal | None = None
    dropped: tuple[str, ...] = ()
    _scratch: tempfile.TemporaryDirectory[str] | None = None

    @property
    def folder(self) -> Path:
        """Return the scratch folder of this run."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="mantic-", ignore_cleanup_errors=True)
        return Path(self._scratch.name)

    def tell(self, event: Event) -> None:
        """Hand an event to every listener."""
        for listener in self.listeners:
            listener(event)

    def progress(self, done: float, total: float, what: str = "") -> None:
        """Say how far the work is."""
        self.tell(Progress(done, total, what))

    def measure(self, name: str, value: float, **facts: Any) -> None:
        """Say a figure."""
        self.tell(Measured(name, float(value), facts))

    def warn(self, code: str, text: str, *, column: str | None = None) -> None:
        """Say what the user should know; a warning is told once and kept."""
        event = Warned(code, text, column)
        if event not in self.warnings:
            self.warnings.append(event)
            self.tell(event)

    def until(self, deadline: Deadline) -> "Run":
        """Return the same run with another deadline (listeners and warnings are shared)."""
        return replace(self, deadline=deadline, _scratch=None)

    def close(self) -> None:
        """Remove the scratch folder."""
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def __enter__(self) -> Self:
        """Start; the scratch folder goes when the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the scratch folder."""
        self.close()
