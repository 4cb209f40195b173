"""Drafts on the disk: a folder each, so that nothing of one is lost when a process is killed."""

import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mantic.core.errors import AbsentError, StoreError
from mantic.core.files import write_atomic
from mantic.studio.draft import READY, Draft

_FACTS = "draft.json"
_GONE = "gone-"
TABLE, PROFILE, PROGRESS = "table.arrow", "profile.json", "progress.json"  # what reading makes of the data
_ID = re.compile(r"[0-9a-f]{16}")


class UnreadError(StoreError):
    """The data of a draft are still being read, or cannot be."""

    status = 409


@dataclass(frozen=True)
class DraftFolder:
    """The drafts in a folder; it is made when it is not there."""

    root: Path

    def __post_init__(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def of(self, name: str) -> Path:
        """Return the folder of a draft; what is no id leads nowhere."""
        if not _ID.fullmatch(name):
            raise _unknown(name)
        return self.root / name

    def make(self, name: str, source: str, owner: str) -> Draft:
        """Make a draft, with a folder that holds nothing yet; `write` makes it one that others see."""
        draft = Draft(secrets.token_hex(8), name, source, owner, time.time())
        self.of(draft.id).mkdir(mode=0o700)
        return draft

    def write(self, draft: Draft) -> None:
        """Put a draft down, atomically."""
        with write_atomic(self.of(draft.id) / _FACTS) as part:
            part.write_text(draft.to_json(), encoding="utf-8")

    def change(self, name: str, **changes: object) -> Draft:
        """Change some of a draft's fields; return it as it is now."""
        draft = replace(self.read(name), **changes)  # type: ignore[arg-type]  # the fields are checked by their users
        self.write(draft)
        return draft

    def read(self, name: str) -> Draft:
        """Return a draft.

        Raises
        ------
        AbsentError : if there is none.
        StoreError : if its file is damaged.
        """
        path = self.of(name) / _FACTS
        try:
            return Draft.from_json(path.read_text("utf-8"))
        except FileNotFoundError:
            raise _unknown(name) from None
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(f"the draft is damaged: {error}", where=str(path), fix="bring the data again") from error

    def ready(self, name: str) -> Draft:
        """Return a draft whose data were read.

        Raises
        ------
        AbsentError, StoreError : as `read` does.
        UnreadError : if they were not, or not yet.
        """
        draft = self.read(name)
        if draft.state != READY:
            raise UnreadError("the data are not read", where=draft.name, fix="wait until they are, or read them again")
        return draft

    def all(self) -> list[Draft]:
        """Return the drafts that can be read, the newest first."""
        found = []
        for path in self.root.iterdir():
            with suppress(StoreError):
                found.append(self.read(path.name))
        return sorted(found, key=lambda draft: -draft.created)

    def remove(self, name: str) -> None:
        """Put a draft aside; `restore` brings it back, until it is swept."""
        with suppress(FileNotFoundError):
            os.utime(self.of(name))
            self.of(name).rename(self.root / f"{_GONE}{name}")

    def restore(self, name: str) -> Draft:
        """Bring back what was put aside."""
        with suppress(FileNotFoundError):
            (self.root / f"{_GONE}{self.of(name).name}").rename(self.of(name))
        return self.read(name)

    def sweep(self, *, before: float) -> None:
        """Remove for good what was put aside before a moment, and what never became a draft.

        Parameters
        ----------
        before : seconds since 1970.
        """
        for path in list(self.root.iterdir()):
            is_left = path.name.startswith(_GONE) or not (path / _FACTS).exists()
            with suppress(FileNotFoundError):  # brought back or swept by another Studio a moment ago
                if is_left and path.stat().st_mtime < before:
                    shutil.rmtree(path, ignore_errors=True)


def _unknown(name: str) -> AbsentError:
    return AbsentError(f"there is no draft '{name[:40]}'", where="Studio", fix="bring the data again")
