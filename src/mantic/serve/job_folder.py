"""Where jobs lie: a folder for each, which only its owner on this machine may look into.

ID/job.json         what is asked and how far it is; written last when a job is made: until then it is none
ID/table.csv        the rows; gone when the job has ended, as is the model
ID/model.mantic     the version that answered for the name when the job was made
ID/answers.csv      appears when all rows are answered
ID/lock             locked by whoever receives or answers the job; the system lets go of it when that process ends
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mantic.core.files import names_to_disk, write_atomic
from mantic.core.strict_json import read_json
from mantic.serve.job import DONE, Job, is_id
from mantic.serve.log import new_ids

MODEL = "model.mantic"
SCRATCH = "scratch"
_FACTS, _LOCK = "job.json", "lock"
_GONE = ".gone-"


@dataclass(frozen=True)
class JobFolder:
    """The folder of all jobs; several servers may have the same.

    >>> import tempfile
    >>> folder = JobFolder(Path(tempfile.mkdtemp()))
    >>> job = Job("0" * 32, "", "churn", "1", "table.csv", "csv", False, 0.0)
    >>> folder.of(job.id).mkdir()
    >>> folder.write(job)
    >>> folder.read(job.id) == job, folder.read("../x")
    (True, None)
    """

    root: Path
    _ended: dict[str, Job] = field(default_factory=dict, repr=False, compare=False)  # they do not change any more

    def of(self, name: str) -> Path:
        """Return the folder of a job."""
        return self.root / name

    def make(self) -> tuple[str, int]:
        """Make the folder of a job that comes; return its id and the lock on it."""
        while True:
            (name,) = new_ids(1, time.time())
            self.of(name).mkdir(mode=0o700)
            if (lock := self.lock(name)) is not None:
                names_to_disk(self.root)
                return name, lock  # else another server, which sweeps, was faster and takes it away

    def read(self, name: str) -> Job | None:
        """Return a job; None if there is none of this id."""
        if not is_id(name):
            return None
        try:
            return Job.of_facts(_object(read_json((self.of(name) / _FACTS).read_bytes())))
        except (OSError, ValueError, KeyError, TypeError):  # removed, not made yet, or nothing of ours
            return None

    def write(self, job: Job) -> None:
        """Put a job down: all of it or nothing, and on the disk."""
        self._ended.pop(job.id, None)
        with write_atomic(self.of(job.id) / _FACTS, mode=0o600) as part:
            part.write_text(json.dumps(job.to_facts(), ensure_ascii=False), "utf-8", "replace")

    def rewrite(self, job: Job) -> None:
        """Put a job down, unless it was removed meanwhile."""
        with suppress(FileNotFoundError):
            self.write(job)

    def all(self) -> list[Job]:
        """Return every job, the oldest first."""
        names = sorted(path.name for path in self.root.iterdir() if is_id(path.name))
        found = [job for name in names if (job := self._ended.get(name) or self.read(name)) is not None]
        ended = {job.id: job for job in found if job.has_ended}
        self._ended.clear()
        self._ended.update(ended)
        return found

    def lock(self, name: str) -> int | None:
        """Return the lock on a job, which `os.close` gives back; None if another process has it, or there is no job."""
        try:
            handle = os.open(self.of(name) / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return None
        return handle

    def remove(self, name: str) -> None:
        """Remove a job at once; what a process still writes there goes at the next `sweep`."""
        gone = self.root / f"{_GONE}{name}"
        with suppress(FileNotFoundError):
            self.of(name).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def tidy(self, job: Job) -> None:
        """Remove of an ended job what nobody needs any more: everything but its file and its answers."""
        keep = {_FACTS, _LOCK, *([job.answers] if job.state == DONE else [])}
        for path in list(self.of(job.id).iterdir()):
            if path.name not in keep:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def sweep(self, *, before: float) -> None:
        """Remove what ended before a moment, and what never became a job because its server was killed.

        Parameters
        ----------
        before : seconds since 1970.
        """
        for name in [path.name for path in self.root.iterdir()]:
            job = self.read(name)
            if name.startswith(_GONE):
                shutil.rmtree(self.root / name, ignore_errors=True)
            elif job is not None and job.ended is not None and job.ended < before:
                self.remove(name)
            elif job is None and is_id(name) and (lock := self.lock(name)) is not None:
                try:
                    if not (self.of(name) / _FACTS).exists():  # one that cannot be read may have answers
                        self.remove(name)
                finally:
                    os.close(lock)


def _object(found: Any) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found
