"""mantic predictions: what is shown, and what is written to a file."""

import polars as pl
import pytest

from mantic.cli import predictions
from mantic.core.settings import read_settings
from mantic.store.predictions import Prediction
from mantic.store.store import open_store


@pytest.fixture
def store(monkeypatch, tmp_path):
    """Return the store that the command line uses; it is empty."""
    monkeypatch.setenv("MANTIC_STORE_URL", str(tmp_path / "store"))
    with open_store(read_settings().store.url) as opened:
        yield opened


def answered(store, rows):
    """Keep an answer for each row, a second apart; return their ids."""
    answer = {"prediction": "yes", "version": "v"}
    made = [Prediction("churn", 1, row, answer, at=f"2026-05-01T00:00:{i:02d}") for i, row in enumerate(rows)]
    return store.predictions.append(made)


def test_those_whose_outcome_is_known_are_shown_however_old_they_are(mantic, store):
    ids = answered(store, [{"age": 1}] * 40)
    store.outcomes.add(dict.fromkeys(ids[:3], "no"))

    facts = mantic("predictions", "churn", "--judged", "--json").facts

    assert [one["id"] for one in facts["predictions"]] == ids[2::-1]
    assert {one["outcome"] for one in facts["predictions"]} == {"no"}


def test_that_no_outcome_is_known_is_said_otherwise_than_that_nothing_is_kept(mantic, store):
    answered(store, [{"age": 1}])

    assert "No outcome of what 'churn' answered is known yet" in mantic("predictions", "churn", "--judged").out
    assert "Nothing is kept of 'rent'" in mantic("predictions", "rent").out


@pytest.mark.parametrize("out", ["all.csv", "all.parquet", "all.ndjson"])
def test_columns_of_a_row_that_are_called_as_ours_do_not_take_their_place(mantic, store, out):
    row = {"id": 7, "at": "home", "number": 3, "prediction": 0.5, "outcome": "x", "row_id": 8}
    ids = answered(store, [row, row])
    store.outcomes.add({ids[0]: "no"})

    mantic("predictions", "churn", "--out", out)

    read = {"csv": pl.read_csv, "parquet": pl.read_parquet, "ndjson": pl.read_ndjson}[out.partition(".")[2]]
    frame = read(out)
    assert frame["id"].to_list() == ids
    assert frame["outcome"].to_list() == ["no", None]
    first = frame.row(0, named=True)
    assert (first["number"], first["prediction"]) == (1, "yes")
    assert (first["row_row_id"], first["row_at"], first["row_number"], first["row_id"]) == (7, "home", 3, 8)


@pytest.mark.parametrize("out", ["all.csv", "all.parquet", "all.ndjson"])
def test_pages_of_other_columns_and_kinds_become_one_file(mantic, store, monkeypatch, out):
    monkeypatch.setattr(predictions, "_AT_ONCE", 2)
    ids = answered(store, [{"a": 1}, {"a": 2}, {"a": "x"}, {"b": None}, {"b": 1.5}])

    done = mantic("predictions", "churn", "--out", out)

    assert done.err == f"wrote 5 predictions to {out}\n"
    read = {"csv": pl.read_csv, "parquet": pl.read_parquet, "ndjson": pl.read_ndjson}[out.partition(".")[2]]
    frame = read(out)
    assert frame["id"].to_list() == ids
    assert frame["a"].to_list() == ["1", "2", "x", None, None]
    assert frame["b"].to_list() == [None, None, None, None, 1.5]


def test_a_page_of_which_no_outcome_is_known_is_passed_over(mantic, store, monkeypatch):
    monkeypatch.setattr(predictions, "_AT_ONCE", 2)
    ids = answered(store, [{"a": 1}] * 5)
    store.outcomes.add({ids[4]: "no"})

    mantic("predictions", "churn", "--judged", "--out", "all.parquet")

    assert pl.read_parquet("all.parquet")["id"].to_list() == ids[4:]


def test_a_file_without_rows_has_its_columns_all_the_same(mantic, store):
    done = mantic("predictions", "churn", "--out", "all.csv")

    assert done.code == 0
    assert pl.read_csv("all.csv").columns == ["id", "at", "number"]
