"""An effect is what a known function does, up to a constant, also where columns move together."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from mantic.core.errors import SchemaError, SettingsError
from mantic.core.schema import Column, Kind, Schema
from mantic.explain.effects import effect_of
from mantic.explain.subject import Subject

SCHEMA = Schema(
    (
        Column("size", Kind.NUMBER),
        Column("age", Kind.NUMBER),
        Column("plan", Kind.CATEGORY, levels=("a", "b")),
        Column("paid", Kind.BOOLEAN),
        Column("since", Kind.DATE),
        Column("note", Kind.TEXT),
        Column("name", Kind.ID),
    )
)


@dataclass
class Price:
    """3 size + size² age / 100 + 10 for plan b + 5 where paid + a day's worth per year since 2020."""

    schema: Schema = SCHEMA
    n_classes: int = 0

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        days = (frame["since"] - datetime(2020, 1, 1)).dt.total_days().fill_null(0).to_numpy()
        return (
            3 * frame["size"].fill_null(0).to_numpy()
            + 10 * (frame["plan"] == "b").fill_null(False).to_numpy()
            + 5 * frame["paid"].fill_null(False).to_numpy()
            + days / 365
        )


@dataclass
class Product:
    """Size times age: what each does depends on the other."""

    schema: Schema = SCHEMA
    n_classes: int = 0

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        return (frame["size"] * frame["age"]).to_numpy()


@dataclass
class Three:
    """Three classes; size moves the third most."""

    schema: Schema = SCHEMA
    n_classes: int = 3

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        margin = frame["size"].to_numpy()[:, None] * np.array([[-0.1, 0.0, 1.0]])
        power = np.exp(margin)
        return power / power.sum(axis=1, keepdims=True)


def _rows(n_rows: int = 500, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    size = random.normal(size=n_rows)
    return pl.DataFrame(
        {
            "size": size,
            "age": size + 0.01 * random.normal(size=n_rows),
            "plan": random.choice(["a", "a", "b"], n_rows),
            "paid": random.random(n_rows) < 0.5,
            "since": [datetime(2020, 1, 1) + timedelta(days=int(day)) for day in random.integers(0, 1000, n_rows)],
            "note": ["words"] * n_rows,
            "name": [f"row {number}" for number in range(n_rows)],
        },
        schema_overrides={"since": pl.Datetime("us")},
    )


def _effect(column, *, model=None, rows=None, **options):
    classes = ("x", "y", "z") if isinstance(model, Three) else ()
    return effect_of(Subject(model or Price(), "price", _rows() if rows is None else rows, classes), column, **options)


def test_the_effect_of_an_additive_number_is_its_term_up_to_a_constant():
    found = _effect("size")

    np.testing.assert_allclose(np.diff(found.effect), 3 * np.diff(found.grid), atol=1e-9)
    np.testing.assert_allclose(found.high, found.low, atol=1e-9)  # whatever the rows, it does the same
    assert "rises by" in found.sentence


def test_the_effect_of_an_additive_date_is_its_term_up_to_a_constant():
    found = _effect("since")

    days = [(one - found.grid[0]).days for one in found.grid]
    np.testing.assert_allclose(np.array(found.effect) - found.effect[0], np.array(days) / 365, atol=1e-9)
    assert found.chart.x.labels[0] == f"{found.grid[0]:%Y-%m-%d}"


def test_the_curve_of_a_number_is_zero_over_the_rows_on_average():
    found = _effect("size")

    middles = (np.array(found.effect[1:]) + found.effect[:-1]) / 2
    assert np.average(middles, weights=found.n_rows) == pytest.approx(0, abs=1e-9)
    assert sum(found.n_rows) == sum(found.counts) == 500


def test_rows_that_cannot_be_are_not_asked_about():
    asked = []

    class Watched(Product):
        def predict(self, frame):
            asked.append((frame["size"] - frame["age"]).abs().max())
            return super().predict(frame)

    found = _effect("size", model=Watched())

    assert max(asked) < 3  # less than the 6 that partial dependence would ask about
    places = np.array(found.grid)
    inner = slice(2, -2)
    slope = np.diff(found.effect)[inner] / np.diff(places)[inner]
    np.testing.assert_allclose(slope, ((places[1:] + places[:-1]) / 2)[inner], atol=0.15)  # the other column, nearby


def test_the_levels_of_a_category_differ_by_their_terms():
    found = _effect("plan")

    by_level = dict(zip(found.grid, found.effect, strict=True))
    assert by_level["b"] - by_level["a"] == pytest.approx(10)
    assert np.average(found.effect, weights=found.n_rows) == pytest.approx(0, abs=1e-9)
    assert "highest where 'plan' is 'b'" in found.sentence


def test_a_boolean_has_its_two_levels_and_missing_is_one_more():
    rows = _rows().with_columns(paid=pl.when(pl.int_range(pl.len()) < 50).then(None).otherwise(pl.col("paid")))

    found = _effect("paid", rows=rows)

    by_level = dict(zip(found.grid, found.effect, strict=True))
    assert set(by_level) == {True, False, None}
    assert by_level[True] - by_level[False] == pytest.approx(5)


def test_missing_numbers_are_left_out_and_told():
    rows = _rows().with_columns(size=pl.when(pl.int_range(pl.len()) < 100).then(None).otherwise(pl.col("size")))

    found = _effect("size", rows=rows)

    assert found.share_missing == pytest.approx(0.2)
    assert sum(found.n_rows) == 400
    assert "20 %" in found.group().note


def test_a_column_that_does_nothing_has_a_flat_line():
    found = _effect("age")

    assert found.effect == pytest.approx([0.0] * len(found.grid))
    assert found.sentence == "'age' does not move the price."


def test_the_class_that_moves_most_is_told_unless_one_is_named():
    assert _effect("size", model=Three()).toward == "z"
    assert _effect("size", model=Three(), toward="x").toward == "x"
    assert _effect("size", model=Three()).unit == "share"
    with pytest.raises(SettingsError, match="x, y, z"):
        _effect("size", model=Three(), toward="q")


def test_a_constant_column_and_one_row_have_one_point():
    flat = _effect("size", rows=_rows().with_columns(size=pl.lit(2.0)))
    one = _effect("size", rows=_rows(1))

    assert flat.grid == (2.0,)
    assert flat.effect == one.effect == (0.0,)
    assert flat.to_report()._repr_html_()


@pytest.mark.parametrize(
    ("column", "what"), [("note", "no order"), ("name", "does not use"), ("nosuch", "there is no column")]
)
def test_columns_without_a_curve_say_why(column, what):
    with pytest.raises(SchemaError, match=what):
        _effect(column)


def test_a_column_without_any_value_says_so():
    rows = _rows().with_columns(size=pl.lit(None, dtype=pl.Float64))

    with pytest.raises(SchemaError, match="empty in all rows"):
        _effect("size", rows=rows)


def test_facts_are_plain_json_and_the_seed_decides():
    facts = json.loads(json.dumps(_effect("since").to_facts(), allow_nan=False))

    assert facts["method"] == "accumulated local effects"
    assert facts["grid"][0].startswith("2020-")
    assert _effect("size", seed=3) == _effect("size", seed=3)
    assert _effect("size", seed=3).low != _effect("size", seed=4).low


def test_few_rows_are_shown_beside_the_curve():
    kinds = [block.kind for block in _effect("size").group().blocks]

    assert kinds == ["line", "histogram"]
    assert [block.kind for block in _effect("plan").group().blocks] == ["bar", "bar"]


def test_the_curve_is_there_in_figures_too():
    number, level = _effect("size").table(), _effect("plan").table()

    assert len(number.rows) == len(_effect("size").grid)
    assert number.rows[0][-1] is None
    assert [row[0] for row in level.rows] == ["a", "b"]
    assert sum(row[-1] for row in level.rows) == 500
