"""A training: `mantic fit` as a process of its own, in a folder of its own.

RUN/training.json    what is to be done: the words of the command line
RUN/process.json     which process does it, and how often one was started
RUN/stopped          appears when somebody has pressed Stop
RUN/end.json         how it ended; a training without it is gone on with, whoever was killed
RUN/NAME.csv, NAME.mantic, NAME.mantic.journal, report.html, out.log
"""

import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from mantic.core.errors import AbsentError, StoreError
from mantic.core.files import write_atomic
from mantic.core.process import is_there
from mantic.core.strict_json import read_json
from mantic.store.runs import is_run, new_run
from mantic.studio.draft import Draft

WAITING, WORKING, STOPPING, ENDED = "waiting", "working", "stopping", "ended"
LOG = "out.log"
_FACTS, _PROCESS, _END, _STOPPED = "training.json", "process.json", "end.json", "stopped"
_MOST_SAID = 2_000  # characters of a log's end


@dataclass(frozen=True)
class Training:
    """What is to be done.

    Parameters
    ----------
    run : the id of its run in the store, and of its folder.
    draft : the id of the data and the question.
    name : of the model.
    data : the file in the folder.
    words : what stands behind `mantic`, as somebody would type it.
    created : seconds since 1970.
    """

    run: str
    draft: str
    name: str
    data: str
    target: str
    words: tuple[str, ...]
    owner: str
    created: float

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Restore what was written.

        Raises
        ------
        ValueError, TypeError, KeyError : if it is something else.
        """
        facts = dict(read_json(text))
        return cls(**{**facts, "words": tuple(str(word) for word in facts["words"])})


@dataclass(frozen=True)
class TrainingFolder:
    """The trainings in a folder; it is made when it is not there."""

    root: Path

    def __post_init__(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def of(self, run: str) -> Path:
        """Return the folder of a training; what is no id leads nowhere."""
        if not is_run(run):
            raise _unknown(run)
        return self.root / run

    def make(self, training: Training, data: Path) -> None:
        """Put a training down, with data of its own: the draft may go, and a killed training needs them again."""
        folder = self.of(training.run)
        folder.mkdir(mode=0o700)
        try:
            os.link(data.resolve(), folder / training.data)  # of a link itself, a relative one would lead elsewhere
        except OSError:  # another disk, or one that knows no links
            shutil.copyfile(data, folder / training.data)
        with write_atomic(folder / _FACTS) as part:
            part.write_text(json.dumps(asdict(training)), encoding="utf-8")

    def read(self, run: str) -> Training:
        """Return a training.

        Raises
        ------
        AbsentError : if there is none.
        """
        try:
            return Training.from_json((self.of(run) / _FACTS).read_bytes())
        except FileNotFoundError:
            raise _unknown(run) from None
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(f"the training is damaged: {error}", where=run, fix="start another one") from error

    def going(self) -> list[Training]:
        """Return the trainings that have not ended, the oldest first."""
        names = [path.name for path in self.root.iterdir() if is_run(path.name) and not (path / _END).exists()]
        found = []
        for name in names:
            with suppress(StoreError):
                found.append(self.read(name))
        return sorted(found, key=lambda one: (one.created, one.run))

    def state(self, run: str) -> str:
        """Return how a training stands."""
        folder = self.of(run)
        if (folder / _END).exists():
            return ENDED
        if not is_there(self.process(run)):
            return WAITING
        return STOPPING if (folder / _STOPPED).exists() else WORKING

    def process(self, run: str) -> Mapping[str, Any]:
        """Return which process does it, as `core.process` notes it, and `starts`; empty when there was none yet."""
        return _facts(self.of(run) / _PROCESS)

    def note(self, run: str, process: Mapping[str, Any]) -> None:
        """Put down which process does it."""
        _write(self.of(run) / _PROCESS, process)

    def stop(self, run: str) -> bool:
        """Put down that somebody wants it to end; return whether this was the first time."""
        path = self.of(run) / _STOPPED
        with suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)
            return True
        return False

    def is_stopped(self, run: str) -> bool:
        """Return whether somebody wants it to end."""
        return (self.of(run) / _STOPPED).exists()

    def end(self, run: str, fault: Mapping[str, str] | None = None) -> None:
        """Put down that it has ended, well or with a fault (what, where, fix); data that nobody needs again go."""
        _write(self.of(run) / _END, fault or {})
        if not fault:
            with suppress(StoreError):
                (self.of(run) / self.read(run).data).unlink(missing_ok=True)

    def drop_model(self, run: str) -> None:
        """Remove the model of a training: the store has it."""
        (self.of(run) / f"{self.read(run).name}.mantic").unlink(missing_ok=True)

    def reopen(self, run: str) -> None:
        """Let a training that ended with a fault be gone on with."""
        folder = self.of(run)
        for name in (_STOPPED, _PROCESS, _END):
            (folder / name).unlink(missing_ok=True)

    def fault(self, run: str) -> Mapping[str, Any]:
        """Return what, where and fix of a training that did not end well; empty where there is none."""
        return _facts(self.of(run) / _END)

    def has_data(self, run: str) -> bool:
        """Return whether it ended with a fault and has its data still."""
        return bool(self.fault(run)) and (self.of(run) / self.read(run).data).exists()

    def said(self, run: str) -> str:
        """Return the end of what the process has printed."""
        with suppress(OSError), (self.of(run) / LOG).open("rb") as file:
            file.seek(max(0, (self.of(run) / LOG).stat().st_size - _MOST_SAID))
            return file.read().decode("utf-8", "replace").strip()
        return ""


def new_training(draft: Draft, *, data: str, words: tuple[str, ...], owner: str) -> Training:
    """Return a training of the question of a draft that is to begin now."""
    return Training(new_run(), draft.id, draft.name, data, draft.question.target, words, owner, time.time())


def _facts(path: Path) -> Mapping[str, Any]:
    try:
        return dict(read_json(path.read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def _write(path: Path, facts: Mapping[str, Any]) -> None:
    with suppress(FileNotFoundError), write_atomic(path) as part:
        part.write_text(json.dumps(dict(facts)), encoding="utf-8")


def _unknown(run: str) -> AbsentError:
    return AbsentError(f"there is no training '{run[:40]}'", where="Studio", fix="go back to the models")
