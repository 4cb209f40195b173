"""What the Forecaster promises of columns that are known beforehand, once it is known what they came to."""

from datetime import date

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.errors import SchemaError

DAYS = pl.date_range(date(2024, 1, 1), date(2025, 1, 14), eager=True)  # 380 days
HORIZON, END = 14, DAYS[365]


def priced() -> pl.DataFrame:
    """Return what is sold at prices that nobody could guess: 100 less 30 for each unit of price."""
    chance = np.random.default_rng(3)
    price = chance.choice([0.5, 1.0, 1.5, 2.0], len(DAYS))
    sold = 100 - 30 * price + chance.normal(0, 1.0, len(DAYS))
    return pl.DataFrame({"day": DAYS, "price": price, "sold": sold})


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    before = priced().filter(pl.col("day") <= END)
    model = mantic.Forecaster(HORIZON, budget="2 trials").fit(before, time="day", target="sold", known="price")
    return str(model.save(tmp_path_factory.mktemp("known") / "priced.mantic"))


@pytest.fixture
def model(saved: str) -> mantic.Forecaster:
    return mantic.load(saved)


@pytest.fixture(scope="module")
def later() -> pl.DataFrame:
    return priced().filter(pl.col("day") > END)


def test_an_evaluation_knows_what_the_column_came_to(model, later):
    facts = model.evaluate(later).facts

    told = model.predict(later)["mean"]
    usual = float(priced().filter(pl.col("day") <= END)["sold"].diff(7).abs().mean())
    assert facts["metrics"]["mase"] == pytest.approx(float((told - later["sold"]).abs().mean()) / usual, rel=1e-6)
    assert facts["metrics"]["mase"] < 0.3


def test_an_update_does_not_take_a_price_for_an_error(model, later):
    before = np.diff(model.told_.spread.reached()[[0, -1]])

    model.update(later)

    assert np.diff(model.told_.spread.reached()[[0, -1]]) < 2 * before


def test_some_of_the_columns_without_the_others_are_refused(later):
    twice = priced().with_columns(promo=pl.col("price").shift(1).fill_null(1.0))
    rows = twice.filter(pl.col("day") <= END)
    model = mantic.Forecaster(HORIZON, budget="2 trials").fit(rows, time="day", target="sold", known=["price", "promo"])

    with pytest.raises(SchemaError, match="column 'promo' is missing"):
        model.predict(later.drop("sold"))
    with pytest.raises(SchemaError, match="column 'price' holds texts"):
        model.predict(twice.filter(pl.col("day") > END).with_columns(price=pl.lit("1,0")))


def test_a_newcomer_goes_as_its_kin_do_with_its_price_and_without():
    shops = pl.concat([priced().with_columns(shop=pl.lit(name)) for name in "ABC"])
    rows = shops.filter(pl.col("day") <= END)
    model = mantic.Forecaster(HORIZON, budget="2 trials").fit(
        rows, time="day", target="sold", series="shop", known="price"
    )
    first = pl.DataFrame({"day": [END], "shop": ["D"], "price": [1.0], "sold": [700.0]})
    model.update(
        shops.filter(pl.col("day") > END).vstack(first.with_columns(day=pl.lit(DAYS[-1])).select(shops.columns))
    )
    table = model.predict().filter(pl.col("shop") == "D")
    last = model.told_.panel.known[model.told_.panel.bounds[-1] - 1, 0]

    same = model.predict(table.select("shop", "day").with_columns(price=pl.lit(float(last))))

    np.testing.assert_allclose(same["mean"], table["mean"], rtol=1e-9)
