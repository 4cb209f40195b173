"""Win, tie or loss of mantic against each peer on the rows of TEST: paired bootstrap of the difference of scores.

``python bench/run.py paired`` (``--long``: 300 s) after ``bench/quality/tabular.py`` has run the systems; the guesses
that it keeps outside of the repository are compared row by row. A tie: the 95 % interval of the difference holds 0.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sets import CLEAN, SETS
from tabular import GUESSES, stem

from mantic.core.metric import METRICS

PEERS = {60: ("autogluon-medium", "autogluon-good", "flaml"), 300: ("autogluon-best",)}  # by the budget in seconds
SEED, N_RESAMPLES, QUICK_RESAMPLES = 0, 1000, 50


def compared(table: str, peer: str, *, budget: int, n_resamples: int) -> dict[str, object] | None:
    """Return the difference in normalised score (ours less theirs) with its interval; None if a run is missing."""
    about = SETS[table]
    files = [
        GUESSES / f"{stem({'system': name, 'table': table, 'budget': budget, 'seed': SEED})}.npz"
        for name in ("mantic", peer)
    ]
    if not all(file.exists() for file in files):
        return None
    (truth, ours), (_, theirs) = (tuple(np.load(file)[key] for key in ("truth", "guess")) for file in files)
    metric, chance = METRICS.get(about.metric), np.random.default_rng(0)
    draws = [chance.integers(0, len(truth), len(truth)) for _ in range(n_resamples)]
    scores = [[about.normalised(metric(truth[rows], guess[rows])) for guess in (ours, theirs)] for rows in draws]
    gaps = np.array([one - other for one, other in scores])
    low, high = np.quantile(gaps, [0.025, 0.975])
    outcome = "win" if low > 0 else "loss" if high < 0 else "tie"
    return {"outcome": outcome, "value": round(float(gaps.mean()), 4), "low": round(low, 4), "high": round(high, 4)}


def main() -> None:
    """Print a line for each peer."""
    n_resamples = QUICK_RESAMPLES if "--quick" in sys.argv else N_RESAMPLES
    budget = 300 if "--long" in sys.argv else 60
    for peer in PEERS[budget]:
        found = {table: compared(table, peer, budget=budget, n_resamples=n_resamples) for table in CLEAN}
        tables = {table: one for table, one in found.items() if one is not None}
        if not tables:
            print(f"no runs of {peer} to compare with", file=sys.stderr)
            continue
        outcomes = [one["outcome"] for one in tables.values()]
        counts = {word: outcomes.count(word) for word in ("win", "tie", "loss")}
        about = {"unit": f"tables of {len(outcomes)}", "budget": budget, "seed": SEED, **counts, "tables": tables}
        total = counts["win"] + counts["tie"]
        print(json.dumps({"name": f"win or tie against {peer}, {budget} s", "value": total, **about}), flush=True)


if __name__ == "__main__":
    main()
