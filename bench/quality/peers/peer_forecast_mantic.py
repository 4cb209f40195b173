"""mantic's Forecaster, as a user calls it."""

import time

import polars as pl
from job import JOB

import mantic


def main() -> None:
    """Fit within the budget and forecast; the time counts until the answers are there."""
    started = time.monotonic()
    rows = pl.read_parquet(JOB["learn"])
    levels = sorted({round(100 * abs(2 * level - 1), 6) for level in JOB["levels"]} - {0.0})
    model = mantic.Forecaster(
        JOB["horizon"], budget=f"{JOB['budget']}s", seed=JOB["seed"], levels=levels, season=JOB["season"]
    )
    found = model.fit(rows, time="when", target="y", series="unique_id").predict()
    seconds = time.monotonic() - started
    found.write_parquet(JOB["answers"])
    made_of = {name: round(share, 3) for name, share in model.report_.facts["weights"].items()}
    pl.DataFrame({"seconds": [seconds], "made_of": [str(made_of)]}).write_parquet(JOB["facts"])


if __name__ == "__main__":
    main()
