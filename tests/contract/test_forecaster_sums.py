"""What the Forecaster promises of sums and of whole futures."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from tests.contract.test_forecaster import ASKED, DAYS, sales

import mantic
from mantic.core.errors import SchemaError, SettingsError
from mantic.core.run import Run
from mantic.serve.shelf import Shelf

HORIZON = 14


@pytest.fixture(scope="module")
def model() -> mantic.Forecaster:
    return mantic.Forecaster(HORIZON, budget="1 trial", hierarchy="all").fit(sales(), **ASKED)


@pytest.fixture(scope="module")
def later() -> pl.DataFrame:
    return sales(pl.date_range(DAYS[0], DAYS[-1] + timedelta(days=14), eager=True)).filter(pl.col("day") > DAYS[-1])


def incoherence(table: pl.DataFrame, value: str, by: list[str]) -> float:
    """Return by how much the levels differ at most when each is added up."""
    each = table.group_by("level", *by).agg(pl.col(value).sum())
    return float(each.group_by(by).agg(pl.col(value).max() - pl.col(value).min())[value].max())


def test_all_levels_are_answered_and_add_up(model):
    table = model.predict()

    assert table["level"].unique(maintain_order=True).to_list() == ["total", "store", "item", "store / item"]
    assert table.height == (1 + 2 + 2 + 4) * HORIZON
    assert incoherence(table, "mean", ["day"]) < 1e-6
    rising = table.select("q0.025", "q0.1", "q0.25", "median", "q0.75", "q0.9", "q0.975").to_numpy()
    assert (np.diff(rising, axis=1) >= 0).all()


def test_each_future_adds_up_and_has_the_quantiles_of_the_forecast(model):
    drawn = model.sample(1_000, seed=4)

    assert drawn.columns == ["level", "store", "item", "day", "path", "value"]
    assert incoherence(drawn, "value", ["day", "path"]) < 1e-6
    assert (drawn["value"] % 1 == 0).all()  # sales are counts
    ends = drawn.group_by("level", "store", "item", "day", maintain_order=True).agg(
        pl.col("value").quantile(0.1).alias("low"), pl.col("value").quantile(0.9).alias("high")
    )
    table = model.predict()
    size = table["q0.9"] - table["q0.1"]
    assert ((ends["low"] - table["q0.1"]).abs() / size).mean() < 0.1
    assert ((ends["high"] - table["q0.9"]).abs() / size).mean() < 0.1


def test_a_single_future_is_a_draw_that_adds_up(model):
    places = np.arange(len(model.told_.panel))
    drawn = np.concatenate([model.told_.paths(1, places, seed=seed) for seed in range(100)])

    assert incoherence(model.sample(1), "value", ["day"]) < 1e-6
    table = model.predict()
    for name, share in (("q0.1", 0.1), ("q0.9", 0.9)):
        assert (drawn < table[name].to_numpy().reshape(drawn.shape[1:])).mean() == pytest.approx(share, abs=0.05)


def test_a_sum_is_asked_for_by_leaving_names_empty(model):
    first = model.predict().filter(pl.col("level") == "store").head(2)
    rows = first.select("store", pl.lit(None, pl.String).alias("item"), "day")

    assert model.predict(rows)["mean"].to_list() == first["mean"].to_list()
    assert model.sample(3, rows).height == 6


def test_the_report_has_a_table_by_level(model):
    facts = model.report_.facts["hierarchy"]

    assert [one["level"] for one in facts["levels"]] == facts["names"] == ["total", "store", "item", "store / item"]
    assert set(facts["losses"]) == {"structure", "bottom_up", "mint"}
    assert "Level by level" in [block.title for block in model.report_.blocks if hasattr(block, "title")]
    assert "hierarchy" in [one["code"] for one in model.report_.facts["repairs"]]


def test_a_saved_model_with_sums_answers_and_draws_as_before(model, tmp_path):
    again = mantic.load(model.save(tmp_path / "sums.mantic"))

    assert again.predict().equals(model.predict())
    assert again.sample(20).equals(model.sample(20))


def test_reasons_say_what_was_foreseen_before_it_was_moved(model):
    told, rows = model.told_, model.predict().head(2)

    reasons = model.explain(rows)

    assert [row["foreseen"] for row in reasons.rows] == told.coherent.base[0, :2].tolist()
    assert [row["prediction"] for row in reasons.rows] == rows["mean"].to_list()
    assert "moved so that all levels add up" in reasons.to_report().blocks[0].blocks[0].body


def test_a_server_answers_sums(model):
    shelf = Shelf({"sales": model})
    shelf.warm()

    assert shelf.place("sales").live.about()["task"] == "forecast"


def test_evaluation_adds_up_what_came(model, later):
    facts = model.evaluate(later).facts

    assert facts["n_test"] == 9 * HORIZON
    assert [one["n_series"] for one in facts["hierarchy"]["levels"]] == [1, 2, 2, 4]


def test_nothing_is_known_of_a_sum_of_which_a_part_is_not(model, later):
    facts = model.evaluate(later.filter(pl.col("store") == "A")).facts

    rows = {one["level"]: one for one in facts["hierarchy"]["levels"]}
    assert rows["total"]["mase"] is None
    assert rows["store"]["mase"] > 0
    assert facts["n_test"] == 3 * HORIZON  # store A, and its two items


def test_an_update_adds_up_too_and_rows_of_sums_are_not_needed(later):
    model = mantic.Forecaster(HORIZON, budget="1s", hierarchy=["store"]).fit(sales(), **ASKED)

    model.update(later.filter(pl.col("day") <= DAYS[-1] + timedelta(days=7)))

    table = model.predict()
    assert table["level"].unique(maintain_order=True).to_list() == ["total", "store", "store / item"]
    assert table["day"].min() == DAYS[-1] + timedelta(days=8)
    assert incoherence(table, "mean", ["day"]) < 1e-6


def test_an_update_names_rows_of_series_that_no_sum_has_and_rows_that_are_older(later):
    model = mantic.Forecaster(HORIZON, budget="1s", hierarchy=["store"]).fit(sales(), **ASKED)
    run = Run()

    model.update(pl.concat([later, later.head(1).with_columns(item=pl.lit("rum")), sales().head(2)]), run=run)

    texts = [one.text for one in run.warnings]
    assert any("1 of 59 rows are of series that no sum has" in text for text in texts), texts
    assert any("2 of 59 rows are older" in text for text in texts), texts


def test_a_column_of_sums_need_not_be_named_twice():
    model = mantic.Forecaster(7, budget="0.5s", hierarchy=["store"]).fit(
        sales(), time="day", target="sold", series="item"
    )

    assert model.roles_.series == ("store", "item")


def test_futures_without_sums_have_the_quantiles_of_the_forecast_exactly():
    rows = sales().with_columns(sold=pl.col("sold") * 1.01)  # no counts: nothing is rounded
    model = mantic.Forecaster(7, budget="1s").fit(rows, **ASKED)

    drawn = model.sample(2_000, seed=1)

    ends = drawn.group_by("store", "item", "day", maintain_order=True).agg(
        pl.col("value").quantile(0.1, "linear").alias("low"), pl.col("value").median().alias("middle")
    )
    table = model.predict()
    size = (table["q0.9"] - table["q0.1"]).to_numpy()
    assert (np.abs(ends["low"].to_numpy() - table["q0.1"].to_numpy()) < 0.01 * size).all()
    assert (np.abs(ends["middle"].to_numpy() - table["median"].to_numpy()) < 0.01 * size).all()
    assert drawn.equals(model.sample(2_000, seed=1))
    assert not drawn.equals(model.sample(2_000, seed=2))


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"known": "sold"}, "two roles"),
        ({"known": "price"}, "nothing says what a price"),
        ({"series": ()}, "a hierarchy of one series"),
    ],
)
def test_what_makes_no_sense_with_sums_is_refused(asked, what):
    frame = sales().with_columns(price=1.0)

    with pytest.raises((SettingsError, SchemaError), match=what):
        mantic.Forecaster(7, hierarchy="all").fit(frame, **(ASKED | asked))


def test_a_column_called_like_the_level_is_refused():
    with pytest.raises(SchemaError, match="level"):
        mantic.Forecaster(7, hierarchy="all").fit(
            sales().rename({"store": "level"}), time="day", target="sold", series=["level", "item"]
        )


@pytest.mark.parametrize(
    "values",
    [[5.0], [0.0] * 30, [1.0, 2.0], [3.0] * 40, [0.0] * 20 + [7.0], list(range(8)), [0, 0, 3, 0] * 12],
    ids=["one point", "all zero", "two points", "constant", "one sale", "a line", "rare"],
)
@pytest.mark.parametrize("n_series", [1, 3])
def test_sums_of_the_oddest_series_are_finite_and_add_up(values, n_series):
    frame = pl.concat(
        pl.DataFrame({"shop": f"shop {place}", "t": range(len(values)), "y": values}) for place in range(n_series)
    )

    model = mantic.Forecaster(5, budget="2 trials", hierarchy="all").fit(frame, time="t", target="y", series="shop")

    table = model.predict()
    assert table.height == 5 * (n_series + (n_series > 1))
    assert np.isfinite(table.select("mean", "median", "q0.025", "q0.975").to_numpy()).all()
    assert incoherence(table, "mean", ["t"]) < 1e-6
    assert np.isfinite(model.sample(10)["value"].to_numpy()).all()


def test_series_that_begin_and_end_at_other_times_add_up():
    is_late = (pl.col("store") == "A") & (pl.col("day") < DAYS[200])
    is_over = (pl.col("store") == "B") & (pl.col("item") == "tea") & (pl.col("day") > DAYS[-40])
    rows = sales().filter(~is_late & ~is_over)

    model = mantic.Forecaster(HORIZON, budget="2 trials", hierarchy="all").fit(rows, **ASKED)

    table = model.predict()
    assert incoherence(table, "mean", ["day"]) < 1e-6
    assert table["day"].min() == DAYS[-1] + timedelta(days=1)
    assert np.isfinite(table.select("mean", "q0.025", "q0.975").to_numpy()).all()
    assert "carried_on" in [one["code"] for one in model.report_.facts["repairs"]]
