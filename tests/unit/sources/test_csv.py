"""CSV files as people write them, and as they break."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mantic.core.errors import ManticError
from mantic.core.run import Run
from mantic.sources.pieces import pieces
from mantic.sources.read import read
from mantic.sources.table.csv import open_csv


def write(folder: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def codes(run: Run) -> list[str]:
    return [warning.code for warning in run.warnings]


@pytest.mark.parametrize(
    ("text", "encoding", "rows", "warned"),
    [
        ("a,b\n1,x\n", "utf-8", [(1, "x")], []),
        ("a\tb\n1\tx\n", "utf-8", [(1, "x")], []),
        ("a;b\n1,5;x\n1.234,25;y\n", "utf-8", [(1.5, "x"), (1234.25, "y")], ["dialect", "decimal_comma"]),
        ("a|b\n1|x\n", "utf-8", [(1, "x")], ["dialect"]),
        ("a,b\n'x,1',2\n'y','3'\n'z','4'\n", "utf-8", [("x,1", 2), ("y", 3), ("z", 4)], ["dialect"]),
        ("a,b\nMüller,2\n", "cp1252", [("Müller", 2)], ["encoding"]),
        ("a,b\nMüller,2\n", "utf-16", [("Müller", 2)], ["encoding"]),
        ("a,b\nMüller,2\n", "utf-8-sig", [("Müller", 2)], []),
        ("a,b\r1,2\r3,4\r", "utf-8", [(1, 2), (3, 4)], []),
        (",b\n1,2\n", "utf-8", [(1, 2)], ["no_name"]),
        ("1,2\n3,4\n", "utf-8", [(3, 4)], ["no_header"]),
    ],
)
def test_how_a_file_is_written_is_found_and_reported(tmp_path, quiet_run, text, encoding, rows, warned):
    frame = read(write(tmp_path, text, encoding), run=quiet_run)

    assert frame.rows() == rows
    assert codes(quiet_run) == warned


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_a_bad_byte_among_letters_of_utf8_is_named_and_spoils_no_other(tmp_path, ending):
    names = ["Köln", "Zürich", "東京"] * 10
    good, bad = ("city\n{}\n", b"bad\xff\n") if ending == "csv" else ("{}\n", b'{"city": "bad\xff"}\n')
    lines = names if ending == "csv" else [f'{{"city": "{name}"}}' for name in names]
    path = tmp_path / f"t.{ending}"
    path.write_bytes(good.format("\n".join(lines)).encode() + bad)

    with Run() as run:
        frame = read(path, run=run)
        whole = [one.frame for one in pieces(str(path), run)]

    assert frame["city"].to_list() == [*names, "bad\ufffd"]
    assert_frame_equal(pl.concat(whole), frame)
    assert f"line {32 if ending == 'csv' else 31}" in run.warnings[0].text


def test_only_an_empty_cell_is_missing(tmp_path):
    frame = read(write(tmp_path, 'a,b\nNA,""\nNone,?\n,null\n'), run=Run())

    assert frame.rows() == [("NA", None), ("None", "?"), (None, "null")]


def test_digits_are_never_lost(tmp_path):
    frame = read(write(tmp_path, "zip,big,late,nan\n00123,99999999999999999999,1,nan\n90210,1,x,1\n"), run=Run())

    assert frame.rows() == [("00123", "99999999999999999999", "1", "nan"), ("90210", "1", "x", "1")]


@pytest.mark.parametrize("name", ["ENSG{:011}", '"ENSG\n{:011}"'])
def test_a_header_of_any_length_is_read(tmp_path, name):
    names = [name.format(at) for at in range(20_000)]
    lines = [",".join(names), *(",".join([f"s{row}"] * 20_000) for row in range(2))]

    csv = open_csv(str(write(tmp_path, "\n".join(lines) + "\n")), Run())

    assert csv.names == tuple(one.strip('"') for one in names)


def test_one_late_text_makes_a_whole_column_text(tmp_path):
    frame = read(write(tmp_path, "a\n" + "1\n" * 3000 + "x\n"), run=Run())

    assert frame["a"].dtype == pl.String
    assert frame.height == 3001


def test_quoted_delimiters_newlines_and_quotes_inside_words_are_kept(tmp_path):
    quoted = read(write(tmp_path, 'a,b\n"x,\ny",1\n"say ""hi""",2\n'), run=Run())
    inches = read(write(tmp_path, 'a,b\n5" pipe,3\n2,y\n'), run=Run())

    assert quoted.rows() == [("x,\ny", 1), ('say "hi"', 2)]
    assert inches.rows() == [('5" pipe', "3"), ("2", "y")]


@pytest.mark.parametrize("code", ["'{:05d}", "'{}0s", "'{0},'{0}", "'", "Others'|'Til {}"])
@pytest.mark.parametrize("line", ["{code},{at}", "{at},{code},{at}"])
def test_an_apostrophe_before_a_value_is_no_quote(tmp_path, code, line):
    lines = [line.format(code=code.format(at), at=at) for at in range(10)]
    header = ",".join("abcd"[: lines[0].count(",") + 1])

    frame = read(write(tmp_path, "\n".join([header, *lines]) + "\n"), run=Run())

    assert [",".join(map(str, row)) for row in frame.rows()] == lines


def test_single_quotes_may_hold_apostrophes_and_lines(tmp_path):
    frame = read(write(tmp_path, "a,b\n'two\nlines',1\n'it''s',2\n'x,y','3'\n'',4\n"), run=Run())

    assert frame.rows() == [("two\nlines", 1), ("it's", 2), ("x,y", 3), (None, 4)]


def test_blank_lines_are_rows_only_in_a_single_column(tmp_path):
    two = read(write(tmp_path, "\na,b\n1,2\n\n3,4\n\n"), run=Run())
    one = read(write(tmp_path, "a\n1\n\n2\n"), run=Run())

    assert two.rows() == [(1, 2), (3, 4)]
    assert one.rows() == [(1,), (None,), (2,)]


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        (
            "a,b,c\n1,2,3\n4,5\n6,7,8\n9\n",
            "expected 3 fields in every line, as in the header; line 3 has 2, line 5",
            "line 3",
        ),
        ("a,b,c\n1,2,3\n4,5,6,7\n", "line 3 has 4", "line 3"),
        ('a,b\n1,"x\n2,y\n3,z\n', "never closed", "line 2"),
        ("a,a,b,b\n1,2,3,4\n", "'a' (2 times), 'b' (2 times)", "line 1"),
        ("", "empty", "table.csv"),
        (" \n\n", "empty", "table.csv"),
        ("a,b\n", "no row", "table.csv"),
        (bytes(range(256)) * 20, "no text", "table.csv"),
        (b"PAR1" * 9, "parquet", "table.csv"),
    ],
)
def test_a_broken_file_says_what_where_and_how_to_mend_it(tmp_path, text, what, where):
    with pytest.raises(ManticError) as caught:
        read(write(tmp_path, text), run=Run())

    assert what in caught.value.what
    assert where in caught.value.where
    assert caught.value.fix
