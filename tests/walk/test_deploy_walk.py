"""`mantic serve --deployed`: what is deployed later reaches the server that runs, and a restart begins where it was."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.server_process import ServerProcess

from mantic.store.store import open_store
from mantic.tasks.classify import Classifier

SECONDS = 120


class Server(ServerProcess):
    """`mantic serve --deployed`, and a client of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "store", "serve", "--deployed", says=r"serving what is deployed at (\S+)")
        self.client = httpx.Client(base_url=self.address, timeout=30)

    def ask(self) -> httpx.Response:
        return self.client.post("/v1/models/churn/predict", json={"rows": [ROW]})

    def kill(self) -> None:
        super().kill()
        self.client.close()


ROW = {"tenure": 3, "charges": 79.5, "plan": "basic", "city": "city 07", "paperless": True, "joined": "2022-05-01"}


@pytest.fixture
def folder(tmp_path: Path, churn_like: Any) -> Path:
    """Return a folder with a store of churn/1 (the champion) and churn/2."""
    rows = churn_like.drop("customer", "note")
    with open_store(tmp_path / "store") as store:
        for learner in ("linear", "tree"):
            store.models.register(
                Classifier(budget="1 trial", learners=[learner], seed=0).fit(rows, "churned"), "churn"
            )
    return tmp_path


@pytest.fixture
def do(folder: Path) -> Callable[..., None]:
    """Return what runs `mantic models`."""
    own = os.environ | {"MANTIC_STORE_URL": str(folder / "store")}

    def run(*words: str) -> None:
        command = [sys.executable, "-m", "mantic.cli.main", "models", *words]
        subprocess.run(command, env=own, check=True, capture_output=True)

    return run


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    one = Server(folder)
    yield one
    one.kill()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def version(server: Server) -> str:
    reply = server.ask()
    return str(reply.json()["version"]) if reply.status_code == 200 else ""


def test_a_running_server_follows_what_the_command_line_deploys(server: Server, do: Callable[..., None]) -> None:
    until(lambda: server.client.get("/readyz").status_code == 200)
    early = server.ask()

    do("deploy", "churn")
    until(lambda: version(server))
    first = version(server)
    do("promote", "churn/2")
    until(lambda: version(server) not in ("", first))
    do("rollback", "churn")
    until(lambda: version(server) == first)
    do("canary", "churn/2", "--share", "0.5")
    until(lambda: version(server) not in ("", first))
    do("withdraw", "churn")
    until(lambda: server.ask().status_code == 404)
    gone = server.ask()

    assert early.status_code == gone.status_code == 404
    assert gone.headers["content-type"] == "application/problem+json"
    assert json.loads(gone.text)["what"] == "there is no model 'churn'"


def test_a_killed_server_begins_where_it_was(folder: Path, do: Callable[..., None]) -> None:
    do("deploy", "churn")
    do("canary", "churn/2", "--share", "1")
    first = Server(folder)
    until(lambda: '"churn"' in first.client.get("/v1/models").text)
    until(lambda: 'part="trial"' in first.client.get("/metrics").text)
    before = version(first)
    first.kill()

    second = Server(folder)
    until(lambda: 'part="trial"' in second.client.get("/metrics").text)
    after = version(second)
    second.kill()

    assert before == after != ""
