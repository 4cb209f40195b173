"""The jobs of a server: they wait their turn, run in a process each, and outlive the server."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from mantic.serve.admission import busy
from mantic.serve.job import FAILED, RUNNING, STATES, WAITING, Job, JobError, JobLimits, Wish
from mantic.serve.job_folder import MODEL, SCRATCH, JobFolder
from mantic.serve.job_upload import Upload, check_room, full_disk_told
from mantic.serve.problem import problem
from mantic.serve.served import Served

_BUSY_SECONDS = 0.2  # between two looks at processes that run
_IDLE_SECONDS = 5.0  # between two looks for jobs that a server left which was killed
_SWEEP_SECONDS = 60.0
_AGAIN_SECONDS = 30.0  # when to come again if too many jobs wait: nobody knows how long they take
_DAY = 86_400
# What a job's process sees of the environment: nothing that may be a secret, as the address of the store is.
_SEEN = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS", "OMP_WAIT_POLICY")


def _unheard(line: str) -> None:
    """Stand for somebody who is told nothing: those who ask see that their jobs wait."""


@dataclass(frozen=True)
class _Sitting:
    """A job that runs here."""

    id: str
    lock: int
    process: "subprocess.Popen[bytes]"
    until: float

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def let_go(self) -> None:
        os.close(self.lock)
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()


@dataclass
class Jobs:
    """The jobs in a folder, those of them that run here, and a thread that starts and ends them.

    Servers with the same folder share its jobs: each shows all of them, and one that is left by a server which was
    killed is taken up by another, or by the next one to start.

    Parameters
    ----------
    folder : made when it is not there.
    command : starts the process of a job; `cli.job` says what it reads.
    limits : of one job, and of how many there are.
    say : receives a line for the person who started the server, where jobs cannot go on.

    Raises
    ------
    OSError : if there can be no such folder.
    """

    folder: Path
    command: Sequence[str]
    limits: JobLimits = field(default_factory=JobLimits)
    say: Callable[[str], object] = _unheard
    _sittings: dict[str, _Sitting] = field(default_factory=dict)
    _uploads: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wake: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _is_over: bool = False
    _swept: float = float("-inf")

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.kept = JobFolder(self.folder)

    def __enter__(self) -> Self:
        """Start what waits."""
        self._is_over = False
        self._thread = threading.Thread(target=self._live, daemon=True, name="mantic-jobs")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what runs; the next server goes on with it."""
        self._is_over = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            for sitting in list(self._sittings.values()):
                sitting.stop()
                with suppress(OSError):  # if it cannot be put down, the next server finds out by itself
                    self._leave(sitting)

    @property
    def has_begun(self) -> bool:
        """Whether what waits will have its turn here."""
        return self._thread is not None

    def receive(self, kind: str, n_bytes: int | None = None) -> Upload:
        """Make room for a table that comes; `forget` must follow, however it ends.

        Parameters
        ----------
        kind, n_bytes : as `job_upload.declared_kind` and `declared_bytes` give them.

        Raises
        ------
        BusyError : if too many jobs wait. FullError : if the disk is nearly full.
        """
        check_room(self.folder, self.limits.max_bytes if n_bytes is None else n_bytes)
        with self._lock:
            n_open = len(self._uploads) + sum(
                job.id not in self._uploads and not job.has_ended for job in self.kept.all()
            )
            if n_open >= self.limits.running + self.limits.waiting:
                raise busy(_AGAIN_SECONDS)
            with full_disk_told():
                name, lock = self.kept.make()
            self._uploads.add(name)
        return Upload(name, self.kept.of(name), lock, kind)

    def forget(self, upload: Upload) -> None:
        """Let go of a table that came: it is a job now, whose turn will be, or was not taken."""
        self._uploads.discard(upload.id)
        os.close(upload.lock)
        self._wake.set()

    def begin(self, upload: Upload, served: Served, wish: Wish, *, owner: str) -> Job:
        """Make a job of a table that has arrived; when this returns it is safe.

        Parameters
        ----------
        served : answers it, whatever is served by the time when its turn comes.
        owner : id of the key of who asks.
        """
        head = upload.id, owner, served.name, served.version
        job = Job(*head, upload.table, wish.format, wish.is_for_spreadsheet, created=time.time())
        with full_disk_told():
            served.model.save(upload.folder / MODEL)
            self.kept.write(job)
        return job

    def remove(self, name: str) -> None:
        """Stop a job, and remove all that there is of it."""
        with self._lock:
            sitting = self._sittings.pop(name, None)
            if sitting is not None:
                sitting.stop()
            self.kept.remove(name)
            if sitting is not None:
                sitting.let_go()
        self._wake.set()

    def counts(self) -> dict[str, float]:
        """Return how many jobs there are in each state, for the metrics."""
        states = [job.state for job in self.kept.all()]
        return {f'mantic_jobs{{state="{state}"}}': float(states.count(state)) for state in STATES}

    def _live(self) -> None:
        trouble = ""
        self._put_back()
        while not self._is_over:
            try:
                with self._lock:
                    self._round()
            except OSError as error:  # the disk is full, or there can be no process: it may be better soon
                if trouble != str(error):
                    trouble = str(error)
                    self.say(f"warning: jobs wait: {error}")
            self._wake.wait(_BUSY_SECONDS if self._sittings else _IDLE_SECONDS)
            self._wake.clear()

    def _put_back(self) -> None:
        """Let jobs wait that ran on a server which was killed."""
        for job in self.kept.all():
            if job.state != RUNNING or (lock := self.kept.lock(job.id)) is None:
                continue
            now = self.kept.read(job.id)
            if now is not None and now.state == RUNNING:
                with suppress(OSError):  # it is found again when its turn comes
                    self.kept.rewrite(replace(now, state=WAITING))
            os.close(lock)

    def _round(self) -> None:
        for sitting in list(self._sittings.values()):
            self._look_at(sitting)
        if time.monotonic() - self._swept >= _SWEEP_SECONDS:
            self._swept = time.monotonic()
            self.kept.sweep(before=time.time() - self.limits.days * _DAY)
        if len(self._sittings) < self.limits.running:
            self._start_next()

    def _start_next(self) -> None:
        """Start the oldest jobs that nobody works on, as many as may run."""
        for job in self.kept.all():
            if len(self._sittings) >= self.limits.running:
                return
            if job.has_ended or job.id in self._sittings or (lock := self.kept.lock(job.id)) is None:
                continue
            now = self.kept.read(job.id)  # another server may have been at it until a moment ago
            if now is None or now.has_ended:
                os.close(lock)
                continue
            self._start(now, lock)

    def _start(self, job: Job, lock: int) -> None:
        try:
            self.kept.rewrite(replace(job, state=RUNNING))
            process = self._process(self.kept.of(job.id), lock)
        except OSError:
            os.close(lock)
            with suppress(OSError):
                self.kept.rewrite(job)
            raise
        self._sittings[job.id] = _Sitting(job.id, lock, process, time.monotonic() + self.limits.seconds)

    def _process(self, folder: Path, lock: int) -> "subprocess.Popen[bytes]":
        """Start the process of the job in a folder, and tell it its limits."""
        (folder / SCRATCH).mkdir(exist_ok=True)
        seen = {name: os.environ[name] for name in (*_SEEN, *_THREADS) if name in os.environ}
        process = subprocess.Popen(
            self.command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(lock,),  # held by the process too: as long as it lives nobody else takes the job
            env=seen | {"TMPDIR": str(folder / SCRATCH), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        limits = self.limits
        told = {"memory_bytes": limits.memory_bytes, "seconds": limits.seconds, "max_rows": limits.max_rows}
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended already: seen at the next look
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()
        return process

    def _look_at(self, sitting: _Sitting) -> None:
        """Put down how a process ended, or end it when its time is over or its job was removed elsewhere."""
        ended = sitting.process.poll()
        if ended is None and not self.kept.of(sitting.id).exists():
            sitting.stop()
            self._leave(sitting)
        elif ended is None and time.monotonic() >= sitting.until:
            sitting.stop()
            self._end(sitting, f"the job took more than {self.limits.seconds:,} seconds", "jobs.seconds")
        elif ended is not None:
            self._end(sitting, *_why(ended, self.limits))

    def _end(self, sitting: _Sitting, what: str, setting: str) -> None:
        """Put down why a process ended, unless it has said so itself, and let go of its job."""
        job = self.kept.read(sitting.id)
        if job is not None:
            if not job.has_ended:
                fix = f"send fewer rows in one job, or ask the administrator for a larger {setting}"
                error = JobError(what, where=f"after {job.n_rows:,} rows", fix=fix)
                job = replace(job, state=FAILED, ended=time.time(), problem=problem(error))
                self.kept.rewrite(job)
            with suppress(OSError):  # removed by another server a moment ago
                self.kept.tidy(job)
        self._let_go(sitting)

    def _leave(self, sitting: _Sitting) -> None:
        """Leave a job to whoever comes next."""
        job = self.kept.read(sitting.id)
        if job is not None and not job.has_ended:
            self.kept.rewrite(replace(job, state=WAITING))
        self._let_go(sitting)

    def _let_go(self, sitting: _Sitting) -> None:
        del self._sittings[sitting.id]
        sitting.let_go()


def _why(ended: int, limits: JobLimits) -> tuple[str, str]:
    """Return why a process ended without a word, and which setting may be at fault."""
    if ended == -getattr(signal, "SIGXCPU", 0):
        return f"the job took more than {limits.seconds:,} seconds of each core", "jobs.seconds"
    how = f"by signal {-ended}" if ended < 0 else f"with code {ended}"
    memory = f"{limits.memory_bytes / 1e9:,.1f} GB of memory"
    return f"the process ended without a word ({how}): it probably needed more than {memory}", "jobs.memory_bytes"
