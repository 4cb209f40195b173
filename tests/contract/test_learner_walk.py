"""Every learner goes through the whole workflow by its name alone: fit, evaluate, explain, save, load, serve."""

import asyncio

import httpx
import numpy as np
import pytest

import mantic
from mantic.core.learner import LEARNERS, is_installed
from mantic.serve.app import make_app

CASES = [
    (name, kind)
    for name in LEARNERS.names()
    for kind in ("classify", "regress")
    if kind in LEARNERS.get(name).tasks and is_installed(LEARNERS.get(name))
]


async def served(model, row):
    """Return the server's answer to one row, as JSON gives it."""
    transport = httpx.ASGITransport(make_app({"m": model}))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post("/v1/models/m/predict", json={"rows": [row]})
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"][0]["prediction"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_learner_walks_from_fit_to_a_served_answer(name, kind, churn_like, rent_like, tmp_path):
    frame, target = (churn_like, "churned") if kind == "classify" else (rent_like, "spend")
    frame = frame.head(200)
    new = frame.drop(target).head(2)

    model = {"classify": mantic.Classifier, "regress": mantic.Regressor}[kind](budget="1 trial", learners=[name])
    again = mantic.load(model.fit(frame, target).save(tmp_path / f"{name}.mantic"))

    assert {part.member.learner.name for part in again.model_.parts} == {name}
    assert np.isfinite(again.evaluate(frame).facts["score"])
    margin = again.model_.margin(again.schema_.align(new))
    assert [row.margin for row in again.explain(new).rows] == pytest.approx(margin[:, 0].tolist(), abs=1e-6)
    row = {key: value if value is None else str(value) for key, value in new.row(0, named=True).items()}
    answer, expected = asyncio.run(served(again, row)), model.predict(new).tolist()[0]
    assert answer == (expected if kind == "classify" else pytest.approx(expected, rel=1e-6))
