"""The demo is the first thing that anybody runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"


def _demo(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(DEMO), *options], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_demo_walks_from_a_real_table_to_an_answer_over_http(tmp_path):
    done = _demo(tmp_path, "--budget", "4s")

    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout[done.stdout.index("{\n") : done.stdout.rindex("}\n") + 2])
    assert answer["model"] == "weather"
    assert sum(answer["predictions"][0]["probability"].values()) == pytest.approx(1, abs=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    made = {path.name for path in (tmp_path / "demo").iterdir()}
    assert made == {"profile.html", "report.html", "weather.mantic", "store"}


def test_the_demo_takes_a_table_of_ones_own(tmp_path, rent_like):
    rent_like.write_csv(tmp_path / "rent.csv")

    done = _demo(tmp_path, "--data", "rent.csv", "--target", "spend", "--budget", "4s")

    assert done.returncode == 0, done.stdout + done.stderr
    assert '"interval": [' in done.stdout


def test_the_demo_ends_with_the_exit_code_of_the_step_that_failed(tmp_path, rent_like):
    rent_like.write_csv(tmp_path / "rent.csv")

    done = _demo(tmp_path, "--data", "rent.csv", "--target", "no such column", "--budget", "4s")

    assert done.returncode == 2
    assert "no such column" in done.stderr
    assert "Traceback" not in done.stderr
