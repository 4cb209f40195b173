"""Rows that belong together count together: in a fit, and when the model is judged by new rows."""

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

import mantic
from mantic.core.errors import SchemaError, SettingsError
from mantic.core.metric import METRICS
from mantic.core.run import Run
from mantic.evaluate.intervals import bootstrap

QUICK = {"budget": "1 trial", "learners": ["linear"], "seed": 0}


def shops(names: list[str], *, n_each: int = 50, seed: int = 0) -> pl.DataFrame:
    """Return rows of shops; what a shop sells depends on the shop most of all."""
    chance = np.random.default_rng(seed)
    shop = np.repeat(names, n_each)
    level = np.repeat(chance.normal(0, 1.0, len(names)), n_each)
    size = chance.normal(0, 1, len(shop))
    return pl.DataFrame({"shop": shop, "size": size, "sold": size + level + chance.normal(0, 0.1, len(shop))})


def width(report: object) -> float:
    low, high = report.facts["interval"]
    return high - low


@pytest.mark.parametrize("n_groups", [2, 10])
def test_a_judged_part_of_two_groups_has_a_report(n_groups):
    """Ten groups: a fifth of 3,000 rows, which judges, is two of them."""
    rows = shops([f"s{number}" for number in range(n_groups)], n_each=3_000 // n_groups)

    model = mantic.Regressor(**QUICK).fit(rows, "sold", group="shop")

    assert np.isfinite(model.report_.facts["score"])


def test_an_interval_of_two_rows_is_all_that_was_drawn():
    interval = bootstrap(METRICS.get("mae"), np.array([0.0, 0.0]), np.array([1.0, 3.0]))

    assert_allclose([interval.score, interval.low, interval.high], [2, 1, 3], atol=0.05)


def test_new_rows_of_few_groups_have_wide_ranges_and_without_the_column_it_is_said():
    model = mantic.Regressor(**QUICK).fit(shops([f"s{n}" for n in range(40)]), "sold", group="shop")
    later = shops([f"t{n}" for n in range(8)], seed=1)
    run, blind = Run(), Run()

    known, unknown = model.evaluate(later, run=run), model.evaluate(later.drop("shop"), run=blind)

    assert width(known) > 2 * width(unknown)
    assert "no_groups" not in [one.code for one in run.warnings]
    assert "no_groups" in [one.code for one in blind.warnings]


def test_groups_that_differ_are_no_drift():
    rows = shops([f"s{n}" for n in range(60)])
    rows = rows.with_columns(area=pl.col("shop").rank("dense").cast(pl.Float64) % 7 + pl.col("shop").hash() % 1000)

    model = mantic.Regressor(**QUICK).fit(rows, "sold", group="shop")

    assert "drift" not in [one["code"] for one in model.report_.facts["warnings"]]
    assert not model.report_.facts.get("drift")


def test_copies_of_rows_tell_nothing_new():
    chance = np.random.default_rng(0)
    few = pl.DataFrame({"a": chance.normal(size=300), "b": chance.normal(size=300)})
    few = few.with_columns(y=pl.col("a") + chance.normal(0, 1, 300))
    model = mantic.Regressor(**QUICK)

    once, often = (width(model.fit(rows, "y").report_) for rows in (few, pl.concat([few] * 5)))

    assert often > 0.7 * once


def test_the_baseline_of_new_rows_is_what_was_usual_when_the_model_was_fitted():
    chance = np.random.default_rng(0)
    rows = pl.DataFrame({"a": chance.normal(size=600)}).with_columns(y=pl.when(pl.col("a") > 0).then(1).otherwise(0))
    model = mantic.Classifier(**QUICK).fit(rows, "y")
    one_class = rows.filter(pl.col("a") < -0.2)

    facts = model.evaluate(one_class).facts

    assert facts["baseline"]["score"] == pytest.approx(np.log(2), abs=0.1)
    assert facts["score"] < facts["baseline"]["score"]


def test_roles_need_names():
    with pytest.raises(SchemaError, match="an array has no column 'x1'"):
        mantic.Regressor(**QUICK).fit(np.random.default_rng(0).normal(size=(50, 3)), np.arange(50.0), group="x1")


def test_answers_given_as_an_array_are_checked():
    rows = shops(["a", "b"])
    x, y = rows.select("size").to_numpy(), rows["sold"].to_numpy()
    model = mantic.Regressor(**QUICK).fit(x, y)
    classes = np.where(y > 0, "up", "down")
    judge = mantic.Classifier(**QUICK).fit(x, classes)

    assert judge.score(x, classes[:, None]) == judge.score(x, classes)
    assert model.evaluate(x, y[:, None]).facts["score"] == model.evaluate(x, y).facts["score"]
    for odd, message in ((np.where(y > 1, np.nan, y), "has no answer"), (np.where(y > 1, np.inf, y), "infinite")):
        with pytest.raises(SchemaError, match=message):
            model.evaluate(x, odd)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        model.evaluate(x, y[:-1])


@pytest.mark.parametrize("seed", [-1, 99_999_999_999, 0.5, "one"])
def test_what_is_no_seed_is_refused_before_anything_is_done(seed):
    with pytest.raises(SettingsError, match="is no seed"):
        mantic.Regressor(seed=seed).fit(shops(["a"]), "sold")
    with pytest.raises(SettingsError, match="is no seed"):
        mantic.Forecaster(seed=seed).fit(shops(["a"]), time="size", target="sold")
