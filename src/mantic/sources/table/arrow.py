"""Arrow files and streams (Feather too)."""

from pathlib import Path

import polars as pl

from mantic.core.errors import SourceError
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
    with Path(address).open("rb") as file:
        is_file = file.read(6) == b"ARROW1"
    try:
        return to_polars(pl.read_ipc(address) if is_file else pl.read_ipc_stream(address))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(
            "the file is no Arrow file, or it is damaged",
            where=address,
            fix="write it again, or give it its true ending",
        ) from error
