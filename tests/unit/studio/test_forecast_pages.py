"""A question about what is to come, and the page of a forecast."""

import re
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

CASES = pl.DataFrame(
    {
        "week": [date(2024, 1, 6) + timedelta(weeks=step) for step in range(30) for _ in range(2)],
        "place": ["North"] * 60,
        "told": [date(2024, 1, 6) + timedelta(weeks=step + later) for step in range(30) for later in range(2)],
        "cases": [40 + 3 * step + 9 * later for step in range(30) for later in range(2)],
        "price": [1.5 + 0.1 * (step % 3) for step in range(30) for _ in range(2)],
        "a,b": ["x"] * 60,
    }
)


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
    return brought(studio, client, sales(), "sales.csv")


@pytest.fixture
def cases(studio: Studio, client: TestClient) -> Draft:
    return brought(studio, client, CASES, "cases.csv")


def brought(studio: Studio, client: TestClient, frame: pl.DataFrame, name: str) -> Draft:
    content = frame.write_csv().encode()
    reply = client.post("/new", content=content, headers={"X-File-Name": name, "HX-Request": "true"})
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


def test_sums_are_asked_for_over_what_tells_series_apart(client, draft):
    ask(client, draft, target="sold")
    ask(client, draft, target="sold", task="forecast", time="day")

    alone = ask(client, draft, target="sold", task="forecast", time="day", hierarchy="store")
    whole = ask(client, draft, target="sold", task="forecast", time="day", series="store", hierarchy="store")

    assert "--hierarchy" not in alone
    assert "for each of 2 series by store, and for their sums over store; judged" in whole
    assert "--series store --horizon 28 --hierarchy store --out" in whole


def test_what_is_known_beforehand_is_a_number_that_plays_no_other_part(client, cases):
    form = {"target": "cases", "task": "forecast", "time": "week", "series": "place"}
    ask(client, cases, target="cases")

    first = ask(client, cases, **form)
    whole = ask(client, cases, **form, known=["price", "place", "cases", "a,b"])

    assert 'name="known" value="price"' in first
    assert 'value="a,b" id="s' not in first  # the command line would part it
    assert "with price known beforehand" in whole
    assert "--known price --out" in whole


def test_values_that_are_revised_are_asked_for_with_a_value_to_watch(client, cases):
    form = {"target": "cases", "task": "forecast", "time": "week", "series": "place", "horizon": "4"}
    ask(client, cases, target="cases")

    revised = ask(client, cases, **form)
    ask(client, cases, **form, as_of="told")
    whole = ask(client, cases, **form, as_of="told", capacity="80,5")

    assert "30 rows name a moment that its series has had already" in revised
    assert "from what was known by told" in whole
    assert "had already" not in whole
    assert "--horizon 4 --as-of told --capacity 80.5 --out" in whole
    for text in ("many", "-1", "nan", "1e99"):
        reply = client.post(f"/drafts/{cases.id}/question", data={**form, "as_of": "told", "capacity": text})
        assert "the value to watch is a number" in reply.text, text
    assert "--capacity" not in ask(client, cases, **{**form, "task": "regress"}, capacity="80")


def test_holidays_of_a_place_are_asked_for_where_the_time_is_of_days(client, draft):
    form = {"target": "sold", "task": "forecast", "time": "day", "series": "store", "horizon": "7"}
    ask(client, draft, target="sold")
    ask(client, draft, target="sold", task="forecast")

    whole = ask(client, draft, **form, country="de-by")
    unknown = client.post(f"/drafts/{draft.id}/question", data={**form, "country": "Bavaria"})

    assert "reckoning with the holidays of DE-BY if that is better" in whole
    assert "--country DE-BY --out" in whole
    assert "is no country whose holidays are known" in unknown.text


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"hierarchy": "place", "known": "price"}, "nothing says what price is of a sum"),
        ({"hierarchy": "place", "as_of": "told"}, "sums are not formed where values are revised"),
        ({"known": "price", "as_of": "told"}, "not used where values are revised"),
        ({"country": "DE", "as_of": "told"}, "holidays are not reckoned with where values are revised"),
    ],
)
def test_choices_that_exclude_each_other_are_said_before_the_training(client, cases, choices, said):
    ask(client, cases, target="cases")

    part = ask(client, cases, target="cases", task="forecast", time="week", series="place", **choices)

    assert said in part
    assert 'id="train"' not in part


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


@pytest.fixture
def many(studio: Studio) -> str:
    days = [date(2024, 1, 1) + timedelta(days=step) for step in range(40)]
    chance = np.random.default_rng(1)
    names = [(f"store {store}", f"item {item:02}") for store in range(4) for item in range(25)]
    rows = [
        pl.DataFrame({"day": days, "store": store, "item": item, "sold": chance.poisson(20, 40).astype(float)})
        for store, item in names
    ]
    model = Forecaster(3, budget="1 trial").fit(pl.concat(rows), time="day", target="sold", series=["store", "item"])
    studio.store.models.register(model, "items")
    return "/models/items/1/forecast"


def test_one_of_a_hundred_series_is_found_by_a_part_of_its_name(client, many):
    first = client.get(many).text
    one = client.get(many, params={"series": "3 / ITEM 07"}).text
    several = client.get(many, params={"series": "item 07"}).text
    all_ = client.get(many, params={"series": "store"}).text

    assert "One of 100 series; a part of its name finds it." in first
    assert "store 3 / item 07: the forecast ends at" in one
    assert "4 series have 'item 07' in the name" in several
    assert several.count('class="card"') == 4
    assert "These are the first 50: write more of the name." in all_


def test_series_follow_each_other(client, many):
    first = client.get(many).text

    ways = re.findall(r'class="button" href="[^"]+series=([^"]+)">(Previous|Next)<', first)

    assert ways == [("store%203%20%2F%20item%2024", "Previous"), ("store%200%20%2F%20item%2001", "Next")]


def test_the_page_says_which_moments_are_ahead_and_the_picture_names_them(client, address):
    page = client.get(f"{address}/forecast?series=A").text

    assert "7 steps ahead: 2024-04-30 to 2024-05-06." in page
    assert "2024-05-06" in page[page.index('class="m-spec"') :].partition("</script>")[0]


def test_a_value_to_watch_has_its_probability_in_the_figures(studio, client):
    model = Forecaster(3, budget="1 trial", capacity=120).fit(
        CASES, time="week", target="cases", series="place", as_of="told"
    )
    studio.store.models.register(model, "cases")

    page = client.get("/models/cases/1/forecast").text

    assert "over 120" in page
    assert "how likely more than that is" in page


def test_a_forecast_has_a_watch_that_says_how_it_is_judged(client, address):
    page = client.get("/models/sales/watch")
    look = client.get("/models/sales/watch/look?since=7d")

    assert page.status_code == 200
    assert "No row was answered from" in page.text
    assert "mantic evaluate sales LATER.csv" in page.text
    assert look.status_code == 400
    assert "a forecast is not watched row by row" in look.text


def test_all_series_are_one_file_without_formulas(client, address, enter):
    reply = enter(Role.VIEWER).get(f"{address}/forecast.csv")

    table = pl.read_csv(reply.content)
    assert table.height == 14
    assert set(table["store"]) == {"A", "'=B"}
    assert table.columns[:4] == ["store", "day", "mean", "median"]
