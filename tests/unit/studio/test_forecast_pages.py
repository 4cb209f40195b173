"""A question about what is to come, and the page of a forecast."""

import time
from datetime import date, timedelta
from html import unescape

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from mantic.studio.draft import READY, Draft
from mantic.studio.role import Role
from mantic.studio.studio import Studio
from mantic.tasks.forecast import Forecaster


def sales(n_days: int = 120) -> pl.DataFrame:
    chance = np.random.default_rng(0)
    days = [date(2024, 1, 1) + timedelta(days=step) for step in range(n_days)]
    parts = [
        pl.DataFrame({"day": days, "store": [name] * n_days, "sold": chance.poisson(level, n_days).astype(float)})
        for name, level in (("A", 30), ("=B", 60))
    ]
    return pl.concat(parts)


@pytest.fixture
def draft(studio: Studio, client: TestClient) -> Draft:
    content = sales().write_csv().encode()
    reply = client.post("/new", content=content, headers={"X-File-Name": "sales.csv", "HX-Request": "true"})
    found = reply.headers["HX-Redirect"].rpartition("/")[2]
    until = time.monotonic() + 60
    while studio.drafts.read(found).state != READY:
        assert time.monotonic() < until
        time.sleep(0.05)
    return studio.drafts.read(found)


def ask(client: TestClient, draft: Draft, **form: object) -> str:
    reply = client.post(f"/drafts/{draft.id}/question", data=form, headers={"HX-Request": "true"})
    assert reply.status_code == 200, reply.text
    return unescape(reply.text)


def test_a_forecast_is_asked_for_in_a_sentence_and_is_a_command(client, draft):
    ask(client, draft, target="sold")

    first = ask(client, draft, target="sold", task="forecast")
    whole = ask(client, draft, target="sold", task="forecast", time="day", series="store", horizon="14")

    assert "120 rows name a moment that its series has had already" in first
    assert "choose the columns that tell series apart" in first
    assert 'id="train"' not in first
    assert "Forecast sold, 14 steps ahead in the order of day, for each of 2 series by store" in whole
    command = "mantic fit sales.csv --target sold --budget 60s --task forecast --time day --series store --horizon 14"
    assert f"{command} --out sales.mantic --report report.html" in whole
    assert "Judged by what?" not in whole


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"target": "store", "time": "day"}, "texts that are no numbers"),
        ({"target": "sold", "time": "store"}, "holds neither dates, moments nor whole numbers"),
    ],
)
def test_what_cannot_be_forecast_says_why(client, draft, form, said):
    ask(client, draft, target=form["target"])
    ask(client, draft, target=form["target"], task="forecast", time="day")

    part = ask(client, draft, task="forecast", **form)

    assert said in part
    assert 'id="train"' not in part


def test_a_number_of_steps_is_one(client, draft):
    ask(client, draft, target="sold")

    for text in ("-3", "0", "1e9", "<b>"):
        form = {"target": "sold", "task": "forecast", "horizon": text}
        reply = client.post(f"/drafts/{draft.id}/question", data=form)
        assert reply.status_code >= 400, text
        assert "number of steps" in reply.text


@pytest.fixture
def address(studio: Studio, tmp_path) -> str:
    model = Forecaster(7, budget="1 trial").fit(sales(), time="day", target="sold", series="store")
    studio.store.models.register(model.save(tmp_path / "sales.mantic"), name="sales")
    return "/models/sales/1"


def test_try_it_shows_a_series_with_what_is_to_come(client, address):
    assert client.get(f"{address}/try").headers["location"] == f"{address}/forecast"

    first, second = client.get(f"{address}/forecast").text, client.get(f"{address}/forecast?series=A").text

    assert "2024-05-06" in first  # the last of seven days after 2024-04-29
    assert "<svg" in second
    assert "A: the forecast ends at" in second
    assert "=B: the forecast ends at" in unescape(first)
    assert "There is no series" in client.get(f"{address}/forecast?series=<b>").text


def test_all_series_are_one_file_without_formulas(client, address, enter):
    reply = enter(Role.VIEWER).get(f"{address}/forecast.csv")

    table = pl.read_csv(reply.content)
    assert table.height == 14
    assert set(table["store"]) == {"A", "'=B"}
    assert table.columns[:4] == ["store", "day", "mean", "median"]
