"""What the Forecaster promises of a country's holidays."""

import sys
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.errors import ArtifactError, MissingExtraError, SettingsError

ASKED = {"time": "day", "target": "sold", "series": "store"}
LAST, HORIZON = date(2023, 12, 10), 30
CLOSED = {(1, 1), (1, 6), (5, 1), (8, 15), (10, 3), (11, 1), (12, 25), (12, 26)}  # those of Bavaria that never move


def sales(last: date = LAST, *, effect: float = 0.9) -> pl.DataFrame:
    """Return three years of two stores that are all but closed on holidays."""
    days = [last - timedelta(days=one) for one in range(1000)][::-1]
    frames = []
    for number, store in enumerate("AB"):
        chance = np.random.default_rng(number)
        factor = np.array([1 - effect * ((day.month, day.day) in CLOSED) for day in days])
        weekend = np.array([day.weekday() >= 5 for day in days])
        sold = chance.poisson((40 + 25 * weekend) * (1 + number) * factor)
        frames.append(pl.DataFrame({"day": days, "store": store, "sold": sold}))
    return pl.concat(frames)


@pytest.fixture(scope="module")
def model() -> mantic.Forecaster:
    return mantic.Forecaster(HORIZON, budget="1 trial", country="de-by").fit(sales(), **ASKED)


def _at(table: pl.DataFrame, day: date) -> np.ndarray:
    return table.filter(pl.col("day") == day).sort("store")["mean"].to_numpy()


def test_a_holiday_is_forecast_as_it_was_and_the_days_around_as_ever(model):
    table = model.predict()

    plain = mantic.Forecaster(HORIZON, budget="1 trial").fit(sales(), **ASKED).predict()
    assert (_at(table, date(2023, 12, 25)) < [15, 30]).all()
    assert (_at(table, date(2024, 1, 6)) < [30, 60]).all()
    assert (_at(plain, date(2023, 12, 25)) > [30, 60]).all()
    assert (_at(table, date(2023, 12, 28)) > [30, 60]).all()


def test_the_report_says_which_holidays_and_whether_they_helped(model):
    facts = model.report_.facts["holidays"]

    assert facts["country"] == "DE-BY"
    assert facts["is_used"]
    assert facts["missed_with"] < 0.5 * facts["missed_without"]
    assert "are reckoned with" in facts["text"]
    christmas = next(one for one in facts["each"] if one["name"] == "Christmas Day")
    assert christmas["effect"] == pytest.approx(-0.9, abs=0.1)
    assert christmas["ahead"] == ["2023-12-25"]
    assert "holidays" in [one["code"] for one in model.report_.facts["repairs"]]
    assert "Holidays of DE-BY" in [block.title for block in model.report_.blocks if hasattr(block, "title")]


def test_seasonal_naive_stays_what_it_is(model):
    plain = mantic.Forecaster(HORIZON, budget="1 trial").fit(sales(), **ASKED)

    assert model.report_.facts["baseline"]["score"] == plain.report_.facts["baseline"]["score"]


def test_holidays_that_do_nothing_are_left_out_and_it_is_said():
    rows = sales(effect=0.0)

    fitted = [mantic.Forecaster(HORIZON, budget="1 trial", country=one).fit(rows, **ASKED) for one in ("DE-BY", None)]

    facts = fitted[0].report_.facts["holidays"]
    assert not facts["is_used"]
    assert "not reckoned with" in facts["text"]
    assert fitted[0].predict().equals(fitted[1].predict())


def test_a_saved_model_goes_on_with_the_same_holidays(model, tmp_path):
    later = sales(LAST + timedelta(days=20)).filter(pl.col("day") > LAST)

    again = mantic.load(model.save(tmp_path / "sales.mantic"))

    assert again.predict().equals(model.predict())
    assert again.get_params()["country"] == "de-by"
    again.update(later)
    table = again.predict()
    assert again.told_.panel.holidays.offsets == model.told_.panel.holidays.offsets
    assert table["day"].max() == LAST + timedelta(days=20 + HORIZON)
    assert (_at(table, date(2024, 1, 1)) < [30, 60]).all()
    assert (_at(table, date(2024, 1, 3)) > [30, 60]).all()


def test_answers_need_no_library_of_holidays_and_an_update_says_that_it_does(model, tmp_path, monkeypatch):
    path = model.save(tmp_path / "sales.mantic")
    monkeypatch.setitem(sys.modules, "holidays", None)

    again = mantic.load(path)

    assert again.predict().equals(model.predict())
    with pytest.raises(MissingExtraError, match="holidays"):
        again.update(sales(LAST + timedelta(days=3)).filter(pl.col("day") > LAST))


def test_a_file_whose_holidays_make_no_sense_is_refused(model, tmp_path, monkeypatch):
    held = type(model.told_.panel.holidays)
    monkeypatch.setattr(held, "to_facts", lambda one, real=held.to_facts: real(one) | {"offsets": [7]})

    with pytest.raises(ArtifactError, match="no sense"):
        mantic.load(model.save(tmp_path / "broken.mantic"))


def test_what_is_known_beforehand_goes_together_with_holidays(tmp_path):
    rows = sales(LAST + timedelta(days=HORIZON)).filter((pl.col("store") == "A") & (pl.col("day") > date(2021, 10, 1)))
    promo = np.random.default_rng(1).random(rows.height) < 0.3
    rows = rows.with_columns(promo=promo.astype(int), sold=pl.col("sold") * (1 + promo.astype(int)))
    past, ahead = rows.filter(pl.col("day") <= LAST), rows.filter(pl.col("day") > LAST).drop("sold")

    model = mantic.Forecaster(HORIZON, budget="1 trial", country="DE-BY").fit(past, **ASKED, known="promo")

    told = mantic.load(model.save(tmp_path / "promo.mantic")).predict(ahead).with_columns(promo=ahead["promo"])
    usual = told.filter(~pl.col("day").is_in([date(2023, 12, 25), date(2023, 12, 26)]))
    by_promo = dict(usual.group_by("promo").agg(pl.col("mean").mean()).iter_rows())
    assert by_promo[1] > 1.4 * by_promo[0]
    assert _at(told, date(2023, 12, 25)) < 40


def test_sums_have_holidays_too():
    model = mantic.Forecaster(HORIZON, budget="1 trial", country="DE-BY", hierarchy="all").fit(sales(), **ASKED)

    table = model.predict()

    total = table.filter((pl.col("level") == "total") & (pl.col("day") == date(2023, 12, 25)))["mean"].item()
    stores = _at(table.filter(pl.col("level") == "store"), date(2023, 12, 25))
    assert total == pytest.approx(stores.sum())
    assert total < 45


def test_a_longer_step_says_what_it_makes_of_a_country():
    days = pl.date_range(date(2012, 1, 1), date(2023, 12, 1), "3mo", eager=True)
    rows = pl.DataFrame({"day": days, "sold": np.arange(len(days)) % 4 + 10.0})

    facts = mantic.Forecaster(4, budget="1 trial", country="DE").fit(rows, time="day", target="sold").report_.facts

    assert not facts["holidays"]["is_used"]
    assert "steps of Q" in facts["holidays"]["text"]


@pytest.mark.parametrize(
    ("country", "what"),
    [("Germany", "no country"), ("DE-XY", "no region"), (49, "'49' is no country")],
)
def test_a_country_that_is_not_known_is_named_with_a_way_out(country, what):
    with pytest.raises(SettingsError, match=what) as caught:
        mantic.Forecaster(7, budget="1s", country=country).fit(sales(), **ASKED)

    assert caught.value.fix


def test_plain_numbers_and_revised_values_take_no_country():
    frame = pl.DataFrame({"t": range(40), "seen": range(40), "y": [float(one % 5) for one in range(40)]})
    model = mantic.Forecaster(5, budget="1s", country="DE")

    with pytest.raises(SettingsError, match="need dates"):
        model.fit(frame, time="t", target="y")
    with pytest.raises(SettingsError, match="values are revised"):
        model.fit(frame, time="t", target="y", as_of="seen")
