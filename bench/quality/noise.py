"""Is pure noise ever called important? `python bench/quality/noise.py [--budget 8s] [--seeds 10] [TABLE ...]`.

A normal column that knows nothing is planted in the TRAIN rows of a development table; a model is fitted, and the place
of the planted column among the importances is told: 0 is the most important, 1 the least.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sets import SETS, parts

import mantic

TABLES = ("telco_churn", "german_credit", "california_housing")


def place_of_noise(name: str, *, budget: str, seed: int) -> float:
    """Return where the planted column lands, as a share of the columns before it."""
    about = SETS[name]
    train, _ = parts(name)
    train = train.with_columns(planted=pl.Series(np.random.default_rng(seed).normal(size=train.height)))
    model = mantic.fit(train, target=about.target, budget=budget, seed=seed)
    names = [one["column"] for one in model.report_.facts["importance"]]
    return names.index("planted") / (len(names) - 1)


def main() -> None:
    """Print a line per table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=TABLES, metavar="TABLE")
    parser.add_argument("--budget", default="8s")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    for name in options.tables:
        n_seeds = 1 if options.quick else options.seeds
        places = [round(place_of_noise(name, budget=options.budget, seed=seed), 3) for seed in range(n_seeds)]
        in_top_half = sum(place < 0.5 for place in places)
        what = f"noise in the upper half of importances, {name}"
        line = {"name": what, "value": in_top_half, "unit": f"of {n_seeds} seeds", "places": places}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
