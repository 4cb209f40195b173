"""Read a table from an address: a file of any kind, a folder, a pattern, a database, or standard input."""

import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from mantic.core.errors import ManticError, SettingsError, SourceError
from mantic.core.run import Run
from mantic.core.source import SOURCES, Source
from mantic.sources.folder import parts_of, unite
from mantic.sources.memory import check_fits
from mantic.sources.sniff import content
from mantic.sources.table.csv import read_texts, to_numbers
from mantic.sources.table.excel import read_cells
from mantic.sources.unpack import ENDINGS, unpack

# Which source reads a file with this ending, or an address with this scheme; any other is looked for by its own name.
KINDS = {
    **dict.fromkeys(("csv", "tsv", "tab", "txt", "dat"), "csv"),
    **dict.fromkeys(("json", "ndjson", "jsonl"), "json"),
    **dict.fromkeys(("parquet", "pq", "parq"), "parquet"),
    **dict.fromkeys(("arrow", "feather", "ipc", "arrows"), "arrow"),
    **dict.fromkeys(("xlsx", "xls", "xlsm", "xlsb", "ods"), "excel"),
    **dict.fromkeys(("postgresql", "mysql", "sqlite"), "sql"),
}
# Files whose texts may be numbers.
_TEXTS: Mapping[str, Callable[[str, Run], pl.DataFrame]] = {"csv": read_texts, "excel": read_cells}
_BYTES = {"parquet": "parquet", "arrow": "arrow", "json": "json", "text": "csv", "excel": "excel"}


def read(address: str | Path, *, run: Run | None = None, as_written: Collection[str] = ()) -> pl.DataFrame:
    r"""Read a table.

    Parameters
    ----------
    address : a file (CSV, TSV, JSON, NDJSON, Parquet, Arrow, Feather, Excel; also as .gz, .bz2, .xz, .zst, .zip),
        a folder or a pattern (``sales/*.csv``) of parts with the same columns, a database
        (``sqlite:///sales.db?table=orders``, ``postgresql://...?query=SELECT ...``), or ``-`` for standard input.
    run : hears what was not the usual (delimiter, encoding, decimal commas, several sheets).
    as_written : columns whose texts stay texts, though all be numbers: codes like "250.00".

    Raises
    ------
    SourceError, SchemaError : name what is wrong, the file and line, and how to mend it.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "sales.csv"
    >>> _ = path.write_text("day,amount\n1,2.5\n2,\n")
    >>> read(path).rows()
    [(1, 2.5), (2, None)]
    """
    if run is None:
        with Run() as own:
            return read(address, run=own, as_written=as_written)
    address = str(address)
    if address == "-":
        return _read_input(run, as_written)
    scheme, mark, _ = address.partition("://")
    if mark and scheme != "file":
        return _find(scheme, address)(address, run)
    address = address.removeprefix("file://")
    if Path(address).is_dir() or (set("*?[") & set(address) and not _file_of(address).exists()):
        return _read_parts(address, run, as_written)
    return _read_file(address, run, as_written)


def _file_of(address: str) -> Path:
    return Path(address.partition("?sheet=")[0])


def _find(kind: str, where: str) -> Source:
    """Return the source of a scheme or ending."""
    try:
        return SOURCES.get(KINDS.get(kind.partition("+")[0].lower(), kind.lower()))
    except SettingsError as error:
        near = get_close_matches(kind, KINDS, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise SourceError(
            f"nothing here reads '{kind}'",
            where=where,
            fix=f"{hint}known are: {', '.join(sorted(KINDS))}; - is standard input",
        ) from error


def _read_kind(kind: str, address: str, run: Run, *, where: str, as_written: Collection[str]) -> pl.DataFrame:
    if kind in _TEXTS:
        return to_numbers(_TEXTS[kind](address, run), run, as_written=as_written)
    return _find(kind, where)(address, run)


def _read_file(address: str, run: Run, as_written: Collection[str]) -> pl.DataFrame:
    file = resolve(address, run)
    check_fits(file.plain.stat().st_size, file.kind, where=str(file.path))
    suffix = "".join(address.partition("?sheet=")[1:]) if file.kind == "excel" else ""
    with file.named():
        return _read_kind(file.kind, f"{file.plain}{suffix}", run, where=str(file.path), as_written=as_written)


@dataclass(frozen=True)
class File:
    """A file to read: as the user named it, unpacked, and which source reads it."""

    path: Path
    plain: Path
    kind: str

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let errors name the file that the user gave, not the unpacked copy."""
        try:
            yield
        except ManticError as error:
            raise _renamed(error, self.plain, self.path) from error.__cause__


def resolve(address: str, run: Run) -> File:
    """Find a file, unpack it if it is packed, and tell its kind.

    Raises
    ------
    SourceError : if there is none, it is empty, or its ending contradicts what it holds.
    """
    path = _file_of(address)
    _check_exists(path)
    plain = _unpacked(path, run)
    return File(path, plain, _kind(plain, path))


def _unpacked(path: Path, run: Run) -> Path:
    ending = path.suffix[1:].lower()
    return unpack(path, ending, run.folder) if ending in ENDINGS else path


def _renamed(error: ManticError, plain: Path, path: Path) -> ManticError:
    """Name the file that the user gave, not the unpacked copy."""
    names = [text.replace(str(plain), str(path)) for text in (error.what, error.where, error.fix)]
    return type(error)(names[0], where=names[1], fix=names[2])


def _kind(plain: Path, path: Path) -> str:
    """Return which source reads the file: by its ending, which must not contradict its first bytes."""
    ending = plain.suffix[1:].lower()
    with plain.open("rb") as file:
        head = file.read(4096)
    found = content(head)
    if not head:
        raise SourceError("the file is empty", where=str(path), fix="export the table again")
    if not ending:
        return _BYTES.get(found, found)
    kind = KINDS.get(ending, ending)
    is_book = kind == "excel" and found in ("zip", "excel")
    if kind in _BYTES.values() and not is_book and not _agree(kind, found):
        raise SourceError(
            f"the file is called .{ending}, but it holds {_WORDS.get(found, found)}",
            where=str(path),
            fix="rename it with its true ending, or export it again",
        )
    return kind


_WORDS = {"text": "plain text", "zip": "a zip archive or an Excel book", "gz": "a gzip file", "picture": "a picture"}


def _agree(kind: str, found: str) -> bool:
    if kind in ("csv", "json"):  # text may begin with a bracket; what is wrong inside, their readers say better
        return found in ("text", "json")
    return _BYTES.get(found, found) == kind


def _check_exists(path: Path) -> None:
    if path.is_file():
        return
    folder = path.parent
    if not folder.is_dir():
        raise SourceError("there is no such folder", where=str(folder), fix="check the path")
    near = get_close_matches(path.name, [file.name for file in folder.iterdir()], n=1)
    raise SourceError(
        "there is no such file",
        where=str(path),
        fix=f"did you mean '{folder / near[0]}'?" if near else "check the path",
    )


def _read_parts(address: str, run: Run, as_written: Collection[str]) -> pl.DataFrame:
    """Read parts; CSV parts are first put together as texts, so that a column has one type for all of them."""
    files = parts_of(address)
    plain = files[0].with_suffix("") if files[0].suffix[1:].lower() in ENDINGS else files[0]
    kind = KINDS.get(plain.suffix[1:].lower(), "")
    check_fits(sum(file.stat().st_size for file in files), kind, where=address)
    if kind == "csv":
        return to_numbers(unite(files, lambda file: _texts(file, run), where=address), run, as_written=as_written)
    return unite(files, lambda file: _read_file(str(file), run, as_written), where=address)


def _texts(file: Path, run: Run) -> pl.DataFrame:
    plain = _unpacked(file, run)
    try:
        return read_texts(str(plain), run)
    except ManticError as error:
        raise _renamed(error, plain, file) from error.__cause__


def _read_input(run: Run, as_written: Collection[str]) -> pl.DataFrame:
    """Keep standard input in the run's folder, tell what it is, and read that."""
    path = run.folder / "standard-input"
    with path.open("wb") as out:
        shutil.copyfileobj(sys.stdin.buffer, out)
    with path.open("rb") as file:
        found = content(file.read(4096))
    try:
        if found in ENDINGS:
            named = path.rename(path.with_suffix(f".{found}"))
            path = unpack(named, found, run.folder)
            with path.open("rb") as file:
                found = content(file.read(4096))
        kind = _BYTES.get(found, found)
        check_fits(path.stat().st_size, kind, where="standard input")
        return _read_kind(kind, str(path), run, where="standard input", as_written=as_written)
    except ManticError as error:
        names = [text.replace(str(path), "standard input") for text in (error.what, error.where, error.fix)]
        raise type(error)(names[0], where=names[1], fix=names[2]) from error.__cause__
