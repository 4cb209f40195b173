"""Another version while requests run: switched, tried out on a share of the callers, and asked in the shadow."""

import asyncio
import threading
from typing import Any

import httpx
import numpy as np
import pytest

from mantic.core.errors import SettingsError, StoreError
from mantic.serve.app import make_asgi
from mantic.serve.problem import UnavailableError, UnknownModelError
from mantic.serve.shelf import Golden, GoldenError, Shelf, is_alike, share_of

ROW = {"age": 30, "plan": "basic", "since": "2023-05-01", "is_member": True}
PREDICT = "/v1/models/churn/predict"


@pytest.fixture
def shelf(churn):
    return Shelf({"churn": churn(version_="one")})


def answered(shelf, asker, **headers: str) -> Any:
    answer = asker(make_asgi(shelf))("POST", PREDICT, json={"rows": [ROW]}, headers=headers)
    assert answer.status_code == 200
    return answer.json()["version"]


def test_the_answer_says_which_version_gave_it(shelf, churn, asker):
    assert answered(shelf, asker) == "one"

    shelf.switch("churn", churn(version_="two"))

    assert answered(shelf, asker) == "two"


def test_a_version_that_misses_the_golden_rows_changes_nothing(shelf, churn, asker):
    golden = Golden(ROW, {"prediction": "yes", "probability": {"no": 0.3, "yes": 0.7}})
    shelf.switch("churn", churn(version_="two"), golden=[golden])

    class Worse(churn):
        def predict_proba(self, frame):
            return super().predict_proba(frame) + np.array([1e-5, -1e-5])

    with pytest.raises(GoldenError, match="row 0") as caught:
        shelf.switch("churn", Worse(version_="three"), golden=[golden])

    assert "three" in caught.value.where
    assert answered(shelf, asker) == "two"


def test_a_broken_version_changes_nothing(shelf, broken, asker):
    with pytest.raises(ZeroDivisionError):
        shelf.switch("churn", broken)

    assert answered(shelf, asker) == "one"


def test_only_a_name_that_is_there_can_be_switched(shelf, churn):
    with pytest.raises(UnknownModelError, match="chrun"):
        shelf.switch("chrun", churn())


def test_a_share_of_the_callers_gets_the_version_on_trial_and_keeps_it(shelf, churn):
    shelf.try_out("churn", churn(version_="two"), share=0.25)

    keys = [b"customer %d" % number for number in range(2_000)]
    first = [shelf.choose("churn", key)[0].version for key in keys]

    assert 0.2 < first.count("two") / len(first) < 0.3
    assert first == [shelf.choose("churn", key)[0].version for key in keys]


def test_who_is_not_named_is_drawn_anew_with_each_request(shelf, churn):
    shelf.try_out("churn", churn(version_="two"), share=0.25)

    found = [shelf.choose("churn", None)[0].version for _ in range(4_000)]

    assert 0.2 < found.count("two") / len(found) < 0.3


def test_a_share_of_nothing_ends_the_trial(shelf, churn):
    shelf.try_out("churn", churn(version_="two"), share=0.25)

    shelf.share("churn", 1.0)
    assert shelf.choose("churn", b"customer 7")[0].version == "two"
    shelf.share("churn", 0.0)

    assert shelf.place("churn").trial is None
    assert shelf.choose("churn", b"customer 7")[0].version == "one"


def test_a_shelf_that_opens_sends_those_away_who_come_too_early(churn):
    shelf = Shelf.opening()

    with pytest.raises(UnavailableError, match="being loaded") as early:
        shelf.place("churn")
    shelf.put("churn", churn())
    shelf.is_opening = False

    assert early.value.status == 503
    assert shelf.place("churn").live.name == "churn"
    with pytest.raises(UnknownModelError, match="risk"):
        shelf.place("risk")


def test_a_fault_is_told_until_something_answers(shelf, churn):
    shelf.remove("churn")
    shelf.fail("churn", StoreError("its file is damaged", where="churn/2", fix="promote another"))

    with pytest.raises(UnavailableError, match="its file is damaged") as told:
        shelf.choose("churn", None)
    shelf.put("churn", churn())

    assert (told.value.status, told.value.where, told.value.fix) == (503, "churn/2", "promote another")
    assert shelf.faults == {}


def test_the_key_of_a_caller_comes_in_a_header(shelf, churn, asker):
    shelf.try_out("churn", churn(version_="two"), share=1.0)

    assert answered(shelf, asker, **{"X-Mantic-Key": "customer 7"}) == "two"


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_lies_between_0_and_1(share, shelf, churn):
    with pytest.raises(SettingsError):
        shelf.try_out("churn", churn(), share=share)


def test_names_part_their_callers_differently():
    keys = [b"%d" % number for number in range(1_000)]

    both = sum(share_of(key, salt="a") < 0.5 and share_of(key, salt="b") < 0.5 for key in keys)

    assert 0.15 < both / len(keys) < 0.35


@pytest.mark.parametrize(("shift", "agrees"), [(0.0, "yes"), (0.01, "no"), (None, "failed")])
def test_a_version_in_the_shadow_is_asked_and_compared_and_never_answers(shelf, churn, shift, agrees):
    asked = threading.Event()

    class Shadow(churn):
        def predict_proba(self, frame):
            if not asked.is_set():  # the shelf warms it
                return super().predict_proba(frame)
            return super().predict_proba(frame) + np.array([shift, -shift])

    shelf.shadow("churn", Shadow(version_="two"))
    asked.set()
    app = make_asgi(shelf)

    async def talk() -> tuple[str, str]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            answer = await client.post(PREDICT, json={"rows": [ROW]})
            while "mantic_shadow_total" not in (text := (await client.get("/metrics")).text):
                await asyncio.sleep(0.01)
            return answer.json()["version"], text

    version, text = asyncio.run(talk())

    assert version == "one"
    assert f'mantic_shadow_total{{model="churn",version="two",agrees="{agrees}"}} 1' in text


def test_many_switches_under_load_cost_no_request(shelf, churn):
    app, versions = make_asgi(shelf), [churn(version_=f"v{number}") for number in range(200)]
    statuses: list[int] = []
    seen: set[str] = set()
    is_over = threading.Event()

    def switch() -> None:
        for version in versions:
            shelf.switch("churn", version)
        is_over.set()

    async def load(client: httpx.AsyncClient) -> None:
        while not is_over.is_set():
            answer = await client.post(PREDICT, json={"rows": [ROW]})
            statuses.append(answer.status_code)
            seen.add(answer.json()["version"])

    async def talk() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            thread = threading.Thread(target=switch)
            thread.start()
            await asyncio.gather(*(load(client) for _ in range(4)))
            thread.join()
            statuses.append((await client.post(PREDICT, json={"rows": [ROW]})).status_code)

    asyncio.run(talk())

    assert set(statuses) == {200}
    assert len(seen) > 10
    assert shelf.live[0].version == "v199"


def test_switched_models_stand_in_the_descriptions_and_the_metrics(shelf, churn, asker):
    shelf.switch("churn", churn(version_="two"))
    shelf.try_out("churn", churn(version_="three"), share=0.5)
    ask = asker(make_asgi(shelf))

    assert ask("GET", "/v1/models").json()["models"][0]["version"] == "two"
    text = ask("GET", "/metrics").text
    assert 'mantic_model_info{model="churn",version="two",part="live"} 1' in text
    assert 'mantic_model_info{model="churn",version="three",part="trial"} 1' in text


def test_answers_are_alike_to_a_millionth():
    nan = float("nan")

    assert is_alike([{"a": 1.0, "b": nan}], [{"a": 1 + 1e-7, "b": nan, "c": 0}])
    assert not is_alike({"a": 1.0}, {"a": 1 + 1e-5})
    assert not is_alike({"a": True}, {"a": False})
    assert not is_alike({"a": 1}, {})
    assert not is_alike([1, 2], [1])
    assert not is_alike(1.0, None)
