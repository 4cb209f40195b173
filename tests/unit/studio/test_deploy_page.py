"""A model is deployed in the page, programs ask it at /v1, and whatever was done is taken back."""

import json
import re
import shutil
import time
from collections.abc import Callable
from types import SimpleNamespace

import polars as pl
import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from mantic.core.settings import Settings
from mantic.store.predictions import Prediction
from mantic.studio.app import make_studio
from mantic.studio.role import Role
from mantic.studio.studio import Studio, open_studio
from mantic.studio.view import _environment
from mantic.tasks.classify import Classifier

DEPLOY = "/models/churn/deploy"
PREDICT = "/v1/models/churn/predict"
SECONDS = 120.0


@pytest.fixture(scope="module")
def models(churn_like: pl.DataFrame) -> list[Classifier]:
    rows = churn_like.drop("customer", "note")
    return [
        Classifier(budget="1 trial", learners=[learner], seed=0).fit(rows, "churned") for learner in ("linear", "tree")
    ]


@pytest.fixture
def kept(studio: Studio, models: list[Classifier]) -> Studio:
    """Return a Studio with churn/1 (the champion) and churn/2."""
    for model in models:
        studio.store.models.register(model, "churn")
    return studio


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def new_key(client: TestClient) -> str:
    place = client.post(f"{DEPLOY}/key", data={"name": "web shop"}).headers["location"]
    found = re.search(r'id="secret" value="([^"]+)"', client.get(place).text)
    assert found is not None
    return found.group(1)


def ask(client: TestClient, key: str, model: str = "churn", verb: str = "predict") -> "object":
    body = json.dumps({"rows": [dict.fromkeys(("tenure", "charges", "plan", "city", "paperless", "joined"))]})
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return client.post(f"/v1/models/{model}/{verb}", content=body, headers=headers)


def wait(studio: Studio, name: str = "churn") -> None:
    until(lambda: studio.deployed.is_there(studio.store.deployments.get(name)))


def press(client: TestClient, verb: str, **fields: object) -> str:
    """Send a form; return the page that follows."""
    reply = client.post(f"{DEPLOY}{verb}", data={name: str(value) for name, value in fields.items()} or {"x": "1"})
    assert reply.status_code == 303, reply.text
    return client.get(reply.headers["location"]).text


def take_back(client: TestClient, page: str) -> str:
    """Press Undo."""
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found is not None, page
    return press(client, "/undo", ticket=found.group(1))


def test_one_button_then_a_program_is_answered(kept: Studio, client: TestClient) -> None:
    before = client.get(DEPLOY).text
    assert "Deploy version 1" in before
    key = new_key(client)
    assert ask(client, key).status_code == 404

    after = press(client, "", number=1)
    wait(kept)
    answer = ask(client, key)

    assert "churn/1 is deployed." in after
    assert answer.status_code == 200
    assert answer.json()["predictions"][0]["prediction"] in ("yes", "no")
    page = client.get(DEPLOY).text
    assert "Version 1 answers." in page
    assert f'value="http://testserver{PREDICT}"' in page
    assert "2 requests to all models since Studio started" in page  # the first was refused
    until(lambda: kept.store.predictions.count("churn", number=1) == 1)


def test_the_calls_hold_the_key_that_was_just_made_and_only_then(kept: Studio, client: TestClient) -> None:
    press(client, "", number=1)
    wait(kept)

    place = client.post(f"{DEPLOY}/key", data={"name": "web shop"}).headers["location"]
    first, again = client.get(place).text, client.get(place).text

    assert len(re.findall(r"Bearer mantic_", first)) == 4
    assert "mantic_" not in again
    assert again.count("YOUR_KEY") == 4
    grant = kept.keys.grants()[0]
    assert (grant.name, grant.scopes) == ("web shop", frozenset({"predict"}))
    assert grant.expires is not None
    assert kept.store.audit.find("add web shop")[0].by == "ada"


def test_without_a_key_nobody_is_answered_though_signed_in(kept: Studio, client: TestClient) -> None:
    press(client, "", number=1)
    wait(kept)

    refused = client.post(PREDICT, json={"rows": [{}]})
    other = ask(client, kept.keys.new("reader", scopes=("read",)))

    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert other.status_code == 403
    assert ask(client, "mantic_1_2").status_code == 401


def test_who_asks_at_no_address_is_led_to_one_that_studio_has(kept: Studio, client: TestClient) -> None:
    press(client, "", number=1)
    wait(kept)
    headers = {"Authorization": f"Bearer {kept.keys.new('program', scopes=('admin',))}"}

    lost = client.get("/v1/nowhere", headers=headers).json()

    named = re.findall(r"(GET|POST) ([^ ,]+)", lost["fix"].replace("NAME", "churn"))
    assert lost["status"] == 404
    assert len(named) == 2
    assert all(client.request(*one, headers=headers).status_code != 404 for one in named)


def test_a_canary_answers_its_share_and_is_promoted(kept: Studio, client: TestClient) -> None:
    key = new_key(client)
    press(client, "", number=1)

    page = press(client, "/canary", number=2, percent="100")
    wait(kept)
    second = ask(client, key).json()["version"]
    page = client.get(DEPLOY).text
    assert "version 2 answers 100 % of the callers" in page
    until(lambda: kept.store.predictions.count("churn", number=2) == 1)
    assert "version 2 has answered 1 row, and version 1 has answered 0 rows" in client.get(DEPLOY).text

    press(client, "/promote", number=2)
    wait(kept)

    assert kept.store.deployments.get("churn").canary is None
    assert ask(client, key).json()["version"] == second
    assert "Roll back to version 1" in client.get(DEPLOY).text


def test_the_share_of_a_canary_is_changed_and_ended(kept: Studio, client: TestClient) -> None:
    press(client, "", number=1)
    press(client, "/canary", number=2, percent="12,5")
    wait(kept)
    place = kept.deployed.shelf.place("churn")
    assert place.share == 0.125

    press(client, "/canary", number=2, percent="50")
    wait(kept)
    assert kept.deployed.shelf.place("churn").share == 0.5
    assert kept.deployed.shelf.place("churn").trial is place.trial  # it was not loaded anew

    press(client, "/canary/end")
    wait(kept)
    assert kept.deployed.shelf.place("churn").trial is None


def test_what_champion_and_canary_answered_stands_side_by_side(kept: Studio, client: TestClient) -> None:
    press(client, "", number=1)
    few = press(client, "/canary", number=2, percent="50")
    for number, share in ((1, 0.5), (2, 0.1)):
        answers = [("yes", 0.9) if place < 40 * share else ("no", 0.2) for place in range(40)]
        kept.store.predictions.append(
            Prediction("churn", number, {}, {"prediction": label, "probability": {"no": 1 - chance, "yes": chance}})
            for label, chance in answers
        )

    page = client.get(DEPLOY).text

    table = re.sub(
        r"(\s*<[^>]+>\s*)+", " ", page[page.index("Since it got this share") : page.index("Callers are parted")]
    )
    assert "What they answer is compared once each has answered 30 rows" in few
    assert "answers &#39;yes&#39; 50 % 10 % -56" in table
    assert "the mean probability of &#39;yes&#39; 55 % 27 %" in table
    assert "may be chance" not in table
    assert "holds for rows of many callers and requests; with few it is far too narrow" in page
    assert "so both versions see rows alike" not in page
    assert "once 30 outcomes of each version are known; now there are 0 outcomes and 0 outcomes" in page


def test_what_was_answered_at_another_share_is_not_compared(kept: Studio, client: TestClient) -> None:
    def answer() -> None:
        kept.store.predictions.append(Prediction("churn", number, {}, {"prediction": "no"}) for number in (1, 2))

    kept.store.models.promote("churn/2", "challenger")
    press(client, "", number=1)
    answer()
    first = press(client, "/canary", number=2, percent="10")
    answer()
    at_ten = client.get(DEPLOY).text
    at_fifty = press(client, "/canary", number=2, percent="50")

    assert "version 2 has answered 0 rows, and version 1 has answered 0 rows" in first
    assert "version 2 has answered 1 row, and version 1 has answered 1 row" in at_ten
    assert "version 2 has answered 0 rows, and version 1 has answered 0 rows" in at_fifty


def test_a_page_that_waits_for_a_model_compares_nothing_meanwhile(kept: Studio, client: TestClient) -> None:
    press(client, "", number=1)
    press(client, "/canary", number=2, percent="50")
    asked: list[str] = []
    engine = kept.store.predictions._database.engine
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    client.get(f"{DEPLOY}/standing", headers={"HX-Request": "true"})
    waiting = [one for one in asked if "FROM prediction" in one]
    client.get(DEPLOY)

    assert waiting == []
    assert [one for one in asked if "FROM prediction" in one]


@pytest.mark.parametrize("percent", ["", "0", "101", "nan", "-5", "ten"])
def test_a_share_that_is_none_is_said(kept: Studio, client: TestClient, percent: str) -> None:
    press(client, "", number=1)

    reply = client.post(f"{DEPLOY}/canary", data={"number": "2", "percent": percent})

    assert reply.status_code == 400
    assert "is no share of the callers" in reply.text


def test_every_change_can_be_taken_back(kept: Studio, client: TestClient) -> None:
    stands = kept.store.deployments.get
    take_back(client, press(client, "", number=1))
    assert not stands("churn").is_deployed

    press(client, "", number=1)
    for verb, fields in (
        ("/promote", {"number": 2}), ("/withdraw", {}), ("/canary", {"number": 2, "percent": 20}),
    ):  # fmt: skip
        before = stands("churn")
        page = press(client, verb, **fields)
        assert stands("churn") != before
        assert "Taken back." in take_back(client, page)
        assert stands("churn") == before

    press(client, "/promote", number=2)
    page = press(client, "/rollback")
    assert "Back to churn/1." in page
    take_back(client, page)
    assert stands("churn").champion == 2


def test_an_undo_is_refused_when_somebody_else_was_faster(kept: Studio, client: TestClient) -> None:
    page = press(client, "", number=1)
    kept.store.deployments.promote("churn/2")
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)[1]

    reply = client.post(f"{DEPLOY}/undo", data={"ticket": ticket})

    assert reply.status_code == 409
    assert "changed by somebody since" in reply.text
    assert client.post(f"{DEPLOY}/undo", data={"ticket": ticket}).status_code == 410


def test_a_withdrawn_model_is_not_found(kept: Studio, client: TestClient) -> None:
    key = new_key(client)
    press(client, "", number=1)
    wait(kept)
    assert ask(client, key).status_code == 200

    press(client, "/withdraw")
    until(lambda: kept.deployed.shelf.find("churn") is None)
    answer = ask(client, key)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["what"] == "there is no model 'churn'"
    assert "Not deployed" in client.get(DEPLOY).text


def test_what_is_deployed_elsewhere_answers_here_too(kept: Studio, client: TestClient) -> None:
    key = new_key(client)

    kept.store.deployments.put("churn/2")  # as the command line does
    wait(kept)

    assert ask(client, key).status_code == 200


def test_a_restart_keeps_deployment_and_canary(kept: Studio, settings: Settings, client: TestClient) -> None:
    key = new_key(client)
    press(client, "", number=1)
    press(client, "/canary", number=2, percent="100")
    wait(kept)
    said = ask(client, key).json()["version"]
    kept.deployed.close()

    with open_studio(settings) as again, TestClient(make_studio(again)) as other:
        wait(again)

        assert ask(other, key).json()["version"] == said


def test_a_damaged_model_is_said_and_the_others_answer(
    kept: Studio, models: list[Classifier], client: TestClient
) -> None:
    key = new_key(client)
    other = kept.store.models.register(models[0], "risk")
    broken = kept.store.models.get("churn/2")
    for path in kept.store.address.folder.rglob(f"{broken.sha256}*"):
        path.write_bytes(b"\0" * broken.n_bytes)
    kept.store.deployments.put("risk")
    press(client, "", number=2)
    until(lambda: kept.deployed.fault("churn") and kept.deployed.shelf.find("risk"))

    refused, answered = ask(client, key), ask(client, key, "risk")

    assert other.number == 1
    assert refused.status_code == 503
    assert refused.json()["what"].startswith("'churn' cannot be asked: ")
    assert refused.json()["fix"]
    assert answered.status_code == 200
    assert "It does not answer as it should" in client.get(DEPLOY).text


def test_a_damaged_new_champion_leaves_the_one_before(kept: Studio, client: TestClient) -> None:
    key = new_key(client)
    press(client, "", number=1)
    wait(kept)
    first = ask(client, key).json()["version"]
    for path in kept.store.address.folder.rglob(f"{kept.store.models.get('churn/2').sha256}*"):
        shutil.move(path, kept.store.address.folder / "aside")

    press(client, "/promote", number=2)
    until(lambda: kept.deployed.fault("churn"))

    assert ask(client, key).json()["version"] == first
    assert "It does not answer as it should" in client.get(DEPLOY).text

    press(client, "/rollback")
    wait(kept)

    assert "Version 1 answers." in client.get(DEPLOY).text


def test_versions_are_beside_the_champion_with_how_sure_that_is(kept: Studio, client: TestClient) -> None:
    page = client.get(DEPLOY).text

    assert "/models/churn/compare?a=1&amp;b=2" in page
    assert re.search(r"(better|worse|may be chance)</small>", page)
    assert re.search(r'class="apart"><span class="figure">[+−]0', page)


def test_latency_is_measured_on_the_page_and_without_scripts(kept: Studio, client: TestClient) -> None:
    press(client, "", number=1)
    wait(kept)

    first = client.get(DEPLOY).text
    part = client.get(f"{DEPLOY}/latency", headers={"HX-Request": "true"}).text

    assert f'hx-get="{DEPLOY}/latency"' in first
    assert re.search(r"half were answered within <b>[\d.e-]+ ms</b>, (99 of 100|all) within", part)
    assert "Measured here a moment ago" in client.get(f"{DEPLOY}?measure=1").text


def test_a_long_latency_is_written_as_people_do() -> None:
    latency = SimpleNamespace(n=100, half=0.1534, most=12.3456)

    told = _environment().get_template("_latency.html").render(latency=latency)

    assert "within <b>153 ms</b>, 99 of 100 within <b>12,346 ms</b>" in told


def test_a_page_that_waits_stops_waiting(kept: Studio, client: TestClient) -> None:
    page = press(client, "", number=1)
    assert 'hx-trigger="every' in page or "Version 1 answers" in page
    wait(kept)

    part = client.get(f"{DEPLOY}/standing", headers={"HX-Request": "true"}).text
    bare = client.get(f"{DEPLOY}/standing?bare=1", headers={"HX-Request": "true"}).text

    assert "<html" not in part
    assert 'hx-trigger="every' not in part
    assert "YOUR_KEY" not in part
    assert 'id="asked" class="watch" hx-swap-oob="true"' in bare
    assert bare.count("YOUR_KEY") == 4


def test_a_client_in_python_can_be_taken(kept: Studio, client: TestClient) -> None:
    press(client, "", number=1)
    wait(kept)

    text = client.get(f"{DEPLOY}/client.py").text

    compile(text, "client.py", "exec")
    assert "def predict_churn(" in text


def test_who_only_looks_sees_how_it_stands_and_no_button(kept: Studio, enter: Callable[[Role], TestClient]) -> None:
    kept.store.deployments.put("churn")
    viewer = enter(Role.VIEWER)

    page = viewer.get(DEPLOY).text

    assert "Deployed by" in page
    assert f'action="{DEPLOY}' not in page
    assert viewer.post(f"{DEPLOY}/withdraw").status_code == 403


def test_a_model_that_is_not_there_has_no_page(client: TestClient) -> None:
    assert client.get("/models/nothing/deploy").status_code == 404


def test_home_says_what_is_deployed(kept: Studio, client: TestClient) -> None:
    assert "Deployed" not in client.get("/").text

    kept.store.deployments.put("churn")
    assert "Deployed. Nothing was asked yet." in client.get("/").text
    kept.store.deployments.canary("churn/2", 0.25)

    page = client.get("/").text
    assert "Deployed, version 2 for 25 % of the callers. Nothing was asked yet." in page
    assert f'href="{DEPLOY}"' in page
