"""How far stated chances are from what happens, and how far they would seem to be if every one of them were right.

``python bench/run.py calibration`` after ``bench/quality/tabular.py`` has run mantic: it reads the guesses, which are
kept outside of the repository. With few rows in a bin, the calibration error of chances that are exactly right is far
from 0: that is what a table of this many rows can show at all, and is told beside the error, with its 95 % quantile.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from per_table import LEAST_ROWS
from sets import CLEAN, SETS
from tabular import GUESSES, stem

from mantic.core.table import Array
from mantic.evaluate.calibration import calibration_error

N_DRAWS, LIMIT = 500, 0.03


def if_all_were_right(guess: Array, *, seed: int) -> Array:
    """Return the calibration errors of truths that are drawn from the guess itself, shape (N_DRAWS,)."""
    chance, reach = np.random.default_rng(seed), guess.cumsum(axis=1)
    draws = chance.uniform(size=(N_DRAWS, len(guess), 1)) * reach[:, -1:]
    return np.array([calibration_error((one > reach).sum(axis=1), guess) for one in draws])


def main() -> None:
    """Print a line per table and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="the same: nothing is fitted")
    options = parser.parse_args()
    for table in (one for one in CLEAN if SETS[one].task == "classify"):
        for seed in range(options.seeds):
            facts = {"system": "mantic", "table": table, "budget": options.budget, "seed": seed}
            file = GUESSES / f"{stem(facts)}.npz"
            if not file.exists():
                continue
            with np.load(file) as kept:
                truth, guess = kept["truth"], kept["guess"].astype(np.float64)
            if len(truth) < LEAST_ROWS:
                continue
            right = if_all_were_right(guess, seed=seed)
            error = round(calibration_error(truth, guess), 4)
            about = {"value": error, "unit": "", "limit": LIMIT, "seed": seed, "n_rows": len(truth)}
            usual = {"if_right": round(right.mean(), 4), "if_right_95": round(np.quantile(right, 0.95), 4)}
            print(json.dumps({"name": f"calibration error, {table}", **about, **usual}), flush=True)


if __name__ == "__main__":
    main()
