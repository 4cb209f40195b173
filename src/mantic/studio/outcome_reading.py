"""What the process does that reads a table of outcomes: `python -m mantic.studio.outcome_reading`, in a folder.

As in `reading`, a stranger's file is parsed under limits, and not where the pages are made.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mantic.core.errors import ManticError, SourceError
from mantic.core.run import Run
from mantic.core.strict_json import read_json
from mantic.serve.job_work import close_doors, take_limits
from mantic.studio.readers import start_process, why_it_ended
from mantic.studio.reading import too_large
from mantic.watch.outcomes import outcome_pieces

_PIECES, _FAULT = "pieces", "fault.json"


def read_outcomes(path: Path, columns: Sequence[str], limits: Mapping[str, Any]) -> list[Path]:
    """Return tables of the two columns, id and value, that a file holds; they are written beside it.

    Raises
    ------
    SourceError : if it cannot be read, or not under the limits.
    """
    asked = json.dumps([path.name, *columns])
    process = start_process("mantic.studio.outcome_reading", asked, folder=path.parent, limits=limits)
    code = process.wait()
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    fault = why_it_ended(code, limits) if code else {}
    with suppress(FileNotFoundError):
        fault = dict(read_json((path.parent / _FAULT).read_bytes()))
    if fault:
        raise SourceError(fault["what"], where=fault["where"], fix=fault["fix"])
    return sorted((path.parent / _PIECES).iterdir())


def main() -> None:
    """Read the file and the columns of the command line, and put down pieces, or why there are none."""
    limits = take_limits()
    file, id_column, value_column = json.loads(sys.argv[1])
    close_doors()
    Path(_PIECES).mkdir()
    try:
        found = outcome_pieces(file, Run(), id_column=id_column, value_column=value_column)
        for number, piece in enumerate(found):
            piece.write_ipc(Path(_PIECES) / f"{number:06}.arrow")
    except ManticError as error:
        _fail({"what": error.what, "where": error.where, "fix": error.fix})
    except MemoryError:
        _fail(too_large(limits))


def _fail(fault: Mapping[str, str]) -> None:
    Path(_FAULT).write_text(json.dumps(dict(fault)), encoding="utf-8")


if __name__ == "__main__":
    main()
