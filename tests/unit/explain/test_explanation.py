"""An explanation is the same thing for people and for machines."""

import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl
import pytest

from mantic.core.model import Importance
from mantic.core.schema import Column, Kind, Schema
from mantic.explain.explanation import Explanation, explain_rows
from mantic.explain.words import Reason, sentence
from mantic.report.blocks import Chart, Group

SCHEMA = Schema((Column("months", Kind.NUMBER), Column("plan", Kind.CATEGORY), Column("since", Kind.DATE)))
FRAME = pl.DataFrame(
    {
        "months": [2.0, 60.0, None],
        "plan": ["monthly", "yearly", None],
        "since": [datetime(2024, 5, 1), datetime(2020, 1, 1, 12), None],
    },
    schema_overrides={"since": pl.Datetime("us")},
)


class Churn:
    """Log-odds of leaving: 1 for few months, 0.5 for a monthly plan; the date does nothing."""

    schema = SCHEMA
    n_classes = 2

    def contributions(self, frame: pl.DataFrame) -> np.ndarray:
        few = np.where(frame["months"].fill_null(99).to_numpy() < 12, 1.0, -1.0)
        monthly = np.where((frame["plan"] == "monthly").fill_null(False).to_numpy(), 0.5, -0.5)
        none = np.zeros(frame.height)
        return np.stack([few, monthly, none, none + 0.2], axis=1)[:, :, None]

    def margin(self, frame: pl.DataFrame) -> np.ndarray:
        return self.contributions(frame).sum(axis=1)

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        share = 1 / (1 + np.exp(-self.margin(frame)[:, 0]))
        return np.stack([1 - share, share], axis=1)


class Price(Churn):
    """The same numbers as an amount."""

    n_classes = 0

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        return self.margin(frame)[:, 0]


def _churn() -> Explanation:
    return explain_rows(Churn(), FRAME, FRAME, target="left", classes=("no", "yes"))


def test_the_facts_are_plain_json_and_add_up():
    facts = json.loads(json.dumps(_churn().to_facts(), allow_nan=False))

    row = facts["rows"][0]
    assert row["prediction"] == "yes"
    assert row["toward"] == "yes"
    assert row["probability"]["yes"] == pytest.approx(1 / (1 + np.exp(-1.7)))
    assert row["base"] + sum(one["contribution"] for one in row["contributions"]) == pytest.approx(1.7, abs=1e-6)
    assert row["contributions"][0] == {"column": "months", "value": 2.0, "contribution": 1.0}
    assert facts["rows"][1]["contributions"][2]["value"] == "2020-01-01T12:00:00"
    assert facts["rows"][2]["contributions"][0]["value"] is None


def test_the_sentence_speaks_for_the_predicted_class():
    yes, no, unknown = (row.sentence for row in _churn().rows)

    assert yes == "Predicted 'yes' (85 %). Mostly because months is 2 (+1) and plan is 'monthly' (+0.5)."
    assert no.startswith("Predicted 'no' (79 %). Mostly because months is 60 (-1) and plan is 'yearly' (-0.5)")
    assert "months is missing" in unknown


def test_a_number_is_told_against_what_is_usual():
    explanation = explain_rows(Price(), FRAME, FRAME, target="price")

    assert explanation.rows[0].prediction == pytest.approx(1.7)
    assert explanation.rows[0].toward is None
    assert explanation.rows[0].sentence.startswith("Predicted 1.70, where 0.200 is usual. Mostly because months is 2")
    assert explanation.rows[1].sentence.startswith(
        "Predicted -1.30, where 0.200 is usual. Mostly because months is 60 (-1)"
    )


def test_more_than_two_classes_are_explained_toward_the_predicted_one():
    class Three(Churn):
        n_classes = 3

        def contributions(self, frame):
            one = super().contributions(frame)
            return np.concatenate([-one, 0 * one, one], axis=2)

        def predict(self, frame):
            power = np.exp(self.margin(frame))
            return power / power.sum(axis=1, keepdims=True)

    explanation = explain_rows(Three(), FRAME, FRAME, target="kind", classes=("a", "b", "c"))

    assert [row.prediction for row in explanation.rows] == [row.toward for row in explanation.rows] == ["c", "a", "a"]
    assert explanation.rows[1].margin == pytest.approx(1.3)


def test_the_report_has_a_waterfall_per_row_and_the_columns_that_matter():
    explanation = replace(
        _churn(), importance=(Importance("months", 0.3, 0.2, 0.4), Importance("plan", float("nan"), 0, 0))
    )

    report = explanation.to_report()

    groups = [block for block in report.blocks if isinstance(block, Group)]
    charts = [block for group in groups for block in group.blocks if isinstance(block, Chart)]
    assert [chart.kind for chart in charts] == ["waterfall"] * 3 + ["bar"]
    assert charts[0].series[0].y[0] == pytest.approx(0.2)
    assert sum(charts[0].series[0].y) == pytest.approx(1.7)
    assert charts[-1].x.labels == ("months",)
    assert report.facts["importance"][1]["mean"] is None


def test_a_page_holds_twenty_pictures_and_lists_the_others():
    explanation = explain_rows(Churn(), pl.concat([FRAME] * 10), FRAME, target="left", classes=("no", "yes"))

    groups = explanation.to_report().blocks

    assert len(groups) == 21
    assert len(explanation.to_facts()["rows"]) == 30


def test_many_columns_end_in_one_step():
    columns = tuple(Column(f"c{number}", Kind.NUMBER) for number in range(12))

    class Wide(Price):
        schema = Schema(columns)

        def contributions(self, frame):
            return np.arange(13.0)[None, :, None].repeat(frame.height, axis=0)

    frame = pl.DataFrame({column.name: [1.0] for column in columns})
    chart = explain_rows(Wide(), frame, frame, target="sum").to_report().blocks[0].blocks[1]

    assert chart.x.labels[-1] == "4 other columns"
    assert sum(chart.series[0].y) == pytest.approx(sum(range(13)))


def test_no_rows_have_an_empty_explanation():
    assert explain_rows(Churn(), FRAME[:0], FRAME, target="left", classes=("no", "yes")).rows == ()


def test_an_answer_against_all_reasons_says_so():
    told = sentence("'no' (51 %)", [Reason("age", 3.0, -0.4)])

    assert told == "Predicted 'no' (51 %). Nothing speaks for it more than usual; against it: age is 3 (-0.4)."


@pytest.mark.parametrize("year", [0, 20_000])
def test_a_date_that_python_cannot_hold_is_no_fault_of_the_reasons(year):
    far = FRAME.with_columns(pl.col("since").dt.replace(year=year))

    rows = explain_rows(Churn(), far, FRAME, target="left", classes=("no", "yes")).to_facts()["rows"]

    values = [{one["column"]: one["value"] for one in row["contributions"]} for row in rows]
    assert [row["since"] for row in values] == [None, None, None]
    assert [row["months"] for row in values] == [2.0, 60.0, None]


def test_long_texts_are_cut_in_a_sentence():
    assert "…'" in sentence("1", [Reason("note", "word " * 50, 1.0)])
