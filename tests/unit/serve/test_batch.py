"""Tables answered piece by piece: whole or not at all, and on from where a crash came."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import mantic
from mantic.cli.table import read_for
from mantic.core.errors import SchemaError, SourceError, StoreError
from mantic.core.journal import Journal
from mantic.core.run import Run
from mantic.serve import batch as room
from mantic.serve.batch import Batch, answer_file
from mantic.serve.parts import FORMS
from mantic.sources import csv_pieces


@pytest.fixture(scope="module")
def model(churn_like, tmp_path_factory):
    fitted = mantic.Classifier(budget="1 trial", learners=["linear"], seed=0).fit(churn_like, "churned")
    return mantic.load(fitted.save(tmp_path_factory.mktemp("model") / "churn.mantic"))


@pytest.fixture
def table(churn_like, tmp_path, monkeypatch):
    """Return a table that comes in about ten pieces."""
    monkeypatch.setattr(csv_pieces, "_BLOCK", 3_000)
    churn_like.drop("churned").write_csv(tmp_path / "new.csv")
    assert (tmp_path / "new.csv").stat().st_size > 20_000
    return tmp_path / "new.csv"


def files(folder):
    return sorted(file.name for file in folder.iterdir())


READERS = {"csv": pl.read_csv, "parquet": pl.read_parquet, "json": pl.read_json, "ndjson": pl.read_ndjson}


@pytest.mark.parametrize("ending", READERS)
def test_answers_are_those_of_the_whole(model, table, churn_like, tmp_path, ending):
    out = tmp_path / f"answers.{ending}"

    n_rows = answer_file(Batch(model, str(table), out, proba=True), Run())

    found = READERS[ending](out)
    assert n_rows == 400
    assert found["customer"].to_list() == churn_like["customer"].to_list()
    assert_frame_equal(
        found.select("probability_yes"),
        pl.DataFrame({"probability_yes": model.predict_proba(churn_like.drop("churned"))[:, 1]}),
    )
    assert files(tmp_path) == [out.name, "new.csv"]


def test_codes_are_read_as_when_the_model_was_fitted_whatever_stands_beside_them(tmp_path):
    codes = ["250.00", "401.90", "V45.81", "E11"] * 50
    frame = pl.DataFrame({"code": codes, "sick": ["no" if code[0] in "2V" else "yes" for code in codes]})
    fitted = mantic.Classifier(budget="1 trial", learners=["linear"], seed=0).fit(frame, "sick")
    model = mantic.load(fitted.save(tmp_path / "sick.mantic"))
    (tmp_path / "new.csv").write_text("code\n401.90\n250.00\n")

    with Run() as run:
        answer_file(Batch(model, str(tmp_path / "new.csv"), tmp_path / "out.csv", proba=False), run)
        _, raw = read_for(model, str(tmp_path / "new.csv"), run)

    assert pl.read_csv(tmp_path / "out.csv")["prediction"].to_list() == ["yes", "no"]
    assert [one.code for one in run.warnings] == []
    assert raw["code"].to_list() == ["401.90", "250.00"]


USUAL = room.answer_table


class _CrashError(RuntimeError):
    """What stands for a crash."""


def crash_after(n_parts, monkeypatch):
    """Let the answers break off after so many parts; return the heights of all pieces that are answered."""
    heights = []

    def broken(model, frame, raw, *, proba):
        if len(heights) == n_parts:
            raise _CrashError
        heights.append(frame.height)
        return USUAL(model, frame, raw, proba=proba)

    monkeypatch.setattr(room, "answer_table", broken)
    return heights


def test_columns_with_line_breaks_in_their_names_have_one_header(tmp_path):
    table = pl.DataFrame({"probability_a\nb": [0.5], "c, d": ["x"]})
    paths = [tmp_path / "1.csv", tmp_path / "2.csv"]
    for path in paths:
        FORMS[".csv"].write(table, path)

    FORMS[".csv"].join(paths, tmp_path / "whole.csv")

    assert_frame_equal(pl.read_csv(tmp_path / "whole.csv"), pl.concat([table, table]))


def test_after_a_crash_only_the_rest_is_answered(model, table, tmp_path, monkeypatch):
    answer_file(Batch(model, str(table), tmp_path / "whole.csv", proba=False), Run())
    work = Batch(model, str(table), tmp_path / "answers.csv", proba=False)
    heights = crash_after(3, monkeypatch)
    with pytest.raises(_CrashError):
        answer_file(work, Run())
    assert not work.out.exists()

    again, run = crash_after(None, monkeypatch), Run()
    answer_file(work, run)

    assert len(heights) == 3
    assert sum(again) == 400 - sum(heights)
    assert work.out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert [warning.code for warning in run.warnings] == ["resumed"]


@pytest.mark.parametrize("change", ["table", "options", "part"])
def test_what_was_begun_for_other_answers_is_not_used(model, table, tmp_path, monkeypatch, change):
    work = Batch(model, str(table), tmp_path / "answers.csv", proba=False)
    crash_after(3, monkeypatch)
    with pytest.raises(_CrashError):
        answer_file(work, Run())
    if change == "table":
        table.write_bytes(table.read_bytes().rstrip(b"\n"))
    if change == "options":
        work = Batch(model, str(table), tmp_path / "answers.csv", proba=True)
    if change == "part":
        (tmp_path / ".answers.csv.parts" / "000001.csv").unlink()
    heights, run = crash_after(None, monkeypatch), Run()

    assert answer_file(work, run) == 400

    assert run.warnings == []
    assert pl.read_csv(work.out).height == 400
    assert len(heights) > 3


def test_a_row_that_does_not_fit_is_named_and_nothing_is_left(model, table, tmp_path):
    lines = table.read_text().splitlines()
    place = lines[0].split(",").index("tenure")
    fields = lines[351].split(",")
    lines[351] = ",".join([*fields[:place], "long", *fields[place + 1 :]])
    table.write_text("\n".join(lines))

    with pytest.raises(SchemaError, match=r"'tenure' should hold numbers.*'long'") as caught:
        answer_file(Batch(model, str(table), tmp_path / "answers.csv", proba=False), Run())

    assert "rows " in caught.value.where
    assert files(tmp_path) == ["new.csv"]


def test_a_table_without_rows_is_refused(model, table, tmp_path):
    table.write_text(table.read_text().splitlines()[0])

    with pytest.raises(SourceError, match="no row"):
        answer_file(Batch(model, str(table), tmp_path / "answers.csv", proba=False), Run())

    assert files(tmp_path) == ["new.csv"]


def test_two_at_once_do_not_mix(model, table, tmp_path):
    (tmp_path / ".answers.csv.parts").mkdir()
    with Journal(tmp_path / ".answers.csv.parts" / "journal"), pytest.raises(StoreError, match="another process"):
        answer_file(Batch(model, str(table), tmp_path / "answers.csv", proba=False), Run())


def test_new_categories_are_told_once_for_all_pieces(model, table, tmp_path):
    table.write_text(table.read_text().replace("premium", "golden"))
    run = Run()

    answer_file(Batch(model, str(table), tmp_path / "answers.csv", proba=False), run)

    told = [warning.text for warning in run.warnings if warning.column == "plan"]
    assert len(told) == 1
    assert "of 400 rows" in told[0]


def test_identifiers_that_are_numbers_in_some_pieces_only_become_texts(model, table, tmp_path):
    frame = pl.read_csv(table, infer_schema=False)
    odd = ["x1" if at == 300 else str(at) for at in range(400)]
    frame.with_columns(customer=pl.Series(odd)).write_csv(table)

    answer_file(Batch(model, str(table), tmp_path / "answers.parquet", proba=False), Run())

    assert pl.read_parquet(tmp_path / "answers.parquet")["customer"].to_list() == odd
