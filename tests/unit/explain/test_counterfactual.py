"""A counterfactual gets the wanted answer, changes little, and stays within what was seen and what may change."""

import json
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from mantic.core.errors import SettingsError
from mantic.core.schema import Column, Kind, Schema
from mantic.explain.counterfactual import counterfactuals_of
from mantic.explain.subject import Subject
from mantic.explain.variants import Limits

SCHEMA = Schema(
    (
        Column("months", Kind.NUMBER),
        Column("price", Kind.NUMBER),
        Column("plan", Kind.CATEGORY, levels=("monthly", "yearly")),
        Column("paid", Kind.BOOLEAN),
        Column("note", Kind.TEXT),
        Column("name", Kind.ID),
    )
)


@dataclass
class Churn:
    """Leaves when two of three hold: under 12 months, price above 50, monthly plan."""

    schema: Schema = SCHEMA
    n_classes: int = 2
    n_asked: int = 0

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        self.n_asked += frame.height
        few = (frame["months"] < 12).fill_null(False).to_numpy()
        dear = (frame["price"] > 50).fill_null(False).to_numpy()
        monthly = (frame["plan"] == "monthly").fill_null(False).to_numpy()
        share = 1 / (1 + np.exp(-4 * (1.0 * few + dear + monthly - 1.5)))
        return np.stack([1 - share, share], axis=1)


@dataclass
class Rent:
    """Price twice, plus ten where paid."""

    schema: Schema = SCHEMA
    n_classes: int = 0

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        return 2 * frame["price"].to_numpy() + 10 * frame["paid"].fill_null(False).to_numpy()


def _rows(n_rows: int = 400) -> pl.DataFrame:
    random = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "months": random.integers(1, 60, n_rows).astype(float),
            "price": random.uniform(10, 90, n_rows).round(1),
            "plan": random.choice(["monthly", "yearly"], n_rows),
            "paid": random.random(n_rows) < 0.5,
            "note": ["some words"] * n_rows,
            "name": [f"row {number}" for number in range(n_rows)],
        }
    )


def _row(**values) -> pl.DataFrame:
    usual = {"months": 3.0, "price": 40.0, "plan": "monthly", "paid": True, "note": "other words", "name": "x"}
    return pl.DataFrame([usual | values], schema=_rows(1).schema)


def _churn(row, wanted="no", *, model=None, rows=None, **limits):
    subject = Subject(model or Churn(), "left", _rows() if rows is None else rows, ("no", "yes"))
    return counterfactuals_of(subject, row, wanted, limits=Limits(**{key: tuple(one) for key, one in limits.items()}))


def test_every_way_gets_the_wanted_answer_and_changes_what_it_says():
    found = _churn(_row()).found

    assert found
    for way in found:
        again = pl.DataFrame([way.row], schema=_rows(1).schema)
        assert Churn().predict(again).argmax(axis=1) == [0]
        assert way.answer == "no"
        assert {one.column for one in way.changes} == {
            name for name, value in way.row.items() if value != _row().row(0, named=True)[name]
        }


def test_one_change_is_enough_where_it_is_and_the_nearest_value_is_taken():
    ways = {way.changes[0].column: way for way in _churn(_row()).found if len(way.changes) == 1}

    assert ways["plan"].changes[0].after == "yearly"
    assert ways["months"].changes[0].after == min(one for one in _rows()["months"] if one >= 12)
    assert "price" not in ways


def test_two_changes_are_found_where_one_is_not_enough():
    first = _churn(_row(price=80.0)).found[0]

    assert len(first.changes) == 2


def test_ways_differ_in_their_columns_and_none_holds_another():
    sets = [{one.column for one in way.changes} for way in _churn(_row(price=80.0)).found]

    assert len(sets) == 3
    assert all(one is other or not one <= other for one in sets for other in sets)


def test_values_were_seen_before():
    rows = _rows()

    for way in _churn(_row(price=80.0)).found:
        assert all(one.after in rows[one.column].to_list() for one in way.changes)


def test_columns_that_may_not_change_stay():
    found = _churn(_row(), keep=["plan"]).found

    assert {one.column for way in found for one in way.changes} == {"months"}


def test_columns_go_only_where_they_may():
    up = _churn(_row(months=30.0), "yes", only_up=["months"], keep=["plan"]).found
    down = _churn(_row(months=30.0), "yes", only_down=["months"], keep=["plan"]).found

    assert {one.column for way in up for one in way.changes} == {"price"}
    assert {one.column for way in down for one in way.changes} == {"months", "price"}


def test_when_nothing_helps_it_says_so():
    found = _churn(_row(), keep=["months", "plan"])

    assert found.found == ()
    assert found.n_asked > 0
    assert "No way to 'no' was found" in found.sentence
    assert "proves none impossible" in found.sentence


def test_when_nothing_may_change_it_says_so():
    found = _churn(_row(), keep=["months", "plan", "price", "paid"])

    assert found.found == ()
    assert "no column that may change" in found.sentence


def test_an_answer_that_is_there_already_needs_no_change():
    found = _churn(_row(), "yes")

    assert found.found == ()
    assert found.sentence.startswith("It is 'yes' already")


def test_the_other_of_two_classes_is_wanted_by_default():
    assert _churn(_row(), None).wanted == "'no'"


def test_a_number_is_wanted_above_or_below_a_value():
    subject = Subject(Rent(), "rent", _rows())

    above = counterfactuals_of(subject, _row(), (100, None))
    below = counterfactuals_of(subject, _row(), (None, 60))
    between = counterfactuals_of(subject, _row(paid=False), (85, 92))

    assert above.wanted == "100 or more"
    assert all(way.answer >= 100 for way in above.found)
    assert all(way.answer <= 60 for way in below.found)
    assert {way.changes[0].column for way in between.found} == {"paid", "price"}


def test_a_missing_value_may_be_filled_but_none_is_emptied():
    found = _churn(_row(months=None, price=80.0), "no").found

    assert all(one.after is not None for way in found for one in way.changes)
    assert found


def test_a_category_that_was_never_seen_can_be_left():
    ways = _churn(_row(plan="weekly", price=80.0)).found

    assert {one.column for way in ways for one in way.changes} <= {"months", "price", "plan"}
    assert ways


def test_the_same_question_has_the_same_answer_and_a_bound():
    model = Churn()

    assert _churn(_row(price=80.0), model=model) == _churn(_row(price=80.0))
    assert model.n_asked < 40_000


def test_one_known_row_is_enough_to_search():
    assert _churn(_row(), rows=_rows(1)).n_asked > 0


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        ({"keep": ["month"]}, "did you mean 'months'"),
        ({"only_up": ["plan"]}, "have no direction"),
        ({"only_up": ["price"], "only_down": ["price"]}, "neither up nor down"),
    ],
)
def test_limits_that_make_no_sense_are_named(limits, what):
    with pytest.raises(SettingsError, match=what):
        _churn(_row(), **limits)


@pytest.mark.parametrize("wanted", [None, 5, "high", (None, None), (3, 1)])
def test_a_number_wants_a_range(wanted):
    with pytest.raises(SettingsError, match="low"):
        counterfactuals_of(Subject(Rent(), "rent", _rows()), _row(), wanted)


def test_a_class_that_is_none_is_named_with_those_that_are():
    with pytest.raises(SettingsError, match="no, yes"):
        _churn(_row(), "maybe")


def test_facts_are_plain_json_and_the_page_has_a_table_per_way():
    found = _churn(_row())

    facts = json.loads(json.dumps(found.to_facts(), allow_nan=False))

    assert facts["found"][0]["changes"][0].keys() == {"column", "before", "after"}
    assert len(found.group().blocks) == 1 + len(found.found)
    assert found._repr_html_()
