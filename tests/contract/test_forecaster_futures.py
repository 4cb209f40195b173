"""What the Forecaster promises of whole futures, of one series or of all."""

import tracemalloc
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.search.series.foretold import Foretold
from mantic.search.series.paths import Together, walking

HORIZON, N_SERIES, N_MONTHS = 12, 300, 30
QUICK = "1 trials"


@pytest.fixture(scope="module")
def model() -> mantic.Forecaster:
    """Return monthly amounts of many shops, forecast."""
    months = pl.date_range(date(2022, 1, 1), date(2024, 6, 1), "1mo", eager=True)
    chance = np.random.default_rng(0)
    rows = pl.DataFrame({
        "shop": np.repeat([f"s{place:03d}" for place in range(N_SERIES)], N_MONTHS),
        "month": pl.concat([months] * N_SERIES),
        "sold": chance.gamma(4, 5, N_SERIES * N_MONTHS),
    })  # fmt: skip
    return mantic.Forecaster(HORIZON, budget=QUICK).fit(rows, time="month", target="sold", series="shop")


def test_a_series_has_the_same_futures_alone_and_among_all_in_any_order(model):
    asked = model.predict().filter(pl.col("shop").is_in(["s007", "s150", "s299"])).select("shop", "month")
    asked = asked.sample(fraction=1, shuffle=True, seed=0)
    n = 200  # of all, these are drawn in several blocks

    found, whole = model.sample(n, asked, seed=3), model.sample(n, seed=3)

    assert found.height == 3 * HORIZON * n
    assert found["month"].gather_every(n).to_list() == asked["month"].to_list()
    both = found.join(whole, on=["shop", "month", "path"], suffix=" of all", validate="1:1")
    assert both.height == found.height
    assert both["value"].equals(both["value of all"])
    assert model.sample(n, asked.head(0), seed=3).height == 0


@pytest.mark.parametrize("n", [1, 2, 7])
def test_few_futures_are_draws_which_reach_as_far_as_the_quantiles_say(model, n):
    drawn = pl.concat([model.sample(n, seed=seed) for seed in range(4)])

    held = drawn.join(model.predict(), on=["shop", "month"])
    for name, share in (("q0.1", 0.1), ("median", 0.5), ("q0.9", 0.9)):
        assert (held["value"] < held[name]).mean() == pytest.approx(share, abs=0.03)
    assert not model.sample(n, seed=0)["value"].equals(model.sample(n, seed=1)["value"])


def test_futures_of_one_of_many_series_take_the_memory_of_one(model):
    one = model.predict().filter(pl.col("shop") == "s007").select("shop", "month")
    model.sample(2, one)  # what is loaded at first does not count

    tracemalloc.start()
    found = model.sample(500, one)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert found.height == 500 * HORIZON
    assert peak < 5e6  # all series would take 15 MB in each of several arrays


def test_a_horizon_longer_than_the_past_makes_a_small_file(tmp_path):
    past = pl.DataFrame({"t": range(200), "y": 50 + np.random.default_rng(0).normal(size=200).cumsum()})
    model = mantic.Forecaster(5_000, budget="0.5s").fit(past, time="t", target="y")

    path = model.save(tmp_path / "long.mantic")

    assert path.stat().st_size < 2e6  # a matrix of horizon by horizon would take 200 MB, deflated 85
    assert mantic.load(path).sample(5).equals(model.sample(5))


def test_a_walk_of_an_earlier_file_draws_as_one_of_today(model, tmp_path):
    root = np.triu(np.ones((HORIZON, HORIZON))) / np.sqrt(np.arange(1, HORIZON + 1))
    today = replace(model.told_, together=walking(HORIZON))
    earlier = replace(today, together=Together(root, HORIZON, 1_000, 0.0))  # what they hold

    earlier.save(tmp_path)

    places = np.array([4, 2])
    again = Foretold.load(tmp_path)
    assert again.together is not None
    assert again.together.root is not None
    np.testing.assert_allclose(again.paths(50, places, seed=1), today.paths(50, places, seed=1), rtol=1e-9)
