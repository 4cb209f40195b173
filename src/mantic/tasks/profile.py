"""Look at a table before anything is learned from it."""

from pathlib import Path
from typing import Any

from mantic.core.run import Run
from mantic.features.profile import profile as profile_frame
from mantic.report.blocks import Report
from mantic.sources.frames import to_polars
from mantic.sources.read import read


def profile(data: Any, *, target: str | None = None, run: Run | None = None) -> Report:
    """Say what is in a table and what is wrong with it: problems first, each with why it matters and what to do.

    Parameters
    ----------
    data : path or address as `mantic.read` takes it, or a table of any library.
    target : name of the column that is to be predicted; its own problems are looked for too.

    Raises
    ------
    SourceError : if the data cannot be read. SchemaError : if the target is not there.

    >>> import polars as pl
    >>> profile(pl.DataFrame({"age": [41, 17, 23], "plan": ["a", "b", "a"]})).facts["n_rows"]
    3
    """
    run = run or Run()
    frame = read(data, run=run) if isinstance(data, str | Path) else to_polars(data)
    return profile_frame(frame, target=target, run=run)
