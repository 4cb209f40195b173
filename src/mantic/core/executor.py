"""Where jobs run: here, or in worker processes that can be killed."""

import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

# A job that goes in steps stops by itself at its time; one that does not is killed this many seconds later.
GRACE_SECONDS = 0.3


class Job(Protocol):
    """A piece of work; `seconds` is how long it may take."""

    @property
    def seconds(self) -> float:
        """Return the time allowed."""
        ...


@dataclass(frozen=True)
class Failure:
    """What a job gives that raised, died or was killed."""

    reason: str


@dataclass(frozen=True)
class Shared:
    """A handle on a value that every job may open; it travels instead of the value."""

    path: Path

    def open(self) -> Any:
        """Return the value (read once in each process)."""
        return _read(self.path)


@lru_cache(maxsize=2)
def _read(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)  # written by this very run, in its own private folder


@dataclass(frozen=True)
class Held:
    """A handle on a value in this process."""

    value: Any

    def open(self) -> Any:
        """Return the value."""
        return self.value


class Executor(Protocol):
    """Runs jobs; `jobs` is asked for the next one only when somebody is free to do it."""

    workers: int
    waited: float  # seconds in which this process only waited for workers

    def share(self, value: Any) -> Shared | Held:
        """Place a value once for all jobs."""
        ...

    def run(self, work: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield (job, result) as they finish; a job that fails gives a `Failure`."""
        ...

    def close(self) -> None:
        """Stop everything at once."""
        ...


class Here:
    """One after the other in this process: for tables so small that starting a process would cost more."""

    workers, waited = 1, 0.0

    def share(self, value: Any) -> Held:
        """Return a handle; nothing is copied."""
        return Held(value)

    def run(self, work: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield (job, result) one after the other."""
        for job in jobs:
            yield job, attempt(work, job)

    def close(self) -> None:
        """Do nothing."""


def attempt(work: Callable[[Any], Any], job: Any) -> Any:
    """Return what the work gives, or a `Failure`: one bad trial must not end a search."""
    try:
        return work(job)
    except Exception as error:  # noqa: BLE001  # the search records it as an event and goes on
        return Failure(f"{type(error).__name__}: {error}")


@dataclass(eq=False)
class _Worker:
    process: "subprocess.Popen[bytes]"
    job: Any = None
    kill_at: float = float("inf")
    is_alive: bool = True


_DIED = Failure("the worker process died (out of memory?)")
LATE = Failure("stopped at its time limit")


@dataclass
class Processes:
    """Worker processes, started fresh (never forked) and without importing the user's main script.

    Parameters
    ----------
    workers : how many; each gets `threads` threads.
    plugins : files that each worker imports first (`core.registry.load_plugin`).
    warm : modules that each worker imports while it waits for its first job.
    """

    workers: int
    threads: int = 1
    plugins: tuple[Path, ...] = ()
    warm: tuple[str, ...] = ()
    waited: float = field(default=0.0, init=False)
    _team: list[_Worker] = field(default_factory=list)
    _news: "queue.Queue[tuple[_Worker, Any]]" = field(default_factory=queue.Queue)
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _n_shared: int = 0

    def __post_init__(self) -> None:
        """Start the workers, so that they import while the caller prepares."""
        self._folder = tempfile.TemporaryDirectory(prefix="mantic-share-", ignore_cleanup_errors=True)
        self._team = [self._start() for _ in range(self.workers)]

    def share(self, value: Any) -> Shared:
        """Write the value to a private file, once."""
        assert self._folder is not None
        self._n_shared += 1
        path = Path(self._folder.name) / f"{self._n_shared}.bin"
        with path.open("wb") as file:
            pickle.dump(value, file, protocol=5)
        return Shared(path)

    def run(self, work: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield (job, result) as workers finish; a late worker is killed, and replaced when a job waits for it."""
        waiting = iter(jobs)
        open_ended = True
        while True:
            for place, worker in enumerate(list(self._team)):
                if open_ended and worker.job is None:
                    job = next(waiting, None)
                    if job is None:
                        open_ended = False
                        break
                    self._team[place] = self._give(worker, work, job)
            if all(worker.job is None for worker in self._team):
                return
            yield from self._collect()

    def close(self) -> None:
        """Kill the workers and remove what was shared."""
        for worker in self._team:
            _end(worker)
        self._team = []
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _start(self) -> _Worker:
        count = str(self.threads)
        limits = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS", "LOKY_MAX_CPU_COUNT"),
            count,
        )
        paths = (str(Path(path).absolute()) for path in sys.path)  # the current folder only where it is one of ours
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mantic.core.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | limits | {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": os.pathsep.join(paths)},
        )
        worker = _Worker(process)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        assert self._folder is not None
        self._send(worker, (self.plugins, self.warm, self._folder.name))
        return worker

    def _listen(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        while True:
            try:
                news = pickle.load(worker.process.stdout)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError):
                self._news.put((worker, _DIED))
                return
            self._news.put((worker, news))

    def _send(self, worker: _Worker, message: Any) -> None:
        assert worker.process.stdin is not None
        try:
            pickle.dump(message, worker.process.stdin, protocol=5)
            worker.process.stdin.flush()
        except (BrokenPipeError, OSError):  # it died: the listener says so
            return

    def _give(self, worker: _Worker, work: Callable[[Any], Any], job: Any) -> _Worker:
        if not worker.is_alive or worker.process.poll() is not None:
            _end(worker)
            worker = self._start()
        worker.job, worker.kill_at = job, time.monotonic() + job.seconds + GRACE_SECONDS
        self._send(worker, (work, job))
        return worker

    def _collect(self) -> Iterator[tuple[Any, Any]]:
        """Wait for one result or for the first worker that is late."""
        found = self._next(min(worker.kill_at for worker in self._team) - time.monotonic())
        if found is None:
            for late in [one for one in self._team if one.kill_at <= time.monotonic()]:
                late.process.kill()
                late.is_alive = False
                job, late.job, late.kill_at = late.job, None, float("inf")
                yield job, LATE
            return
        worker, news = found
        worker.is_alive = worker.is_alive and news is not _DIED
        if worker.job is not None:
            job, worker.job, worker.kill_at = worker.job, None, float("inf")
            yield job, news

    def _next(self, seconds: float) -> "tuple[_Worker, Any] | None":
        began = time.monotonic()
        try:
            return self._news.get(timeout=min(max(0.0, seconds), threading.TIMEOUT_MAX))
        except queue.Empty:
            return None
        finally:
            self.waited += time.monotonic() - began


def _end(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.wait()
    for pipe in (worker.process.stdin, worker.process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                continue
