"""Files that are wrong inside are refused with a reason, whatever library finds it out; no row of others is lost."""

import decimal
import io
import json
import struct
import zipfile

import polars as pl
import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet

from mantic.core.errors import SchemaError, SourceError
from mantic.core.run import Run
from mantic.sources.pieces import pieces
from mantic.sources.read import read
from mantic.sources.values import from_values


def arrow_of(column: pa.Array) -> bytes:
    data = io.BytesIO()
    table = pa.table({"a": column})
    with pa.ipc.new_file(data, table.schema) as writer:
        writer.write_table(table)
    return data.getvalue()


def packed_arrow() -> bytes:
    data = io.BytesIO()
    pl.DataFrame({"a": range(1000)}).write_ipc(data, compression="zstd")
    return data.getvalue().replace(struct.pack("<q", 8000), struct.pack("<q", 2**61))


def pages_of_less_than_nothing() -> bytes:
    data = io.BytesIO()
    parquet.write_table(pa.table({"a": range(64)}), data, use_dictionary=False)
    page, value = b"\x2c\x15", b"\x80\x01"  # a page of data, and how many values: 64
    assert data.getvalue().count(page + value) == 1
    return data.getvalue().replace(page + value, page + b"\x81\x01")  # 65 less than none


def book_without(change) -> bytes:
    data, out = io.BytesIO(), io.BytesIO()
    pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}).write_excel(data)
    with zipfile.ZipFile(data) as book, zipfile.ZipFile(out, "w") as archive:
        for name in book.namelist():
            archive.writestr(name, change(name, book.read(name)))
    return out.getvalue()


def placed(old: bytes, new: bytes):
    return lambda name, content: content.replace(old, new) if name == "xl/worksheets/sheet1.xml" else content


def without_sheets(name: str, content: bytes) -> bytes:
    start, end = content.find(b"<sheets>"), content.find(b"</sheets>")
    return content[: start + 8] + content[end:] if name == "xl/workbook.xml" else content


def without_texts(name: str, content: bytes) -> bytes:
    return b"<sst></sst>" if name == "xl/sharedStrings.xml" else content


WIDE = pa.array([decimal.Decimal(1), None], pa.decimal256(70, 0))
DAMAGED = {
    "mark.csv": b"\xef\xbb\xbfa,b\n1,\xff\n",
    "text.json": b'\xef\xbb\xbf[{"a": "\xff"}]',
    "wide.json": '[{"a": 1}]'.encode("utf-16") + b"\n",
    "deep.json": b'{"a":' * 100_000,
    "deep.ndjson": b'{"a": 1}\n' + b'{"a":' * 100_000 + b"\n",
    "long.json": b'[{"a": ' + b"1" * 5000 + b"}]",
    "long.ndjson": b'{"a": 1}\n{"a": ' + b"1" * 5000 + b"}\n",
    "wide.arrow": arrow_of(WIDE),
    "bomb.arrow": packed_arrow(),
    "pages.parquet": pages_of_less_than_nothing(),
    "far.xlsx": book_without(placed(b'r="B3"', b'r="XFD1048576"')),
    "small.xlsx": book_without(placed(b'r="B3"', b'r="xfd1048576"')),
    "farther.xlsx": book_without(placed(b'r="B3"', b'r="B' + b"1" * 300 + b'"')),
    "wider.xlsx": book_without(placed(b'r="B3"', b'r="ZZZZZZ3"')),
    "none.xlsx": book_without(without_sheets),
    "texts.xlsx": book_without(without_texts),
}


@pytest.mark.parametrize("name", list(DAMAGED))
def test_a_file_that_is_wrong_inside_is_refused_as_a_whole_and_in_pieces(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(DAMAGED[name])

    with pytest.raises(SourceError):
        read(path)
    with pytest.raises(SourceError), Run() as run:
        list(pieces(str(path), run))


@pytest.mark.parametrize(("form", "days"), [("yyyy-mm-dd", -1e15), ("[h]:mm:ss", -1e15), ("[h]:mm:ss", 1e12)])
def test_a_sheet_with_a_date_that_no_calendar_has_is_refused(tmp_path, form, days):
    path = tmp_path / "t.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write(1, 0, 1)
        sheet.write_number(1, 1, days, book.add_format({"num_format": form}))

    with pytest.raises(SourceError, match="a cell cannot be read"):
        read(path)


def test_a_zip_with_a_name_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ä.csv", b"a\n1\n")
    path.write_bytes(path.read_bytes().replace("ä".encode(), b"\xff\xff"))

    with pytest.raises(SourceError, match="damaged"):
        read(path)


@pytest.mark.parametrize(
    "text",
    [
        '"a,b"\r65536\r\n\rtrue\r"5e-324"\r-1',  # the line ends of two systems
        'q"\n"\n"\nNaN\nnan',  # a quote amid a name
        '"\r"\'"\r"x"\rq"\r"rows"\r1',
        "a\n1\r2\n3\n",
        "a,b\n1,2\r3,4\n5,6\n",
    ],
)
def test_odd_lines_and_quotes_lose_no_row(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())

    with Run() as run:
        parts = [row for piece in pieces(str(path), run) for row in piece.frame.rows()]

    assert len(parts) == read(path).height == {'"a': 5, '"\r': 4, 'q"': 3, "a\n": 3, "a,": 3}[text[:2]]


def test_json_of_any_depth_is_read_or_refused(tmp_path):
    path = tmp_path / "t.json"
    found = set()
    for depth in (*range(850, 1000), 2000):
        path.write_text('[{"a": ' + "[" * depth + "]" * depth + "}]")
        try:
            found.add(read(path).height)
        except SourceError:
            found.add(0)

    assert found == {0, 1}


def test_half_a_character_is_named_by_its_column(tmp_path):
    path = tmp_path / "t.json"
    path.write_text(json.dumps([{"a": 1, "b": "\ud800"}]))

    with pytest.raises(SchemaError, match="half a character"):
        read(path)


@pytest.mark.parametrize("ending", ["json", "ndjson"])
def test_half_a_character_in_a_name_is_refused_too(tmp_path, ending):
    rows = [{"a": 1}, {"a": 2, "\ud800": None}]
    path = tmp_path / f"t.{ending}"
    path.write_text(json.dumps(rows) if ending == "json" else "\n".join(map(json.dumps, rows)))

    with pytest.raises(SchemaError, match="half a character"):
        read(path)
    with Run() as run, pytest.raises(SchemaError, match="half a character"):
        list(pieces(str(path), run))


def test_a_number_that_no_float_holds_stays_as_it_is_written():
    assert from_values("a", [10**400, 1.5]).to_list() == [str(10**400), "1.5"]


def test_a_quote_amid_a_value_that_is_not_quoted_parts_no_rows_together(tmp_path):
    path = tmp_path / "t.tsv"
    rows = '"3",ä,"2"\nx,"ab",-2147483648\n,"1677-09-21",q"\n"\n",😀,\n\nq",ä,"256"\nz,-1e999,"a,b"\na,"\n","é"\n'
    path.write_text(f'\ufeff"3","z","ä"\n{rows}')

    whole = read(path).rows()
    with Run() as run:
        parts = [row for piece in pieces(str(path), run) for row in piece.frame.rows()]

    assert whole == parts
    assert whole[2:5] == [(None, "1677-09-21", 'q"'), ("\n", "😀", None), ('q"', "ä", "256")]
