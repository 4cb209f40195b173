"""The verdict is right, can be read, and never flatters."""

from dataclasses import replace

import numpy as np

from mantic.core.metric import METRICS
from mantic.evaluate.verdict import judge


def test_a_good_yes_or_no_model_is_told_in_hundreds(yes_or_no):
    verdict = judge(yes_or_no())

    assert verdict.level == "good"
    assert verdict.sentence == (
        "About 74 of 100 right (71-79), against 51 by always saying 'no'; "
        "when it says 'yes' it is right 75 of 100 times and it finds 71 of 100 of them."
    )


def test_a_model_that_knows_nothing_is_not_to_be_used(yes_or_no, amount):
    blind = replace(amount(), guess=100 + np.random.default_rng(9).normal(size=1000))

    for verdict in (judge(yes_or_no(clear=0.0)), judge(blind)):
        assert verdict.level == "useless"
        assert verdict.sentence.startswith("Not better than guessing: do not use.")


def test_a_model_equal_to_the_dummy_is_not_to_be_used(amount):
    findings = amount()

    assert judge(replace(findings, guess=findings.baseline_guess)).level == "useless"


def test_a_little_better_than_guessing_is_called_weak(amount):
    verdict = judge(amount(5000, noise=12.0))

    assert verdict.level == "weak"
    assert verdict.sentence.startswith("Better than guessing, but only a little.")


def test_a_rare_class_is_spoken_of_as_something_to_find(yes_or_no):
    verdict = judge(yes_or_no(4000, lean=-6.0, clear=2.5, metric="average_precision"))

    assert "'yes' is rare (2 % of the rows)." in verdict.sentence
    assert "of the rows that it ranks highest lie" in verdict.sentence
    assert verdict.facts["found_in_top_tenth"] > 0.5


def test_a_rare_no_is_what_is_to_be_found(yes_or_no):
    verdict = judge(yes_or_no(4000, lean=6.0, clear=2.5, metric="roc_auc"))

    assert "'no' is rare" in verdict.sentence
    assert verdict.facts["case"] == "no"


def test_a_rare_class_that_is_never_called_is_said_so(yes_or_no):
    findings = yes_or_no(4000, lean=-6.0, clear=2.5, metric="roc_auc")
    timid = findings.guess * [1.0, 0.05]

    verdict = judge(replace(findings, guess=timid / timid.sum(axis=1, keepdims=True)))

    assert "It never says 'yes' outright." in verdict.sentence


def test_many_classes_are_told_by_what_is_right_and_the_commonest(one_of):
    verdict = judge(one_of(5))

    assert verdict.level == "good"
    assert "against 20 by always saying 'kind 1'." in verdict.sentence


def test_a_number_is_told_by_its_typical_error(amount):
    verdict = judge(amount())

    assert verdict.sentence == (
        "Typically off by 0.825 (0.773 to 0.884; half of the answers are within 0.715), "
        "against 2.51 by always saying the average; explains 90 % of the differences."
    )


def test_a_linear_model_that_does_as_well_is_named(amount):
    findings = amount()

    assert "No better than a plain linear model." in judge(replace(findings, linear_guess=findings.guess)).sentence
    assert "plain linear model" not in judge(replace(findings, linear_guess=findings.baseline_guess)).sentence


def test_a_linear_model_that_does_better_is_recommended(amount):
    findings = amount()
    worse = findings.guess + np.random.default_rng(3).normal(size=1000)

    verdict = judge(replace(findings, guess=worse, linear_guess=findings.guess))

    assert "A plain linear model does better: use that." in verdict.sentence


def test_the_name_of_the_baseline_is_used(amount):
    assert "by saying yesterday's price;" in judge(replace(amount(), baseline_name="saying yesterday's price")).sentence


def test_one_class_among_the_held_out_rows_cannot_be_judged_by_ranking(yes_or_no):
    findings = replace(yes_or_no(200, metric="roc_auc"), truth=np.zeros(200, dtype=int))

    verdict = judge(findings)

    assert verdict.level == "weak"
    assert "all held-out rows are 'no'" in verdict.sentence
    assert "nan" not in verdict.sentence


def test_equal_answers_leave_nothing_to_explain(amount):
    flat = np.full(1000, 3.0)

    verdict = judge(replace(amount(), truth=flat, guess=flat, baseline_guess=flat))

    assert verdict.level == "useless"  # the dummy is as exact
    assert "no differences to explain" in verdict.sentence


def test_three_rows_are_judged_and_said_to_be_few(yes_or_no, amount):
    for verdict in (judge(yes_or_no(3)), judge(amount(3))):
        assert "Judged on 3 rows only: hold it lightly." in verdict.sentence
        assert "nan" not in verdict.sentence


def test_one_row_cannot_be_judged(yes_or_no, amount):
    for verdict in (judge(yes_or_no(1)), judge(amount(1))):
        assert verdict.level == "weak"
        assert "too few held-out rows" in verdict.sentence


def test_a_model_that_is_always_right_is_not_said_to_be_certain(yes_or_no):
    findings = yes_or_no(100)
    sure = np.eye(2)[findings.truth] * 0.9 + 0.05

    verdict = judge(replace(findings, guess=sure))

    assert "100 of 100 right (96-100)" in verdict.sentence


def test_probabilities_may_be_worth_more_than_the_calls(yes_or_no):
    findings = yes_or_no(2000, clear=0.6, lean=-1.6, metric="roc_auc")

    verdict = judge(findings)

    assert "Its ranking tells more than its calls" in verdict.sentence


def test_every_metric_can_be_the_main_one(yes_or_no, one_of, amount):
    for name in METRICS.names():
        metric = METRICS.get(name)
        for findings in [amount(300)] if metric.task == "regress" else [yes_or_no(300), one_of(4, 300)]:
            assert judge(replace(findings, metric=metric)).level in ("good", "weak")
