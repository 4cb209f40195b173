"""How many rows a loaded boosting model answers in a second, from a frame of ten columns of numbers."""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import mantic


def table(n_rows: int, *, seed: int) -> pl.DataFrame:
    """Return ten columns of numbers and what follows from them."""
    chance = np.random.default_rng(seed)
    numbers = chance.normal(size=(n_rows, 10))
    target = numbers[:, 0] * numbers[:, 1] + np.sin(3 * numbers[:, 2]) + 0.3 * chance.normal(size=n_rows)
    return pl.DataFrame({f"number {place}": numbers[:, place] for place in range(10)} | {"target": target})


def main() -> None:
    """Print rows per second: the best of three, as others may compute too."""
    is_quick = "--quick" in sys.argv
    n_rows = 100_000 if is_quick else 1_000_000
    new = table(n_rows, seed=1).drop("target")
    for n_trees in (100, 300):
        model = mantic.Regressor(
            budget="1 trial", learners=["boosting"], params={"boosting.rounds": n_trees, "boosting.stopping": "none"}
        ).fit(table(20_000, seed=0), "target")
        with tempfile.TemporaryDirectory() as place:
            model = mantic.load(model.save(Path(place) / "model.mantic"))
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            model.predict(new)
            seconds.append(time.perf_counter() - started)
        figure = {"name": f"many rows, {n_trees} boosted trees, 10 columns", "value": round(n_rows / min(seconds))}
        print(json.dumps(figure | {"unit": "rows/s", "rows": n_rows}), flush=True)


if __name__ == "__main__":
    main()
