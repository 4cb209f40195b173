"""A scribe: a thread that opens the store while the work begins, and puts its story down as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mantic.cli.kept import store_of
from mantic.cli.screen import tell
from mantic.cli.story import Story
from mantic.core.errors import ManticError, StoreError
from mantic.core.process import this_process
from mantic.core.settings import StoreSettings

if TYPE_CHECKING:
    from mantic.store.store import Store

_PATIENCE = 4.0  # seconds to wait for a first model, which needs every core, before the store is opened
_EVERY = 0.5  # seconds between two looks at what was told
_LATEST = 100  # runs among which the one is looked for that a killed process left


@dataclass(frozen=True)
class Work:
    """What is put down when work begins.

    Parameters
    ----------
    name, facts : of the run.
    run : the id under which it is kept; a new one when empty.
    is_resumed : whether it goes on where a killed process left off.
    """

    name: str
    facts: dict[str, Any]
    run: str = ""
    is_resumed: bool = False


class Scribe:
    """Writes the run of one piece of work; a process that is killed leaves its story up to the last half second.

    Opening a store takes half a second of processor time, most of it for imports. It waits for the first model, whose
    time says how long all that follows may take; then workers compute, and this process has time.

    Attributes
    ----------
    outcome : facts that are added when the work has ended well.
    is_lost : whether somebody was told already that the store cannot be written.
    """

    def __init__(self, settings: StoreSettings, work: Work, story: Story) -> None:
        self.outcome: dict[str, Any] = {}
        self.is_lost = False
        self._settings, self._work, self._story = settings, work, story
        self._store: Store | None = None
        self._run = ""
        self._fault: ManticError | None = None
        self._opened, self._over = threading.Event(), threading.Event()
        self._state, self._facts = "done", {**work.facts, **this_process()}
        self._thread = threading.Thread(target=self._write, daemon=True, name="mantic-scribe")
        self._thread.start()

    def store(self) -> "Store":
        """Return the store, open until `end`.

        Raises
        ------
        StoreError, SettingsError : if it cannot be opened.
        """
        self._story.begun.set()
        self._opened.wait()
        if self._store is None:
            raise self._fault or StoreError("the store could not be opened", where="store", fix="see the lines above")
        return self._store

    def end(self, error: BaseException | None) -> None:
        """Put down how the work ended, and let go of the store; what could not be put down is a warning."""
        self._facts |= self.outcome
        if error is not None and not self.outcome:
            self._state = "failed"
        if error is not None:
            self._facts |= _reason(error)
        self._over.set()
        self._story.begun.set()
        self._thread.join()
        if self._fault is not None and not self.is_lost:
            where = f" ({self._fault.where})" if self._fault.where else ""
            tell(f"warning: the story of this fit is not kept: {self._fault.what}{where}; {self._fault.fix}")

    def _write(self) -> None:
        self._story.begun.wait(_PATIENCE)
        try:
            with store_of(self._settings) as store:
                self._store = store
                self._opened.set()
                self._put(store)
                while not self._over.wait(_EVERY):
                    self._put(store)
                self._put(store)
                if self._run:
                    store.runs.finish(self._run, self._state, self._facts)
        except ManticError as error:
            self._fault = error
        finally:
            self._opened.set()

    def _put(self, store: "Store") -> None:
        """Put down what was told since the last time; what cannot be put down now is tried again."""
        events = self._story.take()
        try:
            if not self._run:
                self._run = _begin(store, self._work, self._facts)
            if events:
                store.runs.append(self._run, events)
            self._fault = None
        except ManticError as error:
            self._fault = error
            self._story.give_back(events)


@contextmanager
def writing(settings: StoreSettings, work: Work, story: Story) -> Iterator[Scribe]:
    """Give a scribe for the work of a block; however the block ends is put down."""
    scribe = Scribe(settings, work, story)
    try:
        yield scribe
    except BaseException as error:
        scribe.end(error)
        raise
    scribe.end(None)


def _begin(store: "Store", work: Work, facts: dict[str, Any]) -> str:
    """Return the run of this work: a new one, or the one that a killed process left."""
    run = work.run if work.is_resumed and store.runs.knows(work.run) else ""
    if work.is_resumed and not work.run:
        latest = store.runs.list(limit=_LATEST)
        left = (one.id for one in latest if one.is_cut_off and one.facts.get("out") == facts["out"])
        run = next(left, "")
    if not run:
        return store.runs.start(work.name, "fit", facts, at=facts["sat"], run=work.run)
    store.runs.take_up(run, facts)
    return run


def _reason(error: BaseException) -> dict[str, Any]:
    if isinstance(error, ManticError):
        return {"what": error.what, "where": error.where, "fix": error.fix}
    if isinstance(error, KeyboardInterrupt):
        fix = "start it again; from the first score on, a stop keeps the best so far"
        return {"what": "it was stopped before there was a model to keep", "where": "", "fix": fix}
    what, fix = f"a bug in mantic: {type(error).__name__}: {error}"[:2000], "report it, with the lines that it printed"
    return {"what": what, "where": "", "fix": fix}
