"""Mixed rows are encoded as a frame of them would be, and a row that comes twice is asked about once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Layout, Target
from mantic.explain.mixture import Mixture, Pool, margins_of
from mantic.features.encode import Encoder

SCHEMA = Schema(
    (
        Column("size", Kind.NUMBER),
        Column("name", Kind.ID),
        Column("start", Kind.DATE),
        Column("plan", Kind.CATEGORY),
        Column("shop", Kind.CATEGORY),
        Column("note", Kind.TEXT),
        Column("end", Kind.DATE),
        Column("paid", Kind.BOOLEAN),
    )
)
WORDS = ("late", "broken", "kind", "quick", "dear", "cheap", "blue")


def _rows(n_rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    day = [datetime(2024, 1, 1) + timedelta(days=int(one)) for one in random.integers(0, 300, 2 * n_rows)]
    gaps = random.random((n_rows, 2)) < 0.2
    return pl.DataFrame(
        {
            "size": [None if gap else value for gap, value in zip(gaps[:, 0], random.normal(size=n_rows), strict=True)],
            "name": [f"row {number}" for number in range(n_rows)],
            "start": day[:n_rows],
            "plan": random.choice(["a", "b", "c"], n_rows),
            "shop": [f"shop {number}" for number in random.integers(0, 60, n_rows)],
            "note": [" ".join(random.choice(WORDS, 4)) for _ in range(n_rows)],
            "end": [None if gap else one for gap, one in zip(gaps[:, 1], day[n_rows:], strict=True)],
            "paid": random.random(n_rows) < 0.5,
        },
        schema_overrides={"start": pl.Datetime("us"), "end": pl.Datetime("us")},
    )


def _mixture(pool: pl.DataFrame, n_mixed: int, seed: int) -> Mixture:
    random = np.random.default_rng(seed)
    own, other = random.integers(0, pool.height, (2, n_mixed))
    return Mixture(Pool(pool), own, other, random.random((n_mixed, pool.width)) < 0.5)


@pytest.mark.parametrize("layout", list(Layout))
def test_mixed_rows_are_encoded_as_their_frame(layout):
    encoder = Encoder(SCHEMA, layout)
    encoder.fit_transform(_rows(300, 0), Target(np.random.default_rng(3).integers(0, 2, 300), 2))
    mixture = _mixture(_rows(12, 1), 150, 2)

    found, wanted = mixture.table(encoder), encoder.transform(mixture.frame())

    np.testing.assert_array_equal(found.numbers, wanted.numbers)
    if layout is Layout.SPARSE:
        np.testing.assert_array_equal(found.words.toarray(), wanted.words.toarray())


@dataclass
class Counting:
    """Answers with the size of a row, and counts the rows that it was asked about."""

    schema: Schema = SCHEMA
    n_classes: int = 0
    n_asked: int = 0

    def margin(self, frame: pl.DataFrame) -> np.ndarray:
        self.n_asked += frame.height
        values = 3 * frame["size"].fill_null(-1.0) + frame["shop"].str.len_chars()
        return values.to_numpy()[:, None].astype(np.float64)

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        return self.margin(frame)[:, 0]

    def contributions(self, frame: pl.DataFrame) -> np.ndarray | None:
        return None


def test_rows_that_are_the_same_are_asked_about_once():
    mixture = _mixture(_rows(3, 1), 4_000, 2)
    model = Counting()

    found = margins_of(model, mixture)

    assert mixture.frame().unique().height <= model.n_asked <= 3 + 6 * 2**8
    np.testing.assert_array_equal(found, Counting().margin(mixture.frame()))


def test_columns_that_are_alike_in_both_rows_make_no_other_row():
    pool = pl.concat([_rows(1, 0), _rows(1, 0).with_columns(size=pl.lit(9.0))])
    model = Counting()
    masks = np.array(np.meshgrid(*[[False, True]] * pool.width)).reshape(pool.width, -1).T.astype(bool)

    margins_of(model, Mixture(Pool(pool), np.zeros(len(masks), dtype=int), np.ones(len(masks), dtype=int), masks))

    assert model.n_asked == 2


@pytest.mark.parametrize("learners", [["forest"], ["linear"], ["boosting", "naive_bayes"]])
def test_a_row_alone_has_the_reasons_that_it_has_among_others(learners, churn_like):
    model = mantic.Classifier(budget="3 trials", learners=learners).fit(churn_like, "churned")
    rows = churn_like.drop("churned")[5:7]

    alone, among = model.explain(rows[:1]).rows[0], model.explain(rows).rows[0]
    of_json = model.explain(rows[:1].to_dicts()).rows[0]

    assert alone.reasons == of_json.reasons
    assert [one.value for one in alone.reasons] == [one.value for one in among.reasons]
    np.testing.assert_allclose(
        [one.contribution for one in alone.reasons], [one.contribution for one in among.reasons], atol=1e-9
    )
    margin = model.model_.margin(model.schema_.align(rows))[0, 0]
    assert alone.margin == pytest.approx(margin, abs=1e-6)
