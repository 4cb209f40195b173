"""What a model has answered lately, its alerts, and outcomes that somebody brings."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from mantic.store.predictions import Prediction
from mantic.studio.role import Role
from mantic.studio.studio import Studio
from mantic.tasks.classify import Classifier

WATCH = "/models/shop/watch"
Answer = Callable[..., list[str]]


def world(n_rows: int, seed: int, *, age: float = 40.0, name: str = "age") -> pl.DataFrame:
    """Return rows of one world: older people leave more often."""
    chance = np.random.default_rng(seed)
    ages = chance.normal(age, 10, n_rows)
    left = chance.random(n_rows) < 1 / (1 + np.exp(-(ages - 40) / 5))
    return pl.DataFrame({name: ages, "plan": chance.choice(["a", "b"], n_rows), "left": np.where(left, "yes", "no")})


def said(labels: list[str], guess: list[float]) -> dict[str, object]:
    """Return an answer as a server keeps it."""
    return {"prediction": labels[int(np.argmax(guess))], "probability": dict(zip(labels, guess, strict=True))}


@pytest.fixture(scope="module")
def model() -> Classifier:
    return Classifier(budget="1 trial", learners=["linear"]).fit(world(800, 1), "left")


@pytest.fixture
def answer(studio: Studio, model: Classifier) -> Answer:
    """Keep a model, and let it answer rows over the last days; return their ids."""
    studio.store.models.register(model, "shop")

    def keep(rows: pl.DataFrame) -> list[str]:
        labels = [str(one) for one in model.classes_]
        guess = model.predict_proba(rows.select(model.schema_.names)).tolist()
        now = datetime.now(UTC)
        parts = np.linspace(0, 0.99, rows.height)
        return studio.store.predictions.append(
            Prediction("shop", 1, row, said(labels, one), at=(now - timedelta(days=5 * (1 - part))).isoformat())
            for row, one, part in zip(rows.drop("left").to_dicts(), guess, parts, strict=True)
        )

    return keep


def test_the_page_comes_at_once_and_looks_after_that(client: TestClient, answer: Answer) -> None:
    answer(world(400, 2))

    first = client.get(WATCH).text
    part = client.get(f"{WATCH}/look?since=7d", headers={"HX-Request": "true"}).text
    again = client.get(WATCH).text

    assert 'hx-get="/models/shop/watch/look?since=7d"' in first
    assert "<noscript><meta" in first
    assert "<html" not in part
    assert "Healthy: 400 rows look like training." in part
    assert "Healthy: 400 rows look like training." in again
    assert "hx-trigger" not in again


def test_without_scripts_one_address_shows_it_all(client: TestClient, answer: Answer) -> None:
    answer(world(400, 2))

    page = client.get(f"{WATCH}?look=1").text

    assert "400 rows were answered" in page
    assert "outcomes became known: too few" in page
    assert "it cannot see a world that changed" in page
    assert page.count("<svg") >= 3
    assert page.count("<table") >= 3  # the columns, and the twins of charts
    assert "style=" not in page


def test_a_model_that_nobody_asks_has_no_empty_tables(studio: Studio, client: TestClient, model: Classifier) -> None:
    studio.store.models.register(model, "shop")

    page = client.get(f"{WATCH}?look=1").text

    assert "Nothing was asked yet." in page
    assert "No row was answered from" in page
    assert 'href="/models/shop/deploy"' in page
    assert "<svg" not in page.partition("<main")[2]
    assert "too few" not in page


def test_columns_stand_by_what_their_shift_does_with_both_pictures(client: TestClient, answer: Answer) -> None:
    answer(world(600, 2, age=47.0))

    page = client.get(f"{WATCH}?look=1").text
    column = client.get(f"{WATCH}/column?column=plan", headers={"HX-Request": "true"}).text
    whole = client.get(f"{WATCH}/column?column=plan").text

    assert page.index('<th scope="row">age</th>') < page.index('<th scope="row">plan</th>')
    assert "higher on average" in page
    assert "age, in training" in page
    assert "age, lately" in page
    assert "plan, in training" in column
    assert "plan, lately" in column
    assert "<html" not in column
    assert "plan, lately" in whole
    assert client.get(f"{WATCH}/column?column=nosuch").status_code == 404


def test_whether_an_alert_was_useful_is_kept_and_taken_back(studio: Studio, client: TestClient, answer: Answer) -> None:
    answer(world(600, 2, age=47.0))
    assert "Was it useful?" in client.get(f"{WATCH}?look=1").text
    (alert,) = studio.store.alerts.find("shop")
    where = f"{WATCH}/alerts/{alert.id}"

    said = client.post(f"{where}/answer", data={"useful": "yes"}, headers={"HX-Request": "true"}).text
    kept = studio.store.alerts.get(alert.id).facts["useful"]
    undone = client.post(f"{where}/answer", data={"useful": ""})

    assert "ada says it was useful" in said
    assert "Undo the answer" in said
    assert (kept["answer"], kept["by"]) == ("yes", "ada")
    assert (undone.status_code, undone.headers["location"]) == (303, f"{WATCH}?look=1#alerts")
    assert studio.store.alerts.get(alert.id).useful == ""
    assert client.post(f"{where}/answer", data={"useful": "perhaps"}).status_code >= 400


def test_an_alert_is_closed_and_opened_again(studio: Studio, client: TestClient, answer: Answer) -> None:
    answer(world(600, 2, age=47.0))
    client.get(f"{WATCH}?look=1")
    (alert,) = studio.store.alerts.find("shop")
    where = f"{WATCH}/alerts/{alert.id}"

    closed = client.post(f"{where}/close", headers={"HX-Request": "true"}, data={"useful": ""}).text
    page = client.get(f"{WATCH}?look=1").text
    client.post(f"{where}/reopen", data={"useful": ""})

    assert "Open it again" in closed
    assert "Open it again" in page
    assert studio.store.alerts.get(alert.id).closed is None
    assert client.post(f"/models/other/watch/alerts/{alert.id}/close", data={"useful": ""}).status_code >= 400


def test_outcomes_are_brought_as_a_table(studio: Studio, client: TestClient, answer: Answer) -> None:
    rows = world(300, 2)
    truth = pl.DataFrame({"id": answer(rows), "left": rows["left"]}).write_csv().encode()

    reply = client.post(f"{WATCH}/outcomes", data={"id": "id", "value": "left"}, files={"file": ("may.csv", truth)})
    page = client.get(f"{reply.headers['location']}&look=1").text

    assert reply.status_code == 303
    assert "300 outcomes kept." in page
    assert "on 300 outcomes; promised was" in page
    assert studio.store.outcomes.judged("shop")[0].by == "ada"


def test_a_file_of_outcomes_is_read_under_limits(studio: Studio, client: TestClient, answer: Answer) -> None:
    answer(world(100, 2))
    studio.readers.limits = {**studio.readers.limits, "memory_bytes": 1_000_000}

    reply = client.post(
        f"{WATCH}/outcomes", data={"id": "id", "value": "left"}, files={"file": ("may.json", b'[{"id":"a","left":1}]')}
    )

    assert reply.status_code == 422
    assert "of memory to be read" in reply.text
    assert studio.store.outcomes.of(["a"]) == {}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("may.csv", "nosuch", "no column &#39;nosuch&#39;"),
        ("may.csv", "", "not named"),
        ("may.exe", "left", "this is no table"),
        ("", "left", "no file was chosen"),
    ],
)
def test_outcomes_that_cannot_be_kept_say_why(
    studio: Studio, client: TestClient, answer: Answer, name: str, value: str, words: str
) -> None:
    answer(world(100, 2))
    files = {"file": (name, b"id,left\na,yes\n")}

    reply = client.post(f"{WATCH}/outcomes", data={"id": "id", "value": value}, files=files)

    assert reply.status_code == 422 or reply.status_code == 400
    assert words in reply.text
    assert studio.store.outcomes.judged("shop") == []


def test_a_model_that_nobody_asked_says_so(client: TestClient, answer: Answer) -> None:
    assert "Nothing was asked yet." in client.get(f"{WATCH}?look=1").text
    assert client.get("/models/nosuch/watch").status_code == 404
    assert client.get(f"{WATCH}?since=forever").status_code >= 400


def test_a_viewer_sees_and_does_not_answer(enter: Callable[[Role], TestClient], answer: Answer) -> None:
    answer(world(600, 2, age=47.0))
    viewer = enter(Role.VIEWER)

    page = viewer.get(f"{WATCH}?look=1").text

    assert "higher on average" in page
    assert "Was it useful?" not in page
    assert "Keep the outcomes" not in page
    assert viewer.post(f"{WATCH}/alerts/1/answer", data={"useful": "yes"}).status_code == 403
    assert viewer.post(f"{WATCH}/outcomes", files={"file": ("a.csv", b"id,left\n")}).status_code == 403


def test_home_says_how_each_model_does(client: TestClient, answer: Answer) -> None:
    answer(world(600, 2, age=47.0))
    before = client.get("/").text
    client.get(f"{WATCH}?look=1")

    assert "600 rows in 7 days; not looked at yet." in before
    assert "higher on average" in client.get("/").text
