"""A forecast as a user types it: a CSV, fit, predict, evaluate, serve, and an answer over HTTP."""

import csv
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

COMMAND = [sys.executable, "-m", "mantic.cli.main"]
FIRST, N_LEARNED, HORIZON = date(2023, 1, 2), 280, 14


def mantic(folder: Path, *words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a folder with sales.csv, and later.csv with the fortnight after it; and a store of its own."""
    place = tmp_path_factory.mktemp("forecast")
    rows: dict[str, list[list[object]]] = {"sales.csv": [], "later.csv": []}
    for number, store in enumerate("AB"):
        chance = np.random.default_rng(number)
        for step in range(N_LEARNED + HORIZON):
            day = FIRST + timedelta(days=step)
            sold = int(chance.poisson(30 + 20 * (day.weekday() > 4)))
            rows["sales.csv" if step < N_LEARNED else "later.csv"].append([day.strftime("%d.%m.%Y"), store, sold])
    for file, part in rows.items():
        with (place / file).open("w", newline="") as out:
            csv.writer(out).writerows([["date", "store", "sold"], *part])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANTIC_STORE_URL", str(place / "store"))
        yield place


@pytest.fixture(scope="module")
def fitted(folder: Path) -> dict[str, Any]:
    words = "fit sales.csv --task forecast --time date --target sold --series store --levels 80 --budget 4s --json"
    done = mantic(folder, *words.split(), "--horizon", HORIZON, "--report", "report.html")
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def test_a_forecast_is_fitted_in_time_and_kept(folder, fitted):
    assert fitted["task"] == "forecast"
    assert fitted["seconds"] <= 4 + 2
    assert fitted["metrics"]["owa"] <= 1 + 1e-9
    assert fitted["kept"] == "sales/1"
    assert (folder / "report.html").stat().st_size > 10_000


def test_the_whole_forecast_is_written_without_any_rows(folder, fitted):
    mantic(folder, "predict", fitted["model"], "--out", "forecast.csv")

    with (folder / "forecast.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["store", "date", "mean", "median", "q0.1", "q0.9"]
    assert len(rows) == 2 * HORIZON
    assert rows[0]["date"] == str(FIRST + timedelta(days=N_LEARNED))


def test_rows_are_answered_like_the_whole_in_the_users_own_dates(folder, fitted):
    whole = list(csv.DictReader(mantic(folder, "predict", "sales").stdout.splitlines()))

    found = list(csv.DictReader(mantic(folder, "predict", fitted["model"], "later.csv").stdout.splitlines()))

    assert [row.pop("basis") for row in found] == ["its own past"] * len(found)
    assert found == whole


def test_sums_are_asked_for_by_an_option_and_written_with_their_level(folder, fitted):
    words = "fit sales.csv --task forecast --time date --target sold --series store --hierarchy --budget 2s --json"
    model = json.loads(mantic(folder, *words.split(), "--horizon", HORIZON, "--out", "sums.mantic").stdout)["model"]

    rows = list(csv.DictReader(mantic(folder, "predict", model).stdout.splitlines()))

    assert [row["level"] for row in rows[::HORIZON]] == ["total", "store", "store"]
    each = [float(row["mean"]) for row in rows]
    for step in range(HORIZON):
        assert each[step] == pytest.approx(each[HORIZON + step] + each[2 * HORIZON + step], abs=1e-6)
    assert "--hierarchy" in mantic(folder, *["fit", "sales.csv", "--target", "sold", "--hierarchy"], code=2).stderr


def test_what_came_later_says_how_good_it_was(folder, fitted):
    facts = json.loads(mantic(folder, "evaluate", fitted["model"], "later.csv", "--json").stdout)

    assert facts["n_test"] == 2 * HORIZON
    assert facts["metrics"]["owa"] <= 1 + 1e-9


def test_the_store_lists_it_with_its_score(folder, fitted):
    listed = json.loads(mantic(folder, "models", "show", "sales", "--json").stdout)

    assert "forecast" in json.dumps(listed)


def test_options_of_the_other_kind_of_task_are_refused(folder):
    words = "fit sales.csv --task forecast --time date --target sold --metric rmse --learner tree"

    assert "--metric, --learner" in mantic(folder, *words.split(), code=2).stderr
    assert "--horizon" in mantic(folder, *["fit", "sales.csv", "--target", "sold", "--horizon", "7"], code=2).stderr
    assert "--time" in mantic(folder, *["fit", "sales.csv", "--task", "forecast", "--target", "sold"], code=2).stderr


@pytest.mark.parametrize("verb", ["decide {} --cost fp=1,fn=2", "replay {} sales.csv", "explain {} later.csv --rules"])
def test_verbs_that_are_not_for_forecasts_say_so(folder, fitted, verb):
    done = mantic(folder, *verb.format(fitted["model"]).split(), code=2)

    assert "forecast" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_server_answers_like_the_file(folder, fitted):
    expected = list(csv.DictReader(mantic(folder, "predict", fitted["model"], "later.csv").stdout.splitlines()))
    words = [*COMMAND, "serve", fitted["model"], "--port", "0"]
    with subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True, env=os.environ) as server:
        try:
            assert server.stderr is not None
            greeting = next(line for line in server.stderr if line.startswith("serving "))
            base = greeting.partition(" at ")[2].split()[0]
            rows = [{"store": row["store"], "date": row["date"]} for row in expected]
            found = _ask(f"{base}/v1/models/sales/predict", {"rows": rows})["predictions"]
            reasons = _ask(f"{base}/v1/models/sales/explain", {"rows": rows[:1]})["rows"][0]
            about = _ask(f"{base}/v1/models/sales")
            document = _ask(f"{base}/openapi.json")
            new = _ask(f"{base}/v1/models/sales/predict", {"rows": [{"store": "Z", "date": rows[0]["date"]}]})
            with pytest.raises(urllib.error.HTTPError) as refused:
                _ask(f"{base}/v1/models/sales/predict", {"rows": [{"store": "A", "date": "1999-01-01"}]})
        finally:
            server.send_signal(signal.SIGTERM)
            _, err = server.communicate(timeout=20)

    assert [one["prediction"] for one in found] == [pytest.approx(float(row["mean"])) for row in expected]
    assert found[0]["quantiles"] == {"0.1": float(expected[0]["q0.1"]), "0.9": float(expected[0]["q0.9"])}
    assert sum(one["weight"] for one in reasons["methods"]) == pytest.approx(1)
    assert about["metrics"]["score"] == fitted["score"]
    answer = document["paths"]["/v1/models/sales/predict"]["post"]["responses"]["200"]
    assert "quantiles" in json.dumps(answer)
    assert refused.value.code == 422
    assert "asks for a moment outside of" in json.load(refused.value)["detail"]
    assert new["predictions"][0]["basis"] == "similar series"
    assert "Traceback" not in err


def _ask(address: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_a_pretrained_model_is_named_by_its_folder(folder, tiny_models):
    words = (
        "fit sales.csv --task forecast --time date --target sold --series store --json --no-store --out brought.mantic"
    )
    done = mantic(folder, *words.split(), "--budget", "1 trial", "--pretrained", tiny_models["Chronos-2"])

    facts = json.loads(done.stdout)
    assert (facts["pretrained"]["family"], facts["pretrained"]["outcome"]) == ("Chronos-2", "used")
    assert "Loading weights" not in done.stderr  # its libraries say nothing of their own
    assert (
        "--pretrained" in mantic(folder, *["fit", "sales.csv", "--target", "sold", "--pretrained", "x"], code=2).stderr
    )
    assert "hf://amazon/chronos-2" in mantic(folder, *words.split(), "--pretrained", "amazon/chronos-2", code=2).stderr
