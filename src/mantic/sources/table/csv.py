"""CSV and its relatives: found out how it is written, read fast, and nothing lost."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from mantic.core.errors import SourceError
from mantic.core.run import Run
from mantic.core.source import source
from mantic.sources.careful import read_records
from mantic.sources.dialect import Dialect, find_dialect, rows_of
from mantic.sources.frames import check_names
from mantic.sources.sniff import chunks, content, letters, to_utf8
from mantic.sources.types import typed

_HEAD_BYTES = 1 << 18
_MOST_HEAD_BYTES = 1 << 25  # of a header that does not end before
_MARK = b"\xef\xbb\xbf"
_OLD_END = "\r"


@source("csv")
def read_csv(address: str, run: Run) -> pl.DataFrame:
    """Read a CSV or TSV file: a header line, then one row a line; columns of nothing but numbers become numbers.

    Delimiter (comma, semicolon, tab, bar), quotes, encoding and decimal commas are found, and reported by `run.warn`
    where they are not the usual. Only an empty cell is missing.

    Raises
    ------
    SourceError : if it is empty, no text, has lines of another length (with their numbers), or an open quote.
    SchemaError : if two columns have one name.
    """
    return to_numbers(read_texts(address, run), run)


def to_numbers(texts: pl.DataFrame, run: Run, *, as_written: Collection[str] = ()) -> pl.DataFrame:
    """Return the frame with texts that are numbers as such, but for columns that shall stay as they are written.

    The texts' memory is given back one by one.
    """
    with_commas, texts = [], texts.clone()
    for at, (name, dtype) in enumerate(texts.schema.items()):
        if dtype != pl.String or name in as_written:
            continue
        series, has_commas = typed(texts.to_series(at))
        texts.replace_column(at, series)
        with_commas += [name] if has_commas else []
    if with_commas:
        shown = ", ".join(f"'{name}'" for name in with_commas[:5]) + (" ..." if len(with_commas) > 5 else "")
        run.warn("decimal_comma", f"read with decimal commas (1.234,5): {shown}")
    return texts


def read_texts(address: str, run: Run) -> pl.DataFrame:
    """Read a CSV file and leave every value as it is written; an empty cell is null."""
    csv = open_csv(address, run)
    frame = _read_fast(csv)
    if frame is None:
        frame = read_records(csv.path, csv.dialect, names=csv.names, where=address)
    if frame.height == 0:
        raise no_rows(csv.names, address)
    return frame


@dataclass(frozen=True)
class Csv:
    """A CSV file and how it is written: as UTF-8 with ordinary lines, by now.

    Parameters
    ----------
    written, names : the fields of its header, and what the columns are called.
    """

    path: Path
    dialect: Dialect
    written: tuple[str, ...]
    names: tuple[str, ...]


def open_csv(address: str, run: Run) -> Csv:
    """Find out how a CSV file is written; tell `run` what is not the usual."""
    original = Path(address)
    _check_content(original)
    path = _as_utf8(original, run)
    sample = _sample(path)
    dialect = find_dialect(sample)
    if not dialect.is_usual and dialect != Dialect("\t"):
        run.warn("dialect", f"{original.name} has {dialect.words()}")
    header = next((row for row in rows_of(sample, dialect) if row), [])
    names = _names(header)
    check_names(names, where=f"{address}, line 1")
    _report_header(header, original.name, run)
    return Csv(path, dialect, tuple(header), names)


def no_rows(names: Sequence[str], address: str) -> SourceError:
    """Return the error for a table that is only a header."""
    return SourceError(
        f"there is a header of {len(names)} columns and no row below it",
        where=address,
        fix="export the table with its rows",
    )


def _check_content(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise SourceError("the file is empty", where=str(path), fix="export the table again")
    kind = content(head)
    if kind not in ("text", "json"):
        raise SourceError(
            f"this is no CSV file: it holds {kind}",
            where=str(path),
            fix=f"give it the ending .{kind}, or export it as CSV",
        )


def _as_utf8(path: Path, run: Run) -> Path:
    found = letters(path)
    oddity = found.oddity(path.name)
    if not oddity and not found.old_lines:
        return path
    if oddity:
        run.warn("encoding", oddity)
    return to_utf8(path, found, run.folder / f"utf8-{path.name}")


def _sample(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        while not _has_line(head) and len(head) < _MOST_HEAD_BYTES and (more := file.read(len(head))):
            head += more
    sample = head.removeprefix(_MARK).decode("utf-8", errors="ignore")
    if len(head) < _HEAD_BYTES:
        return sample
    return sample[: sample.rfind("\n") + 1] or sample


def _has_line(head: bytes) -> bool:
    """Whether a line that is not empty ends in these bytes, outside of quotes."""
    return any(b"\n" in outside for outside in head.removeprefix(_MARK).lstrip(b"\r\n").split(b'"')[::2])


def _names(header: Sequence[str]) -> tuple[str, ...]:
    """Return the header's names; a column without one is called after its place."""
    return tuple(name or f"column_{at}" for at, name in enumerate(header, start=1))


def _report_header(header: Sequence[str], name: str, run: Run) -> None:
    nameless = [f"column_{at}" for at, text in enumerate(header, start=1) if not text]
    if nameless:
        run.warn("no_name", f"{name} has columns without a name, called {', '.join(nameless[:5])} here")
    if header and all(_is_number(text) for text in header):
        run.warn(
            "no_header", f"the first line of {name} holds only numbers, and was taken as the header: is there none?"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_fast(csv: Csv) -> pl.DataFrame | None:
    """Return what polars reads, or None where that cannot be trusted.

    Odd quotes, blank lines and broken lines are left to `read_records`.
    """
    counts = _count(csv.path, csv.dialect)
    is_odd = any(csv.dialect.quote in name for name in csv.written)  # in polars' eyes the header may end elsewhere
    if counts is None or is_odd or counts[csv.dialect.quote] % 2:
        return None
    frame = parse(csv.path, csv)
    in_names = sum(name.count(csv.dialect.delimiter) for name in csv.written)
    return trusted(frame, counts, csv, n_lines=1, inside=in_names)


def parse(content: Path | bytes, csv: Csv) -> pl.DataFrame | None:
    """Return what polars makes of the whole file, or of lines below its header; None where it cannot."""
    try:
        return pl.read_csv(
            content,
            has_header=isinstance(content, Path),
            separator=csv.dialect.delimiter,
            quote_char=csv.dialect.quote,
            infer_schema=False,
            new_columns=list(csv.names),
            glob=False,
        )
    except (pl.exceptions.PolarsError, OSError):
        return None


def trusted(
    frame: pl.DataFrame | None, counts: Counter[str], csv: Csv, *, n_lines: int, inside: int = 0
) -> pl.DataFrame | None:
    """Return the frame if it holds all that was in the lines it was read from, else None.

    Polars fills short lines silently, so delimiters are counted: in each line there must be one fewer than columns, and
    those inside of values. A quote inside of a value is written as two: where there are fewer of these, one that stands
    amid a value that is not quoted was taken for a border.

    Parameters
    ----------
    counts : of delimiters and quotes in these lines.
    n_lines : beside those of the frame: 1 with the header, else 0.
    inside : delimiters inside of the header's names.
    """
    if frame is None or frame.width != len(csv.names) or counts[_OLD_END]:
        return None
    if counts[csv.dialect.quote]:
        delimiters, quotes = _n_inside(frame, csv.dialect.delimiter, csv.dialect.quote)
        if quotes > counts[2 * csv.dialect.quote]:
            return None
        inside += delimiters
        frame = frame.with_columns(pl.all().replace("", None))  # "" in quotes is empty too
    expected = (len(csv.names) - 1) * (frame.height + n_lines) + inside
    return frame if counts[csv.dialect.delimiter] == expected else None


def _n_inside(frame: pl.DataFrame, *marks: str) -> tuple[int, ...]:
    """Return how often each mark stands in the values, in one pass."""
    each = [pl.sum_horizontal(pl.all().str.count_matches(one, literal=True).sum()).alias(one) for one in marks]
    return frame.lazy().select(each).collect().row(0)


def _count(path: Path, dialect: Dialect) -> Counter[str] | None:
    """Count delimiters and quotes; None where the file does not begin with its header."""
    counts, was_cut, before = Counter[str](), False, b""
    quote = dialect.quote.encode()
    for part in chunks(path):
        if not counts and part.removeprefix(_MARK)[:1] in (b"\r", b"\n"):
            return None
        counts += marks_in(part, dialect)
        counts[_OLD_END] -= was_cut and part.startswith(b"\n")
        counts[2 * dialect.quote] += before.endswith(quote) and part.startswith(quote)
        was_cut, before = part.endswith(b"\r"), part[-1:]
    return counts


def marks_in(part: bytes, dialect: Dialect) -> Counter[str]:
    """Return how many delimiters, quotes and two of these there are, and old Macs' ends of lines, unknown to polars."""
    marks = {mark: part.count(mark.encode()) for mark in (dialect.delimiter, dialect.quote, 2 * dialect.quote)}
    return Counter(marks | {_OLD_END: part.count(b"\r") - part.count(b"\r\n")})
