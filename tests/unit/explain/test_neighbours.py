"""The rows most like one are found in the columns that matter, with how they turned out."""

import json
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from mantic.core.errors import SettingsError
from mantic.core.model import Importance
from mantic.core.schema import Column, Kind, Schema
from mantic.explain.neighbours import similar_to
from mantic.explain.subject import Subject

SCHEMA = Schema(
    (
        Column("age", Kind.NUMBER),
        Column("noise", Kind.NUMBER),
        Column("plan", Kind.CATEGORY),
        Column("note", Kind.TEXT),
        Column("name", Kind.ID),
    )
)
MATTERS = (Importance("age", 1.0, 0.9, 1.1), Importance("plan", 0.5, 0.4, 0.6), Importance("noise", -0.01, -1, 1))


@dataclass
class Old:
    """Says yes from 50 years on."""

    schema: Schema = SCHEMA
    n_classes: int = 2

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        share = np.where((frame["age"] >= 50).fill_null(False).to_numpy(), 0.9, 0.2)
        return np.stack([1 - share, share], axis=1)

    def contributions(self, frame: pl.DataFrame) -> np.ndarray | None:
        return None


class Years(Old):
    """Says the age."""

    n_classes = 0

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        return frame["age"].fill_null(0).to_numpy()


def _rows(n_rows: int = 200) -> pl.DataFrame:
    random = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "age": random.integers(20, 80, n_rows).astype(float),
            "noise": random.normal(size=n_rows),
            "plan": random.choice(["a", "b"], n_rows),
            "note": random.choice(["slow support", "great service", "slow service"], n_rows),
            "name": [f"row {number}" for number in range(n_rows)],
        }
    )


def _subject(**more) -> Subject:
    rows = _rows()
    return Subject(Old(), "left", rows, ("no", "yes"), truth=(rows["age"] >= 50).to_numpy().astype(int), **more)


def test_a_planted_twin_comes_first():
    rows = _rows()

    found = similar_to(_subject(importance=MATTERS), rows[17:18])

    assert found.rows[0].values["noise"] == rows["noise"][17]
    assert found.rows[0].likeness == 1.0


def test_columns_that_matter_decide_and_stand_first():
    asked = _rows()[3:4].with_columns(noise=pl.lit(99.0), note=pl.lit("nothing in common"))

    found = similar_to(_subject(importance=MATTERS), asked)

    assert list(found.values)[:2] == ["age", "plan"]
    assert found.rows[0].values["age"] == asked["age"][0]
    assert found.rows[0].values["plan"] == asked["plan"][0]


def test_it_says_how_they_turned_out():
    found = similar_to(_subject(importance=MATTERS), _rows()[:1].with_columns(age=pl.lit(75.0)))

    assert [one.truth for one in found.rows] == ["yes"] * 5
    assert (
        found.sentence
        == "Of the 5 known rows most like this one, 5 were 'yes'; the model says 'yes' (90 %) of this one."
    )


def test_answers_to_rows_that_were_not_seen_come_first():
    held_out = np.full((200, 2), np.nan)
    held_out[:, :] = [0.7, 0.3]

    found = similar_to(_subject(importance=MATTERS, held_out=held_out), _rows()[:1].with_columns(age=pl.lit(75.0)))

    assert {one.answer for one in found.rows} == {"no"}
    assert all(one.is_held_out for one in found.rows)


def test_numbers_are_told_by_their_range():
    rows = _rows()
    subject = Subject(Years(), "age", rows, truth=rows["age"].to_numpy(), importance=MATTERS)

    found = similar_to(subject, rows[:1], n=3)

    assert len(found.rows) == 3
    assert "on average" in found.sentence


def test_without_truths_it_says_that_none_were_kept():
    assert "was not kept" in similar_to(Subject(Old(), "left", _rows(), ("no", "yes")), _rows()[:1]).sentence


def test_without_importances_contributions_say_what_matters():
    class Says(Old):
        def contributions(self, frame):
            found = np.zeros((frame.height, 6, 1))
            found[:, 2] = 1.0  # the plan
            return found

    found = similar_to(Subject(Says(), "left", _rows(), ("no", "yes")), _rows()[:1])

    assert next(iter(found.values)) == "plan"


def test_missing_is_like_missing_only():
    rows = _rows().with_columns(age=pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise(pl.col("age")))
    subject = Subject(Old(), "left", rows, ("no", "yes"), importance=MATTERS)

    found = similar_to(subject, rows[5:6].with_columns(age=pl.lit(None, dtype=pl.Float64)), n=3)

    assert [one.values["age"] for one in found.rows] == [None] * 3


def test_a_category_that_was_never_seen_is_like_none():
    found = similar_to(_subject(importance=MATTERS), _rows()[:1].with_columns(plan=pl.lit("new")), n=1)

    assert found.rows[0].likeness < 0.7


def test_more_rows_than_there_are_give_all_and_none_is_refused():
    assert len(similar_to(_subject(), _rows()[:1], n=999).rows) == 200
    with pytest.raises(SettingsError, match="one row or more"):
        similar_to(_subject(), _rows()[:1], n=0)


def test_facts_are_plain_json_and_the_table_starts_with_the_asked_row():
    found = similar_to(_subject(), _rows()[:1])

    assert json.loads(json.dumps(found.to_facts(), allow_nan=False))["rows"][0]["truth"] in ("no", "yes")
    assert found.group().blocks[1].rows[0][0] == "asked"
    assert found._repr_html_()
