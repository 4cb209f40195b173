"""Slices name what is planted and are silent on noise."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from mantic.core.schema import Column, Kind, Schema
from mantic.evaluate.slices import benjamini_hochberg, find_slices

SCHEMA = Schema(
    (
        Column("age", Kind.NUMBER),
        Column("plan", Kind.CATEGORY),
        Column("member", Kind.BOOLEAN),
        Column("day", Kind.DATE),
        Column("note", Kind.TEXT),
        Column("rooms", Kind.NUMBER),
    )
)


def _rows(n_rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    days = [datetime(2020, 1, 1) + timedelta(days=int(day)) for day in random.integers(0, 1500, n_rows)]
    notes = [None if missing else "some words" for missing in random.random(n_rows) < 0.2]
    return pl.DataFrame(
        {
            "age": random.normal(40, 10, n_rows),
            "plan": random.choice(["a", "b", "c"], n_rows),
            "member": random.random(n_rows) < 0.5,
            "day": pl.Series(days, dtype=pl.Datetime("us")),
            "note": notes,
            "rooms": random.integers(1, 4, n_rows).astype(float),
        }
    )


PLANTED = {
    "plan is b": lambda rows: rows["plan"] == "b",
    "member is yes": lambda rows: rows["member"],
    "day in 2021": lambda rows: rows["day"].dt.year() == 2021,
    "note is missing": lambda rows: rows["note"].is_null(),
    "rooms is 2": lambda rows: rows["rooms"] == 2,
}


@pytest.mark.parametrize("where", PLANTED)
def test_a_planted_weakness_is_named_first(where):
    rows = _rows(2000, 0)
    loss = np.random.default_rng(1).exponential(size=2000) * np.where(PLANTED[where](rows).to_numpy(), 2.0, 1.0)

    found = find_slices(rows, SCHEMA, loss)

    assert f"{found[0].column} {found[0].what}" == where
    assert found[0].low < found[0].loss < found[0].high
    assert f"{where}: {found[0].loss / found[0].rest:.1f} times the error" in found[0].sentence


def test_a_weakness_in_a_range_of_numbers_is_found():
    rows = _rows(2000, 0)
    loss = np.random.default_rng(1).exponential(size=2000) * np.where(rows["age"].to_numpy() > 50, 3.0, 1.0)

    found = find_slices(rows, SCHEMA, loss)

    assert found[0].column == "age"
    assert found[0].what.startswith("more than")


def test_noise_is_rarely_named():
    named = sum(
        bool(find_slices(_rows(600, seed), SCHEMA, np.random.default_rng(seed + 1000).exponential(size=600)))
        for seed in range(60)
    )

    assert named <= 8  # 5 % of 60 are expected


def test_few_rows_make_no_slices():
    assert find_slices(_rows(40, 0), SCHEMA, np.arange(40.0)) == []


def test_equal_losses_make_no_slices():
    assert find_slices(_rows(500, 0), SCHEMA, np.ones(500)) == []


def test_columns_that_are_all_missing_or_absent_are_passed_over():
    rows = _rows(500, 0).with_columns(pl.lit(None, dtype=pl.String).alias("plan")).drop("age")

    assert find_slices(rows, SCHEMA, np.random.default_rng(0).exponential(size=500)) == []


def test_slices_are_sorted_by_the_harm_that_they_do():
    rows = _rows(3000, 0)
    wide, narrow = (rows["member"]).to_numpy(), (rows["plan"] == "b").to_numpy()
    loss = np.random.default_rng(1).exponential(size=3000) * (1 + 1.0 * wide + 1.0 * narrow)

    found = find_slices(rows, SCHEMA, loss)

    harms = [one.harm for one in found]
    assert harms == sorted(harms, reverse=True)
    assert found[0].column == "member"


def test_false_discoveries_are_held_at_five_in_a_hundred():
    random = np.random.default_rng(0)
    shares = []
    for _ in range(200):
        p_values = np.concatenate([random.random(80), random.random(20) * 1e-4])
        named = benjamini_hochberg(p_values) <= 0.05
        shares.append(named[:80].sum() / max(1, named.sum()))

    assert np.mean(shares) <= 0.06


def test_no_p_values_give_no_q_values():
    assert len(benjamini_hochberg(np.array([]))) == 0
