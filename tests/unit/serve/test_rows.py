"""A few rows are answered one by one, and nobody can tell."""

import json
from typing import Any

import pytest

import mantic
from mantic.serve.app import make_app
from mantic.serve.question import Limits, read_question

LIMITS = Limits()


@pytest.fixture(scope="module")
def models(churn_like, rent_like):
    options: dict[str, Any] = {"budget": "1 trial", "learners": ["boosting"], "params": {"boosting.rounds": 20}}
    return {
        "churn": mantic.Classifier(**options).fit(churn_like, "churned"),
        "spend": mantic.Regressor(**options).fit(rent_like, "spend"),
    }


@pytest.fixture(scope="module")
def rows(churn_like_new) -> list[dict[str, Any]]:
    return json.loads(churn_like_new.drop("churned", "customer").head(12).write_json())


def body(*rows: dict[str, Any]) -> bytes:
    return json.dumps({"rows": rows}).encode()


def cases(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return rows as clients send them: alone, together, odd, with columns and categories that nobody knows."""
    first, second, third, *_ = rows
    return [
        [first],
        [first, second, third],
        [first | {"plan": "gold", "extra": 1}],
        [first | {"plan": "gold"}, second | {"plan": "gold", "extra": 1}, third | {"plan": None}],
        [first | {"tenure": "12"}, second],
        [first | {"city": 3}, second | {"city": 3.5}],
        [first | {"city": 3}, second | {"city": "3"}],
        [first, {name: value for name, value in second.items() if name != "tenure"}],
        [first | {"tenure": "long"}],
        [first, second | {"tenure": "long"}],
        [first, second | {"paperless": 7, "joined": "soon"}],
        [{}],
        rows,
    ]


@pytest.mark.parametrize("name", ["churn", "spend"])
def test_answers_warnings_and_errors_are_those_of_a_table(name, models, rows, asker, monkeypatch):
    asked = [[row | {"paperless": True} for row in part] if name == "spend" else part for part in cases(rows)]
    fast = asker(make_app(models))
    slow = asker(make_app(models))
    path, headers = f"/v1/models/{name}/predict", {"Content-Type": "application/json"}

    found = [fast("POST", path, content=body(*part), headers=headers) for part in asked]
    monkeypatch.setattr("mantic.serve.served.Served.plan", None)
    wanted = [slow("POST", path, content=body(*part), headers=headers) for part in asked]

    for one, other in zip(found, wanted, strict=True):
        assert one.status_code == other.status_code
        assert rounded(one.json()) == rounded(other.json())


def rounded(value: Any) -> Any:
    """Return a JSON value with its numbers rounded to nine digits."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 9) if isinstance(value, float) else value


def test_few_rows_need_no_frame_and_many_do(models, rows):
    model = models["churn"]

    def question(part: list[dict[str, Any]]) -> Any:
        return read_question(body(*part), model.schema_, LIMITS, plan=model.row_plan_)

    assert question(rows[:1]).frame is None
    assert question(rows[:3]).frame is None
    assert question(rows).frame is not None


def test_a_model_says_what_a_row_costs_and_what_goes_the_long_way(models, asker):
    row = asker(make_app(models))("GET", "/v1/models/churn").json()["row"]

    assert row["fallback"] == []
    assert row["milliseconds"] > 0
