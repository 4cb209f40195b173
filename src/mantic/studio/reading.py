"""What the process does that reads the data of a draft: `python -m mantic.studio.reading`, in the draft's folder.

Strangers' files are parsed here, under limits, and not where the pages are made: a file that ends this process ends
nothing else. What it makes is the table in a form that can be looked into anywhere, and the profile of it.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mantic.core.errors import ManticError, SourceError
from mantic.core.files import write_atomic
from mantic.core.run import Event, Progress, Run
from mantic.serve.job_work import close_doors, take_limits
from mantic.store.address import masked
from mantic.studio.draft import FAILED, READY
from mantic.studio.draft_folder import PROFILE, PROGRESS, TABLE, DraftFolder

_N_STEPS = 3


def main() -> None:
    """Read the data of the draft in the working folder, and put down how that went."""
    limits = take_limits()
    folder = Path.cwd()
    drafts = DraftFolder(folder.parent)
    draft = drafts.read(folder.name)
    try:
        _read(draft.source, folder)
    except ManticError as error:
        _fail(drafts, draft.id, {"what": error.what, "where": _bare(error.where, folder), "fix": error.fix})
    except MemoryError:
        _fail(drafts, draft.id, too_large(limits))
    else:
        drafts.change(draft.id, state=READY, fault={})


def too_large(limits: Mapping[str, Any]) -> dict[str, str]:
    """Return the fault of data that do not fit into the memory that reading may take."""
    gigabytes = f"{limits['memory_bytes'] / 1e9:,.1f} GB"
    fix = "bring fewer rows or columns, or a Parquet file"
    return {"what": f"the data need more than {gigabytes} of memory to be read", "where": "the file", "fix": fix}


def _read(source: str, folder: Path) -> None:
    from mantic.features.profile import profile
    from mantic.sources.read import read

    tell = _Teller(folder)
    with Run(listeners=[tell.hear]) as run:
        tell.step(0, "Reading the data")
        is_file = "://" not in source
        if is_file:
            close_doors()
        frame = read(folder / source if is_file else source, run=run)
        if not frame.width or not frame.height:
            what = "the table has no rows" if frame.width else "the table has no columns"
            raise SourceError(what, where=masked(source), fix="bring a file with a header and at least one row")
        tell.step(1, f"Keeping {frame.height:,} rows of {frame.width:,} columns")
        with write_atomic(folder / TABLE) as part:
            frame.write_ipc(part, compression="uncompressed")  # so that any row is found without reading the others
        tell.step(2, "Looking for problems")
        report = profile(frame, run=run)
        with write_atomic(folder / PROFILE) as part:
            part.write_text(report.to_json(), encoding="utf-8")


class _Teller:
    """Puts down how far the reading is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._step, self._words = 0, ""

    def step(self, number: int, words: str) -> None:
        self._step, self._words = number, words
        self._put(0.0)

    def hear(self, event: Event) -> None:
        if isinstance(event, Progress) and event.total:
            self._put(min(1.0, event.done / event.total))

    def _put(self, share: float) -> None:
        facts = {"share": round((self._step + share) / _N_STEPS, 3), "words": self._words}
        part = self._folder / f".{PROGRESS}"
        part.write_text(json.dumps(facts), encoding="utf-8")
        part.replace(self._folder / PROGRESS)


def _fail(drafts: DraftFolder, name: str, fault: Mapping[str, str]) -> None:
    drafts.change(name, state=FAILED, fault=fault)


def _bare(where: str, folder: Path) -> str:
    """Return a place without the folder, which means nothing to who brought the file."""
    return where.replace(f"{folder}{os.sep}", "")


if __name__ == "__main__":
    main()
