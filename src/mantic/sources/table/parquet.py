"""Parquet files."""

from pathlib import Path

import polars as pl

from mantic.core.errors import SourceError
from mantic.core.run import Run
from mantic.core.source import source
from mantic.sources.frames import to_polars
from mantic.sources.parquet_pages import check_pages


@source("parquet")
def read_parquet(address: str, run: Run) -> pl.DataFrame:
    """Read one Parquet file; nested columns become JSON texts.

    Raises
    ------
    SourceError : if it is damaged, cut short, or no Parquet file.
    """
    check_pages(Path(address))
    try:
        return to_polars(pl.read_parquet(address, glob=False))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        if "time zone" in str(error):
            raise SourceError(
                "a column of moments has a time zone without a name, like +05:30",
                where=address,
                fix="write the moments in the zone UTC",
            ) from error
        raise SourceError(
            "the file is no Parquet file, or it is damaged",
            where=address,
            fix="write it again, or give it its true ending",
        ) from error
