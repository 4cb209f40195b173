"""Tables piece by piece: together they are the whole, from any place on."""

import gzip
import json
import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from mantic.core.errors import ManticError, SourceError
from mantic.core.run import Run
from mantic.core.schema import Schema
from mantic.features.infer import infer
from mantic.features.said import with_kinds
from mantic.sources import csv_pieces, json_pieces, pieces
from mantic.sources.piece import START
from mantic.sources.read import read
from mantic.sources.types import texts_in


@pytest.fixture
def small_pieces(monkeypatch):
    """Cut after some hundred bytes or twenty rows."""
    monkeypatch.setattr(csv_pieces, "_BLOCK", 200)
    monkeypatch.setattr(csv_pieces, "_RECORDS", 20)
    monkeypatch.setattr(json_pieces, "_LINES", 20)
    monkeypatch.setattr(pieces, "_MOST_ROWS", 20)


@pytest.fixture
def frame():
    chance = random.Random(0)
    words = ["plain", "with, comma", 'with "quotes"', "two\nlines", None]
    rows = [(at, chance.random(), chance.choice(words)) for at in range(150)]
    return pl.DataFrame(rows, schema=["number", "share", "text"], orient="row")


WRITERS = {
    "csv": pl.DataFrame.write_csv,
    "parquet": pl.DataFrame.write_parquet,
    "arrow": pl.DataFrame.write_ipc,
    "ndjson": pl.DataFrame.write_ndjson,
}


@pytest.mark.parametrize("ending", WRITERS)
def test_pieces_together_are_the_whole(tmp_path, frame, small_pieces, ending):
    WRITERS[ending](frame, tmp_path / f"t.{ending}")

    found = list(pieces.pieces(str(tmp_path / f"t.{ending}"), Run()))

    assert len(found) > 5
    assert_frame_equal(pl.concat([one.frame for one in found]), read(tmp_path / f"t.{ending}"))
    assert [one.share for one in found] == sorted(one.share for one in found)
    assert found[-1].share == 1


@pytest.mark.parametrize("ending", WRITERS)
def test_reading_goes_on_from_the_end_of_any_piece(tmp_path, frame, small_pieces, ending):
    WRITERS[ending](frame, tmp_path / f"t.{ending}")
    found = list(pieces.pieces(str(tmp_path / f"t.{ending}"), Run()))

    for at, one in enumerate(found):
        rest = list(pieces.pieces(str(tmp_path / f"t.{ending}"), Run(), start=one.end))
        assert [piece.frame.rows() for piece in rest] == [piece.frame.rows() for piece in found[at + 1 :]]


def test_what_polars_cannot_be_trusted_with_is_read_record_by_record(tmp_path, small_pieces):
    lines = [f'{at},5" pipe {at}' if at == 77 else f"{at},x" for at in range(150)]
    (tmp_path / "t.csv").write_text("a,b\n" + "\n".join(lines) + "\n\n")

    found = list(pieces.pieces(str(tmp_path / "t.csv"), Run()))

    assert_frame_equal(pl.concat([one.frame for one in found]), read(tmp_path / "t.csv"))
    rest = pieces.pieces(str(tmp_path / "t.csv"), Run(), start=found[-2].end)
    assert [one.frame.rows() for one in rest] == [found[-1].frame.rows()]


def test_a_broken_line_is_named_by_its_number_in_the_file(tmp_path, small_pieces):
    lines = ["1,2,3" if at == 120 else f"{at},x" for at in range(150)]
    (tmp_path / "t.csv").write_text("a,b\n" + "\n".join(lines) + "\n")

    with pytest.raises(SourceError, match="line 122 has 3"):
        list(pieces.pieces(str(tmp_path / "t.csv"), Run()))


def test_a_broken_line_of_json_is_named_by_its_number(tmp_path, small_pieces):
    lines = ["[1]" if at == 120 else json.dumps({"a": at}) for at in range(150)]
    (tmp_path / "t.ndjson").write_text("\n".join(lines) + "\n")

    with pytest.raises(SourceError, match="no object") as caught:
        list(pieces.pieces(str(tmp_path / "t.ndjson"), Run()))

    assert "line 121" in caught.value.where


@pytest.mark.parametrize("name", ["t.csv", "odd.csv", "t.csv.gz", "t.xlsx", "parts"])
def test_columns_stay_as_they_are_written_where_that_is_wished(tmp_path, small_pieces, name):
    texts = pl.DataFrame({"code": ["250.00", "401.90"] * 30, "n": ["1", "2"] * 30})
    (tmp_path / "parts").mkdir()
    texts.write_csv(tmp_path / "t.csv")
    texts.write_csv(tmp_path / "parts" / "t.csv")
    texts.write_excel(tmp_path / "t.xlsx")
    (tmp_path / "odd.csv").write_text(texts.write_csv() + "\n")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(texts.write_csv().encode()))

    with Run() as run:
        whole = read(tmp_path / name, run=run, as_written=["code", "absent"])
        found = [one.frame for one in pieces.pieces(str(tmp_path / name), run, as_written=["code"])]

    assert whole.rows() == [("250.00", 1), ("401.90", 2)] * 30
    assert_frame_equal(pl.concat(found), whole)


def test_a_model_knows_which_columns_held_texts():
    fitted = pl.DataFrame({"code": ["250.00", "E11"], "zip": ["007", "9"], "n": [1, 2], "plan": ["a", "b"]})
    said = pl.DataFrame({"whole": [1, 2, 1], "part": [1.0, 1.5, 1.0]})
    schema = Schema(
        infer(fitted).columns + with_kinds(infer(said), said, dict.fromkeys(said.columns, "category")).columns
    )

    assert texts_in(schema) == {"code", "zip", "plan"}


def test_a_key_that_later_lines_lack_is_missing_there(tmp_path, small_pieces):
    lines = [json.dumps({"a": at} | ({"b": 1} if at < 5 else {})) for at in range(60)]
    (tmp_path / "t.ndjson").write_text("\n".join(lines) + "\n")

    found = list(pieces.pieces(str(tmp_path / "t.ndjson"), Run()))

    assert [one.frame.columns for one in found] == [["a", "b"]] * 3
    again = next(iter(pieces.pieces(str(tmp_path / "t.ndjson"), Run(), start=found[0].end)))
    assert again.frame.columns == ["a", "b"]


def test_a_key_that_only_later_lines_have_is_missing_before(tmp_path, small_pieces):
    lines = [json.dumps({"a": at} if at < 45 else {"c": 2, "a": at, "b": "x"}) for at in range(60)]
    (tmp_path / "t.ndjson").write_text("\n".join(lines) + "\n")

    found = list(pieces.pieces(str(tmp_path / "t.ndjson"), Run()))

    assert_frame_equal(pl.concat([one.frame for one in found], how="vertical_relaxed"), read(tmp_path / "t.ndjson"))
    again = next(iter(pieces.pieces(str(tmp_path / "t.ndjson"), Run(), start=found[0].end)))
    assert again.frame.columns == ["a", "c", "b"]


@pytest.mark.parametrize("text", ["a,b\n", "a,b", "a,b\n\n\n"])
def test_a_header_without_rows_is_told(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)

    with pytest.raises(SourceError, match="no row below it"):
        list(pieces.pieces(str(tmp_path / "t.csv"), Run()))


def test_what_has_no_pieces_comes_in_one(tmp_path, frame):
    frame.write_json(tmp_path / "t.json")

    found = list(pieces.pieces(str(tmp_path / "t.json"), Run(), start=START))

    assert [one.frame.height for one in found] == [150]
    assert list(pieces.pieces(str(tmp_path / "t.json"), Run(), start=found[0].end)) == []


CELL = st.text(st.sampled_from("a1.,;\"'\n\r é"), max_size=6)


@given(
    rows=st.lists(st.lists(st.one_of(CELL, st.none()), min_size=1, max_size=3), max_size=40), mark=st.sampled_from(",;")
)
def test_any_text_gives_the_rows_or_the_refusal_of_the_whole(tmp_path_factory, rows, mark):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    body = "\n".join(mark.join("" if cell is None else cell for cell in row) for row in rows)
    path.write_text(f"x{mark}y{mark}z\n{body}", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_pieces, "_BLOCK", 30)
        outcome = _texts(lambda: pl.concat([one.frame.cast(pl.String) for one in pieces.pieces(str(path), Run())]))

    assert outcome == _texts(lambda: read(path).cast(pl.String))


def _texts(make):
    """Return rows with numbers as numbers, whatever their type, or that there was a refusal."""
    try:
        return [[_number(cell) for cell in row] for row in make().rows()]
    except ManticError:
        return "refused"


def _number(cell):
    try:
        return float(cell)
    except (TypeError, ValueError):
        return cell
