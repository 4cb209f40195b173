"""What the Forecaster promises where rows stand only for what was sold: a day without a row is a day without a sale."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.search.series.foretold import Foretold

N_LEARNED, N_CALM, N_DAYS, HORIZON = 180, 200, 220, 28


def slips() -> pl.DataFrame:
    """Return a row for each day on which one of two stores sold something."""
    days = pl.date_range(date(2024, 1, 1), date(2024, 1, 1) + timedelta(days=N_DAYS - 1), eager=True)
    parts = []
    for seed, store in enumerate("AB"):
        sold = np.random.default_rng(seed).poisson(0.6, N_DAYS)
        sold[[0, N_LEARNED - 1, N_LEARNED, N_DAYS - 1]] = 1
        sold[N_CALM - 5 : N_CALM] = store == "A"
        parts.append(pl.DataFrame({"day": days, "store": store, "sold": sold}))
    return pl.concat(parts).filter(pl.col("sold") > 0)


def is_early(n_days: int = N_LEARNED) -> pl.Expr:
    return pl.col("day") < date(2024, 1, 1) + timedelta(days=n_days)


def fitted(**settings: object) -> mantic.Forecaster:
    model = mantic.Forecaster(HORIZON, budget="1 trial", **settings)
    return model.fit(slips().filter(is_early()), time="day", target="sold", series="store")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(fitted().save(tmp_path_factory.mktemp("slips") / "slips.mantic"))


def test_days_without_a_sale_stay_so_when_more_comes_also_by_and_by(saved):
    model = mantic.load(saved)

    model.update(slips().filter(~is_early() & is_early(N_CALM)))
    model.update(slips().filter(~is_early(N_CALM)))

    for place, store in enumerate("AB"):
        rows = slips().filter(pl.col("store") == store)
        own = model.told_.panel.one(place)
        assert len(own) == N_DAYS
        assert own.sum() == rows["sold"].sum()
        assert (own > 0).sum() == rows.height
    assert np.isfinite(model.told_.panel.truth).all()
    assert model.predict()["mean"].mean() == pytest.approx(slips()["sold"].sum() / N_DAYS / 2, rel=0.3)


def test_errors_are_learned_and_judged_on_days_without_a_sale_too(saved):
    model = mantic.load(saved)
    later = slips().filter(~is_early() & is_early(N_LEARNED + HORIZON))
    n_days = 2 * ((later["day"].max() - date(2024, 1, 1)).days - N_LEARNED + 1)
    n_errors = model.told_.spread.n_errors

    facts = model.evaluate(later).facts
    model.update(later)

    assert facts["n_test"] == n_days > later.height
    assert model.told_.spread.n_errors == n_errors + n_days


def test_a_row_without_a_value_is_unknown_all_the_same(saved):
    model = mantic.load(saved)
    later = slips().filter(~is_early())
    empty = pl.DataFrame({"day": [date(2024, 1, 1) + timedelta(days=N_LEARNED + 1)], "store": "A", "sold": [None]})
    later = later.join(empty, on=["day", "store"], how="anti")

    model.update(pl.concat([later, empty.cast(dict(later.schema))]))

    assert np.isnan(model.told_.panel.truth).sum() == 1


def test_what_nobody_bought_lately_was_not_bought_until_the_table_ends():
    early = slips().filter(is_early())
    calm = early.filter((pl.col("store") == "A") | is_early(N_LEARNED - 60))

    model = mantic.Forecaster(HORIZON, budget="1 trial").fit(calm, time="day", target="sold", series="store")

    panel, repairs = model.told_.panel, {one["code"]: one for one in model.report_.facts["repairs"]}
    assert panel.last[0] == panel.last[1]
    assert (panel.one(1)[-60:] == 0).all()
    assert np.isfinite(panel.truth).all()
    assert repairs["sold_to_the_end"]["n_rows"] >= 60
    assert repairs["discontinued"]["examples"] == ["B"]
    tomorrow = pl.DataFrame({"day": [date(2024, 1, 1) + timedelta(days=N_LEARNED)] * 2, "store": ["A", "B"]})
    assert model.predict(tomorrow)["mean"][1] < 0.3 * model.predict(tomorrow)["mean"][0]


def test_sums_of_what_was_sold_are_known_to_the_end():
    early = slips().filter(is_early())
    calm = early.filter((pl.col("store") == "A") | is_early(N_LEARNED - 4))

    model = mantic.Forecaster(HORIZON, budget="1 trial", hierarchy="store").fit(
        calm, time="day", target="sold", series="store"
    )

    panel = model.told_.panel
    assert panel.truth[: panel.bounds[1]].sum() == calm["sold"].sum()
    np.testing.assert_array_equal(panel.truth, panel.values)


def test_a_store_without_a_row_has_sold_nothing_when_others_have(saved):
    model = mantic.load(saved)
    later = slips().filter(~is_early() & is_early(N_CALM) & (pl.col("store") == "A"))
    n_days = (later["day"].max() - date(2024, 1, 1)).days - N_LEARNED + 1
    n_errors = model.told_.spread.n_errors

    model.update(later)

    assert model.told_.panel.last.tolist() == [model.told_.panel.last[0]] * 2
    assert (model.told_.panel.one(1)[-n_days:] == 0).all()
    assert model.told_.spread.n_errors == n_errors + 2 * n_days


def test_an_earlier_file_says_it_in_its_report(tmp_path, monkeypatch):
    model = fitted()
    model.told_ = replace(model.told_, panel=replace(model.told_.panel, is_sold_only=False))

    again = mantic.load(model.save(tmp_path / "earlier.mantic"))

    assert isinstance(again.told_, Foretold)
    assert again.told_.panel.is_sold_only
    assert not mantic.load(_measured(tmp_path)).told_.panel.is_sold_only


def test_sums_go_on_with_days_without_a_sale():
    model = fitted(hierarchy="store")

    model.update(slips().filter(~is_early() & is_early(N_CALM)))
    model.update(slips().filter(~is_early(N_CALM)))

    assert np.isfinite(model.told_.panel.truth).all()
    assert model.told_.panel.one(0).sum() == slips()["sold"].sum()


def _measured(folder):
    days = pl.date_range(date(2024, 1, 1), date(2024, 2, 1), eager=True)
    rows = pl.DataFrame({"day": days, "level": np.arange(len(days)) + 0.5})
    return mantic.Forecaster(3, budget="1 trial").fit(rows, time="day", target="level").save(folder / "level.mantic")
