"""`mantic studio` is killed in the middle of a training, alone and together with it: nothing is lost."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from tests.server_process import StudioProcess

from mantic.core.process import is_there
from mantic.store.store import open_store
from mantic.tasks.classify import Classifier

SECONDS = 150


class Running(StudioProcess):
    """A Studio, and a browser that is signed in."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "store")
        self.client = httpx.Client(base_url=self.base, timeout=30)
        self.client.get(self.address)
        token = re.search(r'data-csrf="([^"]+)"', self.client.get("/").text)
        assert token is not None
        self.client.headers["X-CSRF"] = token[1]

    def kill(self) -> None:
        super().kill()
        self.client.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for note in tmp_path.glob("store/trainings/*/process.json"):
        process = json.loads(note.read_text())
        if is_there(process):
            with suppress(ProcessLookupError):
                os.kill(process["pid"], signal.SIGKILL)


def process_of(folder: Path, run: str) -> dict[str, Any]:
    return dict(json.loads((folder / "store" / "trainings" / run / "process.json").read_text()))


def begin(studio: Running, frame: pl.DataFrame) -> str:
    """Bring data, ask for `churned`, and begin; return the run."""
    client, body = studio.client, frame.write_csv().encode()
    place = client.post("/new", content=body, headers={"X-File-Name": "churn.csv"}).headers["location"]
    until = time.monotonic() + SECONDS
    while "Ask a question" not in client.get(place).text:
        assert time.monotonic() < until
        time.sleep(0.1)
    client.post(f"{place}/question", data={"target": "churned"})
    client.post(f"{place}/question", data={"target": "churned", "pace": "2"})
    return str(
        client.post(f"{place}/train", data={"csrf": client.headers["X-CSRF"]}).headers["location"].rpartition("/")[2]
    )


def follow(studio: Running, run: str, *, after: int, n: int) -> list[tuple[int, str]]:
    """Listen until so many events with a number were told, or the end; return number and content of each."""
    told: list[tuple[int, str]] = []
    number = 0
    headers = {"Last-Event-ID": str(after)}
    with studio.client.stream("GET", f"/runs/{run}/events", headers=headers, timeout=SECONDS) as stream:
        for line in stream.iter_lines():
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: ") and number:
                told.append((number, line[6:]))
                number = 0
            if len(told) >= n or line == "event: ended":
                break
    return told


def test_a_killed_studio_loses_nothing_and_a_browser_hears_on_where_it_was(folder, churn_like):
    first = Running(folder)
    run = begin(first, churn_like.drop("customer", "note"))
    before = follow(first, run, after=0, n=6)
    pid = process_of(folder, run)["pid"]
    first.kill()
    lives_on = is_there(process_of(folder, run))

    second = Running(folder)
    rest = follow(second, run, after=before[-1][0], n=10_000)
    page = second.client.get(f"/runs/{run}").text
    second.kill()

    assert lives_on
    assert process_of(folder, run)["pid"] == pid
    assert [number for number, _ in [*before, *rest]] == list(range(1, len(before) + len(rest) + 1))
    assert "saving" in rest[-1][1]
    assert "/models/churn/1/report" in page


def test_a_studio_and_its_training_that_are_both_killed_go_on(folder, churn_like):
    first = Running(folder)
    run = begin(first, churn_like.drop("customer", "note"))
    before = follow(first, run, after=0, n=8)
    first.kill()
    os.kill(process_of(folder, run)["pid"], signal.SIGKILL)

    second = Running(folder)
    rest = follow(second, run, after=before[-1][0], n=10_000)
    page = second.client.get(f"/runs/{run}").text
    second.kill()

    assert process_of(folder, run)["starts"] == 2
    assert "goes on from an earlier sitting" in "".join(words for _, words in rest)
    assert [number for number, _ in [*before, *rest]] == list(range(1, len(before) + len(rest) + 1))
    assert "/models/churn/1/report" in page
    assert "/models/churn/2/report" not in page


def test_what_is_deployed_and_its_canary_outlive_a_killed_studio(folder, churn_like):
    rows = churn_like.drop("customer", "note")
    with open_store(folder / "store") as store:
        for learner in ("linear", "tree"):
            store.models.register(
                Classifier(budget="1 trial", learners=[learner], seed=0).fit(rows, "churned"), "churn"
            )
    first = Running(folder)
    deploy = "/models/churn/deploy"
    place = first.client.post(f"{deploy}/key", data={"name": "shop"}).headers["location"]
    key = re.search(r'id="secret" value="([^"]+)"', first.client.get(place).text)
    assert key is not None
    first.client.post(deploy, data={"number": "1"})
    first.client.post(f"{deploy}/canary", data={"number": "2", "percent": "100"})
    before = answered(first, key[1], rows)
    first.kill()

    second = Running(folder)
    after = answered(second, key[1], rows)
    with open_store(folder / "store") as store:
        until = time.monotonic() + SECONDS
        while store.predictions.count("churn", number=2) < 2:  # the first one waited in the log
            assert time.monotonic() < until
            time.sleep(0.1)
    second.kill()

    assert before == after


def answered(studio: Running, key: str, rows: pl.DataFrame) -> str:
    """Ask until the canary answers, as a program does; return its version."""
    headers = {"Authorization": f"Bearer {key}"}
    body = {"rows": rows.drop("churned").with_columns(pl.col("joined").cast(str)).head(1).to_dicts()}
    until = time.monotonic() + SECONDS
    with httpx.Client(base_url=studio.client.base_url, headers=headers) as client:
        while True:
            page = studio.client.get("/models/churn/deploy/standing").text
            reply = client.post("/v1/models/churn/predict", json=body)
            if "answers 100 % of the callers" in page:
                break
            assert reply.status_code in (200, 404, 503), reply.text
            assert time.monotonic() < until, page
            time.sleep(0.1)
    assert reply.status_code == 200, (reply.text, page)
    return str(reply.json()["version"])
