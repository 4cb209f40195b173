"""What the process of a job does: it takes limits upon itself, then answers the table in its folder.

Its working folder is that of the job. It reads one line of JSON, its limits, from standard input. What it has done
stands in the job's file; when its standard input ends its server is gone, and so is it.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mantic.core.errors import ManticError
from mantic.core.run import Event, Measured, Progress, Run, Warned
from mantic.serve.batch import ROWS, Batch, answer_file
from mantic.serve.job import DONE, FAILED, Job, JobError
from mantic.serve.job_folder import MODEL, JobFolder
from mantic.serve.job_upload import check_room
from mantic.serve.problem import broken, problem

_FILE_BYTES = 64_000_000_000  # one file of answers; what a table swells to must not fill every disk
_GRACE_SECONDS = 5  # from the signal that says why to the one that does not
_NICE = 10
_REFUSED = ("socket.connect", "socket.bind", "socket.sendto", "subprocess.Popen", "os.system", "os.exec", "os.fork")


def take_limits() -> Mapping[str, Any]:
    """Take the limits upon this process that standard input says, and end when that ends; return the limits.

    Memory and processor time are the system's to hold, where it can.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server says when it is over
    limits: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_follow_server, daemon=True).start()
    _limit(limits)
    return limits


def close_doors() -> None:
    """Let Python refuse the network and other programs to this process from now on: nothing here needs them."""
    sys.addaudithook(_refuse)


def work(limits: Mapping[str, Any], load: Callable[[Path], Any]) -> None:
    """Answer the job in the working folder, or put down why that cannot be.

    Parameters
    ----------
    load : from the path of a model file to the model.
    """
    folder = Path.cwd()
    kept = JobFolder(folder.parent)
    job = kept.read(folder.name)
    if job is None:  # removed a moment ago
        return
    teller = _Teller(kept, job)
    try:
        if not Path(job.answers).exists():  # else they were complete when the server was killed
            model = load(Path(MODEL))
            form = "spreadsheet" if job.is_for_spreadsheet else ""
            with Run(listeners=[teller.hear]) as run:
                answer_file(Batch(model, job.table, Path(job.answers), True, form, int(limits["max_rows"])), run)
        job = replace(teller.job, state=DONE, share=1.0)
    except ManticError as error:
        job = replace(teller.job, state=FAILED, problem=problem(error))
    except MemoryError:
        job = replace(teller.job, state=FAILED, problem=problem(_too_little(limits)))
    except Exception:
        mistake = broken("POST", f"/v1/models/{job.model}/jobs")
        kept.rewrite(replace(teller.job, state=FAILED, problem=problem(mistake), ended=time.time()))
        raise
    kept.rewrite(replace(job, ended=time.time()))


@dataclass
class _Teller:
    """Puts down how far a job is."""

    kept: JobFolder
    job: Job

    def hear(self, event: Event) -> None:
        """Note rows and warnings; what is done is written with each piece.

        Raises
        ------
        FullError : if the disk is nearly full.
        """
        if isinstance(event, Measured) and event.name == ROWS:
            self.job = replace(self.job, n_rows=int(event.value))
        elif isinstance(event, Warned):
            self.job = replace(self.job, warnings=self.job.warned(event.text))
        elif isinstance(event, Progress):
            self.job = replace(self.job, share=event.done / event.total)
            self.kept.rewrite(self.job)
            check_room(self.kept.root)


def _too_little(limits: Mapping[str, Any]) -> ManticError:
    return JobError(
        f"the job needs more than {limits['memory_bytes'] / 1e9:,.1f} GB of memory",
        where="jobs.memory_bytes",
        fix="send fewer rows in one job, or as CSV, NDJSON or Parquet, which are read piece by piece",
    )


def _follow_server() -> None:
    while os.read(sys.stdin.fileno(), 1):  # not by the buffer of `sys.stdin`, whose lock the end of Python would want
        pass
    os._exit(1)


def _limit(limits: Mapping[str, Any]) -> None:
    os.nice(_NICE)  # questions that somebody waits for go first
    try:
        import resource
    except ImportError:  # no such limits on this system
        return
    seconds = int(limits["seconds"]) * (os.cpu_count() or 1)
    for which, soft, hard in (
        (resource.RLIMIT_CPU, seconds, seconds + _GRACE_SECONDS),
        (resource.RLIMIT_FSIZE, _FILE_BYTES, _FILE_BYTES),
        (resource.RLIMIT_DATA, int(limits["memory_bytes"]), int(limits["memory_bytes"])),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        allowed = resource.getrlimit(which)[1]
        most = float("inf") if allowed == resource.RLIM_INFINITY else allowed
        resource.setrlimit(which, (int(min(soft, most)), int(min(hard, most))))


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event in _REFUSED:
        raise PermissionError(f"a job may not do this: {event}")
