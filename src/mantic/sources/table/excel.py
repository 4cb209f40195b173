"""Excel and LibreOffice sheets, by fastexcel."""

from pathlib import Path
from typing import Any

import polars as pl

from mantic.core.errors import SourceError
from mantic.core.lazy import need
from mantic.core.run import Run
from mantic.core.source import source
from mantic.sources.frames import check_names, to_polars
from mantic.sources.sheet_size import check_sheets
from mantic.sources.table.csv import to_numbers

_PANIC = "PanicException"  # of native code; every library has a class of its own by this name, which is no Exception


@source("excel")
def read_excel(address: str, run: Run) -> pl.DataFrame:
    """Read the first sheet, or the one named after a question mark: `sales.xlsx?sheet=2024`; texts may be numbers."""
    return to_numbers(read_cells(address, run), run)


def read_cells(address: str, run: Run) -> pl.DataFrame:
    """Read a sheet and leave every text as it is written.

    The first line that is not empty is the header. No formula or macro is run: the values are those that were saved.

    Raises
    ------
    SourceError : if it is no such file, there is no such sheet, or the sheet is empty.
    SchemaError : if two columns have one name.
    """
    path, _, sheet = address.partition("?sheet=")
    fastexcel = need("fastexcel", why="reading Excel files")
    check_sheets(Path(path))
    try:
        return _read(fastexcel.read_excel(path), path, sheet, run)
    except fastexcel.FastExcelError as error:
        raise SourceError(
            "the file is no Excel file, or it is damaged", where=path, fix="save it again as .xlsx"
        ) from error
    except BaseException as error:
        if not isinstance(error, pl.exceptions.PolarsError) and type(error).__name__ != _PANIC:
            raise
        fix = "look for dates and times that no calendar has, or save them as text"
        raise SourceError(f"a cell cannot be read ({error})", where=path, fix=fix) from error


def _read(book: Any, path: str, sheet: str, run: Run) -> pl.DataFrame:
    if not book.sheet_names:
        raise SourceError("the book has no sheets", where=path, fix="save it again as .xlsx")
    known = ", ".join(book.sheet_names)
    if sheet and sheet not in book.sheet_names:
        raise SourceError(f"there is no sheet '{sheet}'", where=path, fix=f"known are: {known}")
    if not sheet and len(book.sheet_names) > 1:
        run.warn(
            "sheets", f"read the first of {len(book.sheet_names)} sheets ({known}); another one: {path}?sheet=NAME"
        )
    sheet = sheet or book.sheet_names[0]
    where = f"{path}, sheet '{sheet}'"
    texts = book.load_sheet(sheet, header_row=None, n_rows=1, dtypes="string").to_polars()
    if texts.height == 0:
        raise SourceError("the sheet is empty", where=where, fix=f"name another sheet: {path}?sheet=NAME ({known})")
    names = [name or f"column_{at}" for at, name in enumerate(texts.row(0), start=1)]
    check_names(names, where=where)
    frame = book.load_sheet(sheet, header_row=0, schema_sample_rows=None).to_polars()  # a late text would become null
    if frame.height == 0:
        raise SourceError("the sheet has a header and no rows", where=where, fix="save the table with its rows")
    frame.columns = names
    empty = pl.col(pl.String).replace("", None)
    return to_polars(frame.with_columns(empty))
