"""What later rows are read by: how moments and series were written when the model was fitted."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core import artifact
from mantic.core.cast_row import caster
from mantic.core.errors import SchemaError

QUICK = "1 trials"
DAYS = pl.date_range(date(2024, 1, 1), date(2024, 4, 30), eager=True)
LATER = pl.date_range(date(2024, 5, 1), date(2024, 5, 12), eager=True)  # no day above 12
US, NUMBER = "%m/%d/%Y", "%Y%m%d"


def sales(days: pl.Series, form: str = "", sizes: tuple[object, ...] = ("A",)) -> pl.DataFrame:
    """Return sales of things of some sizes, on days that are written so."""
    day = days.dt.strftime(form) if form else days
    day = day.cast(pl.Int64) if form == NUMBER else day
    sold = np.random.default_rng(0).poisson(20, len(days))
    return pl.concat(pl.DataFrame({"day": day, "sold": sold}).with_columns(size=pl.lit(one)) for one in sizes)


def fitted(rows: pl.DataFrame) -> mantic.Forecaster:
    return mantic.Forecaster(14, budget=QUICK).fit(rows, time="day", target="sold", series="size")


def both(model: mantic.Forecaster, folder) -> tuple[mantic.Forecaster, mantic.Forecaster]:
    """Return a model, and the same from its file."""
    return model, mantic.load(model.save(folder / "one.mantic"))


@pytest.mark.parametrize("form", [US, NUMBER, "%d/%m/%Y", "%Y-%m-%d"])
def test_moments_are_read_as_the_fit_read_them_though_later_rows_alone_would_leave_it_open(form, tmp_path):
    for model in both(fitted(sales(DAYS, form)), tmp_path):
        for rows in (sales(LATER, form), sales(LATER[:1], form)):
            assert model.predict(rows)["day"].to_list() == LATER[: rows.height].to_list()
            assert model.predict(model.schema_.align(rows.to_dicts())).equals(model.predict(rows))
        assert model.evaluate(sales(LATER, form)).facts["n_test"] == len(LATER)
        assert model.update(sales(LATER, form)).predict()["day"].min() == LATER[-1] + timedelta(days=1)
        assert np.isfinite(model.told_.panel.truth).all()


def test_whole_numbers_that_are_dates_are_told_and_answered_as_dates():
    model, plain = fitted(sales(DAYS, NUMBER)), fitted(sales(DAYS))

    assert "dates_as_numbers" in [one["code"] for one in model.report_.facts["repairs"]]
    assert model.predict().equals(plain.predict())


@pytest.mark.parametrize("between", ["T", " "])
def test_moments_with_an_offset_are_those_of_the_clock_on_the_wall(between, tmp_path):
    def offset(days: pl.Series) -> pl.Series:
        return pl.Series([f"{day}{between}00:00:00+0{1 + (day > date(2024, 3, 31))}:00" for day in days])

    rows = sales(DAYS).with_columns(day=offset(DAYS))

    for model in both(fitted(rows), tmp_path):
        assert model.told_.panel.truth.tolist() == sales(DAYS)["sold"].to_list()
        later = sales(LATER).with_columns(day=offset(LATER))
        assert model.predict(later)["day"].to_list() == LATER.to_list()
        assert model.predict(model.schema_.align(later.to_dicts())).equals(model.predict(later))
        cast = caster(model.schema_["day"])
        assert {cast(one) for one in ("2024-05-01", "2024-05-01T00:00:00Z", later["day"][0])} == {1714521600000000}


def test_moments_of_another_zone_are_those_of_the_zone_that_was_seen(tmp_path):
    def zoned(days: pl.Series) -> pl.DataFrame:
        return sales(days).with_columns(day=days.cast(pl.Datetime("us")).dt.replace_time_zone("Europe/Berlin"))

    later = zoned(LATER)
    utc = later.with_columns(pl.col("day").dt.convert_time_zone("UTC"))
    texts = utc.with_columns(pl.col("day").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))

    for model in both(fitted(zoned(DAYS)), tmp_path):
        assert model.told_.panel.truth.tolist() == sales(DAYS)["sold"].to_list()
        cast = caster(model.schema_["day"])
        for rows in (later, utc, texts):
            assert model.predict(rows)["day"].to_list() == LATER.to_list()
            assert model.predict(model.schema_.align(rows.to_dicts())).equals(model.predict(rows))
            assert cast(rows["day"][0]) == 1714521600000000
            assert model.evaluate(rows).facts["n_test"] == len(LATER)
        assert model.update(texts).predict()["day"].min() == LATER[-1] + timedelta(days=1)


def test_moments_may_come_in_another_form_that_leaves_nothing_open():
    model = fitted(sales(DAYS, US))

    for form in ("", "%Y-%m-%d", "%d %B %Y"):
        assert model.predict(sales(LATER, form))["day"].to_list() == LATER.to_list()


def test_day_and_month_the_other_way_round_are_refused():
    model = fitted(sales(DAYS, US))

    with pytest.raises(SchemaError, match="day and month the other way round"):
        model.predict(sales(LATER + timedelta(days=2), "%d/%m/%Y"))


def test_days_of_telling_are_read_as_the_fit_read_them():
    def told(days: pl.Series) -> pl.DataFrame:
        return sales(days, US).select("day", "sold", told="day")

    model = mantic.Forecaster(14, budget=QUICK).fit(told(DAYS), time="day", target="sold", as_of="told")

    days = model.update(told(LATER)).told_.outbreak.vintages.days

    assert days.to_list() == [*DAYS, *LATER]


def test_whole_numbers_name_the_same_series_with_fractions_beside_them_and_without(tmp_path):
    for model in both(fitted(sales(DAYS, "", (1.0, 1.5, 2.0))), tmp_path):
        for size in (2.0, 2, "2.0"):
            found = model.predict(sales(LATER, "", (size,)))
            assert "basis" not in found.columns
            assert found["size"].unique().to_list() == ["2.0"]
        assert "basis" not in model.predict(model.schema_.align([{"day": "2024-05-01", "size": 2}])).columns
        assert model.update(sales(LATER, "", (2.0,))).told_.ids["size"].to_list() == ["1.0", "1.5", "2.0"]


def test_a_fraction_that_comes_later_makes_no_other_series_of_whole_numbers(tmp_path):
    for model in both(fitted(sales(DAYS, "", (1.0, 2.0))), tmp_path):
        found = model.predict(sales(LATER, "", (1.0, 2.5)))

        assert found.group_by("size", "basis", maintain_order=True).len().rows() == [
            ("1", "its own past", 12),
            ("2.5", "similar series", 12),
        ]


def test_an_earlier_file_does_not_say_how_things_are_written_and_answers_as_before(tmp_path, monkeypatch):
    write = artifact.write

    def earlier(path, *, manifest, **rest):
        new = ("time_form", "time_zone", "as_of_form", "as_of_zone", "fractional")
        roles = {name: value for name, value in manifest["roles"].items() if name not in new}
        return write(path, manifest=manifest | {"roles": roles}, **rest)

    monkeypatch.setattr(artifact, "write", earlier)
    _, model = both(fitted(sales(DAYS, US, (1.0, 1.5))), tmp_path)

    found = model.predict(sales(LATER, "", (1.0, 1.5)))

    assert model.roles_.time_written.form == ""
    assert found["size"].unique(maintain_order=True).to_list() == ["1.0", "1.5"]
    assert "basis" not in found.columns
