"""Rows that differ from those learned from are told apart, with sentences; a random split is calm."""

import numpy as np
import polars as pl
import pytest

from mantic.core.run import Run
from mantic.evaluate.drift import find_drift
from mantic.features.infer import infer


def rows(n_rows: int, *, seed: int) -> pl.DataFrame:
    chance = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "price": chance.gamma(20, 5, n_rows),
            "plan": chance.choice(["basic", "plus"], n_rows, p=[0.8, 0.2]),
            "note": pl.Series(chance.choice(["short", "long", ""], n_rows).astype(str)).replace("", None),
            "when": np.datetime64("2024-01-01") + chance.integers(0, 300, n_rows),
            "noise": chance.normal(size=n_rows),
        }
    )


def drift(learned: pl.DataFrame, judged: pl.DataFrame, *, seed: int = 0):
    schema = infer(pl.concat([learned, judged]))
    return find_drift(schema.align(learned), schema.align(judged), schema, run=Run(seed=seed))


def test_random_splits_are_calm_in_at_least_99_of_100():
    calm = [drift(rows(250, seed=seed), rows(120, seed=1000 + seed), seed=seed).is_calm for seed in range(100)]

    assert sum(calm) >= 99


@pytest.mark.parametrize(
    ("change", "column", "sentence"),
    [
        (pl.col("price") * 1.2, "price", "'price' is 2"),
        (pl.lit("plus").alias("plan"), "plan", "'plan' is"),
        (pl.lit("new").alias("plan"), "plan", "values that were not learned from in 100 %"),
        (pl.lit(None, dtype=pl.String).alias("note"), "note", "empty in 100 %"),
        (pl.col("when").dt.offset_by("200d"), "when", "later on average"),
        ((pl.col("noise") * 4).alias("noise"), "noise", "spreads more widely"),
    ],
)
def test_what_moved_is_named_in_a_sentence(change, column, sentence):
    found = drift(rows(600, seed=0), rows(600, seed=1).with_columns(change))

    named = [one.column for one in found.columns] + list(found.clocks)
    assert named == [column]
    assert not found.columns or sentence in found.columns[0].what
    assert found.is_calm == bool(found.clocks)


def test_what_the_split_was_made_by_is_a_clock_and_does_not_hide_the_rest():
    early, late = rows(600, seed=0), rows(600, seed=1).with_columns(pl.col("price") * 1.3)
    late = late.with_columns(pl.col("when").dt.offset_by("400d"))

    found = drift(early, late)

    assert found.clocks == ("when",)
    assert [one.column for one in found.columns] == ["price"]
    assert 0.5 < found.low < found.auc < found.high <= 1.0


def test_few_rows_or_no_columns_say_nothing():
    assert drift(rows(20, seed=0), rows(600, seed=1)) is None
    assert drift(pl.DataFrame({"a": ["x"] * 100}), pl.DataFrame({"a": ["x"] * 100})) is None


def test_the_facts_are_plain_values():
    facts = drift(rows(600, seed=0), rows(600, seed=1).with_columns(pl.col("price") * 1.2)).facts()

    assert set(facts) == {"auc", "interval", "is_calm", "columns", "clocks"}
    assert set(facts["columns"][0]) == {"column", "auc", "what"}
