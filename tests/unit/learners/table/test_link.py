"""Amounts: boosting on the logarithm of the mean."""

import numpy as np
import polars as pl
import pytest

from mantic.core.errors import SettingsError
from mantic.core.learner import LEARNERS
from mantic.core.run import Run
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import EncodedRow, Target
from mantic.features.encode import Encoder
from mantic.learners.table._link import Log, Straight, link_of


@pytest.fixture(scope="module")
def amounts():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-1, 1, (2, 3000))
    value = np.exp(3 + 2 * a + b) * rng.gamma(20, 1 / 20, 3000)
    frame = pl.DataFrame({"a": a, "b": b})
    schema = Schema((Column("a", Kind.NUMBER), Column("b", Kind.NUMBER)))
    encoder = Encoder(schema, LEARNERS.get("boosting").layout)
    return encoder.fit_transform(frame, Target(value)), value


def fitted(amounts, **params):
    table, value = amounts
    return LEARNERS.get("boosting")().fit(table, Target(value), params, Run())


def test_effects_that_multiply_are_learned_better_than_by_squares(amounts):
    table, value = amounts
    half = np.arange(3000) < 1500
    known, asked = table.rows(np.flatnonzero(half)), table.rows(np.flatnonzero(~half))

    def error(objective):
        kind = LEARNERS.get("boosting")
        model = kind().fit(known, Target(value[half]), {"objective": objective}, Run())
        return np.sqrt(np.mean((model.predict(asked) - value[~half]) ** 2))

    assert error("poisson") < 0.98 * error("l2")


def test_answers_contributions_rows_and_file_agree(amounts, tmp_path):
    table, _ = amounts
    model = fitted(amounts, objective="poisson")

    answers = model.predict(table)

    assert answers.min() > 0
    np.testing.assert_allclose(model.contributions(table).sum(axis=1)[:, 0], answers, rtol=1e-9)
    one = model.for_rows()
    np.testing.assert_allclose([one(EncodedRow(row, None))[0] for row in table.numbers[:50]], answers[:50], rtol=1e-6)
    model.save(tmp_path)
    np.testing.assert_array_equal(type(model).load(tmp_path).predict(table), answers)


def test_what_is_below_nothing_is_no_amount(amounts):
    table, value = amounts
    with pytest.raises(SettingsError, match="below 0"):
        LEARNERS.get("boosting")().fit(table, Target(value - value.mean()), {"objective": "poisson"}, Run())


@pytest.mark.parametrize("link", [Straight(3.0, 2.0), Log(5.0)])
def test_a_link_survives_its_facts(link):
    assert link_of(link.facts()) == link


def test_parts_add_up_where_columns_cancel():
    parts = Log(2.0).parts(np.array([[[1.0], [-1.0], [0.5]]]))

    np.testing.assert_allclose(parts.sum(axis=1), Log(2.0).values(np.array([[0.5]])))
