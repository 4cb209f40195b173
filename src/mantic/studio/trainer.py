"""Who starts trainings, waits for them, stops them, and takes up again what was killed."""

import fcntl
import math
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mantic.core.errors import ManticError, StoreError
from mantic.core.process import is_there, note_of
from mantic.core.settings import Settings
from mantic.store.runs import FAILED, RUNNING
from mantic.store.store import Store
from mantic.studio.question_forecast import is_forecast
from mantic.studio.training import LOG, STOPPING, WAITING, WORKING, Training, TrainingFolder

_EVERY = 0.3  # seconds between two looks
_SWEEP_SECONDS = 3600.0  # between two sweeps
_MOST_STARTS = 3  # of one training: what is killed so often would be killed again
_MANY_CORES = 8  # from here on two trainings at once do not stand in each other's way


@dataclass
class Trainer:
    """The trainings of a Studio; several Studios over one store share them, and one of them attends to all.

    A training is a process in a session of its own: it goes on when Studio ends or is killed, and the next Studio finds
    it by its note. If both were killed, the next Studio starts it again, and the journal knows what was done.

    Parameters
    ----------
    sweep : removes what nobody needs any more; called at the start and every hour, since a thread is there.
    most : trainings at once; others wait, the oldest first.
    """

    folder: TrainingFolder
    settings: Settings
    store: Store
    sweep: Callable[[], object] = lambda: None
    most: int = field(default_factory=lambda: 1 if (os.cpu_count() or 1) < _MANY_CORES else 2)
    _children: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _wake: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_over: bool = False
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Attend to the trainings from now on."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's "&": trainings would not hear Stop
        self._thread = threading.Thread(target=self._live, daemon=True, name="mantic-trainer")
        self._thread.start()

    def close(self) -> None:
        """Leave the trainings alone; they go on."""
        self._is_over = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        for child in self._children.values():
            child.returncode = 0  # nobody waits for it: Python need not warn that it goes on
        self._children.clear()

    def begin(self, training: Training, data: Path) -> str:
        """Put a training down, which starts when its turn has come; return its run, or that of one that does the same.

        A double click asks twice for one thing.
        """
        with self._lock:
            for one in self.folder.going():
                is_same = (one.draft, one.words) == (training.draft, training.words)
                if is_same and not self.folder.is_stopped(one.run):
                    return one.run
            self.folder.make(training, data)
        self._wake.set()
        return training.run

    def stop(self, run: str) -> None:
        """Let a training end early, with the best that it has; one that waits does not begin. Twice is as once."""
        if self.folder.stop(run):
            self._interrupt(run)
        self._wake.set()

    def _interrupt(self, run: str) -> None:
        process = self.folder.process(run)
        if is_there(process):
            with suppress(ProcessLookupError):
                os.kill(int(process["pid"]), signal.SIGINT)

    def go_on(self, run: str) -> None:
        """Start a training again that was cut off; what was done stays done.

        Raises
        ------
        StoreError : if it cannot be.
        """
        if not self.can_go_on(run):
            raise StoreError("this training cannot go on", where=run, fix="start another one from the data")
        self.folder.reopen(run)
        self._wake.set()

    def can_go_on(self, run: str) -> bool:
        """Return whether a training that was cut off or did not begin can be started again under the same name."""
        is_open = not self.store.runs.knows(run) or self.store.runs.get(run).state == RUNNING
        return is_open and self.folder.has_data(run)

    def before(self, run: str) -> int:
        """Return how many trainings work or wait before one that waits."""
        runs = [one.run for one in self.folder.going()]
        working = [one for one in runs if self.folder.state(one) != WAITING]
        waiting = [one for one in runs if one not in working]
        return len(working) + (waiting.index(run) if run in waiting else 0)

    def _live(self) -> None:
        lock = os.open(self.folder.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        is_ours, swept = False, -math.inf
        try:
            while not self._is_over:
                if time.monotonic() - swept > _SWEEP_SECONDS:
                    swept = time.monotonic()
                    with suppress(OSError):
                        self.sweep()
                if not is_ours:
                    with suppress(BlockingIOError):  # another Studio attends
                        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        is_ours = True
                if is_ours:
                    with suppress(ManticError, OSError):  # a store or disk that refuses now may not the next time
                        self._look()
                self._wake.wait(_EVERY)
                self._wake.clear()
        finally:
            os.close(lock)

    def _look(self) -> None:
        """End what has ended, and start what waits while there is room."""
        known = {one: self.folder.state(one.run) for one in self.folder.going()}
        room = self.most - sum(state in (WORKING, STOPPING) for state in known.values())
        for one, state in known.items():
            if state == WAITING and not self._has_ended(one) and room > 0:
                self._start(one)
                room -= 1

    def _has_ended(self, one: Training) -> bool:
        """Return whether a training without a process of ours is over, and put that down."""
        child = self._children.pop(one.run, None)
        code = None if child is None else child.wait()
        kept = self.store.runs.get(one.run) if self.store.runs.knows(one.run) else None
        if kept is not None and kept.state != RUNNING:
            if kept.facts.get("model"):
                self.folder.drop_model(one.run)
            self.folder.end(one.run, _fault_of(kept.facts) if kept.state == FAILED else None)
            return True
        starts = int(self.folder.process(one.run).get("starts", 0))
        if kept is not None and is_there(kept.facts):  # a Studio was killed between starting it and noting it
            self.folder.note(one.run, {**kept.facts, "starts": starts})
            return True
        fault = self._fault(one.run, code, starts)
        if fault is not None:
            self.folder.end(one.run, fault)
        return fault is not None

    def _fault(self, run: str, code: int | None, starts: int) -> dict[str, str] | None:
        """Return why a training that put nothing down goes no further; None if it is its turn (again)."""
        if self.folder.is_stopped(run) and (code or not starts):
            when = "it began" if not starts else "there was a model to keep"
            fix = "let it begin again; from the first score on, a stop keeps the best so far"
            return {"what": f"it was stopped before {when}", "where": "", "fix": fix}
        if self.folder.is_stopped(run):  # with a Studio that was killed: started again, it could not be stopped
            what = "the process was killed while it stopped; what it had finished is kept"
            return {"what": what, "where": "", "fix": "let it go on, then stop it again"}
        if code is not None and code < 0:
            what = "the process was killed, perhaps because memory ran out; what it had finished is kept"
            return {"what": what, "where": f"signal {-code}", "fix": "let it go on"}
        if code:
            return _told(self.folder.said(run), code)
        if starts >= _MOST_STARTS:
            what = f"it was cut off {starts} times; what it had finished is kept"
            return {"what": what, "where": "", "fix": "let it go on, with fewer rows or more memory"}
        return None

    def _start(self, one: Training) -> None:
        """Start the process of a training, or start it again."""
        folder = self.folder.of(one.run)
        resume = [] if is_forecast(one.words) else ["--resume"]  # a forecast that was cut off begins again
        starts = int(self.folder.process(one.run).get("starts", 0)) + 1
        with (folder / LOG).open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", "mantic.cli.main", *one.words, *resume, "--run", one.run],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=self._environment(),
            )  # fmt: skip
        self._children[one.run] = child
        self.folder.note(one.run, {**note_of(child.pid), "starts": starts})
        if self.folder.is_stopped(one.run):  # a moment ago: `stop` did not see the process yet
            self._interrupt(one.run)

    def _environment(self) -> Mapping[str, str]:
        """Return what the process sees: the same store, the same executor, the same packages."""
        ours = {
            "MANTIC_STORE_URL": self.settings.store.url or str(self.store.address.folder or ""),
            "MANTIC_STORE_BLOBS": self.settings.store.blobs,
            "MANTIC_EXECUTOR_WORKERS": str(self.settings.executor.workers),
            "MANTIC_EXECUTOR_THREADS": str(self.settings.executor.threads),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        return os.environ | {name: value for name, value in ours.items() if value not in ("", "None")}


def command_of(words: tuple[str, ...]) -> str:
    """Return a training as somebody would type it.

    >>> command_of(("fit", "my churn.csv", "--target", "churned"))
    "mantic fit 'my churn.csv' --target churned"
    """
    return shlex.join(["mantic", *words])


def _fault_of(facts: Mapping[str, object]) -> dict[str, str]:
    return {key: str(facts.get(key, "")) for key in ("what", "where", "fix")}


def _told(said: str, code: int) -> dict[str, str]:
    """Return the fault of a process that said why it ended before it could put that into the store."""
    lines = said.splitlines()
    what = next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")), "")
    fixes = (line.strip() for line in reversed(lines))
    fix = next((line.removeprefix("fix:").strip() for line in fixes if line.startswith("fix:")), "")
    where = f"exit code {code}"
    return {"what": what or "the process ended without a model", "where": where, "fix": fix or "look at its log below"}
