"""A server inside of a server: in Flask, mounted in Starlette, and from many threads at once."""

import asyncio
import os
import signal
import warnings
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Mount

from mantic.core.errors import SettingsError
from mantic.serve.app import House, make_asgi
from mantic.serve.bridge import Bridge
from mantic.serve.flask import blueprint
from mantic.serve.key_file import KeyFile
from mantic.serve.question import Limits


@pytest.fixture(scope="module")
def flask(churn):
    app = Flask("shop")
    app.register_blueprint(blueprint({"churn": churn()}, House(Limits(max_bytes=1_000))), url_prefix="/ml")
    return app.test_client()


def test_flask_answers_predictions_and_everything_else(flask, row):
    answer = flask.post("/ml/v1/models/churn/predict", json={"rows": [row]})

    assert answer.json["predictions"][0]["prediction"] == "yes"
    assert flask.get("/ml/readyz").json["status"] == "ready"
    assert b"Ask a model" in flask.get("/ml/docs").data
    assert flask.get("/ml/").headers["Location"] == "docs"
    assert flask.post("/ml/v1/models/churn/explain", json={"rows": [row]}).json["model"] == "churn"


def test_flask_keeps_headers_problems_and_limits(flask, row):
    unknown = flask.get("/ml/v1/models/chrun")
    assert unknown.status_code == 404
    assert unknown.headers["Content-Type"] == "application/problem+json"
    assert unknown.headers["X-Content-Type-Options"] == "nosniff"

    assert flask.post("/ml/v1/models/churn/predict", data=b" " * 1_001).status_code == 413
    assert flask.get("/ml/v1/models/churn/predict").status_code == 405


def test_a_bug_behind_flask_is_a_problem_too_and_the_log_has_its_traceback(churn, row, caplog):
    class Breaks(churn):
        def predict_proba(self, frame):
            if frame["age"][0] == 66:
                raise ZeroDivisionError
            return super().predict_proba(frame)

    app = Flask("shop")
    app.register_blueprint(blueprint({"churn": Breaks()}))

    answer = app.test_client().post("/v1/models/churn/predict", json={"rows": [row | {"age": 66}]})

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "ZeroDivisionError" in caplog.text


def test_flask_asks_for_keys(churn, row, tmp_path):
    file = KeyFile(tmp_path / "keys.json")
    key = file.new("shop", scopes=("predict",))
    app = Flask("shop")
    app.register_blueprint(blueprint({"churn": churn()}, House(keyring=file)))
    client = app.test_client()

    assert client.post("/v1/models/churn/predict", json={"rows": [row]}).status_code == 401
    headers = {"X-Api-Key": key}
    assert client.post("/v1/models/churn/predict", json={"rows": [row]}, headers=headers).status_code == 200


def test_a_mounted_application_knows_its_own_addresses(churn, row):
    app = Starlette(routes=[Mount("/ml", make_asgi({"churn": churn()}))])

    async def talk() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            predicted = await client.post("/ml/v1/models/churn/predict", json={"rows": [row]})
            others = [await client.get(path) for path in ("/ml/v1/models", "/ml/docs", "/ml/nothing", "/v1/models")]
            return [answer.status_code for answer in (predicted, *others)]

    assert asyncio.run(talk()) == [200, 200, 200, 404, 404]


def test_a_mounted_application_begins_with_the_one_that_is_given_its_lifespan(churn):
    mounted = make_asgi({"churn": churn()})
    app = Starlette(routes=[Mount("/ml", mounted)], lifespan=mounted.lifespan)

    async def talk() -> int:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
        async with app.router.lifespan_context(app), client:
            return (await client.get("/ml/readyz")).status_code

    assert asyncio.run(talk()) == 200


def test_many_threads_may_ask_at_once(churn, row):
    bridge = Bridge(make_asgi({"churn": churn()}, House(Limits(max_waiting=100))))
    headers = [("Host", "localhost")]

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda _: bridge.ask("GET", "/v1/models", headers, b"").status, range(40)))

    assert set(done) == {200}


def test_a_model_that_cannot_begin_says_so(broken):
    with pytest.raises(ZeroDivisionError):
        Bridge(make_asgi({"churn": broken})).ask("GET", "/healthz", [], b"")


def test_a_process_that_was_forked_after_the_models_were_loaded_says_so(churn):
    bridge = Bridge(make_asgi({"churn": churn()}))
    with warnings.catch_warnings(action="ignore"):  # of threads, which is the point
        child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            bridge.ask("GET", "/healthz", [], b"")
        except SettingsError:
            os._exit(7)
        finally:
            os._exit(1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
