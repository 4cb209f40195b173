"""Read a table piece by piece, so that it may be larger than memory."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import polars as pl

from mantic.core.errors import ManticError, SourceError
from mantic.core.run import Run
from mantic.sources.csv_pieces import csv_pieces
from mantic.sources.frames import to_polars
from mantic.sources.json_pieces import json_pieces
from mantic.sources.parquet_pages import check_pages
from mantic.sources.piece import START, Piece, Place
from mantic.sources.read import File, read, resolve
from mantic.sources.table.arrow import measured

_MOST_ROWS = 262_144
_MOST_CELLS = 16_000_000  # of one piece: about 128 MB
_WORDS = {"parquet": "Parquet", "arrow": "Arrow"}


def _parquet(path: Path) -> pl.LazyFrame:
    check_pages(path)
    return pl.scan_parquet(path, glob=False)


_SCANS: Mapping[str, Callable[[Path], pl.LazyFrame]] = {"parquet": _parquet, "arrow": pl.scan_ipc}


def pieces(address: str, run: Run, *, start: Place = START, as_written: Collection[str] = ()) -> Iterator[Piece]:
    r"""Read the pieces of a table in order; together they are what `read` gives.

    Files of CSV, NDJSON, Parquet and Arrow come in pieces of some hundred thousand rows; all else in one. A column of
    a text file may be numbers in one piece and texts in another, where only some of its values are numbers.

    Parameters
    ----------
    address : as for `read`.
    start : where to begin: the end of an earlier piece.
    as_written : columns whose texts stay texts, as for `read`.

    Raises
    ------
    SourceError, SchemaError : as `read`, when the piece with the fault is reached.

    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "sales.csv"
    >>> _ = path.write_text("day,amount\n1,2.5\n2,\n")
    >>> [piece.frame.rows() for piece in pieces(str(path), Run())]
    [[(1, 2.5), (2, None)]]
    """
    if not _is_file(address):
        yield from _whole(address, run, start, as_written)
        return
    file = resolve(address, run)
    with file.named():
        yield from _READERS.get(file.kind, _whole_file)(file, run, start, as_written)


def _is_file(address: str) -> bool:
    return address != "-" and Path(address.removeprefix("file://")).is_file()


def _whole(address: str, run: Run, start: Place, as_written: Collection[str]) -> Iterator[Piece]:
    if start == START:
        frame = read(address, run=run, as_written=as_written)
        yield Piece(frame, Place(at=frame.height), 1.0)


def _whole_file(file: File, run: Run, start: Place, as_written: Collection[str]) -> Iterator[Piece]:
    return _whole(str(file.path), run, start, as_written)


def _csv(file: File, run: Run, start: Place, as_written: Collection[str]) -> Iterator[Piece]:
    return csv_pieces(str(file.plain), run, start, as_written)


def _json(file: File, run: Run, start: Place, as_written: Collection[str]) -> Iterator[Piece]:
    found = json_pieces(file.plain, start)
    return _whole_file(file, run, start, as_written) if found is None else found


def _frames(file: File, run: Run, start: Place, as_written: Collection[str]) -> Iterator[Piece]:
    """Read files that polars opens without reading them; an Arrow stream has to be read whole."""
    at = start.at
    try:
        if file.kind == "arrow" and not measured(file.plain):
            yield from _whole_file(file, run, start, as_written)
            return
        table = _SCANS[file.kind](file.plain)
        n_rows = int(table.select(pl.len()).collect().item())
        n_columns = max(1, len(table.collect_schema()))
        while at < n_rows:
            frame = table.slice(at, max(1, min(_MOST_ROWS, _MOST_CELLS // n_columns))).collect()
            at += frame.height
            yield Piece(to_polars(frame), Place(at=at), at / n_rows)
    except ManticError:
        raise
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError) as error:
        word = _WORDS[file.kind]
        raise SourceError(
            f"the file is no {word} file, or it is damaged",
            where=str(file.plain),
            fix="write it again, or give it its true ending",
        ) from error


_READERS: Mapping[str, Callable[[File, Run, Place, Collection[str]], Iterator[Piece]]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _frames,
    "arrow": _frames,
}
