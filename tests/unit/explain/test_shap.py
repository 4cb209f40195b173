"""Contributions add up, and say what a known function does."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from mantic.core.errors import SchemaError
from mantic.core.schema import Column, Kind, Schema
from mantic.explain.shap import shapley

SCHEMA = Schema(
    (
        Column("size", Kind.NUMBER),
        Column("name", Kind.ID),
        Column("plan", Kind.CATEGORY, levels=("a", "b")),
        Column("age", Kind.NUMBER),
    )
)


@dataclass
class Known:
    """A model whose answers are a formula of its columns; `n_calls` counts how often it was asked."""

    schema: Schema = SCHEMA
    n_classes: int = 0
    n_calls: int = 0
    n_outputs: int = 1

    def margin(self, frame: pl.DataFrame) -> np.ndarray:
        self.n_calls += 1
        size, age = frame["size"].to_numpy(), frame["age"].to_numpy()
        is_b = (frame["plan"] == "b").to_numpy().astype(float)
        value = 3 * size + 10 * is_b + size * is_b + 0 * age
        return np.stack([value * (output + 1) for output in range(self.n_outputs)], axis=1)

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        return self.margin(frame)[:, 0]

    def contributions(self, frame: pl.DataFrame) -> np.ndarray | None:
        return None


def _rows(n_rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "size": random.normal(size=n_rows),
            "name": [f"row {number}" for number in range(n_rows)],
            "plan": random.choice(["a", "b"], n_rows),
            "age": random.normal(size=n_rows),
        }
    )


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_contributions_add_up_to_the_margin(n_outputs):
    model, rows = Known(n_outputs=n_outputs), _rows(7, 1)

    found = shapley(model, rows, _rows(50, 2), seed=0)

    assert found.shape == (7, 5, n_outputs)
    np.testing.assert_allclose(found.sum(axis=1), model.margin(rows), atol=1e-9)


def test_columns_that_do_nothing_get_nothing():
    found = shapley(Known(), _rows(5, 1), _rows(50, 2))

    np.testing.assert_allclose(found[:, [1, 3]], 0, atol=1e-12)


def test_an_additive_column_gets_exactly_its_term():
    schema = Schema((Column("a", Kind.NUMBER), Column("b", Kind.NUMBER)))

    class Sum(Known):
        def margin(self, frame):
            return (2 * frame["a"] + 5 * frame["b"]).to_numpy()[:, None]

    rows = pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, -1.0]})
    usual = pl.DataFrame({"a": [0.0], "b": [1.0]})

    found = shapley(Sum(schema), rows, usual)

    np.testing.assert_allclose(found[:, :, 0], [[2, 10, 5], [4, -10, 5]])


def test_an_interaction_is_shared_by_both_columns():
    usual = pl.DataFrame({"size": [0.0], "name": ["x"], "plan": ["a"], "age": [0.0]})
    row = pl.DataFrame({"size": [2.0], "name": ["y"], "plan": ["b"], "age": [0.0]})

    found = shapley(Known(), row, usual)

    np.testing.assert_allclose(found[0, :, 0], [6 + 1, 0, 10 + 1, 0, 0])


def test_many_rows_take_few_calls_of_the_model():
    model = Known()

    shapley(model, _rows(400, 1), _rows(50, 2))

    assert model.n_calls <= 4


def test_the_seed_decides():
    rows, usual = _rows(3, 1), _rows(50, 2)

    np.testing.assert_array_equal(shapley(Known(), rows, usual, seed=4), shapley(Known(), rows, usual, seed=4))


def test_missing_values_stay_missing():
    class Gaps(Known):
        def margin(self, frame):
            return frame["size"].is_null().to_numpy().astype(float)[:, None]

    rows = pl.DataFrame(
        {"size": [None], "name": ["a"], "plan": ["a"], "age": [1.0]}, schema_overrides={"size": pl.Float64}
    )

    found = shapley(Gaps(), rows, _rows(9, 0))

    np.testing.assert_allclose(found[0, :, 0], [1, 0, 0, 0, 0])


def test_exact_contributions_of_the_model_are_taken_as_they_are():
    class Exact(Known):
        def contributions(self, frame):
            return np.full((frame.height, 5, 1), 2.0)

    np.testing.assert_array_equal(shapley(Exact(), _rows(2, 0), _rows(0, 0)), np.full((2, 5, 1), 2.0))


def test_a_model_that_uses_no_column_is_all_base():
    class Flat(Known):
        def margin(self, frame):
            return np.full((frame.height, 1), 7.0)

    flat = Flat(Schema((Column("name", Kind.ID),)))

    found = shapley(flat, pl.DataFrame({"name": ["a"]}), pl.DataFrame({"name": ["b"]}))

    np.testing.assert_array_equal(found, [[[0.0], [7.0]]])


def test_background_rows_are_asked_for_when_they_are_needed():
    with pytest.raises(SchemaError, match="no background rows"):
        shapley(Known(), _rows(2, 0), _rows(0, 0))
