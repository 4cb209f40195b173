import asyncio
import json
from types import SimpleNamespace

import httpx
import numpy as np
import pytest

from mantic.core.errors import SettingsError
from mantic.evaluate.blocks_decision import decided
from mantic.evaluate.costs import read_costs
from mantic.evaluate.decide import Weighed
from mantic.evaluate.unseen import Answers, Unseen
from mantic.serve.app import make_app
from mantic.serve.desk import MAX_EXPLAINED

NO_QUESTIONS = ["", "{", "[]", "7", '{"row": []}', '{"rows": 7}', '{"rows": [7]}', '{"rows": [], "x": 1}', b"\xff"]
NO_QUESTIONS += ['{"rows": [{"age": NaN}]}', '{"rows": [{"age": 1, "age": 2}]}', "[" * 9000, "1" * 5000]
JSON = {"Content-Type": "application/json"}


def problem(answer: httpx.Response, status: int) -> dict[str, str]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, str] = answer.json()
    assert found["what"]
    assert found["fix"]
    return found


def test_a_class_comes_with_the_probability_of_each(predict, row):
    answer = predict(row)

    assert answer.status_code == 200
    assert answer.json() == {
        "model": "churn",
        "version": "0123456789ab",
        "predictions": [{"prediction": "yes", "probability": {"no": 0.3, "yes": 0.7}}],
        "warnings": [],
    }


def test_a_number_comes_with_its_interval(predict, row):
    answer = predict(row, model="spend").json()

    assert answer["predictions"] == [{"prediction": 30.0, "interval": [29.0, 31.0], "level": 0.9}]


def test_what_is_not_finite_is_null(predict, row):
    assert predict(row | {"age": None}, model="spend").json()["predictions"][0]["prediction"] is None


def test_numbers_as_text_and_columns_that_explain_nothing_are_no_fault(predict, row):
    del row["customer"]

    assert predict(row | {"age": "30"}).json()["predictions"][0]["probability"]["no"] == 0.3


def test_unknown_columns_and_categories_are_counted(predict, row):
    warnings = predict(row | {"plan": "gold", "shoe": 1}, row | {"shoe": 2}, row).json()["warnings"]

    assert [(one["code"], one["column"], one["count"]) for one in warnings] == [
        ("unknown_column", "shoe", 2),
        ("unknown_category", "plan", 1),
    ]


def test_all_faults_of_the_rows_are_named_at_once(predict, row):
    del row["plan"]

    found = problem(predict(row | {"age": "old", "is_member": "perhaps"}), 422)

    assert "'plan' is missing" in found["what"]
    assert "'age' should hold numbers" in found["what"]
    assert "'is_member' should hold yes or no" in found["what"]
    assert "2 of 5 columns fit" in found["where"]


@pytest.mark.parametrize("value", [[1], {"a": 1}, 10**400, "\ud800"])
def test_values_that_no_column_can_hold_are_named(predict, row, value):
    assert "row 1, column 'age'" in problem(predict(row, row | {"age": value}), 422)["what"]


@pytest.mark.parametrize("text", NO_QUESTIONS)
def test_a_body_that_is_no_question_is_refused(ask, text):
    assert "rows" in problem(ask("POST", "/v1/models/churn/predict", content=text, headers=JSON), 400)["fix"]


def test_no_rows_are_refused(predict):
    assert "no rows" in problem(predict(), 422)["what"]


def test_too_many_rows_and_too_many_bytes_are_refused(ask, predict, row):
    assert "101 rows" in problem(predict(*[{"age": 1}] * 101), 413)["what"]
    assert "20,000 bytes" in problem(predict(row | {"plan": "x" * 20_000}), 413)["what"]


def test_a_body_that_hides_its_length_is_cut_off(ask):
    async def endless():
        for _ in range(100):
            yield b" " * 1000

    answer = ask("POST", "/v1/models/churn/predict", content=endless(), headers=JSON)

    problem(answer, 413)


@pytest.mark.parametrize("headers", [{"Content-Type": "multipart/form-data"}, JSON | {"Content-Encoding": "gzip"}])
def test_a_body_that_says_to_be_no_plain_json_is_refused(ask, headers):
    problem(ask("POST", "/v1/models/churn/predict", content=b"{}", headers=headers), 415)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/x-www-form-urlencoded"}])
def test_curl_need_not_say_that_it_sends_json(ask, headers, row):
    text = json.dumps({"rows": [row]})

    assert ask("POST", "/v1/models/churn/predict", content=text, headers=headers).status_code == 200


def test_an_unknown_model_is_answered_with_the_known_ones(predict, ask, row):
    assert "churn, spend" in problem(predict(row, model="chrun"), 404)["fix"]
    assert "churn, spend" in problem(ask("GET", "/v1/models/chrun"), 404)["fix"]


def test_unknown_addresses_and_methods_are_problems_too(ask):
    problem(ask("GET", "/admin"), 404)
    answer = ask("GET", "/v1/models/churn/predict")
    assert "POST" in problem(answer, 405)["fix"]
    assert answer.headers["allow"] == "POST"


def test_reasons_come_for_each_row(predict, row):
    answer = predict(row, row | {"age": None}, verb="explain").json()

    assert answer["model"] == "churn"
    assert answer["rows"][0]["contributions"] == [{"column": "age", "value": 30.0, "contribution": 0.1}]


def test_reasons_are_given_for_fewer_rows_than_predictions(churn, asker):
    ask = asker(make_app({"churn": churn()}))
    text = json.dumps({"rows": [{"age": 1}] * (MAX_EXPLAINED + 1)})

    problem(ask("POST", "/v1/models/churn/explain", content=text, headers=JSON), 413)


def test_a_model_describes_itself(ask):
    about = ask("GET", "/v1/models/churn").json()

    assert (about["task"], about["version"]) == ("classify", "0123456789ab")
    assert about["target"]["name"] == "churned"
    assert [column["name"] for column in about["columns"]][:2] == ["age", "plan"]
    assert about["row"]["milliseconds"] > 0
    assert about["row"]["fallback"] == ["this model has no form for one row"]
    assert about["metrics"] == {"metric": "log_loss", "score": 0.5, "interval": [0.4, None]}
    assert [one["model"] for one in ask("GET", "/v1/models").json()["models"]] == ["churn", "spend"]


def test_it_is_ready_between_start_and_stop(churn, asker):
    app = make_app({"churn": churn()})
    ask = asker(app)
    assert ask("GET", "/healthz").json() == {"status": "alive"}
    assert ask("GET", "/readyz").status_code == 503

    async def within() -> httpx.Response:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
        async with app.router.lifespan_context(app), client:
            return await client.get("/readyz")

    assert asyncio.run(within()).json() == {"status": "ready", "models": ["churn"]}
    assert ask("GET", "/readyz").status_code == 503


def test_a_bug_is_a_problem_and_keeps_its_traceback(row, broken, asker):
    app = make_app({"churn": broken})
    text = json.dumps({"rows": [row]})

    with pytest.raises(ZeroDivisionError):
        asker(app)("POST", "/v1/models/churn/predict", content=text, headers=JSON)
    found = problem(asker(app, raises=False)("POST", "/v1/models/churn/predict", content=text, headers=JSON), 500)

    assert "ZeroDivision" not in json.dumps(found)


def test_a_panic_of_native_code_is_a_problem_too(row, churn, asker):
    class PanicError(BaseException):
        """No Exception, as the panics of libraries in Rust are not."""

    class Panics(churn):
        def predict_proba(self, frame):
            raise PanicError("index out of bounds")

    ask = asker(make_app({"churn": Panics()}), raises=False)

    found = problem(ask("POST", "/v1/models/churn/predict", json={"rows": [row]}), 500)
    assert "out of bounds" not in json.dumps(found)
    assert ask("GET", "/healthz").status_code == 200


def test_many_callers_are_answered_one_after_the_other(row, churn):
    app = make_app({"churn": churn()})

    async def crowd() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            calls = [client.post("/v1/models/churn/predict", json={"rows": [row] * 50}) for _ in range(20)]
            return [answer.status_code for answer in await asyncio.gather(*calls)]

    assert set(asyncio.run(crowd())) == {200}


def test_every_answer_keeps_browsers_in_check(ask):
    for path in ("/v1/models", "/docs", "/nothing"):
        headers = ask("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]


@pytest.mark.parametrize("name", ["", "a/b", ".."])
def test_names_that_no_address_can_hold_are_refused(name, churn):
    with pytest.raises(SettingsError):
        make_app({name: churn()})


def test_no_model_and_a_strange_task_are_refused(churn):
    with pytest.raises(SettingsError, match="no model"):
        make_app({})
    with pytest.raises(SettingsError, match="dance"):
        make_app({"a": churn(task=SimpleNamespace(name="dance"))})


def test_a_model_with_a_decision_answers_it_beside_the_prediction(churn, asker, row):
    costs = read_costs("fp=1,fn=9").bind(("no", "yes"))
    random = np.random.default_rng(0)
    chance = random.random(400)
    guess = np.column_stack([1 - chance, chance]).astype(np.float32)
    answers = Answers((random.random(400) < chance).astype(np.int32), guess, np.zeros(400, dtype=np.int16))
    decision = decided(Weighed.of(Unseen(answers, answers, 0), costs), target="churned")
    ask = asker(make_app({"churn": churn(decision_=decision)}))

    done = ask("POST", "/v1/models/churn/predict", json={"rows": [row | {"age": 70}, row | {"age": 99}]}).json()

    assert [one["prediction"] for one in done["predictions"]] == ["no", "no"]
    assert [one["decision"] for one in done["predictions"]] == ["yes", "no"]
    document = ask("GET", "/openapi.json").json()
    answer = document["paths"]["/v1/models/churn/predict"]["post"]["responses"]["200"]["content"]["application/json"]
    assert answer["schema"]["properties"]["predictions"]["items"]["properties"]["decision"]["description"]


def test_a_model_without_a_decision_answers_none(predict, row):
    assert set(predict(row).json()["predictions"][0]) == {"prediction", "probability"}
