"""The story of a fit lies in the store while it works, and a killed process leaves it there."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mantic.store.runs import new_run
from mantic.store.store import open_store

COMMAND = [sys.executable, "-m", "mantic.cli.main"]
LEARNERS = ["--learner", "tree", "--learner", "naive_bayes", "--learner", "linear"]


@pytest.fixture
def folder(tmp_path: Path, churn_like, monkeypatch) -> Path:
    churn_like.drop("note").write_csv(tmp_path / "churn.csv")
    monkeypatch.setenv("MANTIC_STORE_URL", str(tmp_path / "store"))
    return tmp_path


def fit(folder: Path, *words: object) -> "subprocess.Popen[str]":
    command = [*COMMAND, "fit", "churn.csv", "--target", "churned", *map(str, words)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def mantic(folder: Path, *words: object) -> Any:
    done = subprocess.run([*COMMAND, *map(str, words)], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def until_told(folder: Path, run: str, kind: str, n: int) -> None:
    """Wait until so many events of a kind are in the store."""
    until = time.monotonic() + 120
    with open_store(folder / "store") as store:
        while time.monotonic() < until:
            if store.runs.knows(run) and sum(one.kind == kind for one in store.runs.events(run)) >= n:
                return
            time.sleep(0.05)
    raise AssertionError("the story was not told within two minutes")


def test_a_killed_fit_leaves_its_story_and_goes_on_with_it(folder):
    run = new_run()
    words = ["--budget", "30 trials", *LEARNERS, "--run", run, "--out", "m.mantic"]
    with fit(folder, *words) as first:
        until_told(folder, run, "measured", 6)
        os.kill(first.pid, signal.SIGSTOP)  # else it may end before it is looked at
        (working,) = mantic(folder, "runs", "--json")["runs"]
        os.kill(first.pid, signal.SIGKILL)
    killed = mantic(folder, "runs", "show", run, "--json")

    with fit(folder, *words, "--resume") as second:
        _, err = second.communicate()

    ended = mantic(folder, "runs", "show", run, "--json")
    assert second.returncode == 0, err
    assert (working["standing"], killed["standing"], ended["standing"]) == ("running", "cut off", "done")
    assert ended["facts"]["model"] == "m/1"
    assert ended["events"][: len(killed["events"])] == killed["events"]
    assert [one["number"] for one in ended["events"]] == list(range(1, len(ended["events"]) + 1))
    assert "resumed" in [one["facts"].get("code") for one in ended["events"]]
    assert ended["facts"]["spent"] > 0


def test_without_an_id_the_run_that_was_cut_off_is_found_by_what_it_makes(folder):
    words = ["--budget", "30 trials", *LEARNERS, "--out", "m.mantic"]
    with fit(folder, *words) as first:
        until = time.monotonic() + 120
        while not ((folder / "m.mantic.journal").exists() and (folder / "m.mantic.journal").stat().st_size > 30_000):
            assert time.monotonic() < until
            time.sleep(0.02)
        time.sleep(1)
        os.kill(first.pid, signal.SIGKILL)

    with fit(folder, *words, "--resume") as second:
        second.communicate()

    (run,) = mantic(folder, "runs", "--json")["runs"]
    assert run["standing"] == "done"


def test_the_story_says_the_phases_the_baseline_and_every_candidate(folder):
    run = new_run()
    with fit(folder, "--budget", "6 trials", *LEARNERS, "--run", run, "--out", "m.mantic") as done:
        done.communicate()

    events = mantic(folder, "runs", "show", run, "--json")["events"]

    told = [one["facts"]["name"] for one in events if one["kind"] == "started"]
    assert told[0] == "reading churn.csv"
    assert told[-1] == "saving"
    assert "searching" in told
    baseline = next(one["facts"] for one in events if one["facts"].get("name") == "baseline")
    assert baseline["facts"]["metric"] == "log_loss"
    scored = [one["facts"] for one in events if one["facts"].get("name") == "log_loss"]
    assert {one["facts"]["number"] for one in scored} == set(range(6))
    leaders = [one for one in scored if one["facts"]["best"]]
    assert leaders[0]["facts"]["low"] <= leaders[0]["value"] <= leaders[0]["facts"]["high"]
    assert all(one["facts"]["took"] > 0 and "params" in one["facts"] for one in scored)


def test_a_fit_that_fails_says_why_in_its_run(folder):
    run = new_run()
    with fit(folder, "--budget", "1 trial", "--run", run, "--drop", "nosuch", "--out", "m.mantic") as done:
        done.communicate()

    found = mantic(folder, "runs", "show", run, "--json")

    assert done.returncode == 2
    assert found["state"] == "failed"
    assert "cannot leave out nosuch" in found["facts"]["what"]
    assert found["facts"]["fix"]


def test_a_run_that_has_ended_is_left_as_it_is_and_the_model_is_kept(folder):
    with open_store(folder / "store") as store:
        run = store.runs.start("m", "fit")
        store.runs.finish(run)
    with fit(folder, "--budget", "1 trial", "--run", run, "--resume", "--out", "m.mantic") as done:
        _, err = done.communicate()

    assert done.returncode == 0
    assert "the story of this fit is not kept: the run has ended" in err
    assert (folder / "m.mantic").exists()
    with open_store(folder / "store") as store:
        assert str(store.models.get("m")) == "m/1"
        assert store.runs.events(run) == []


def test_without_a_store_nothing_is_kept(folder):
    with fit(folder, "--budget", "1 trial", "--no-store", "--out", "m.mantic") as done:
        _, err = done.communicate()

    assert done.returncode == 0
    assert "warning: the story" not in err
    assert not (folder / "store").exists()
