"""A CSV file piece by piece: cut between rows, read fast, and checked as the whole would be."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import IO

import polars as pl

from mantic.core.run import Run
from mantic.sources.careful import records, records_frame
from mantic.sources.dialect import Dialect, rows_of
from mantic.sources.piece import START, Piece, Place
from mantic.sources.table.csv import Csv, marks_in, no_rows, open_csv, parse, to_numbers, trusted

_BLOCK = 1 << 24  # bytes
_MOST_BLOCKS = 4  # without a line's end outside of quotes: the quotes are not what they seem
_RECORDS = 50_000
_BY_LINE = -1
_MARK = b"\xef\xbb\xbf"


def csv_pieces(address: str, run: Run, start: Place, as_written: Collection[str]) -> Iterator[Piece]:
    """Read blocks of lines; from the first block that polars cannot be trusted with, record by record."""
    csv = open_csv(address, run)
    size = csv.path.stat().st_size
    place, is_empty = start, start == START
    with csv.path.open("rb") as file:
        if place == START:
            place = _after_header(file, csv)
        while 0 <= place.at < size:
            file.seek(place.at)
            block = _block(file, csv.dialect)
            frame = None if block is None else _frame(block, csv)
            if block is None or frame is None:
                place = Place(_BY_LINE, place.line)
                break
            place = Place(place.at + len(block), place.line + block.count(b"\n"))
            is_empty &= frame.height == 0
            yield Piece(to_numbers(frame, run, as_written=as_written), place, place.at / size)
    if place.at == _BY_LINE:
        for piece in _by_record(csv, address, place.line):
            is_empty &= piece.frame.height == 0
            yield Piece(to_numbers(piece.frame, run, as_written=as_written), piece.end, piece.share)
    if is_empty:
        raise no_rows(csv.names, address)


def _after_header(file: IO[bytes], csv: Csv) -> Place:
    """Return where the first row begins; by its line where the header does not end as it should."""
    head = file.read(_BLOCK)
    body = head.removeprefix(_MARK)
    end = body.find(b"\n")
    while end >= 0 and body.count(csv.dialect.quote.encode(), 0, end) % 2:
        end = body.find(b"\n", end + 1)
    if end < 0 or body[:1] in (b"\r", b"\n"):
        return Place(_BY_LINE, 1)
    if rows_of(body[:end].decode("utf-8", "replace"), csv.dialect) != [list(csv.written)]:  # a quote amid a name
        return Place(_BY_LINE, 1)
    return Place(len(head) - len(body) + end + 1, 1 + body.count(b"\n", 0, end + 1))


def _block(file: IO[bytes], dialect: Dialect) -> bytes | None:
    """Return whole rows from here on: up to the last line's end that is not inside of quotes."""
    quote, block = dialect.quote.encode(), b""
    for _ in range(_MOST_BLOCKS):
        more = file.read(_BLOCK)
        block += more
        if len(more) < _BLOCK:
            return block
        end = len(block)
        n_open = block.count(quote)
        while (cut := block.rfind(b"\n", 0, end)) >= 0:
            n_open -= block.count(quote, cut, end)
            if n_open % 2 == 0:
                return block[: cut + 1]
            end = cut
    return None


def _frame(block: bytes, csv: Csv) -> pl.DataFrame | None:
    """Return the texts in a block, or None where polars cannot be trusted with it."""
    lines = block.rstrip(b"\r\n") if len(csv.names) > 1 else block  # a blank line is a row only of a single column
    if not lines:
        return pl.DataFrame(schema=dict.fromkeys(csv.names, pl.String))
    counts = marks_in(lines, csv.dialect)
    if counts[csv.dialect.quote] % 2:
        return None
    return trusted(parse(lines, csv), counts, csv, n_lines=0)


def _by_record(csv: Csv, address: str, line: int) -> Iterator[Piece]:
    found = (one for one in records(csv.path, csv.dialect, address) if one[0] >= line)
    size, n_bytes = csv.path.stat().st_size, 0
    while some := list(islice(found, _RECORDS)):
        frame = records_frame(some, csv.dialect, names=csv.names, where=address)
        n_bytes += int(frame.estimated_size())
        yield Piece(frame, Place(_BY_LINE, some[-1][0] + 1), min(1.0, n_bytes / size))
