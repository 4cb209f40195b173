"""mantic decide, and the options for a decision of mantic fit."""

import io
import shutil

import polars as pl
import pytest

QUICK = ("--budget", "1 trial", "--learner", "linear")


@pytest.fixture
def churn_model(kept, tmp_path):
    return shutil.copy(kept / "churn.mantic", tmp_path / "churn.mantic")


def test_a_decision_is_kept_in_the_model_and_predict_answers_by_it(mantic, kept, churn_model, tmp_path):
    done = mantic("decide", churn_model, "--cost", "fp=1,fn=10", "--unit", "EUR", "--report", "worth.html", "--json")
    answers = pl.read_csv(io.StringIO(mantic("predict", churn_model, kept / "churn.csv", "--proba").out))

    assert answers.columns == ["customer", "prediction", "decision", "probability_no", "probability_yes"]
    acted = answers["probability_yes"] >= done.facts["threshold"]
    assert (answers["decision"] == "yes").to_list() == acted.to_list()
    assert "<html" in (tmp_path / "worth.html").read_text()


def test_without_a_decision_nothing_changes(mantic, kept):
    answers = pl.read_csv(io.StringIO(mantic("predict", kept / "churn.mantic", kept / "churn.csv").out))

    assert "decision" not in answers.columns


def test_json_says_value_interval_and_what_it_is_held_against(mantic, churn_model):
    facts = mantic("decide", churn_model, "--cost", "gain:tp=50,fp=-5", "--capacity", "20%", "--json").facts

    assert facts["value"]["low"] <= facts["value"]["score"] <= facts["value"]["high"]
    assert facts["capacity"]["share"] == 0.2
    assert {one["key"] for one in facts["policies"]} >= {"decision", "nobody", "everybody", "random", "half"}
    assert facts["model"].endswith("churn.mantic")


def test_another_file_leaves_the_model_as_it_is(mantic, churn_model, tmp_path):
    before = (tmp_path / "churn.mantic").read_bytes()

    assert mantic("decide", churn_model, "--capacity", "5%", "--out", "other.mantic").code == 0

    assert (tmp_path / "churn.mantic").read_bytes() == before
    assert (tmp_path / "other.mantic").exists()


def test_a_fit_may_decide_at_once(mantic, kept, tmp_path):
    words = (
        "--cost",
        "fp=1,fn=10",
        "--unit",
        "EUR",
        "--capacity",
        "1/month",
        "--report",
        "r.html",
        "--out",
        "m.mantic",
    )
    done = mantic("fit", kept / "few_churn.csv", "--target", "churned", *QUICK, *words)

    assert done.code == 0
    assert "What it is worth" in done.out
    assert "EUR" in done.out
    assert "What it is worth" in (tmp_path / "r.html").read_text()
    assert "decision" in mantic("predict", "m.mantic", kept / "few_churn.csv").out.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--cost", "fp=1,fm=2"), "'fm'"),
        (("--cost", "fp=x"), "'x', which is no number"),
        (("--cost", "fp=1,fn=nan"), "fn is nan"),
        (("--cost", "fp=0,fn=0"), "nothing to decide"),
        (("--cost", "fn=10"), "acting on everybody is always right"),
        (("--cost", "nosuch.csv"), "neither a file nor a cost"),
        (("--cost", "other.csv"), "'maybe' is no class"),
        (("--cost", "flat.csv"), "has 1 costs"),
        (("--capacity", "0"), "nothing can be acted on"),
        (("--capacity", "120%"), "above 100 %"),
        (("--capacity", "5/hour"), "per 'hour'"),
    ],
)
def test_a_malformed_cost_or_capacity_is_said_in_three_lines_before_the_work_begins(
    mantic, kept, words, what, tmp_path
):
    (tmp_path / "other.csv").write_text("truth,no,maybe\nno,0,1\nmaybe,1,0\n")
    (tmp_path / "flat.csv").write_text("truth,no,yes\nno,0\nyes,1\n")

    for done in (
        mantic("fit", kept / "few_churn.csv", "--target", "churned", "--out", "m.mantic", *words),
        mantic("decide", kept / "churn.mantic", "--out", "m.mantic", *words),
    ):
        assert done.code == 2
        assert what in done.err
        assert "where:" in done.err
        assert "fix:" in done.err
    assert not (tmp_path / "m.mantic").exists()


def test_a_capacity_per_day_without_dates_costs_the_decision_and_not_the_model(mantic, kept):
    words = ("--drop", "joined", "--capacity", "5/day", "--out", "m.mantic")
    done = mantic("fit", kept / "few_churn.csv", "--target", "churned", *QUICK, *words)

    assert done.code == 2
    assert "no column of dates" in done.err
    assert "saved m.mantic, without a decision" in done.err
    assert mantic("decide", "m.mantic", "--capacity", "5%").code == 0


def test_a_target_that_is_not_there_or_empty_is_said_as_ever(mantic, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "1,\n" * 30)

    for target, what in (("nosuch", "'nosuch' is not in the table"), ("b", "too few")):
        done = mantic("fit", "t.csv", "--target", target, "--task", "classify", "--cost", "fp=1,fn=2")

        assert done.code == 2
        assert what in done.err


def test_a_number_is_no_decision(mantic, kept):
    for words in (("decide", kept / "rent.mantic"), ("fit", kept / "few_rent.csv", "--target", "spend", *QUICK)):
        done = mantic(*words, "--cost", "fp=1,fn=2", "--out", "m.mantic")

        assert done.code == 2
        assert "classes" in done.err


def test_a_verb_without_costs_asks_for_them(mantic, kept):
    assert "neither costs nor a capacity" in mantic("decide", kept / "churn.mantic", "--out", "m.mantic").err
