"""How fast forecasts are, and whether their budget is kept.

1,000 monthly series of 120 steps with intervals; import and first forecast of one series in a fresh process; an update
of 10,000 series; 100,000 short series by the command line (fit within 5 minutes, the whole forecast to a file) and
their update, each with the most memory that its process held; and fits at several budgets, each as a fresh process that
says how long `fit` took. ``--long`` makes 50 fits at each budget instead of 3.
"""

import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

import mantic

HERE = Path(__file__).resolve().parent
BUDGETS = (1, 5, 20)
_FIRST = """
import time; started = time.monotonic()
import polars as pl, mantic
from datetime import date
days = pl.date_range(date(2024, 1, 1), date(2024, 12, 31), eager=True)
frame = pl.DataFrame({"day": days, "sold": [20.0 + day.weekday() for day in days]})
mantic.Forecaster(28, budget="2s").fit(frame, time="day", target="sold").predict()
print(time.monotonic() - started)
"""
_FIT = """
import sys; sys.path.insert(0, {folder!r})
import time, forecasting, mantic
frame = forecasting.series(200, 120)
mantic.Forecaster(1, budget="1s")
started = time.monotonic()
model = mantic.Forecaster(12, budget="{budget}s").fit(frame, time="month", target="sold", series="item")
print(time.monotonic() - started, model.report_.facts["metrics"]["owa"])
"""
_UPDATE = """
import time, mantic, polars as pl
model, rows = mantic.load("sales.mantic"), pl.read_parquet("new.parquet")
started = time.monotonic()
model.update(rows)
print(time.monotonic() - started)
"""


def series(n_series: int, n_steps: int, *, seed: int = 0) -> pl.DataFrame:
    """Return monthly series of very different sizes with a trend, a year in them, and noise."""
    chance = np.random.default_rng(seed)
    size = 10 ** chance.uniform(0, 4, n_series)
    step = np.arange(n_steps)
    year = chance.normal(0, 0.2, (n_series, 12))[:, step % 12]
    noise = np.cumsum(chance.normal(0, 0.05, (n_series, n_steps)), axis=1) + chance.normal(0, 0.1, (n_series, n_steps))
    values = size[:, None] * np.exp(year + noise + chance.normal(0, 0.003, (n_series, 1)) * step)
    months = pl.date_range(date(2010, 1, 1), date(2200, 1, 1), "1mo", eager=True).head(n_steps)
    return pl.DataFrame(
        {
            "item": np.repeat([f"item {place}" for place in range(n_series)], n_steps),
            "month": pl.concat([months] * n_series),
            "sold": values.ravel(),
        }
    )


def ragged(n_series: int) -> pl.DataFrame:
    """Return monthly series of 17 to 36 steps that end together."""
    step, is_late = pl.int_range(pl.len()).over("item"), pl.col("item").hash(1) % 20
    return series(n_series, 36).filter(step >= is_late.cast(pl.Int64))


def tell(name: str, value: float, unit: str, **more: object) -> None:
    """Print one figure."""
    print(json.dumps({"name": f"forecast, {name}", "value": round(value, 3), "unit": unit, **more}), flush=True)


def fresh(code: str) -> list[float]:
    """Return the numbers that a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def held(words: list[str], folder: Path) -> tuple[str, float, float]:
    """Return what a command printed, its seconds, and the most memory it or a process of its own held, in GB."""
    started = time.monotonic()
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return said, time.monotonic() - started, used.ru_maxrss * 1024 / 1e9


def batch(n_series: int, budget: str) -> None:
    """Tell what it takes to fit, forecast and update very many short series."""
    asked = f"--task forecast --time month --target sold --series item --horizon 12 --budget {budget} --no-store --json"
    command, name = [sys.executable, "-m", "mantic.cli.main"], f"{n_series} short series"
    with TemporaryDirectory() as place:
        folder, rows = Path(place), ragged(n_series)
        is_new = pl.col("month") == pl.col("month").max()
        rows.filter(~is_new).write_parquet(folder / "sales.parquet")
        rows.filter(is_new).write_parquet(folder / "new.parquet")
        said, seconds, memory = held([*command, "fit", "sales.parquet", *asked.split()], folder)
        facts = json.loads(said)
        used = [one["name"] for one in facts["learners"] if one["outcome"] == "used"]
        n_bytes = (folder / "sales.mantic").stat().st_size
        more = {"owa": facts["metrics"]["owa"], "weights": facts["weights"], "used": used, "file_mb": n_bytes / 1e6}
        tell(f"fit of {name} in {budget}", seconds, "s", memory_gb=round(memory, 2), **more)
        _, seconds, memory = held([*command, "predict", "sales.mantic", "--out", "forecast.parquet"], folder)
        n_rows = pl.scan_parquet(folder / "forecast.parquet").select(pl.len()).collect().item()
        tell(f"predict of {name} to a file", seconds, "s", memory_gb=round(memory, 2), n_rows=n_rows)
        said, _, memory = held([sys.executable, "-c", _UPDATE], folder)
        tell(f"update of {name}", float(said), "s", memory_gb=round(memory, 2))


def main() -> None:
    """Print every figure."""
    is_quick = "--quick" in sys.argv
    tell("import and first forecast", fresh(_FIRST)[0], "s")
    started = time.monotonic()
    n_series = 100 if is_quick else 1_000
    made = mantic.Forecaster(12, budget="60s").fit(series(n_series, 120), time="month", target="sold", series="item")
    made.predict()
    facts = made.report_.facts
    used = [one["name"] for one in facts["learners"] if one["outcome"] == "used"]
    tell(f"{n_series} monthly series", time.monotonic() - started, "s", owa=facts["metrics"]["owa"], used=used)
    n_series = 100 if is_quick else 10_000
    rows = series(n_series, 60)
    is_new = pl.col("month") == pl.col("month").max()
    model = mantic.Forecaster(6, budget="10s").fit(rows.filter(~is_new), time="month", target="sold", series="item")
    started = time.monotonic()
    model.update(rows.filter(is_new))
    tell(f"update of {n_series} series", time.monotonic() - started, "s", weights=model.report_.facts["weights"])
    batch(*((2_000, "20s") if is_quick else (100_000, "5m")))
    for budget in BUDGETS[:1] if is_quick else BUDGETS:
        runs = [fresh(_FIT.format(budget=budget, folder=str(HERE))) for _ in range(50 if "--long" in sys.argv else 3)]
        over = max(seconds - budget for seconds, _ in runs)
        tell(f"overrun at {budget} s", over, "s", n_runs=len(runs), worst_owa=max(owa for _, owa in runs))


if __name__ == "__main__":
    main()
