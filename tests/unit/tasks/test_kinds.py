"""The user's word on what columns mean: in a fit, its journal, a saved model, a replay."""

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.errors import SchemaError, SettingsError
from mantic.core.journal import Journal
from mantic.core.run import Run
from mantic.core.schema import Kind
from mantic.tasks.replay import replay

ROWS = pl.DataFrame({"code": [1, 2, 3, 4] * 30, "size": [0.5 * n for n in range(120)], "bought": ["yes", "no"] * 60})


def fitted() -> mantic.Classifier:
    return mantic.Classifier(budget="1 trial", learners=["linear"]).fit(ROWS, "bought", kinds={"code": "category"})


def test_it_is_kept_with_the_model_and_holds_for_new_rows(tmp_path):
    model = fitted()

    again = mantic.load(model.save(tmp_path / "m.mantic"))

    assert again.schema_["code"].kind is Kind.CATEGORY
    assert again.kinds_ == {"code": "category"}
    np.testing.assert_array_equal(again.predict_proba(ROWS), model.predict_proba(ROWS))
    assert again.predict_one({"code": 2, "size": 1.0}) in ("yes", "no")


def test_a_replay_knows_it():
    assert replay(fitted(), ROWS).is_same


def test_the_lines_that_repeat_the_fit_say_it():
    shown = fitted().report_.to_json()

    assert "--kind code=category" in shown
    assert "kinds={'code': 'category'}" in shown


def test_columns_of_an_array_have_names_too():
    model = mantic.Regressor(budget="1 trial", learners=["linear"])

    model.fit(np.array([[1, 0.5], [2, 0.25]] * 20), np.arange(40.0), kinds={"x0": "category"})

    assert [column.kind for column in model.schema_.columns] == [Kind.CATEGORY, Kind.NUMBER]


def test_the_target_is_no_column_to_predict_from():
    with pytest.raises(SchemaError, match="no column 'bought' to predict from"):
        mantic.Classifier(budget="1 trial").fit(ROWS, "bought", kinds={"bought": "category"})


@pytest.mark.parametrize(("kind", "task"), [("number", "Regressor"), ("category", "Classifier")])
def test_what_is_said_of_the_target_chooses_the_task(kind, task):
    model = mantic.fit(ROWS, "code", kinds={"code": kind}, budget="1 trial", learners=["linear"])

    assert type(model).__name__ == task


def test_a_target_cannot_be_a_date():
    with pytest.raises(SettingsError, match="cannot be of the kind 'date'"):
        mantic.fit(ROWS, "code", kinds={"code": "date"}, budget="1 trial")


def test_rows_are_ordered_by_a_time_column_as_it_is_said_to_be_read():
    frame = ROWS.with_columns(day=pl.Series([f"{1 + n % 28:02d}/{1 + n % 12:02d}/2024" for n in range(119)] + ["n/a"]))

    with pytest.raises(SchemaError, match="1 row has no value in the time column"):
        mantic.Classifier(budget="1 trial").fit(frame, "bought", time="day", kinds={"day": "date"})


def test_an_unfinished_fit_is_not_gone_on_with_under_other_kinds(tmp_path):
    rows = ROWS.with_columns(word=pl.Series(["a b", "c d", "e f"] * 40))
    with Journal(tmp_path / "m.journal") as journal:
        mantic.Classifier(budget="1 trial", learners=["linear"]).fit(rows, "bought", run=Run(journal=journal))

    with Journal(tmp_path / "m.journal") as journal, pytest.raises(SettingsError, match="kinds was"):
        mantic.Classifier(budget="1 trial", learners=["linear"]).fit(
            rows, "bought", kinds={"word": "text"}, run=Run(journal=journal)
        )
