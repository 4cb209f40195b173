"""Interactions find the pair that acts together in a known function, and none in a sum."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.model import Importance
from mantic.core.schema import Column, Kind, Schema
from mantic.explain.interactions import interactions_of
from mantic.explain.subject import Subject

NAMES = ("a", "b", "c", "d")
SCHEMA = Schema((*(Column(name, Kind.NUMBER) for name in NAMES), Column("key", Kind.ID)))


@dataclass
class Formula:
    """Answers with a formula of its columns."""

    formula: Callable[[pl.DataFrame], pl.Series]
    schema: Schema = SCHEMA
    n_classes: int = 0

    def margin(self, frame: pl.DataFrame) -> np.ndarray:
        return self.formula(frame).to_numpy()[:, None]

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        return self.margin(frame)[:, 0]

    def contributions(self, frame: pl.DataFrame) -> np.ndarray | None:
        return None


def _subject(formula: Callable[[pl.DataFrame], pl.Series], importance: tuple[Importance, ...] = ()) -> Subject:
    random = np.random.default_rng(0)
    rows = {name: random.normal(size=100) for name in NAMES} | {"key": [f"row {number}" for number in range(100)]}
    return Subject(Formula(formula), "price", pl.DataFrame(rows), importance=importance)


def test_a_sum_has_no_interactions():
    found = interactions_of(_subject(lambda frame: 3 * frame["a"] + frame["b"].exp() + frame["c"].abs() + 1000))

    assert len(found.pairs) == 6
    assert all(one.strength == one.low == one.high == one.size == 0 for one in found.pairs)
    assert found.sentence.startswith("No two columns act together")


def test_the_pair_of_a_product_is_found_and_no_other():
    found = interactions_of(_subject(lambda frame: 2 * frame["b"] * frame["d"] + frame["a"]))

    assert found.pairs[0].columns == ("b", "d")
    assert found.pairs[0].low <= found.pairs[0].strength <= found.pairs[0].high
    assert found.pairs[0].low > 0.5
    assert all(one.strength == 0 for one in found.pairs[1:])
    assert "'b' and 'd' act together most" in found.sentence


def test_strength_and_size_are_those_of_the_formula():
    # with independent columns of variance 1, b and d alone bring 9 + 9, together 4 more: H² is 4 of 22
    found = interactions_of(_subject(lambda frame: 3 * frame["b"] + 3 * frame["d"] + 2 * frame["b"] * frame["d"]))

    first = found.pairs[0]
    assert first.low < np.sqrt(4 / 22) < first.high
    assert first.size == pytest.approx(2, rel=0.35)


def test_a_strong_tie_of_weak_columns_comes_behind_one_that_moves_the_answer():
    found = interactions_of(
        _subject(lambda frame: 5 * frame["a"] + frame["a"] * frame["b"] + frame["c"] * frame["d"] / 9)
    )

    assert [one.columns for one in found.pairs[:2]] == [("a", "b"), ("c", "d")]
    assert found.pairs[0].strength < found.pairs[1].strength


def test_only_the_most_important_columns_are_looked_at():
    importance = tuple(Importance(name, 1.0, 0.5, 1.5) for name in ("d", "b", "a"))

    found = interactions_of(_subject(lambda frame: frame["a"] * frame["b"], importance), most=2)

    assert found.columns == ("d", "b")
    assert [one.columns for one in found.pairs] == [("d", "b")]


def test_one_column_has_nothing_to_act_with():
    found = interactions_of(_subject(lambda frame: frame["a"]), most=1)

    assert found.pairs == ()
    assert "no two columns" in found.sentence


def test_a_fitted_model_says_its_interactions():
    random = np.random.default_rng(0)
    values = {name: random.normal(size=600) for name in NAMES}
    frame = pl.DataFrame(values | {"price": 4 * np.sign(values["b"] * values["d"]) + values["a"]})
    few = {"boosting.rounds": 40}  # each of many thousand mixed rows is asked about
    model = mantic.Regressor(budget="1 trial", learners=["boosting"], params=few).fit(frame, "price")

    found = model.interactions()

    assert found.pairs[0].columns in (("b", "d"), ("d", "b"))
    assert found.pairs[0].low > 0.4
    json.dumps(found.to_facts(), allow_nan=False)
    assert model.interactions(most=2).columns == found.columns[:2]
    assert "act together" in found._repr_html_()
    assert found.to_facts() == model.interactions().to_facts()
