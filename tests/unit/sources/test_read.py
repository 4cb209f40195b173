"""Addresses: files of every kind, packed ones, folders, databases, standard input."""

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import xlsxwriter
import zstandard

from mantic.core.errors import ManticError, SchemaError, SourceError
from mantic.core.run import Run
from mantic.sources.folder import unite
from mantic.sources.read import read
from mantic.sources.unpack import Limit, unpack

ROWS = [(1, "x"), (2, None), (None, "007")]
CSV = b"a,b\n1,x\n2,\n,007\n"


@pytest.fixture
def frame():
    return pl.DataFrame(ROWS, schema=["a", "b"], orient="row")


@pytest.fixture
def orders(tmp_path):
    base = sqlite3.connect(tmp_path / "shop.db")
    base.execute('create table "my orders" (id int, "select" text, price real)')
    base.executemany('insert into "my orders" values (?, ?, ?)', [(1, "q", 1.5), (2, ":a", None)])
    base.commit()
    base.close()
    return f"sqlite:///{tmp_path}/shop.db"


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.parquet", lambda frame, path: frame.write_parquet(path)),
        ("t.arrow", lambda frame, path: frame.write_ipc(path)),
        ("t.feather", lambda frame, path: frame.write_ipc_stream(path)),
        ("t.xlsx", lambda frame, path: frame.write_excel(path)),
        ("t.json", lambda frame, path: frame.write_json(path)),
        ("t.ndjson", lambda frame, path: frame.write_ndjson(path)),
        ("t.csv", lambda frame, path: path.write_bytes(CSV)),
        ("t.tsv", lambda frame, path: path.write_bytes(CSV.replace(b",", b"\t"))),
        ("t.csv.gz", lambda frame, path: path.write_bytes(gzip.compress(CSV))),
        ("t.csv.bz2", lambda frame, path: path.write_bytes(bz2.compress(CSV))),
        ("t.csv.xz", lambda frame, path: path.write_bytes(lzma.compress(CSV))),
        ("t.csv.zst", lambda frame, path: path.write_bytes(zstandard.compress(CSV))),
    ],
)
def test_every_kind_of_file_gives_the_same_table(tmp_path, frame, name, write):
    write(frame, tmp_path / name)

    with Run() as run:
        assert read(tmp_path / name, run=run).rows() == ROWS


def test_a_zip_holds_exactly_one_file(tmp_path):
    for name, members in (("one.zip", ["in/t.csv", "__MACOSX/t.csv"]), ("two.zip", ["t.csv", "u.csv"])):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member in members:
                archive.writestr(member, CSV)

    with Run() as run:
        assert read(tmp_path / "one.zip", run=run).rows() == ROWS
        with pytest.raises(SourceError, match="holds 2 files"):
            read(tmp_path / "two.zip", run=run)


def test_a_file_that_swells_beyond_reason_is_refused(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"0" * 10_000_000))

    with pytest.raises(SourceError, match="grows beyond"):
        unpack(path, "gz", tmp_path, limit=Limit(ratio=100, free=1 << 20))
    with pytest.raises(SourceError, match="grows beyond"):
        unpack(path, "gz", tmp_path, limit=Limit(n_bytes=1 << 20))


def test_parts_of_a_folder_share_one_type_for_a_column(tmp_path):
    (tmp_path / "1.csv").write_text("a,zip\n1,00123\n")
    (tmp_path / "2.csv").write_text("zip,a\n90210,2.5\n")

    assert read(tmp_path, run=Run()).rows() == [(1.0, "00123"), (2.5, "90210")]
    assert read(f"{tmp_path}/*.csv", run=Run()).height == 2


def test_parts_of_many_columns_are_united_in_time_that_grows_with_their_number():
    frame = pl.DataFrame({f"column {at}": [at, at] for at in range(3_000)})

    began = time.process_time()
    whole = unite([Path("1"), Path("2"), Path("3")], lambda _: frame, where="here")

    assert whole.shape == (6, 3_000)
    assert time.process_time() - began < 10  # was a minute


def test_parts_that_do_not_fit_are_all_named(tmp_path):
    for name, header in (("1", "a,b"), ("2", "a,c"), ("3", "a")):
        (tmp_path / f"{name}.csv").write_text(f"{header}\n{','.join('1' for _ in header.split(','))}\n")

    with pytest.raises(SchemaError) as caught:
        read(tmp_path, run=Run())

    assert "2.csv lacks 'b', has 'c' more; 3.csv lacks 'b'" in caught.value.what


@pytest.mark.parametrize(
    ("tail", "rows"),
    [
        ("?table=my orders", [(1, "q", 1.5), (2, ":a", None)]),
        ('?query=SELECT id FROM "my orders" WHERE "select" = \':a\' AND 1+1=2', [(2,)]),
        ("?query=SELECT id FROM \"my orders\" WHERE 'at 25 off' LIKE '%25%' AND 'q%41' = 'q%41' AND id = 1", [(1,)]),
        ("?query=SELECT%20id%20FROM%20%22my%20orders%22%20WHERE%20price%20%3E%201", [(1,)]),
    ],
)
def test_a_database_is_read_by_table_or_query(orders, tail, rows):
    assert read(orders + tail, run=Run()).rows() == rows


@pytest.mark.parametrize(
    ("tail", "says"),
    [
        ("?table=nope", "known are: my orders"),
        ("", "?table=NAME"),
        ("?query=SELEC", "syntax error"),
        ('?query=DELETE FROM "my orders"', "no rows to read"),
        ("?query=SELECT 1 AS a, 2 AS a", "'a' (2 times)"),
    ],
)
def test_a_database_says_what_is_wrong(orders, tail, says):
    with pytest.raises(ManticError) as caught:
        read(orders + tail, run=Run())

    assert says in str(caught.value)
    assert read(orders + "?table=my orders", run=Run()).height == 2


def test_a_missing_database_is_not_made(tmp_path):
    with pytest.raises(SourceError, match="no such database file"):
        read(f"sqlite:///{tmp_path}/nope.db?table=a", run=Run())

    assert not (tmp_path / "nope.db").exists()


def test_passwords_are_not_shown():
    with pytest.raises(SourceError) as caught:
        read("postgresql://me:secret@127.0.0.1:1/base?table=a", run=Run())

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("given", [CSV, gzip.compress(CSV, mtime=0), json.dumps([{"a": 1, "b": "x"}]).encode()])
def test_standard_input_is_told_by_its_bytes(monkeypatch, given):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))

    with Run() as run:
        assert read("-", run=run).row(0) == (1, "x")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("table.cvs", None, "did you mean"),
        ("x.csv", b"PAR1PAR1", "holds parquet"),
        ("x.parquet", CSV, "holds plain text"),
        ("y.parquet", b"PAR1....PAR1", "damaged"),
        ("x.xlsx", CSV, "holds plain text"),
        ("x.csv.gz", CSV, "damaged or cut short"),
        ("y.csv.gz", gzip.compress(CSV * 1000, mtime=0)[:-20], "damaged or cut short"),
        ("z.csv.gz", gzip.compress(b"a,b\n1\n", mtime=0), "z.csv.gz, line 2"),
        ("x.json", b'[{"a": 1},\n{"a":}]', "line 2"),
        ("y.ndjson", b'{"a": 1}\n{"a": 2\n', "line 2"),
        ("z.json", b"3", "no table"),
        ("x.sav", b"$FL2", "known are"),
        ("empty.parquet", b"", "empty"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, says):
    (tmp_path / "table.csv").write_bytes(CSV)
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with Run() as run, pytest.raises(ManticError) as caught:
        read(tmp_path / name, run=run)

    assert says in str(caught.value)
    assert caught.value.fix


def test_an_unknown_scheme_lists_the_known_ones():
    with pytest.raises(SourceError) as caught:
        read("postgres://here/base", run=Run())

    assert "did you mean 'postgresql'" in caught.value.fix


def test_a_sheet_is_chosen_by_name(tmp_path, frame):
    frame.write_excel(tmp_path / "t.xlsx", worksheet="May")

    assert read(f"{tmp_path}/t.xlsx?sheet=May", run=Run()).rows() == ROWS
    with pytest.raises(SourceError, match="no sheet 'June'"):
        read(f"{tmp_path}/t.xlsx?sheet=June", run=Run())


@pytest.mark.parametrize("address", ["./t.xlsx", "./t.xlsx?sheet=May", "{folder}//t.xlsx", "file://{folder}/./t.xlsx"])
def test_a_book_is_found_however_its_path_is_written(tmp_path, monkeypatch, frame, address):
    frame.write_excel(tmp_path / "t.xlsx", worksheet="May")
    monkeypatch.chdir(tmp_path)

    assert read(address.format(folder=tmp_path), run=Run()).rows() == ROWS


def test_one_late_text_in_a_sheet_makes_a_whole_column_text(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as book:
        sheet = book.add_worksheet()
        for at, value in enumerate(["a", *range(1300), "A12", 2.5]):
            sheet.write(at, 0, value)

    assert read(tmp_path / "t.xlsx", run=Run())["a"].to_list() == [*map(str, range(1300)), "A12", "2.5"]
