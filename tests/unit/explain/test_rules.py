"""Rules find a planted rule, say what they give up, and answer as they read."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mantic.core.errors import SchemaError
from mantic.core.schema import Column, Kind, Schema
from mantic.explain.condition import Condition, nice_cuts
from mantic.explain.rules import rules_of
from mantic.explain.subject import Subject

SCHEMA = Schema(
    (
        Column("tenure", Kind.NUMBER),
        Column("plan", Kind.CATEGORY, levels=("monthly", "yearly")),
        Column("paid", Kind.BOOLEAN),
        Column("since", Kind.DATE),
        Column("note", Kind.TEXT),
        Column("name", Kind.ID),
    )
)


@dataclass
class Planted:
    """Says yes to monthly plans of less than a year, whatever else."""

    schema: Schema = SCHEMA
    n_classes: int = 2

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        leaves = (frame["tenure"] < 12) & (frame["plan"] == "monthly")
        share = np.where(leaves.fill_null(False).to_numpy(), 0.9, 0.1)
        return np.stack([1 - share, share], axis=1)


class Formula(Planted):
    """Whatever the function says."""

    def __init__(self, function, n_classes=0):
        self.function, self.n_classes, self.schema = function, n_classes, SCHEMA

    def predict(self, frame):
        return np.asarray(self.function(frame), dtype=float)


def _rows(n_rows: int = 1000) -> pl.DataFrame:
    random = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "tenure": random.integers(0, 40, n_rows).astype(float),
            "plan": random.choice(["monthly", "yearly", "weekly"], n_rows),
            "paid": random.random(n_rows) < 0.5,
            "since": [datetime(2020, 1, 1) + timedelta(days=int(day)) for day in random.integers(0, 900, n_rows)],
            "note": random.choice(["slow support", "broken modem", "fine"], n_rows),
            "name": [f"row {number}" for number in range(n_rows)],
        },
        schema_overrides={"since": pl.Datetime("us")},
    )


def _planted(**more) -> Subject:
    rows = _rows()
    return Subject(Planted(), "left", rows, ("no", "yes"), **more)


def _truth(subject: Subject) -> np.ndarray:
    return (
        np.random.default_rng(1).random(subject.background.height) < subject.model.predict(subject.background)[:, 1]
    ).astype(int)


def test_a_planted_rule_is_found_as_it_was_planted():
    found = rules_of(_planted())

    (yes,) = [one for one in found.rules if one.answer == "yes"]
    assert {str(one) for one in yes.conditions} == {"tenure < 12", "plan is 'monthly'"}
    assert found.fidelity == 1.0
    assert len(found.rules) <= 3


def test_rules_are_few_and_the_last_one_speaks_for_the_rest():
    random = Formula(lambda frame: np.sin(frame["tenure"].to_numpy()) + 2 * frame["paid"].to_numpy())

    found = rules_of(Subject(random, "price", _rows()))

    assert 2 < len(found.rules) <= 7
    assert found.rules[-1].conditions == ()
    assert all(len(one.conditions) <= 3 for one in found.rules)
    assert found.text().splitlines()[-1].startswith("ELSE ")


def test_what_is_given_up_against_the_truth_has_an_interval():
    subject = _planted()
    truth = _truth(subject)
    knows = np.where(truth == 1, 0.8, 0.2)
    held_out = np.stack([1 - knows, knows], axis=1)

    found = rules_of(Subject(subject.model, "left", subject.background, ("no", "yes"), truth=truth, held_out=held_out))

    assert found.model_score == 1.0
    assert found.given_up[0] == pytest.approx(found.model_score - found.score)
    assert 0 < found.given_up[1] <= found.given_up[0] <= found.given_up[2]
    assert "points of AUC" in found.sentence


def test_rules_that_are_the_model_give_nothing_up():
    subject = _planted()

    found = rules_of(Subject(subject.model, "left", subject.background, ("no", "yes"), truth=_truth(subject)))

    assert found.given_up == pytest.approx((0, 0, 0), abs=1e-9)
    assert sum(one.n_rows for one in found.rules) == found.n_judged == 500
    assert all(0 <= one.n_right <= one.n_rows for one in found.rules)


def test_rows_that_were_not_seen_judge_and_the_others_teach():
    subject = _planted()
    held_out = np.full((1000, 2), np.nan)
    held_out[:400] = subject.model.predict(subject.background[:400])

    found = rules_of(Subject(subject.model, "left", subject.background, ("no", "yes"), held_out=held_out))

    assert found.n_judged == 400


def test_rules_answer_tables_of_any_library_as_they_read():
    found = rules_of(_planted())
    frame = pd.DataFrame(
        {
            "tenure": [3, 3, 30, None],
            "plan": ["monthly", "yearly", "monthly", "monthly"],
            "paid": True,
            "since": "2020-02-01",
            "note": "",
            "name": "",
        }
    )

    assert found.predict(frame).tolist() == ["yes", "no", "no", "no"]


def test_numbers_are_imitated_too():
    step = Formula(lambda frame: np.where(frame["tenure"].to_numpy() < 20, 100.0, 300.0))

    rows = _rows()
    found = rules_of(Subject(step, "price", rows, truth=step.predict(rows)))

    assert [one.answer for one in found.rules] in ([100.0, 300.0], [300.0, 100.0])
    assert found.fidelity == pytest.approx(1)
    assert found.metric == "r2"
    assert found.rules[0].typical == pytest.approx(found.rules[0].answer)


def test_dates_words_flags_and_gaps_become_conditions():
    rows = _rows().with_columns(tenure=pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise(pl.col("tenure")))

    for function, expected in {
        (lambda frame: (frame["since"] < datetime(2021, 1, 1)).to_numpy()): "since",
        (lambda frame: frame["note"].str.contains("broken").to_numpy()): "note has",
        (lambda frame: frame["paid"].to_numpy()): "paid is",
        (lambda frame: frame["tenure"].is_null().to_numpy()): "tenure is",
    }.items():
        found = rules_of(Subject(Formula(function), "price", rows))

        assert str(found.rules[0].conditions[0]).startswith(expected)
        assert found.fidelity > 0.9


def test_many_classes_are_told_by_their_share_of_right_answers():
    def three(frame):
        code = np.digitize(frame["tenure"].to_numpy(), [10, 20])
        return 0.1 + 0.7 * np.eye(3)[code]

    rows = _rows()
    model = Formula(three, n_classes=3)
    truth = model.predict(rows).argmax(axis=1)

    found = rules_of(Subject(model, "kind", rows, ("a", "b", "c"), truth=truth))

    assert found.score == 1.0
    assert {one.answer for one in found.rules} == {"a", "b", "c"}


def test_a_model_that_never_changes_its_mind_is_one_rule():
    found = rules_of(Subject(Formula(lambda frame: np.full(frame.height, 7.0)), "price", _rows()))

    assert [one.conditions for one in found.rules] == [()]
    assert found.text().startswith("ALWAYS 7")
    assert found.sentence.startswith("One rule follows")


def test_columns_that_say_nothing_leave_one_rule():
    rows = _rows().with_columns(
        tenure=pl.lit(1.0),
        plan=pl.lit("monthly"),
        paid=pl.lit(True),
        note=pl.lit("x"),
        since=pl.lit(None, dtype=pl.Datetime("us")),
    )

    assert len(rules_of(Subject(Planted(), "left", rows, ("no", "yes"))).rules) == 1


def test_too_few_rows_are_refused():
    with pytest.raises(SchemaError, match="too few to learn rules"):
        rules_of(Subject(Planted(), "left", _rows(10), ("no", "yes")))


def test_thresholds_are_round_and_within_the_values():
    cuts = nice_cuts(np.random.default_rng(0).gamma(3, 1234.5, 1000))

    assert 10 < len(cuts) <= 30
    assert all(cut % 100 == 0 for cut in cuts)
    assert nice_cuts(np.array([1.0, 1.0])) == []
    assert nice_cuts(np.array([0.0, 1.0])) == [1.0]


def test_a_missing_value_passes_no_condition_but_its_own():
    frame = pl.DataFrame({"tenure": [None, 5.0]})

    assert Condition("tenure", "<", 9.0).holds(frame).tolist() == [False, True]
    assert Condition("tenure", "<", 9.0).opposite().holds(frame).tolist() == [False, False]
    assert Condition("tenure", "is missing").holds(frame).tolist() == [True, False]


def test_facts_are_plain_json_and_the_seed_decides():
    found = rules_of(_planted(), seed=2)

    facts = json.loads(json.dumps(found.to_facts(), allow_nan=False))

    assert facts["rules"][0]["when"] == found.rules[0].when
    assert found.text() == rules_of(_planted(), seed=2).text()
    assert found._repr_html_()


def test_numbers_too_far_apart_for_a_distance_are_not_cut():
    assert nice_cuts(np.array([-1.7e308, 0.5, 1.0, 1.7e308])) == []
