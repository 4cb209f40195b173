"""Arrow files and streams (Feather too)."""

import mmap
from pathlib import Path

import polars as pl

from mantic.core.arrow_lengths import check_lengths
from mantic.core.errors import ManticError, SourceError
from mantic.core.run import Run
from mantic.core.source import source
from mantic.sources.frames import to_polars


@source("arrow")
def read_arrow(address: str, run: Run) -> pl.DataFrame:
    """Read an Arrow IPC file or stream.

    Raises
    ------
    SourceError : if it is damaged, cut short, or no Arrow file.
    """
    try:
        is_file = measured(Path(address))
        return to_polars(pl.read_ipc(address) if is_file else pl.read_ipc_stream(address))
    except ManticError:
        raise
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError) as error:
        raise SourceError(
            "the file is no Arrow file, or it is damaged",
            where=address,
            fix="write it again, or give it its true ending",
        ) from error


def measured(path: Path) -> bool:
    """Return whether an Arrow file is a file, not a stream, once what it says to hold fits its size.

    Raises
    ------
    ValueError : if it does not.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return check_lengths(content)
