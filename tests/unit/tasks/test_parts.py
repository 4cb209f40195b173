"""Time and groups are kept apart in every fold, and in the command that repeats a fit."""

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.run import Run
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Target
from mantic.tasks.door import Given
from mantic.tasks.parts import divide


def given(n_rows: int, *, moment=None, groups=None) -> Given:
    chance = np.random.default_rng(0)
    frame = pl.DataFrame({"a": chance.normal(size=n_rows)})
    schema = Schema((Column("a", Kind.NUMBER),))
    target = Target(chance.normal(size=n_rows))
    return Given(schema, frame, target, Column("y", Kind.NUMBER), np.empty(0), moment, groups)


def pairs(division):
    for part in division.parts:
        if len(part.held_out):
            yield part.rows, part.held_out
        yield from part.folds


@pytest.mark.parametrize("n_rows", [300, 3000])
def test_no_group_is_on_both_sides_of_any_fold(n_rows):
    groups = np.random.default_rng(1).integers(0, n_rows // 6, n_rows)

    division = divide(given(n_rows, groups=groups), seed=0, run=Run())

    assert all(not set(groups[learn]) & set(groups[judge]) for learn, judge in pairs(division))


@pytest.mark.parametrize("n_rows", [300, 3000])
def test_every_fold_learns_from_the_past_only(n_rows):
    moment = np.random.default_rng(1).permutation(n_rows)

    division = divide(given(n_rows, moment=moment), seed=0, run=Run())

    assert all(moment[learn].max() < moment[judge].min() for learn, judge in pairs(division))


@pytest.mark.parametrize("n_rows", [300, 3000])
def test_with_time_and_group_both_hold(n_rows):
    groups = np.arange(n_rows) // 3
    moment = np.arange(n_rows) + np.random.default_rng(1).integers(0, 30, n_rows)

    division = divide(given(n_rows, moment=moment, groups=groups), seed=0, run=Run())

    for learn, judge in pairs(division):
        assert moment[learn].max() < moment[judge].min()
        assert not set(groups[learn]) & set(groups[judge])
    assert "no group of them was learned from" in division.sentence


def test_a_few_groups_that_ended_early_are_not_all_there_is_to_learn_from():
    """A panel: 60 customers go through 20 dates, three of them left after two."""
    run = Run()
    number, date = (one.ravel() for one in np.meshgrid(np.arange(60), np.arange(20), indexing="ij"))
    is_there = (number >= 3) | (date < 2)
    groups, moment = number[is_there], date[is_there]

    division = divide(given(len(groups), moment=moment, groups=groups), seed=0, run=run)

    assert [one.code for one in run.warnings] == ["groups_in_time"]
    assert len(division.parts[0].rows) > 0.7 * len(groups)
    assert all(not set(learn) & set(judge) for learn, judge in pairs(division))


def test_a_number_of_the_row_does_not_hide_that_rows_are_copies():
    one = given(300)
    frame = pl.concat([one.frame] * 3).with_columns(row=pl.int_range(900).cast(pl.String))
    schema = Schema((*one.schema.columns, Column("row", Kind.ID)))
    three = Given(schema, frame, Target(np.tile(one.target.values, 3)), one.column, np.empty(0))

    division = divide(three, seed=0, run=Run())

    assert all(not set(learn % 300) & set(judge % 300) for learn, judge in pairs(division))


def test_groups_that_all_go_on_are_told_of_and_split_by_time_alone():
    run = Run()
    groups = np.tile(np.arange(3), 100)

    division = divide(given(300, moment=np.arange(300), groups=groups), seed=0, run=run)

    assert [one.code for one in run.warnings] == ["groups_in_time"]
    assert len(division.parts[0].rows) == 240


def test_the_command_and_the_script_that_repeat_a_fit_keep_time_and_group(churn_like):
    model = mantic.Classifier(budget="1 trials").fit(churn_like, "churned", time="joined", group="customer")

    texts = [block.body for group in model.report_.blocks for block in getattr(group, "blocks", ())
             if getattr(block, "style", "") == "code"]  # fmt: skip
    assert "--time joined --group customer" in texts[0]
    assert "time='joined', group='customer'" in texts[1]


def test_the_command_and_the_script_leave_out_what_was_left_out_and_name_the_task(churn_like):
    run = Run(dropped=("charges",))
    model = mantic.Classifier(budget="1 trials").fit(churn_like.drop("charges"), "churned", run=run)

    texts = [block.body for group in model.report_.blocks for block in getattr(group, "blocks", ())
             if getattr(block, "style", "") == "code"]  # fmt: skip
    assert "--task classify" in texts[0]
    assert "--drop charges" in texts[0]
    assert "fit(frame.drop(['charges']), 'churned'" in texts[1]


def test_new_rows_that_differ_raise_an_alert_and_like_ones_do_not(churn_like, churn_like_new):
    model = mantic.Classifier(budget="1 trials").fit(churn_like, "churned")
    moved = churn_like_new.with_columns(pl.col("charges") * 3, pl.lit("premium").alias("plan"))

    calm, told = model.evaluate(churn_like_new), model.evaluate(moved)

    assert not [one for one in calm.alerts() if one.code == "drift"]
    assert [one for one in told.alerts() if one.code == "drift"]


def test_earlier_periods_are_rehearsed_and_widen_the_interval():
    rng = np.random.default_rng(0)
    day = np.arange(1500)
    wave = np.where(day < 900, rng.normal(0, 3.0, 1500), rng.normal(0, 0.5, 1500))  # the past was harder
    frame = pl.DataFrame({"day": day, "size": rng.normal(size=1500)})
    frame = frame.with_columns(price=10 + 2 * frame["size"] + wave)

    facts = mantic.Regressor(budget="1 trial", learners=["linear"]).fit(frame, "price", time="day").report_.facts

    assert len(facts["earlier"]) == 3
    assert facts["score"] < 1 < max(facts["earlier"])
    assert facts["interval"][1] >= max(facts["earlier"])
    assert "periods of the same length before it" in facts["split"]


def test_intervals_follow_errors_that_grew_lately():
    rng = np.random.default_rng(1)
    day = np.arange(2500)
    size = rng.normal(size=2500)
    price = 10 + 2 * size + np.where(day < 1200, rng.normal(0, 0.5, 2500), rng.normal(0, 2.0, 2500))
    frame = pl.DataFrame({"day": day, "size": size, "price": price})
    known, later = frame[:1500], frame[1500:]
    model = mantic.Regressor(budget="1 trial", learners=["linear"]).fit(known, "price", time="day")

    low, high = model.predict_interval(later.drop("price"), level=0.9).T

    assert ((low <= price[1500:]) & (price[1500:] <= high)).mean() > 0.87  # with the errors of the search alone: 0.33


def test_rows_that_judged_add_their_errors_to_the_kept_model():
    rng = np.random.default_rng(2)
    frame = pl.DataFrame({"size": rng.normal(size=2400), "noise": rng.normal(size=2400)})
    frame = frame.with_columns(price=10 + 2 * frame["size"] + 0.5 * frame["noise"])

    model = mantic.Regressor(budget="1 trial", learners=["linear"]).fit(frame.drop("noise"), "price")

    assert sum(map(len, model.model_.conformal.errors)) == 2400


def test_periods_of_errors_survive_a_file(tmp_path):
    rng = np.random.default_rng(3)
    frame = pl.DataFrame({"day": np.arange(900), "size": rng.normal(size=900)})
    frame = frame.with_columns(price=2 * frame["size"] + rng.normal(0, np.where(frame["day"] < 400, 3.0, 0.5)))
    model = mantic.Regressor(budget="1 trial", learners=["linear"]).fit(frame, "price", time="day")

    again = mantic.load(model.save(tmp_path / "model.mantic"))

    assert len(again.model_.conformal.periods) >= 2
    rows = frame.drop("price")
    np.testing.assert_array_equal(again.predict_interval(rows), model.predict_interval(rows))
