"""`mantic predict` on a file larger than it may hold in memory: rows per second, memory, and what a kill -9 costs."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from speed.batch import table

import mantic

_PART = 500_000


def write_large(path: Path, n_parts: int) -> int:
    """Write a CSV of some parts of half a million rows; return the number of rows."""
    with path.open("wb") as out:
        for part in range(n_parts):
            frame = table(_PART, seed=part + 1).drop("target").with_columns(pl.all().round(5))
            frame.write_csv(out, include_header=part == 0)
    return n_parts * _PART


def predict(model: Path, rows: Path, out: Path) -> tuple[float, float]:
    """Return the seconds that a fresh process takes, and the most memory it holds, in millions of bytes."""
    started, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(command(model, rows, out), stderr=subprocess.DEVNULL)
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss / 1e6)
        except psutil.Error:
            break
        time.sleep(0.05)
    if process.wait():
        sys.exit("mantic predict failed")
    return time.perf_counter() - started, peak


def command(model: Path, rows: Path, out: Path) -> list[str]:
    """Return the command line."""
    return [sys.executable, "-m", "mantic.cli.main", "predict", str(model), str(rows), "--out", str(out)]


def killed(model: Path, rows: Path, out: Path, *, after: float) -> None:
    """Start, and kill without a warning."""
    process = subprocess.Popen(command(model, rows, out), stderr=subprocess.DEVNULL)
    time.sleep(after)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def main() -> None:
    """Print the figures."""
    n_parts = 1 if "--quick" in sys.argv else 40
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        n_rows = write_large(folder / "rows.csv", n_parts)
        fitted = mantic.Regressor(
            budget="1 trial", learners=["boosting"], params={"boosting.rounds": 200, "boosting.stopping": "none"}
        ).fit(table(20_000, seed=0), "target")
        model = fitted.save(folder / "model.mantic")
        few = pl.read_csv(folder / "rows.csv", n_rows=1_000)
        few.write_csv(folder / "few.csv")
        _, little = predict(model, folder / "few.csv", folder / "few-answers.csv")
        seconds, peak = predict(model, folder / "rows.csv", folder / "whole.csv")
        megabytes = round((folder / "rows.csv").stat().st_size / 1e6)
        print(
            json.dumps(
                {
                    "name": "mantic predict of a large file, 200 boosted trees, 10 columns, 2 cores",
                    "value": round(n_rows / seconds), "unit": "rows/s", "rows": n_rows, "file_mb": megabytes,
                    "peak_mb": round(peak), "peak_of_1000_rows_mb": round(little),
                }
            ),
            flush=True,
        )  # fmt: skip
        killed(model, folder / "rows.csv", folder / "resumed.csv", after=0.6 * seconds)
        rest, _ = predict(model, folder / "rows.csv", folder / "resumed.csv")
        same = (folder / "resumed.csv").read_bytes() == (folder / "whole.csv").read_bytes()
        shares = {"value": round(rest / seconds, 3), "unit": "of the whole time", "answers_equal": same}
        print(json.dumps({"name": "after kill -9 at 60 % of the time, the rest takes"} | shares), flush=True)


if __name__ == "__main__":
    main()
