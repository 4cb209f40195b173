"""predict, evaluate, explain, serve: what is done with a saved model."""

import io
import socket
import sys
from pathlib import Path

import polars as pl
import pytest


def test_answers_go_to_standard_output_as_csv_with_what_names_a_row(mantic, kept, churn_like):
    done = mantic("predict", kept / "churn.mantic", kept / "churn.csv", "--proba")

    table = pl.read_csv(io.StringIO(done.out))
    assert table.columns == ["customer", "prediction", "probability_no", "probability_yes"]
    assert table["customer"].to_list() == churn_like["customer"].to_list()
    assert (table["probability_no"] + table["probability_yes"] - 1).abs().max() < 1e-9


@pytest.mark.parametrize(
    ("ending", "read"), [("csv", pl.read_csv), ("parquet", pl.read_parquet), ("json", pl.read_json)]
)
def test_answers_are_written_by_the_ending(mantic, kept, ending, read):
    done = mantic("predict", kept / "rent.mantic", kept / "rent.csv", "--out", f"a.{ending}")

    table = read(f"a.{ending}")
    assert done.out == ""
    assert {"prediction", "low", "high"} <= set(table.columns)
    assert table.height == 400
    assert (table["low"] <= table["prediction"]).all()


def test_order_and_surplus_of_columns_do_not_matter(mantic, kept, churn_like):
    shuffled = churn_like.select(churn_like.columns[::-1]).drop("customer").with_columns(more=1)
    shuffled.write_csv("shuffled.csv")

    usual = pl.read_csv(io.StringIO(mantic("predict", kept / "churn.mantic", kept / "churn.csv").out))
    done = mantic("predict", kept / "churn.mantic", "shuffled.csv")

    assert pl.read_csv(io.StringIO(done.out))["prediction"].to_list() == usual["prediction"].to_list()


def test_standard_input_is_data_too(mantic, kept, monkeypatch):
    text = (kept / "churn.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    assert mantic("predict", kept / "churn.mantic", "-", "--json").facts["n_rows"] == 400


def test_new_categories_are_allowed_and_counted(mantic, kept, churn_like):
    churn_like.with_columns(plan=pl.lit("platinum")).write_csv("odd.csv")

    done = mantic("predict", kept / "churn.mantic", "odd.csv")

    assert done.code == 0
    assert "warning: 400 of 400 rows hold a category of 'plan'" in done.err


def test_a_column_that_turned_to_text_and_one_that_is_gone_are_both_named(mantic, kept, churn_like):
    churn_like.drop("plan").with_columns(tenure=pl.lit("long")).write_csv("bad.csv")

    done = mantic("predict", kept / "churn.mantic", "bad.csv")

    assert done.code == 2
    assert "'plan' is missing" in done.err
    assert "'tenure' should hold numbers" in done.err
    assert "where: bad.csv" in done.err


def test_a_file_that_is_no_model_is_named(mantic, kept):
    done = mantic("predict", kept / "churn.csv", kept / "churn.csv")

    assert done.code == 2
    assert "no mantic model" in done.err


def test_evaluation_gives_scores_with_intervals(mantic, kept):
    facts = mantic("evaluate", kept / "rent.mantic", kept / "rent.csv", "--json", "--report", "e.html").facts

    assert (facts["task"], facts["metric"], facts["n_rows"]) == ("regress", "rmse", 400)
    assert facts["interval"][0] <= facts["score"] <= facts["interval"][1] < facts["baseline"]["score"]
    assert "r2" in facts["metrics"]


def test_evaluation_shows_the_verdict(mantic, kept):
    assert "always saying" in mantic("evaluate", kept / "churn.mantic", kept / "churn.csv").out


def test_evaluation_without_answers_says_so(mantic, kept, churn_like):
    churn_like.drop("churned").write_csv("new.csv")

    done = mantic("evaluate", kept / "churn.mantic", "new.csv")

    assert done.code == 2
    assert "no column 'churned'" in done.err


def test_reasons_add_up_and_name_the_users_columns(mantic, kept, churn_like):
    facts = mantic("explain", kept / "churn.mantic", kept / "churn.csv", "--row", 3, "--json").facts

    (row,) = facts["rows"]
    assert row["row"] == 3
    assert {one["column"] for one in row["contributions"]} <= set(churn_like.columns)
    assert all({"column", "value", "contribution"} == set(one) for one in row["contributions"])
    assert facts["importance"]


def test_reasons_on_the_screen_start_with_a_sentence(mantic, kept):
    done = mantic("explain", kept / "rent.mantic", kept / "rent.csv")

    assert "Row 0" in done.out
    assert "Predicted" in done.out
    assert "380 more rows" in done.err


def test_what_is_not_asked_for_is_not_in_the_facts(mantic, kept):
    facts = mantic("explain", kept / "churn.mantic", kept / "churn.csv", "--row", 3, "--json").facts

    assert set(facts) == {"model", "version", "n_rows", "target", "rows", "importance"}


def test_everything_that_is_asked_for_is_in_the_facts_and_on_the_page(mantic, kept):
    model, data = kept / "churn.mantic", kept / "churn.csv"
    asked = ["--effect", "tenure", "--effect", "plan", "--similar", 4, "--rules", "--interactions"]

    facts = mantic("explain", model, data, "--row", 3, *asked, "--report", "why.html", "--json").facts

    assert [one["column"] for one in facts["effects"]] == ["tenure", "plan"]
    assert len(facts["similar"]["rows"]) == 4
    assert {one["truth"] for one in facts["similar"]["rows"]} <= {"no", "yes"}
    assert facts["rules"]["score"] <= 1
    assert all(0 <= one["low"] <= one["strength"] <= one["high"] for one in facts["interactions"]["pairs"])
    page = Path("why.html").read_text(encoding="utf-8")
    titles = ("Effect of", "Rows like this one", "The model in a few rules", "Columns that act together", "Row 1")
    assert all(title in page for title in titles)


def test_another_answer_keeps_to_its_limits(mantic, kept):
    model, data = kept / "churn.mantic", kept / "churn.csv"
    answer = mantic("explain", model, data, "--row", 3, "--json").facts["rows"][0]["prediction"]
    wanted = "no" if answer == "yes" else "yes"

    limits = ["--keep", "city,note", "--only-up", "tenure"]
    found = mantic("explain", model, data, "--row", 3, "--wanted", wanted, *limits, "--json").facts["counterfactuals"]

    assert found["found"]
    changes = [change for way in found["found"] for change in way["changes"]]
    assert not {"city", "note"} & {one["column"] for one in changes}
    assert all(one["after"] > one["before"] for one in changes if one["column"] == "tenure")
    assert {way["prediction"] for way in found["found"]} == {wanted}


def test_a_number_is_wanted_as_a_range(mantic, kept):
    model, data = kept / "rent.mantic", kept / "rent.csv"

    found = mantic("explain", model, data, "--row", 3, "--wanted", "200..", "--json").facts["counterfactuals"]

    assert all(way["prediction"] >= 200 for way in found["found"])
    assert "no range" in mantic("explain", model, data, "--wanted", "much").err


def test_the_screen_shows_curves_in_figures(mantic, kept):
    done = mantic("explain", kept / "rent.mantic", kept / "rent.csv", "--row", 0, "--effect", "tenure", "--rules")

    assert "Effect of 'tenure'" in done.out
    assert "The model in a few rules" in done.out
    assert "95 % interval" in done.out


def test_limits_without_a_wanted_answer_are_refused(mantic, kept):
    done = mantic("explain", kept / "rent.mantic", kept / "rent.csv", "--keep", "plan")

    assert done.code == 2
    assert "add --wanted" in done.err


@pytest.mark.parametrize("row", [-1, 400])
def test_a_row_that_is_not_there_is_named(mantic, kept, row):
    done = mantic("explain", kept / "rent.mantic", kept / "rent.csv", "--row", row)

    assert done.code == 2
    assert "0 to 399" in done.err


def test_a_taken_port_is_known_before_models_are_loaded(mantic):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        done = mantic("serve", "nosuch.mantic", "--port", taken.getsockname()[1])

    assert done.code == 2
    assert "taken" in done.err
