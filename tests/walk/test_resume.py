"""A fit that is killed goes on where it was, and a search can be done again without its clock."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer

COMMAND = [sys.executable, "-m", "mantic.cli.main"]
LEARNERS = ["--learner", "tree", "--learner", "naive_bayes", "--learner", "linear"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("resume")
    bunch = load_breast_cancer()
    frame = pl.DataFrame(bunch.data, schema=[name.replace(" ", "_") for name in bunch.feature_names])
    frame.with_columns(diagnosis=pl.Series(bunch.target_names[bunch.target])).write_csv(place / "cancer.csv")
    return place


def mantic(folder: Path, *words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == code, done.stderr
    return done


def killed_after(folder: Path, out: str, size: int, *words: object) -> None:
    """Start a fit and kill it as soon as its journal has grown to so many bytes."""
    journal = folder / f"{out}.journal"
    with subprocess.Popen(
        [*COMMAND, "fit", "cancer.csv", "--target", "diagnosis", "--out", out, *map(str, words)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as fit:
        until = time.monotonic() + 60
        while time.monotonic() < until and not (journal.exists() and journal.stat().st_size >= size):
            time.sleep(0.01)
        os.kill(fit.pid, signal.SIGKILL)
    assert not (folder / out).exists()


def test_a_killed_search_counted_in_trials_ends_as_if_it_had_not_been_killed(folder):
    words = ["--budget", "12 trials", *LEARNERS]
    mantic(folder, "fit", "cancer.csv", "--target", "diagnosis", "--out", "whole.mantic", *words)
    killed_after(folder, "late.mantic", 100_000, *words)

    done = mantic(
        folder, "fit", "cancer.csv", "--target", "diagnosis", "--out", "late.mantic", "--resume", "--json", *words
    )

    assert "goes on from an earlier sitting" in json.dumps(json.loads(done.stdout))
    assert not list(folder.glob("late.mantic.journal*"))
    for model in ("whole", "late"):
        mantic(folder, "predict", f"{model}.mantic", "cancer.csv", "--out", f"{model}.csv")
    assert (folder / "whole.csv").read_bytes() == (folder / "late.csv").read_bytes()


def test_another_question_is_refused(folder):
    words = ["--budget", "12 trials", *LEARNERS]
    killed_after(folder, "other.mantic", 60_000, *words)

    done = mantic(
        folder, "fit", "cancer.csv", "--target", "diagnosis", "--out", "other.mantic", "--resume", "--seed", 5, *words,
        code=2,
    )  # fmt: skip

    assert "seed was 0, now 5" in done.stderr
    assert (folder / "other.mantic.journal").exists()


def test_without_a_journal_resume_begins_anew(folder):
    words = ["--budget", "2 trials", "--learner", "tree", "--resume"]
    done = mantic(folder, "fit", "cancer.csv", "--target", "diagnosis", "--out", "new.mantic", *words)

    assert "begins anew" in done.stderr
    assert (folder / "new.mantic").is_file()


def test_a_timed_search_is_done_again(folder):
    words = ["--budget", "20s", *LEARNERS]
    mantic(folder, "fit", "cancer.csv", "--target", "diagnosis", "--out", "timed.mantic", *words)

    done = mantic(folder, "replay", "timed.mantic", "cancer.csv", "--out", "again.mantic", "--json")

    facts = json.loads(done.stdout)
    assert facts["is_same"]
    assert facts["largest_difference"] == 0
    assert len(facts["trials"]) >= 3
    assert (folder / "again.mantic").is_file()


def test_another_table_gives_other_scores(folder):
    words = ["--budget", "3 trials", *LEARNERS]
    mantic(folder, "fit", "cancer.csv", "--target", "diagnosis", "--out", "three.mantic", *words)
    pl.read_csv(folder / "cancer.csv")[50:].write_csv(folder / "less.csv")

    done = mantic(folder, "replay", "three.mantic", "less.csv", code=1)

    assert "0 of 3 scores are the same" in done.stdout + done.stderr
