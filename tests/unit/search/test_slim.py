"""A blend is made smaller until one row is answered in time."""

import re

import pytest

import mantic
from mantic.core.budget import Budget
from mantic.core.errors import SettingsError

LEARNERS = ["linear", "boosting", "naive_bayes"]
FEW = {"boosting.rounds": 20}


def test_a_budget_may_say_what_a_row_may_take():
    assert Budget.parse("8 trials, 500 ms per row") == Budget(trials=8, row_seconds=0.5)
    assert Budget.parse("1ms per row") == Budget(seconds=60.0, row_seconds=0.001)
    assert Budget.parse("5m").row_seconds is None


@pytest.mark.parametrize(
    "words", ["per row", "60s, per row", "60s, 0ms per row", "60s 1ms per row", "60s, 2 trials per row"]
)
def test_words_that_are_no_time_for_a_row_are_refused(words):
    with pytest.raises(SettingsError, match=re.escape(words)):
        Budget.parse(words)


def test_a_limit_that_all_keep_drops_no_member_and_the_figure_is_reported(churn_like):
    model = mantic.Classifier(budget="3 trials, 1h per row", learners=LEARNERS, params=FEW).fit(churn_like, "churned")
    plain = mantic.Classifier(budget="3 trials", learners=LEARNERS, params=FEW).fit(churn_like, "churned")

    assert len(model.model_.parts) == len(plain.model_.parts)
    assert model.predict_proba(churn_like).tolist() == plain.predict_proba(churn_like).tolist()
    assert 0 < model.report_.facts["latency_ms"] < 3_600_000
    assert plain.report_.facts["latency_ms"] > 0
    assert all(one["code"] != "slow_rows" for one in model.report_.facts["warnings"])


def test_a_limit_that_nothing_keeps_leaves_one_member_and_a_warning_with_the_figure(churn_like):
    model = mantic.Classifier(budget="3 trials, 0.000001ms per row", learners=LEARNERS, params=FEW)
    model.fit(churn_like, "churned")

    warned = [one for one in model.report_.facts["warnings"] if one["code"] == "slow_rows"]
    assert len(model.model_.parts) == 1
    assert model.model_.parts[0].weight == 1.0
    assert len(warned) == 1
    assert f"{model.report_.facts['latency_ms']:.2f} ms" in warned[0]["text"]


@pytest.mark.parametrize(("learner", "is_long"), [("linear", False), ("catboost", True)])
def test_the_report_says_what_a_row_costs_and_what_goes_the_long_way(churn_like, learner, is_long):
    model = mantic.Classifier(budget="1 trial", learners=[learner], seed=0).fit(churn_like, "churned")

    facts, page = model.report_.facts, model.report_._repr_html_()
    assert "An answer for one row takes" in page
    assert bool(facts["long_way"]) == is_long
    assert ("long way of a table (catboost: " in page) == is_long
