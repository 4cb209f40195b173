"""The walk as a user types it: a real CSV, profile, fit, predict, evaluate, explain, serve, and an answer over HTTP."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer

COMMAND = [sys.executable, "-m", "mantic.cli.main"]
BUDGET = 20.0


def mantic(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with cancer.csv, and new.csv with rows and truth held back from it."""
    place = tmp_path_factory.mktemp("walk")
    bunch = load_breast_cancer()
    names = [name.replace(" ", "_") for name in bunch.feature_names]
    rows = [[*values, bunch.target_names[code]] for values, code in zip(bunch.data, bunch.target, strict=True)]
    for file, part in {"cancer.csv": rows[100:], "new.csv": rows[:100]}.items():
        with (place / file).open("w", newline="") as out:
            csv.writer(out).writerows([[*names, "diagnosis"], *part])
    return place


@pytest.fixture(scope="module")
def fitted(folder: Path) -> dict[str, Any]:
    words = (
        "fit",
        "cancer.csv",
        "--target",
        "diagnosis",
        "--budget",
        f"{BUDGET:.0f}s",
        "--report",
        "report.html",
        "--json",
    )
    facts: dict[str, Any] = json.loads(mantic(folder, *words).stdout)
    return facts


def ask(address: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_the_table_is_profiled(folder):
    done = mantic(folder, "profile", "cancer.csv", "--target", "diagnosis", "--out", "profile.html")

    assert "mean_radius" in done.stdout + (folder / "profile.html").read_text()
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", (folder / "profile.html").read_text())


def test_the_fit_keeps_its_budget_and_finds_what_is_there(folder, fitted):
    assert fitted["seconds"] <= 1.05 * BUDGET + 1
    assert fitted["score"] < 0.3 < fitted["baseline"]["score"]
    assert (folder / fitted["model"]).is_file()
    assert (folder / "report.html").is_file()


def test_held_back_rows_are_answered_about_as_well_as_was_promised(folder, fitted):
    facts = json.loads(mantic(folder, "evaluate", fitted["model"], "new.csv", "--json").stdout)

    assert facts["n_rows"] == 100
    assert facts["metrics"]["accuracy"] > 0.85


def test_file_and_server_give_the_same_answers(folder, fitted):
    mantic(folder, "predict", fitted["model"], "new.csv", "--proba", "--out", "answers.csv")
    with (folder / "answers.csv").open() as file:
        expected = list(csv.DictReader(file))
    with (folder / "new.csv").open() as file:
        rows = [{name: value for name, value in row.items() if name != "diagnosis"} for row in csv.DictReader(file)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    words = [*COMMAND, "serve", fitted["model"], "--port", str(port)]
    with subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True, env=os.environ) as server:
        try:
            _wait(server, f"{base}/readyz")
            found = ask(f"{base}/v1/models/cancer/predict", {"rows": rows})["predictions"]
            reasons = ask(f"{base}/v1/models/cancer/explain", {"rows": rows[:1]})
            about = ask(f"{base}/v1/models/cancer")
        finally:
            server.send_signal(signal.SIGTERM)
            _, err = server.communicate(timeout=20)

    assert [one["prediction"] for one in found] == [one["prediction"] for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one["probability"]["malignant"] == pytest.approx(float(other["probability_malignant"]), abs=1e-9)
    assert reasons["rows"][0]["contributions"]
    assert about["metrics"]["score"] == fitted["score"]
    assert server.returncode == 0
    assert f"serving cancer at {base}" in err
    assert "Traceback" not in err


def test_a_server_with_keys_answers_who_has_one(folder, fitted):
    made = json.loads(mantic(folder, "api-keys", "new", "clinic", "--keys", "keys.json", "--json").stdout)
    words = [*COMMAND, "serve", fitted["model"], "--port", "0", "--keys", "keys.json"]
    with subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True, env=os.environ) as server:
        try:
            assert server.stderr is not None
            greeting = next(line for line in server.stderr if line.startswith("serving "))
            address = f"{greeting.partition(' at ')[2].split()[0]}/v1/models/cancer/predict"
            with (folder / "new.csv").open() as file:
                row = next(csv.DictReader(file))
            body = json.dumps({"rows": [row]}).encode()
            statuses = []
            for key in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {made['key']}"}):
                request = urllib.request.Request(address, body, {"Content-Type": "application/json", **key})
                try:
                    with urllib.request.urlopen(request) as answer:
                        statuses.append(answer.status)
                except urllib.error.HTTPError as error:
                    statuses.append(error.code)
        finally:
            server.send_signal(signal.SIGTERM)
            _, err = server.communicate(timeout=20)

    assert statuses == [401, 401, 200]
    assert made["key"] not in err
    assert made["key"] not in (folder / "keys.json").read_text()


def _wait(server: "subprocess.Popen[str]", address: str) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            ask(address)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server was not ready after a minute")


def test_one_row_is_explained_in_words(folder, fitted):
    done = mantic(folder, "explain", fitted["model"], "new.csv", "--row", 0)

    assert "Predicted '" in done.stdout


def test_ctrl_c_keeps_the_best_so_far(folder):
    words = [*COMMAND, "fit", "cancer.csv", "--target", "diagnosis", "--budget", "5m", "--out", "early.mantic"]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as fit:
        assert fit.stderr is not None
        fit.stderr.readline()  # the first progress: a model is there
        fit.send_signal(signal.SIGINT)
        out, err = fit.communicate(timeout=60)

    assert fit.returncode == 0, err
    assert "Traceback" not in err
    assert "diagnosis" in out
    assert (folder / "early.mantic").is_file()
