"""What the Forecaster promises where a column says what was known when."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

import mantic
from mantic.core.errors import SchemaError, SettingsError

ASKED = {"time": "week", "target": "cases", "series": "town", "as_of": "told"}
N_STEPS, HORIZON, FIRST = 90, 4, date(2022, 1, 1)
QUICK = "2 trials"


def told(n_days: int) -> pl.DataFrame:
    """Return yearly waves in four towns as they were told up to a day: seven tenths, nine a week later, then all."""
    rows = []
    for town in range(4):
        chance = np.random.default_rng(town)
        height = np.exp(3 * np.cos(2 * np.pi * (np.arange(N_STEPS + 10) / 52 - 0.3)))
        values = chance.poisson(4 * (1 + town) * height)
        for at, value in enumerate(values):
            for age, share in enumerate((0.7, 0.9, 1.0)):
                if at + age < n_days:
                    week = FIRST + timedelta(weeks=at)
                    rows.append((f"T{town}", week, week + timedelta(weeks=age), int(share * value)))
    return pl.DataFrame(rows, schema=["town", "week", "told", "cases"], orient="row")


def fitted(**given: object) -> mantic.Forecaster:
    return mantic.Forecaster(HORIZON, budget=QUICK, levels=(50, 95), **given).fit(told(N_STEPS), **ASKED)


@pytest.fixture(scope="module")
def model() -> mantic.Forecaster:
    return fitted(capacity=100)


def test_it_answers_for_each_series_and_step_after_the_latest_with_rising_whole_quantiles(model):
    table = model.predict()

    names = ["mean", "median", "q0.025", "q0.25", "q0.75", "q0.975"]
    assert table.columns == ["town", "week", *names, "over_capacity"]
    assert table.height == 4 * HORIZON
    assert table["week"].min() == FIRST + timedelta(weeks=N_STEPS)
    rising = table.select("q0.025", "q0.25", "median", "q0.75", "q0.975").to_numpy()
    assert (np.diff(rising, axis=1) >= 0).all()
    assert (rising >= 0).all()
    assert (rising % 1 == 0).all()
    assert table["over_capacity"].is_between(0, 1).all()


def test_the_alarm_agrees_with_the_quantiles(model):
    table = model.predict()

    sure = table.filter(pl.col("q0.25") > 100)["over_capacity"]
    unlikely = table.filter(pl.col("q0.75") < 100)["over_capacity"]
    assert (sure >= 0.74).all()
    assert (unlikely <= 0.26).all()
    assert len(sure) + len(unlikely) > 0


def test_the_report_tells_how_values_are_revised_and_what_the_nowcast_brings(model):
    facts = model.report_.facts["outbreak"]

    assert facts["revision"]["becomes"][0] == pytest.approx(1 / 0.7, rel=0.1)
    assert facts["revision"]["becomes"][1] == pytest.approx(1 / 0.9, rel=0.1)
    assert facts["revision"]["error_nowcast"] < 0.5 * facts["revision"]["error_told"]
    assert np.shape(facts["alarm"]["probability"]) == (4, HORIZON)
    assert {"Alarm", "How values are revised"} <= {getattr(block, "title", "") for block in model.report_.blocks}


def test_futures_of_one_town_are_those_that_it_has_among_all(model):
    rows = model.predict().filter(pl.col("town") == "T2").select("town", "week")

    found, whole = model.sample(200, rows), model.sample(200)

    assert found.equals(whole.filter(pl.col("town") == "T2"))
    middle = found.group_by("week", maintain_order=True).agg(pl.col("value").median())["value"]
    table = model.predict(rows)
    assert middle.is_between(table["q0.25"], table["q0.75"]).all()


def test_a_loaded_model_answers_as_before(model, tmp_path):
    path = model.save(tmp_path / "cases.mantic")

    again = mantic.load(path)

    assert again.predict().equals(model.predict())
    assert again.roles_ == model.roles_


def test_a_server_answers_as_the_model_does(model):
    table = model.predict().head(3)
    rows = [{"town": town, "week": str(week)} for town, week in table.select("town", "week").rows()]

    with TestClient(model.asgi(name="cases")) as client:
        answer = client.post("/v1/models/cases/predict", json={"rows": rows})

    assert answer.status_code == 200, answer.text
    found = answer.json()["predictions"]
    assert [one["prediction"] for one in found] == table["mean"].to_list()
    assert [one["over_capacity"] for one in found] == table["over_capacity"].to_list()
    assert [one["quantiles"]["0.975"] for one in found] == table["q0.975"].to_list()


def test_new_rows_move_the_forecast_on_and_may_revise_the_past(model, tmp_path):
    again = mantic.load(model.save(tmp_path / "cases.mantic"))
    day = FIRST + timedelta(weeks=N_STEPS)

    again.update(told(N_STEPS + 1).filter(pl.col("told") == day))

    at_once = mantic.Forecaster(HORIZON, budget=QUICK, levels=(50, 95), capacity=100).fit(told(N_STEPS + 1), **ASKED)
    assert again.predict().equals(at_once.predict())


@pytest.mark.parametrize("by", [ASKED, {**ASKED, "series": ()}])
def test_a_moment_between_steps_is_revised_as_others_are_and_several_in_a_step_are_refused(by):
    late, day = FIRST + timedelta(weeks=N_STEPS - 1), FIRST + timedelta(weeks=N_STEPS)
    rows = told(N_STEPS + 1) if by["series"] else told(N_STEPS + 1).filter(pl.col("town") == "T3").drop("town")
    rows = rows.with_columns(week=pl.when(pl.col("week") == late).then(late + timedelta(days=1)).otherwise("week"))
    new = pl.col("told") == day
    model = mantic.Forecaster(HORIZON, budget=QUICK).fit(rows.filter(~new), **by)

    with pytest.raises(SchemaError, match="several moments"):
        model.update(pl.concat([rows.filter(new), rows.filter(new).with_columns(pl.col("week") + timedelta(days=1))]))
    model.update(rows.filter(new))

    assert model.predict().equals(mantic.Forecaster(HORIZON, budget=QUICK).fit(rows, **by).predict())


def test_new_rows_with_texts_for_numbers_are_refused(model):
    rows = told(N_STEPS + 1).tail(4).with_columns(cases=pl.lit("n/a"))

    with pytest.raises(SchemaError, match="column 'cases' holds texts that are no numbers, like 'n/a'"):
        model.update(rows)


def test_it_is_judged_by_what_was_told_last(model):
    later = told(N_STEPS + 10)

    facts = model.evaluate(later).facts

    final = (
        later.filter(pl.col("week") >= FIRST + timedelta(weeks=N_STEPS)).sort("told").group_by("town", "week").last()
    )
    joined = model.predict().join(final, on=["town", "week"])
    inside = (joined["cases"] >= joined["q0.025"]) & (joined["cases"] <= joined["q0.975"])
    assert facts["n_test"] == 4 * HORIZON
    assert facts["coverage"][-1]["share"] == pytest.approx(inside.mean())


def test_the_same_seed_gives_the_same_answers(model):
    assert fitted(capacity=100).predict().equals(model.predict())


def test_explain_names_the_voices(model):
    found = model.explain(model.predict().head(1)).to_facts()["rows"][0]

    assert sum(one["weight"] for one in found["methods"]) == pytest.approx(1)
    assert {one["method"] for one in found["methods"]} <= {"renewal", "pooled"}


@pytest.mark.parametrize("n_days", [4, 6, 12, 24, 30])
def test_a_short_past_still_gives_finite_answers(n_days):
    model = mantic.Forecaster(2, budget="4 trials", levels=(80,)).fit(told(n_days), **ASKED)

    assert np.isfinite(model.predict().select("mean", "median", "q0.1", "q0.9").to_numpy()).all()


def test_a_series_that_has_only_begun_and_one_that_reports_late_are_foretold_too():
    rows = told(N_STEPS)
    last = FIRST + timedelta(weeks=N_STEPS - 1)
    new = pl.DataFrame(
        {"town": ["new"] * 2, "week": [last - timedelta(weeks=1), last], "told": [last] * 2, "cases": [40, 50]}
    )
    late = rows.filter((pl.col("town") != "T1") | (pl.col("told") < last))

    model = mantic.Forecaster(HORIZON, budget="3 trials").fit(pl.concat([late, new]), **ASKED)

    table = model.predict()
    assert (table.filter(pl.col("town") == "new")["median"] > 10).all()
    assert table.filter(pl.col("town") == "T1")["week"].min() == last + timedelta(weeks=1)
    assert {one["code"] for one in model.report_.facts["repairs"]} == {"reports_late"}


def test_values_without_revisions_and_one_series_without_a_name_are_fine():
    rows = told(N_STEPS).filter(pl.col("town") == "T3").drop("town").unique("week", keep="last", maintain_order=True)

    model = mantic.Forecaster(2, budget=QUICK).fit(rows, time="week", target="cases", as_of="told")

    assert model.predict().height == 2


def test_what_makes_no_sense_is_refused():
    with pytest.raises(SettingsError, match="capacity"):
        mantic.Forecaster(2, budget=QUICK, capacity=-1).fit(told(30), **ASKED)
    with pytest.raises(SettingsError, match="capacity"):
        mantic.Forecaster(2, budget=QUICK, capacity=5).fit(told(30), time="week", target="cases", series="town")
    with pytest.raises(SettingsError, match="known beforehand"):
        mantic.Forecaster(2, budget=QUICK).fit(told(30), **ASKED, known="cases2")
    with pytest.raises(SchemaError, match="two roles"):
        mantic.Forecaster(2, budget=QUICK).fit(told(30), **{**ASKED, "as_of": "week"})
