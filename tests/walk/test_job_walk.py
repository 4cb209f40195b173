"""A table is sent to a server that is killed while it answers; the next one goes on where it was."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

COMMAND = [sys.executable, "-m", "mantic.cli.main"]
N_COPIES = 500  # of 400 rows: four pieces of an NDJSON file
N_PIECE = 50_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(churn_like: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with a store that keeps churn/1, and a table that takes a while."""
    place = tmp_path_factory.mktemp("job-walk")
    # without the free text, of which so many rows would take a minute
    churn_like.drop("note").write_csv(place / "churn.csv")
    pl.concat([churn_like.drop("note", "churned")] * N_COPIES).write_ndjson(place / "new.ndjson")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANTIC_STORE_URL", str(place / "store"))
        words = ["fit", "churn.csv", "--target", "churned", "--budget", "1 trial", "--learner", "linear"]
        subprocess.run([*COMMAND, *words], cwd=place, check=True, capture_output=True, timeout=150)
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

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.address + path, body, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: bytes = answer.read()
            return found

    def job(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ask("GET", f"/v1/jobs/{name}"))
        return found

    def end(self, number: int) -> None:
        os.kill(self.process.pid, number)
        self.process.wait(60)
        assert self.process.stderr is not None
        self.process.stderr.close()


def until(condition: Any, seconds: float = 150.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_a_job_outlives_its_server(folder: Path) -> None:
    first = Serving(folder)
    table = (folder / "new.ndjson").read_bytes()
    name = json.loads(first.ask("POST", "/v1/models/churn/jobs?format=parquet", table))["id"]
    until(lambda: first.job(name)["rows"] >= N_PIECE)
    assert first.job(name)["state"] == "running"
    first.end(signal.SIGKILL)

    second = Serving(folder)
    try:
        until(lambda: second.job(name)["state"] not in ("waiting", "running"))
        job = second.job(name)
        (folder / "answers.parquet").write_bytes(second.ask("GET", f"/v1/jobs/{name}/answers"))
        second.ask("DELETE", f"/v1/jobs/{name}")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            second.job(name)
    finally:
        second.end(signal.SIGTERM)

    assert (job["state"], job["rows"], job["share"]) == ("done", 400 * N_COPIES, 1.0)
    assert any("goes on after" in text for text in job["warnings"])
    answers = pl.read_parquet(folder / "answers.parquet")
    assert answers["customer"].to_list() == pl.read_ndjson(folder / "new.ndjson")["customer"].to_list()
    assert answers.head(400)["probability_yes"].to_list() == answers.tail(400)["probability_yes"].to_list()
    assert not list((folder / "store" / "jobs").iterdir())
