"""A backup that was brought to the page is restored into a new folder, beside the pages and beside the store in use."""

import logging
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from mantic.core.errors import ManticError
from mantic.store.restore import restore
from mantic.store.store import Store

_LOG = logging.getLogger("mantic.studio")


@dataclass(frozen=True)
class RestoreJob:
    """A backup that is being restored, or was.

    Parameters
    ----------
    state : running, done or failed.
    name : of the file, as the browser called it.
    folder : where the restored store lies, once it is done.
    started, ended : seconds since 1970.
    why : what went wrong: what, where and fix.
    """

    state: str
    name: str
    folder: Path
    started: float
    ended: float = 0.0
    why: ManticError | None = None


class Restores:
    """Restores one backup at a time, in a thread, into a folder of its own; nothing that is there is touched.

    Parameters
    ----------
    folder : where the folders are made; for this user only.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self.folder = folder
        self._lock = threading.Lock()
        self._job: RestoreJob | None = None

    @property
    def job(self) -> RestoreJob | None:
        """Return what is being restored or was last, by this process."""
        return self._job

    def place(self) -> Path:
        """Return where a file that arrives may be written; what a killed process left there is removed.

        Raises
        ------
        BusyError : if a backup is being restored.
        """
        if self._is_running():
            raise BusyError(
                "a backup is being restored", where="restore", fix="wait for it to end, and bring this then"
            )
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self.folder.glob("*.arriving"):
            if path.stat().st_mtime < time.time() - 3600.0:  # nobody writes it any more
                path.unlink(missing_ok=True)
        return self.folder / f"{time.time_ns():x}.arriving"

    def start(self, file: Path, name: str, by: str) -> None:
        """Begin; the file is removed in the end.

        Raises
        ------
        BusyError : if another began meanwhile.
        """
        with self._lock:
            self.place()
            stem = f"{time.strftime('%Y-%m-%d-%H%M%S')}-{time.time_ns() % 1_000_000:06d}"
            self._job = RestoreJob("running", name, self.folder / stem, time.time())
        threading.Thread(target=self._work, args=(self._job, file, by), name="restore", daemon=True).start()

    def _is_running(self) -> bool:
        return self._job is not None and self._job.state == "running"

    def _work(self, job: RestoreJob, file: Path, by: str) -> None:
        try:
            restore(file, job.folder, by=by)
            self._store.audit.note("restore", "backup", by=by, detail={"file": job.name, "into": str(job.folder)})
            self._job = replace(job, state="done", ended=time.time())
        except ManticError as error:
            self._job = replace(job, state="failed", ended=time.time(), why=_named(error, job.name))
        except BaseException:
            fix = "report it with Studio's last lines; nothing that you had was touched"
            unknown = ManticError("this went wrong inside mantic", where=job.name, fix=fix)
            self._job = replace(job, state="failed", ended=time.time(), why=unknown)
            _LOG.exception("a restore went wrong")
            raise
        finally:
            file.unlink(missing_ok=True)


class BusyError(ManticError):
    """Something of the same kind is at work."""

    status = 409


def _named(error: ManticError, name: str) -> ManticError:
    """Return an error that calls the file as the person does."""
    return ManticError(error.what, where=name, fix=error.fix)
