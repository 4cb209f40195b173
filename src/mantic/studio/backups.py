"""Backups that are made beside the pages."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mantic.core.errors import ManticError
from mantic.store.store import Store

_LOG = logging.getLogger("mantic.studio")
_KEEP_SECONDS = 24 * 3600.0  # a backup holds everything: it is not left lying about


@dataclass(frozen=True)
class BackupJob:
    """A backup that is being made, or was.

    Parameters
    ----------
    state : running, done or failed.
    started, ended : seconds since 1970.
    expected : bytes that the store's models take: about what the backup will have.
    n_bytes : how many bytes were written, so far or in all.
    why : what went wrong: what, where and fix.
    """

    state: str
    started: float
    by: str
    expected: int
    n_bytes: int = 0
    n_rows: int = 0
    n_models: int = 0
    ended: float = 0.0
    why: ManticError | None = None

    @property
    def share(self) -> float:
        """Return how much is done, from 0 to 1; what is written is also read again, which is the second half."""
        return 1.0 if self.state == "done" else min(0.95, self.n_bytes / max(1, self.expected))


class Backups:
    """Makes one backup at a time, in a thread; the newest lies in the folder for a day.

    Parameters
    ----------
    folder : for this user only; made when the first backup is.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self.folder = folder
        self._lock = threading.Lock()
        self._job: BackupJob | None = None

    @property
    def file(self) -> Path:
        """Return where the newest backup lies."""
        return self.folder / "store.backup"

    def job(self) -> BackupJob | None:
        """Return what is being made or was made last, by this process; its progress is read from the disk."""
        job = self._job
        if job is None or job.state != "running":
            return job
        return replace(job, n_bytes=sum(_sizes(self.folder)))

    def is_ready(self) -> bool:
        """Whether there is one to be taken; one that is too old is removed."""
        self.sweep()
        return self.file.is_file() and not self._is_running()

    def start(self, by: str) -> None:
        """Begin, unless one is being made."""
        with self._lock:
            if self._is_running():
                return
            expected = sum({one.sha256: one.n_bytes for one in self._store.models.list()}.values())
            self._job = BackupJob("running", time.time(), by, expected)
        threading.Thread(target=self._work, name="backup", daemon=True).start()

    def sweep(self) -> None:
        """Remove what is too old, and what a process left that was killed."""
        if self._is_running() or not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            with suppress(OSError):
                if path.stat().st_mtime < time.time() - _KEEP_SECONDS:
                    path.unlink()

    def _is_running(self) -> bool:
        return self._job is not None and self._job.state == "running"

    def _work(self) -> None:
        job = self._job
        assert job is not None
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.file.unlink(missing_ok=True)  # room for the new one
            made = self._store.back_up(self.file)
            self._store.audit.note(
                "backup", "store", by=job.by, detail={"n_rows": made.n_rows, "n_bytes": made.n_bytes}
            )
            self._job = replace(
                job, state="done", ended=time.time(), n_bytes=made.n_bytes, n_rows=made.n_rows, n_models=made.n_blobs
            )
        except (ManticError, OSError) as error:
            told = (
                error
                if isinstance(error, ManticError)
                else ManticError(
                    "the backup cannot be written",
                    where=str(self.folder),
                    fix="check the rights of the folder and its room",
                )
            )
            self._job = replace(job, state="failed", ended=time.time(), why=told)
        except BaseException:
            unknown = ManticError(
                "this went wrong inside mantic", where="backup", fix="report it with Studio's last lines"
            )
            self._job = replace(job, state="failed", ended=time.time(), why=unknown)
            _LOG.exception("a backup went wrong")
            raise


def _sizes(folder: Path) -> Iterator[int]:
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                yield path.stat().st_size
