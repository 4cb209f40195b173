"""What a person reads of leaks and drift, and the command that mends it."""

from dataclasses import replace

from mantic.core.run import Run, Warned
from mantic.evaluate.drift import Drift, Moved
from mantic.evaluate.fit_report import fit_report
from mantic.features.leaks.leak import Leak
from mantic.report.blocks import Chart, Group

MOVED = Drift(
    0.81, 0.78, 0.84, (Moved("size", 0.77, "'size' is 14 % higher on average (114 against 100)"),), error=0.015
)


def test_several_leaks_come_with_one_command_that_drops_them_all(yes_or_no, story):
    found = (Leak("a b", "why", 0.2, 0.4, "sure"), Leak("c", "why", 0.3, 0.4, "look at it"))

    alerts = fit_report(replace(yes_or_no(), **story | {"leaks": found}), Run()).alerts()

    assert [(one.level, one.code) for one in alerts[:3]] == [
        ("stop", "leak"), ("warning", "leak"), ("note", "drop_leaks")
    ]  # fmt: skip
    assert "0.200 with it and 0.400 without" in alerts[0].why
    assert alerts[1].fix.endswith("mantic fit churn.csv --target left --drop c")
    assert alerts[2].fix == "mantic fit churn.csv --target left --drop 'a b,c'"


def test_a_name_with_a_comma_is_dropped_by_an_option_of_its_own(yes_or_no, story):
    found = (Leak("a, b", "why"), Leak("c", "why"))

    alerts = fit_report(replace(yes_or_no(), **story | {"leaks": found}), Run()).alerts()

    assert "--drop c" in alerts[2].fix
    assert "'a, b,c'" not in alerts[2].fix


def test_the_suggestion_of_a_split_comes_with_its_command(yes_or_no, story):
    told = (Warned("try_time", "the past tells less", "day sold"), Warned("few_rows", "there are few rows"))

    alerts = fit_report(replace(yes_or_no(), **story | {"warnings": told, "leaks": ()}), Run()).alerts()

    assert [one.fix for one in alerts] == ["mantic fit churn.csv --target left --time 'day sold'", ""]


def test_drift_is_an_alert_where_rows_were_meant_to_differ_and_a_picture_of_the_columns(yes_or_no):
    report = fit_report(replace(yes_or_no(), drift=MOVED, is_apart=True), Run())

    alert = next(one for one in report.alerts() if one.code == "drift")
    part = next(one for one in report.blocks if isinstance(one, Group) and one.title == "What moved")
    assert "'size' is 14 % higher" in alert.what
    assert [one.kind for one in part.blocks if isinstance(one, Chart)] == ["bar"]
    assert report.facts["drift"]["columns"][0]["column"] == "size"


def test_calm_rows_are_not_spoken_of(yes_or_no):
    calm = Drift(0.51, 0.48, 0.54, error=0.015)

    report = fit_report(replace(yes_or_no(), drift=calm, is_apart=True), Run())

    assert not [one for one in report.alerts() if one.code == "drift"]
    assert "What moved" not in [one.title for one in report.blocks if isinstance(one, Group)]
    assert report.facts["drift"]["is_calm"]
