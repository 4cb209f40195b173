"""How it turned out: who may say it, in which form, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mantic.core.errors import ManticError
from mantic.serve.app import House, make_asgi
from mantic.serve.feedback import read_truths
from mantic.serve.question import Limits

FEEDBACK = "/v1/feedback"


def test_what_was_true_is_kept_under_the_id_of_its_prediction(churn, asker):
    heard = {}

    def keep(truths):
        heard.update(truths)
        return len(truths)

    ask = asker(make_asgi({"churn": churn()}, House(feedback=keep)))

    outcomes = [{"id": "a1", "value": "yes"}, {"id": "b2", "value": None}, {"id": "a1", "value": "no"}]
    answer = ask("POST", FEEDBACK, json={"outcomes": outcomes})

    assert answer.json() == {"kept": 2}
    assert heard == {"a1": "no", "b2": None}


def test_a_server_that_keeps_nothing_says_so(churn, asker):
    answer = asker(make_asgi({"churn": churn()}))("POST", FEEDBACK, json={"outcomes": [{"id": "a1", "value": 1}]})

    assert answer.status_code == 404
    assert "--log" in answer.json()["fix"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "no JSON"),
        (b"[]", 400, "no outcomes"),
        (b'{"outcomes": []}', 400, "no outcomes"),
        (b'{"outcomes": [1]}', 400, "outcome 0 is not an object"),
        (b'{"outcomes": [{"id": "a"}]}', 400, "outcome 0 is not an object"),
        (b'{"outcomes": [{"id": "", "value": 1}]}', 400, "outcome 0 has no id"),
        (b'{"outcomes": [{"id": "../a", "value": 1}]}', 400, "outcome 0 has no id"),
        (b'{"outcomes": [{"id": "a", "value": {}}]}', 400, "outcome 0 has a value"),
        (b'{"outcomes": [' + b'{"id": "a", "value": 1},' * 20 + b'{"id": "a", "value": 1}]}', 413, "rows"),
    ],
)
def test_what_is_no_outcome_is_refused_with_its_place(churn, asker, body, status, said):
    ask = asker(make_asgi({"churn": churn()}, House(Limits(max_rows=20), feedback=len)))

    answer = ask("POST", FEEDBACK, content=body)

    assert answer.status_code == status
    assert said in answer.json()["what"]


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f'{{"outcomes": [{text}]}}'.encode()))
def test_any_body_gives_outcomes_or_a_refusal(body):
    try:
        found = read_truths(body, Limits())
    except ManticError:
        return
    assert all(isinstance(one, str) for one in found)
