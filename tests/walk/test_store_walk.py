"""What a company does with a model: keep it, serve it by name, roll it back, lose the server, and lose nothing."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

COMMAND = [sys.executable, "-m", "mantic.cli.main"]
ROW = {
    "customer": "c7", "tenure": 3, "charges": 40.5, "plan": "basic", "city": "city 03", "paperless": True,
    "joined": "2021-05-01", "note": "slow support",
}  # fmt: skip

pytestmark = pytest.mark.slow


def mantic(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(churn_like: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with a store that keeps churn/1, the champion, and churn/2."""
    place = tmp_path_factory.mktemp("store-walk")
    churn_like.write_csv(place / "churn.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANTIC_STORE_URL", str(place / "store"))
        for learner in ("linear", "tree"):
            mantic(place, "fit", "churn.csv", "--target", "churned", "--budget", "1 trial", "--learner", learner)
        yield place


class Serving:
    """A server in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "churn", "--port", "0"], cwd=folder, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        self.address = self.process.stderr.readline().partition(" at ")[2].partition(" ")[0]
        assert self.address.startswith("http"), self.process.communicate()

    def ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def predict(self, n_rows: int = 1) -> Any:
        return self.ask("/v1/models/churn/predict", {"rows": [ROW] * n_rows})

    def end(self, number: int) -> None:
        os.kill(self.process.pid, number)
        self.process.wait(60)
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def server(folder: Path) -> Iterator[Serving]:
    started = Serving(folder)
    yield started
    if started.process.poll() is None:
        started.end(signal.SIGTERM)


def kept(folder: Path, *words: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(mantic(folder, "predictions", "churn", "--json", *words).stdout)[
        "predictions"
    ]
    return found


def until(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_an_answer_is_kept_and_finds_its_outcome(folder, server):
    one = server.predict()["predictions"][0]

    assert server.ask("/v1/feedback", {"outcomes": [{"id": one["id"], "value": "yes"}]}) == {"kept": 1}

    until(lambda: any(found["id"] == one["id"] for found in kept(folder)))
    (found,) = kept(folder, "--judged")
    assert found["outcome"] == "yes"
    assert found["row"]["plan"] == "basic"
    assert found["number"] == 1


def test_a_promotion_and_a_rollback_reach_a_running_server(folder, server):
    first = server.predict()["version"]

    mantic(folder, "models", "promote", "churn/2")
    until(lambda: server.predict()["version"] != first)
    mantic(folder, "models", "rollback", "churn")
    until(lambda: server.predict()["version"] == first)

    assert {found["number"] for found in kept(folder)} >= {1}


def test_nothing_that_was_answered_is_lost_when_the_server_is_killed(folder):
    server = Serving(folder)
    ids = [one["id"] for _ in range(20) for one in server.predict(3)["predictions"]]

    server.end(signal.SIGKILL)
    again = Serving(folder)
    try:
        until(lambda: set(ids) <= _ids(folder))
    finally:
        again.end(signal.SIGTERM)


def _ids(folder: Path) -> set[str]:
    mantic(folder, "predictions", "churn", "--out", "all.csv")
    return set(pl.read_csv(folder / "all.csv")["id"])


def test_outcomes_come_from_a_table_too(folder, server):
    ids = [one["id"] for one in server.predict(4)["predictions"]]
    pl.DataFrame({"prediction": ids, "churned": ["yes", "no", None, "no"]}).write_csv(folder / "truth.csv")

    done = mantic(folder, "outcomes", "truth.csv", "--id", "prediction", "--value", "churned", "--json")

    assert json.loads(done.stdout) == {"kept": 3}


def test_a_file_is_served_without_keeping_what_it_answers(folder):
    words = [*COMMAND, "serve", "churn.mantic", "--port", "0"]
    with subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split(" at ")[1].split(" ")[0]
        body = json.dumps({"rows": [ROW]}).encode()
        request = urllib.request.Request(f"{address}/v1/models/churn/predict", body)
        with urllib.request.urlopen(request, timeout=30) as answer:
            one = json.load(answer)["predictions"][0]
        process.terminate()

    assert "id" not in one
