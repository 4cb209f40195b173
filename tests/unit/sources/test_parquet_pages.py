"""Pages of sound files are followed to their ends; what says to hold too much is refused."""

import mmap
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from mantic.core.errors import SourceError
from mantic.sources import parquet_pages
from mantic.sources.read import read

N_ROWS = 5_000
TABLE = pa.table(
    {
        "whole": range(N_ROWS),
        "text": [f"k{place % 97}" for place in range(N_ROWS)],
        "list": [[1, 2]] * N_ROWS,
        "none": [None] * N_ROWS,
        "flag": [True, False] * (N_ROWS // 2),
    }
)
WRITTEN = {
    "plain": {},
    "second version": {"data_page_version": "2.0", "compression": "zstd"},
    "no dictionary": {"use_dictionary": False, "compression": "none"},
    "many groups": {"row_group_size": 100},
    "small pages": {"data_page_size": 512, "write_page_index": True},
}


def values(path: Path) -> list[int]:
    """Return how many values each column holds by its pages of data."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return [
            sum(number for number, _, _ in parquet_pages._pages(content, start, end))
            for start, end in parquet_pages._chunks(content)
        ]


@pytest.mark.parametrize("how", WRITTEN)
def test_every_page_of_a_sound_file_is_followed(tmp_path, how):
    path = tmp_path / "t.parquet"
    parquet.write_table(TABLE, path, **WRITTEN[how])

    parquet_pages.check_pages(path)

    found = values(path)
    n_values = N_ROWS * (TABLE.num_columns + 1)  # the list holds two values in each row; dictionaries come to it
    assert sum(found) == n_values if how == "no dictionary" else n_values <= sum(found) <= 2 * n_values
    assert read(path).height == N_ROWS


def test_polars_files_are_followed_too(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": range(N_ROWS), "b": ["x"] * N_ROWS}).write_parquet(path, data_page_size=256)

    assert sum(values(path)) == 2 * N_ROWS + 1


def test_a_page_that_holds_more_than_memory_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    parquet.write_table(TABLE, path)
    monkeypatch.setattr(parquet_pages, "_ALWAYS_TRIED", 100)
    monkeypatch.setattr(parquet_pages, "free_bytes", lambda: 1_000)

    with pytest.raises(SourceError, match="says to hold 10,000 values"):
        parquet_pages.check_pages(path)


def ended(footer: bytes) -> bytes:
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def with_pages(pages: bytes) -> bytes:
    """Return a file with one column that holds these pages."""
    about = b"\x76" + bytes([2 * len(pages)]) + b"\x26\x08\x00"  # so many bytes, from the fourth on
    return b"PAR1" + pages + ended(b"\x49\x1c\x19\x1c\x3c" + about + b"\x00\x00\x00")[4:]


FRACTION = b"\x17" + bytes(8)  # a field one further, that holds a number of 64 bits with a point
ODD_PAGES = [
    b"\x25\x00\x15\x00\x2c" + FRACTION + b"\x00\x00",  # for how many values
    b"\x27" + bytes(8) + b"\x15\x00\x2c\x15\x00\x00\x00",  # for how many bytes unpacked
    b"\x25\x00" + FRACTION + b"\x2c\x15\x00\x00\x00",  # for how many bytes packed
    b"\x25\x00\x19\x00\x2c\x15\x00\x00\x00",  # a list for these
]
TOO_FEW = b"\x25\x00\x15\x00\x2c\x15\x01\x00\x00"  # minus one value


@pytest.mark.parametrize("page", ODD_PAGES)
def test_a_page_with_a_field_of_another_kind_is_left_to_the_reader(tmp_path, page):
    path = tmp_path / "t.parquet"
    path.write_bytes(with_pages(page))

    parquet_pages.check_pages(path)


@pytest.mark.parametrize("page", ODD_PAGES)
def test_a_page_before_one_that_cannot_be_followed_is_judged(tmp_path, page):
    path = tmp_path / "t.parquet"
    path.write_bytes(with_pages(TOO_FEW + page))

    with pytest.raises(SourceError, match="fewer than no values"):
        parquet_pages.check_pages(path)


WITHOUT_PAGES = b"\x49\x1c\x19\x1c\x00\x00\x00"  # a group with a column of which nothing is said
CANNOT = [
    b"",
    b"PAR1",
    b"PAR1" * 3,
    ended(b"\x00"),
    ended(WITHOUT_PAGES),
    ended(b"\x19" * 5_000),
    ended(b"\x1c" * 5_000),
]


@pytest.mark.parametrize("content", CANNOT, ids=range(len(CANNOT)))
def test_what_cannot_be_followed_is_left_to_the_reader(tmp_path, content):
    path = tmp_path / "t.parquet"
    path.write_bytes(content)

    parquet_pages.check_pages(path)
