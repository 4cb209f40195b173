"""Is a decision worth what it says? `python bench/quality/decisions.py [--seeds 5] [--budget "2 trials"] [TABLE ...]`.

Of each table's TRAIN rows a quarter is set aside (another one for each seed) and a model is fitted on the others. It
decides by the table's costs; then threshold and stated value are held against the rows that were set aside: what does
the decision cost there, and what do acting at 0.5, at theory's threshold, on nobody and on everybody cost?

`--coverage RUNS` simulates instead: in how many of so many runs does the 95 % interval hold the true expected value?
"""

import argparse
import zlib
from pathlib import Path

import numpy as np
import polars as pl

import mantic
from mantic.core.table import Array
from mantic.evaluate.capacity import Capacity
from mantic.evaluate.costs import read_costs
from mantic.evaluate.decide import Weighed
from mantic.evaluate.unseen import Answers, Unseen

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tabular"
# table -> target, columns to drop, positive class, costs (german_credit: the matrix that came with the data)
SETS = {
    "telco_churn": ("Churn", ["customerID"], "Yes", "fp=1,fn=5"),
    "german_credit": ("risk", [], "bad", "fp=1,fn=5"),
    "mammography": ("cls", [], "calcification", "fp=1,fn=20"),
}


def main() -> None:
    """Print a line per table and seed, and a summary per table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("tables", nargs="*", default=list(SETS))
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--budget", default="2 trials")
    options.add_argument("--coverage", type=int, default=0)
    asked = options.parse_args()
    if asked.coverage:
        return _coverage(asked.coverage)
    for name in asked.tables:
        lines = [_one(name, seed, asked.budget) for seed in range(asked.seeds)]
        for seed, line in enumerate(lines):
            print(f"{name} seed {seed}: " + ", ".join(f"{key} {value:.4g}" for key, value in line.items()))
        better = np.mean([one["decision"] <= one["half"] for one in lines])
        means = ", ".join(f"{key} {np.mean([one[key] for one in lines]):.4f}" for key in lines[0])
        print(f"{name}: {means}; at least as good as 0.5 in {better:.0%} of {len(lines)} seeds", flush=True)


def _one(name: str, seed: int, budget: str) -> dict[str, float]:
    """Return costs per row on rows that were set aside; `inside`: does the stated interval (with noise) hold them."""
    target, drop, positive, cost = SETS[name]
    frame = mantic.read(DATA / f"{name}.csv.gz").drop(drop)
    train = frame[[row for row in range(frame.height) if zlib.crc32(f"{name}:{row}".encode()) % 5]]
    aside = np.random.default_rng(seed).random(train.height) < 0.25
    model = mantic.Classifier(budget=budget, seed=seed, positive=positive).fit(train.filter(~aside), target)
    decision = model.decide(cost)
    rows = train.filter(aside)
    chance = model.predict_proba(rows.drop(target))[:, decision.costs.positive]
    is_case = (rows[target].cast(pl.String) == positive).to_numpy()
    act, leave = (
        np.where(is_case, decision.costs.matrix[decision.costs.positive][to],
                 decision.costs.matrix[1 - decision.costs.positive][to])
        for to in (decision.costs.positive, 1 - decision.costs.positive)
    )  # fmt: skip
    cuts = {"decision": decision.threshold or 0.0, "half": 0.5, "theory": decision.costs.threshold}
    cuts |= {"everybody": 0.0, "nobody": 2.0}
    costs = {key: np.where(chance >= cut, act, leave) for key, cut in cuts.items()}
    fresh = float(costs["decision"].mean())
    error = float(costs["decision"].std() / np.sqrt(len(rows)))
    half_width = np.hypot((decision.value.high - decision.value.low) / 2, 1.96 * error)
    return {
        "threshold": decision.threshold or 0.0,
        **{key: float(one.mean()) for key, one in costs.items()},
        "stated": -decision.value.score,
        "inside": float(abs(fresh + decision.value.score) <= half_width),
    }


def _coverage(runs: int) -> None:
    for text, lean, share in (
        ("fp=1,fn=10", -2.5, None), ("fp=1,fn=50", -4.0, None), ("fp=1,fn=5", -1.0, None),
        ("gain:tp=50,fp=-2", -2.5, 0.05),
    ):  # fmt: skip
        costs = read_costs(text).bind(("no", "yes"))
        capacity = None if share is None else Capacity(f"{share:.0%}", share)
        chance, is_case = _drawn(np.random.default_rng(99), 400_000, lean)
        for n_rows in (200, 400, 1000, 3000):
            inside = []
            for seed in range(runs):
                random = np.random.default_rng(seed)
                inner, held_out = (_answers(*_drawn(random, n, lean)) for n in (1600, n_rows))
                weighed = Weighed.of(Unseen(inner, held_out, 0), costs, capacity=capacity, seed=seed)
                interval = weighed.interval(weighed.acting(weighed.acted()))
                acted = (chance >= weighed.thresholds[0]).astype(int)
                true = -costs.array()[is_case.astype(int), acted].mean()
                inside.append(interval.low <= true <= interval.high)
            print(f"{text} {chance.mean():.1%} positive, {n_rows} held-out rows: {np.mean(inside):.3f}", flush=True)


def _drawn(random: np.random.Generator, n_rows: int, lean: float) -> tuple[Array, Array]:
    chance = 1 / (1 + np.exp(-(1.5 * random.normal(size=n_rows) + lean)))
    return chance, random.random(n_rows) < chance


def _answers(chance: Array, is_case: Array) -> Answers:
    guess = np.stack([1 - chance, chance], axis=1).astype(np.float32)
    return Answers(is_case.astype(np.int32), guess, np.zeros(len(chance), dtype=np.int16))


if __name__ == "__main__":
    main()
