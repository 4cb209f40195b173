"""What the Forecaster promises: the contract of estimators, for series."""

import time
from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

import mantic
from mantic.core.budget import Deadline
from mantic.core.errors import ArtifactError, SchemaError, SettingsError
from mantic.core.run import Progress, Run
from mantic.search.series import combine, finish, foretell
from mantic.search.series.backtest import ORDER
from mantic.serve.shelf import Shelf
from mantic.tasks.series_answer import all_parts
from mantic.tasks.unfitted import NotFittedError

QUICK = "1 trials"  # the naive family and one method more, on a busy machine, too
DAYS = pl.date_range(date(2023, 1, 2), date(2023, 9, 10), eager=True)  # 252 days, 36 weeks
ASKED = {"time": "day", "target": "sold", "series": ["store", "item"]}


def sales(days: pl.Series = DAYS) -> pl.DataFrame:
    """Return sales of two stores and two items, with weeks in them."""
    frames = []
    for number, (store, item) in enumerate((store, item) for store in "AB" for item in ("tea", "milk")):
        chance = np.random.default_rng(number)
        weekday = days.dt.weekday().to_numpy()
        sold = chance.poisson((20 + 15 * (weekday > 5)) * (1 + number))
        frames.append(pl.DataFrame({"day": days, "store": store, "item": item, "sold": sold}))
    return pl.concat(frames)


@pytest.fixture(scope="module")
def model() -> mantic.Forecaster:
    return mantic.Forecaster(14, budget=QUICK).fit(sales(), **ASKED)


@pytest.fixture(scope="module")
def later() -> pl.DataFrame:
    return sales(pl.date_range(DAYS[0], DAYS[-1] + timedelta(days=14), eager=True)).filter(pl.col("day") > DAYS[-1])


def test_it_beats_repeating_the_last_season_where_there_is_something_to_learn(model):
    facts = model.report_.facts

    assert facts["metrics"]["owa"] < 0.9
    assert facts["score"] < facts["baseline"]["score"]
    assert facts["verdict"]["level"] == "good"


def test_a_forecast_names_series_and_moments_and_its_quantiles_rise(model):
    table = model.predict()

    assert table.columns == [
        "store",
        "item",
        "day",
        "mean",
        "median",
        "q0.025",
        "q0.1",
        "q0.25",
        "q0.75",
        "q0.9",
        "q0.975",
    ]
    assert table.height == 4 * 14
    assert table["day"].min() == DAYS[-1] + timedelta(days=1)
    rising = table.select("q0.025", "q0.1", "q0.25", "median", "q0.75", "q0.9", "q0.975").to_numpy()
    assert (np.diff(rising, axis=1) >= 0).all()
    assert (rising >= 0).all()


def test_rows_that_name_series_and_moments_are_answered_in_their_order(model):
    table = model.predict()
    rows = table.select("day", "item", "store").sample(fraction=1, shuffle=True, seed=0)

    found = model.predict(rows)

    joined = rows.join(table, on=["day", "item", "store"], how="left", maintain_order="left")
    assert found["mean"].to_list() == joined["mean"].to_list()


def test_parts_of_the_answer_are_the_whole(model, monkeypatch):
    monkeypatch.setattr("mantic.core.panel._BLOCK", 1)

    parts = list(all_parts(model.told_, model.roles_, model.levels))

    assert [part.height for part in parts] == [14] * 4
    assert pl.concat(parts).equals(model.predict())


def test_of_very_many_series_a_part_is_judged_and_the_report_says_so(monkeypatch):
    for module in (combine, foretell, finish):
        monkeypatch.setattr(module, "MOST_JUDGED", 3)

    model = mantic.Forecaster(14, budget="1 trials").fit(sales(), **ASKED)

    assert "Of 4 series 3 were judged" in model.report_.to_json()
    assert model.report_.facts["n_series"] == 4
    assert model.report_.facts["n_test"] == 3 * 3 * 14
    assert model.predict().height == 4 * 14


def test_moments_may_be_texts_and_stamps(model):
    rows = model.predict().select("store", "item", "day").head(3)
    forms = [rows, rows.with_columns(pl.col("day").cast(pl.String)), rows.with_columns(pl.col("day").cast(pl.Datetime))]

    answers = [model.predict(one)["mean"].to_list() for one in forms]

    assert answers[0] == answers[1] == answers[2]


def test_moments_out_of_reach_are_named(model):
    rows = pl.DataFrame({"store": ["A", "Z"], "item": ["tea", "tea"], "day": [date(2020, 1, 1), date(2023, 9, 12)]})

    with pytest.raises(SchemaError) as caught:
        model.predict(rows)

    assert "row 0 asks for a moment outside of 2023-09-11 to 2023-09-24" in caught.value.what
    with pytest.raises(SchemaError, match="row 0 names a series that is not known"):
        model.explain(rows[1:])


def test_a_series_that_is_not_known_is_answered_by_similar_ones_widely_and_says_so(model):
    days = model.predict()["day"].unique().sort()
    rows = pl.DataFrame({"store": "Z", "item": "tea", "day": days})

    answers = model.predict(pl.concat([rows, rows.with_columns(store=pl.lit("A"))]))

    new, own = answers.filter(pl.col("store") == "Z"), answers.filter(pl.col("store") == "A")
    assert new["basis"].unique().to_list() == ["similar series"]
    assert own["basis"].unique().to_list() == ["its own past"]
    assert own.drop("basis").equals(model.predict(own.select("store", "item", "day")))
    teas = model.predict().filter(pl.col("item") == "tea").group_by("day").agg(pl.col("mean").mean()).sort("day")
    np.testing.assert_allclose(new["mean"], teas["mean"])
    assert ((new["q0.975"] - new["q0.025"]) > 1.5 * (own["q0.975"] - own["q0.025"])).all()


def test_a_series_that_is_new_in_an_update_goes_on_as_similar_ones_do_in_its_own_size(later, tmp_path):
    model = mantic.Forecaster(14, budget=QUICK).fit(sales(), **ASKED)
    known = {one: model.predict().filter(pl.col("store") == one) for one in "AB"}
    first = later.filter(pl.col("day") <= DAYS[-1] + timedelta(days=4))
    small = first.filter((pl.col("store") == "A") & (pl.col("item") == "tea"))
    small = small.with_columns(store=pl.lit("0"), sold=pl.col("sold") / 10)  # its name comes first of all
    run = Run()

    model.update(pl.concat([first.with_columns(pl.col("sold").cast(pl.Float64)), small]), run=run)

    table = mantic.load(model.save(tmp_path / "grown.mantic")).predict()
    new = table.filter(pl.col("store") == "0")
    like = table.filter((pl.col("store") == "A") & (pl.col("item") == "tea"))
    assert [one.code for one in run.warnings] == ["newcomers"]
    assert table["store"].unique().sort().to_list() == ["0", "A", "B"]
    assert 0.6 < new["mean"].mean() / (like["mean"].mean() / 10) < 1.6
    assert np.corrcoef(new["mean"], like["mean"])[0, 1] > 0.7  # it has its weekends, though it has not seen any
    width = table.group_by("store", "item").agg(((pl.col("q0.9") - pl.col("q0.1")) / pl.col("mean").mean()).mean())
    own, of_kin = (width.filter((pl.col("store") == "0") == is_own)["q0.9"] for is_own in (True, False))
    assert own.item() > 1.3 * of_kin.median()
    assert known["A"]["day"].min() < like["day"].min()
    more = later.filter((pl.col("store") == "A") & (pl.col("item") == "tea") & (pl.col("day") > first["day"].max()))
    model.update(more.with_columns(store=pl.lit("0"), sold=pl.col("sold") / 10))
    grown = model.predict().filter(pl.col("store") == "0")
    assert (grown["q0.9"] - grown["q0.1"]).mean() / grown["mean"].mean() < own.item()


@pytest.mark.parametrize("by", ["day", "number", "month"])
def test_a_server_finds_a_row_to_warm_up_with_whatever_series_there_are(by):
    rows = sales().filter((pl.col("store") == "A") == (pl.col("item") == "tea"))  # two of four pairs
    rows = rows.filter((pl.col("store") == "A") | (pl.col("day") < date(2023, 5, 1)))
    if by == "number":
        rows = rows.with_columns(day=10 * (pl.col("day") - DAYS[0]).dt.total_days())
    if by == "month":
        rows = rows.with_columns(pl.col("day").dt.offset_by("-3y").dt.month_start()).unique(["day", "store", "item"])
    model = mantic.Forecaster(3, budget="0.5s").fit(rows, **ASKED)

    shelf = Shelf({"sales": model})
    shelf.warm()

    assert shelf.place("sales").live.about()["task"] == "forecast"


def test_a_saved_model_answers_as_before(model, tmp_path):
    again = mantic.load(model.save(tmp_path / "sales.mantic"))

    assert again.predict().equals(model.predict())
    assert again.report_ == model.report_
    assert again.get_params() == model.get_params() | {"levels": list(model.levels)}
    assert again.schema_ == model.schema_
    assert again.explain(again.predict().head(3)).to_facts() == model.explain(model.predict().head(3)).to_facts()


def test_a_model_that_was_saved_twice_is_the_same_file(model, tmp_path):
    first, second = (model.save(tmp_path / name).read_bytes() for name in ("a.mantic", "b.mantic"))

    assert first == second


def test_a_file_whose_parts_do_not_fit_is_refused(model, tmp_path, monkeypatch):
    told = model.told_
    broken = mantic.Forecaster(14)
    broken.__dict__ |= model.__dict__
    monkeypatch.setattr(broken, "told_", type(told)(**told.__dict__ | {"forecast": told.forecast[:2]}))

    with pytest.raises(ArtifactError, match="do not fit together") as caught:
        mantic.load(broken.save(tmp_path / "broken.mantic"))

    assert caught.value.fix == "fit the model again with this version of mantic"


def test_the_same_seed_gives_the_same_forecast_and_another_library_too():
    frame = sales()
    as_pandas = pd.DataFrame({name: frame[name].to_list() for name in frame.columns})

    fitted = (mantic.Forecaster(7, budget="2 trials", seed=3).fit(one, **ASKED) for one in (frame, as_pandas))
    first, again = (one.predict() for one in fitted)

    assert isinstance(again, pd.DataFrame)
    assert again["mean"].tolist() == first["mean"].to_list()


def test_a_budget_in_trials_tries_so_many_methods_and_repeats_to_the_byte(tmp_path):
    first, again = (mantic.Forecaster(7, budget="2 trials").fit(sales(), **ASKED) for _ in range(2))

    tried = [one["name"] for one in first.report_.facts["learners"] if one["foretold"]]
    assert 1 <= len(tried) <= 2
    assert tried == sorted(tried, key=ORDER.index)
    assert first.predict().equals(again.predict())


def test_evaluation_says_how_it_did(model, later):
    facts = model.evaluate(later).facts

    assert facts["n_test"] == 4 * 14
    assert facts["metrics"]["owa"] < 1
    assert 0.85 <= facts["coverage"][-1]["share"] <= 1


def test_evaluation_leaves_out_what_was_not_forecast_and_says_so(model, later):
    strange = later.with_columns(store=pl.lit("Z"))

    facts = model.evaluate(pl.concat([later, strange])).facts

    assert facts["warnings"][0]["code"] == "left_out"
    assert facts["n_test"] == 4 * 14


def test_evaluation_without_any_truth_is_an_error(model, later):
    with pytest.raises(SchemaError, match="no row has the truth"):
        model.evaluate(later.with_columns(store=pl.lit("Z")))


def test_rows_that_do_not_fit_are_refused_as_fit_does_and_nothing_changes(model, later):
    before = model.predict()
    spoilt = later.with_columns(pl.col("sold").cast(pl.String)).with_columns(
        sold=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("n/a")).otherwise("sold")
    )

    for verb in (model.update, model.evaluate):
        with pytest.raises(SchemaError, match="column 'sold' holds texts that are no numbers, like 'n/a'"):
            verb(spoilt)
    with pytest.raises(SchemaError, match="column 'sold' is missing; column 'item' is missing"):
        model.update(later.drop("sold", "item"))

    assert model.predict().equals(before)


def test_an_update_goes_on_from_the_new_end_with_the_same_weights(later):
    model = mantic.Forecaster(14, budget=QUICK).fit(sales(), **ASKED)
    weights, n_errors = model.told_.mixture.weights, model.told_.spread.n_errors

    model.update(later.filter(pl.col("day") <= DAYS[-1] + timedelta(days=7)))

    table = model.predict()
    assert table["day"].min() == DAYS[-1] + timedelta(days=8)
    np.testing.assert_array_equal(model.told_.mixture.weights, weights)
    assert model.told_.spread.n_errors == n_errors + 4 * 7


def test_an_update_of_one_series_leaves_the_others_where_they_are(later):
    model = mantic.Forecaster(14, budget=QUICK).fit(sales(), **ASKED)

    model.update(later.filter(pl.col("store") == "A"))

    firsts = model.predict().group_by("store").agg(pl.col("day").min()).sort("store")["day"].to_list()
    assert firsts == [DAYS[-1] + timedelta(days=15), DAYS[-1] + timedelta(days=1)]


@pytest.mark.parametrize("seconds", [0.2, 1.0])
def test_the_deadline_is_kept_and_there_is_always_a_forecast(seconds):
    started = time.monotonic()

    model = mantic.Forecaster(14, budget=seconds).fit(sales(), **ASKED)

    assert time.monotonic() - started <= seconds + 2
    assert np.isfinite(model.predict()["mean"].to_numpy()).all()
    assert model.report_.facts["metrics"]["owa"] <= 1


def test_ctrl_c_keeps_the_best_so_far():
    def impatient(event):
        if isinstance(event, Progress):
            raise KeyboardInterrupt

    model = mantic.Forecaster(7, budget="4 trials").fit(sales(), **ASKED, run=Run(listeners=[impatient]))

    assert "interrupted" in [one["code"] for one in model.report_.facts["warnings"]]
    assert np.isfinite(model.predict()["mean"].to_numpy()).all()


def test_a_deadline_that_has_passed_gives_the_naive_family():
    run = Run(deadline=Deadline.after(0))

    facts = mantic.Forecaster(14).fit(sales(), **ASKED, run=run).report_.facts

    outcomes = {one["name"]: one["outcome"] for one in facts["learners"]}
    assert outcomes["seasonal_naive"] == "used"
    assert outcomes["boosting"] == "no time"


def _with(frame: pl.DataFrame, is_hit: pl.Expr, value: object) -> pl.DataFrame:
    return frame.with_columns(sold=pl.when(is_hit).then(value).otherwise("sold"))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda frame: frame.sample(fraction=0.8, seed=0), "missing_rows"),
        (lambda frame: pl.concat([frame, frame.head(30)]), "duplicates"),
        (lambda frame: _with(frame, pl.int_range(pl.len()) == 99, 9e6), "outliers"),
        (lambda frame: _with(frame, pl.int_range(pl.len()) % 9 == 0, None), "missing_values"),
    ],
)
def test_damaged_rows_are_repaired_listed_and_forecast(damage, code):
    model = mantic.Forecaster(7, budget="1s").fit(damage(sales()), **ASKED)

    assert code in [one["code"] for one in model.report_.facts["repairs"]]
    assert np.isfinite(model.predict().select("mean", "q0.025", "q0.975").to_numpy()).all()


@pytest.mark.parametrize(
    "values", [[5.0], [0.0] * 30, [1.0, 2.0], [3.0] * 40, [0.0] * 20 + [7.0], [1e90] * 9 + [-1e90], list(range(8))],
    ids=["one point", "all zero", "two points", "constant", "one sale", "huge", "a line"],
)  # fmt: skip
def test_the_oddest_series_have_a_finite_forecast(values):
    frame = pl.DataFrame({"t": range(len(values)), "y": values})

    table = mantic.Forecaster(5, budget="1s").fit(frame, time="t", target="y").predict()

    assert table["t"].to_list() == list(range(len(values), len(values) + 5))
    assert np.isfinite(table.select("mean", "median", "q0.025", "q0.975").to_numpy()).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"horizon": 0},
        {"levels": []},
        {"levels": [100]},
        {"budget": "soon"},
        {"freq": "often"},
        {"season": 0},
    ],
)
def test_settings_that_make_no_sense_are_named_with_a_way_out(settings):
    with pytest.raises(SettingsError) as caught:
        mantic.Forecaster(**settings).fit(sales(), **ASKED)

    assert caught.value.fix


def test_a_column_called_like_an_answer_is_refused():
    with pytest.raises(SchemaError, match="mean"):
        mantic.Forecaster(7, budget="1s").fit(
            sales().rename({"store": "mean"}), time="day", target="sold", series="mean"
        )


def test_asking_a_forecaster_that_is_not_fitted_says_so():
    with pytest.raises(NotFittedError, match="not fitted"):
        mantic.Forecaster().predict()


def test_parameters_are_read_set_and_cloned():
    model = mantic.Forecaster(7, levels=(90,), season=24)

    assert clone(model).get_params() == model.get_params()
    assert clone(model).set_params(horizon=9).horizon == 9


def test_the_report_has_the_figures_and_the_pictures(model):
    titles = [block.title for block in model.report_.blocks if hasattr(block, "title")]

    assert {
        "All scores",
        "Whether intervals hold",
        "The middle and the worst series",
        "What the forecast is made of",
    } <= set(titles)
    assert [one["level"] for one in model.report_.facts["coverage"]] == [0.5, 0.8, 0.95]


def test_what_was_tried_is_in_the_ledger_with_its_cost(model):
    ledger = {one["name"]: one for one in model.report_.facts["learners"]}

    assert ledger["quick_theta"]["outcome"] == "used"
    assert ledger["cycle_naive"]["outcome"] == "not suited"
    assert ledger["seasonal_naive"]["loss"] == pytest.approx(1.0)


def promoted(days: pl.Series) -> pl.DataFrame:
    """Return sales that double on days with a promotion, which come by chance."""
    chance = np.random.default_rng(0)
    promo = (chance.random(len(days)) < 0.25).astype(int)
    sold = 50 * (1 + promo) + chance.normal(0, 2, len(days))
    return pl.DataFrame({"day": days, "sold": sold, "promo": promo})


def test_what_is_known_beforehand_moves_the_forecast(tmp_path):
    days = pl.date_range(date(2022, 1, 1), date(2023, 12, 31), eager=True)
    rows = promoted(days)
    model = mantic.Forecaster(10, budget="1 trial").fit(rows[:-10], time="day", target="sold", known="promo")

    told = model.predict(rows[-10:].drop("sold"))

    promo = rows[-10:]["promo"].to_numpy() == 1
    assert promo.any()
    assert told["mean"].to_numpy()[promo].mean() > 1.5 * told["mean"].to_numpy()[~promo].mean()
    again = mantic.load(model.save(tmp_path / "promo.mantic"))
    assert again.predict(rows[-10:].drop("sold")).equals(told)
    assert model.schema_.names == ("day", "promo")
    with pytest.raises(SchemaError, match="column 'promo' is missing"):
        model.update(rows[-10:].drop("promo"))


def test_a_column_cannot_have_two_roles():
    with pytest.raises(SchemaError, match="two roles"):
        mantic.Forecaster(7).fit(sales(), time="day", target="sold", series="sold")
