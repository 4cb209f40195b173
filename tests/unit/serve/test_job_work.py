"""What the process of a job does with a table: every form, every fault, and what a stranger may have put in it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

import mantic
from mantic.serve.job import DONE, FAILED, JobLimits, Wish
from mantic.serve.job_folder import JobFolder
from mantic.serve.job_runner import Jobs
from mantic.serve.job_work import work
from mantic.serve.served import Served
from mantic.sources import csv_pieces

MOST_ROWS = 2_000
LIMITS = {"memory_bytes": 4_000_000_000, "seconds": 60, "max_rows": MOST_ROWS}


@pytest.fixture(scope="module")
def model(churn_like, tmp_path_factory):
    fitted = mantic.Classifier(budget="1 trial", learners=["linear"], seed=0).fit(churn_like, "churned")
    return mantic.load(fitted.save(tmp_path_factory.mktemp("model") / "churn.mantic"))


@pytest.fixture
def answered(model, tmp_path, monkeypatch):
    """Return a function that answers a table as a job; it gives the job and the file of the answers."""
    jobs = Jobs(tmp_path / "jobs", ["true"], JobLimits())

    def answer(body, kind="csv", *, load=mantic.load, **wish):
        upload = jobs.receive(kind)
        (upload.folder / upload.table).write_bytes(body)
        wishes = Wish(**{"format": "csv", "is_for_spreadsheet": False} | wish)
        job = jobs.begin(upload, Served("churn", model), wishes, owner="")
        jobs.forget(upload)
        monkeypatch.chdir(upload.folder)
        work(LIMITS, load)
        return jobs.kept.read(job.id), upload.folder / job.answers

    return answer


@pytest.fixture
def table(churn_like):
    return churn_like.drop("churned")


READERS = {"csv": pl.read_csv, "parquet": pl.read_parquet, "ndjson": pl.read_ndjson}


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("kind", READERS)
def test_a_table_in_any_form_is_answered_in_any_form(kind, form, answered, table, model, tmp_path):
    getattr(table, f"write_{kind}")(tmp_path / "sent")

    job, answers = answered((tmp_path / "sent").read_bytes(), kind, format=form)

    found = READERS[form](answers)
    assert (job.state, job.n_rows, job.share) == (DONE, 400, 1.0)
    assert found["customer"].to_list() == table["customer"].to_list()
    assert found["prediction"].to_list() == model.predict(table).tolist()
    assert found["probability_yes"].to_list() == pytest.approx(model.predict_proba(table)[:, 1].tolist())


def test_a_single_row_is_enough(answered, table):
    job, answers = answered(table.head(1).write_csv().encode())

    assert (job.state, job.n_rows) == (DONE, 1)
    assert pl.read_csv(answers).height == 1


def test_rows_and_share_are_told_piece_by_piece(answered, table, monkeypatch):
    monkeypatch.setattr(csv_pieces, "_BLOCK", 3_000)
    told = []
    rewrite = JobFolder.rewrite

    def heard(self, job):
        told.append((job.n_rows, job.share))
        rewrite(self, job)

    monkeypatch.setattr(JobFolder, "rewrite", heard)

    answered(table.write_csv().encode())

    assert len(told) > 5
    assert told == sorted(told)
    assert told[-1] == (400, 1.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.split("\n")[0] + "\n", "no row below it"),
        (lambda text: "\n \n", "empty"),
        (lambda text: text.replace("tenure", "tenor", 1), "column 'tenure' is missing"),
        (lambda text: text + '"open', "quote"),
        (lambda text: text + "a,b\n", "line 402"),
        (lambda text: "\x00\x01\x02" * 500, "no text"),
        (lambda text: text * 6, "row"),
    ],
)
def test_a_table_that_does_not_fit_is_a_failed_job_that_says_why(change, said, answered, table):
    job, answers = answered(change(table.write_csv()).encode())

    assert job.state == FAILED
    assert said in f"{job.problem['what']} {job.problem['where']}"
    assert job.problem["fix"]
    assert not answers.exists()


def test_a_wrong_value_is_named_with_its_row_and_column_and_without_the_place_on_the_disk(answered, table, tmp_path):
    lines = table.write_csv().splitlines()
    place = lines[0].split(",").index("tenure")
    fields = lines[351].split(",")
    lines[351] = ",".join([*fields[:place], "long", *fields[place + 1 :]])

    job, _ = answered("\n".join(lines).encode())

    assert job.state == FAILED
    assert "column 'tenure' should hold numbers" in job.problem["what"]
    assert "'long' in row 351" in job.problem["what"]
    assert job.problem["where"].startswith("table.csv")
    assert job.problem["status"] == 422
    assert str(tmp_path) not in json.dumps(job.to_facts())


def test_a_small_file_that_swells_is_refused_at_the_rows_that_are_allowed(answered, table, tmp_path):
    pl.concat([table.head(1)] * (MOST_ROWS + 1)).write_parquet(tmp_path / "bomb", compression="zstd")

    job, _ = answered((tmp_path / "bomb").read_bytes(), "parquet")

    assert job.state == FAILED
    assert f"more than {MOST_ROWS:,} rows" in job.problem["what"]


def test_thousands_of_columns_more_than_the_model_knows_do_no_harm(answered, table):
    wide = table.head(20).with_columns(pl.lit(at).alias(f"extra {at}") for at in range(5_000))

    job, answers = answered(wide.write_csv().encode())

    assert (job.state, job.n_rows) == (DONE, 20)
    assert pl.read_csv(answers).width == 4


EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "<script>alert(1)</script>", "plain", "a=b"]


@pytest.fixture
def evil(table):
    return table.head(len(EVIL)).with_columns(customer=pl.Series(EVIL))


def test_formulas_and_markup_are_answered_as_they_came(answered, evil, tmp_path):
    evil.write_ndjson(tmp_path / "sent")

    _, answers = answered((tmp_path / "sent").read_bytes(), "ndjson")

    assert pl.read_csv(answers)["customer"].to_list() == EVIL


def test_for_a_spreadsheet_no_text_is_a_formula(answered, evil, tmp_path):
    evil.write_ndjson(tmp_path / "sent")

    _, answers = answered((tmp_path / "sent").read_bytes(), "ndjson", is_for_spreadsheet=True)

    found = pl.read_csv(answers)
    assert found["customer"].to_list() == [*(f"'{text}" for text in EVIL[:6]), *EVIL[6:]]
    assert found["probability_yes"].dtype == pl.Float64


def test_warnings_stand_in_the_job(answered, table):
    job, _ = answered(table.write_csv().replace("premium", "golden").encode())

    assert any("'plan'" in text and "has not seen" in text for text in job.warnings)


def test_a_job_that_would_fill_the_disk_ends_before_it_does(answered, table, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12))

    def load(path):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
        return mantic.load(path)

    job, answers = answered(table.write_csv().encode(), load=load)

    assert (job.state, job.problem["status"]) == (FAILED, 507)
    assert "too little room" in job.problem["what"]
    assert not answers.exists()


def test_a_bug_is_a_failed_job_that_tells_nothing_of_the_inside(answered, table):
    def broken(path):
        raise ZeroDivisionError("secret")

    with pytest.raises(ZeroDivisionError):
        answered(table.write_csv().encode(), load=broken)

    facts = json.loads(Path("job.json").read_text())
    assert facts["state"] == FAILED
    assert facts["problem"]["status"] == 500
    assert "secret" not in json.dumps(facts)


def test_answers_that_were_complete_when_the_server_was_killed_are_not_made_again(answered, table):
    job, answers = answered(table.write_csv().encode())
    before = answers.stat().st_mtime_ns
    kept = JobFolder(answers.parents[1])
    kept.write(replace(job, state="running", ended=None, share=0.9))

    work(LIMITS, pytest.fail)

    assert kept.read(job.id).state == DONE
    assert kept.read(job.id).n_rows == 400
    assert answers.stat().st_mtime_ns == before


def test_a_job_that_was_removed_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / ("0" * 32)).mkdir()
    monkeypatch.chdir(tmp_path / ("0" * 32))

    work(LIMITS, pytest.fail)

    assert not list(Path().iterdir())
