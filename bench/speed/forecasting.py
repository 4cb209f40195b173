"""How fast forecasts are, and whether their budget is kept.

1,000 monthly series of 120 steps with intervals; import and first forecast of one series in a fresh process; an update
of 10,000 series; and fits at several budgets, each as a fresh process that says how long `fit` took. ``--long`` makes
50 fits at each budget instead of 3.
"""

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

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


def tell(name: str, value: float, unit: str, **more: object) -> None:
    """Print one figure."""
    print(json.dumps({"name": f"forecast, {name}", "value": round(value, 3), "unit": unit, **more}), flush=True)


def fresh(code: str) -> list[float]:
    """Return the numbers that a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


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
    for budget in BUDGETS[:1] if is_quick else BUDGETS:
        runs = [fresh(_FIT.format(budget=budget, folder=str(HERE))) for _ in range(50 if "--long" in sys.argv else 3)]
        over = max(seconds - budget for seconds, _ in runs)
        tell(f"overrun at {budget} s", over, "s", n_runs=len(runs), worst_owa=max(owa for _, owa in runs))


if __name__ == "__main__":
    main()
