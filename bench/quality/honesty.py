"""Is what a report says true? `python bench/quality/honesty.py [--budget 15s] [--seeds 1] [TABLE ...]`.

On each of the 13 development tables (README beside them: target, columns to drop, metric, split) a model is fitted
on TRAIN only, as a user would, and its report is held against TEST, which nothing else reads: does the stated 95 %
interval hold the score on TEST, do 90 % intervals and sets hold the truth, which columns are called leaks, was the
budget kept. `loans_leak` is fitted twice: with its leaking columns, and (as `loans_clean`) without them.
"""

import argparse
import json
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

import mantic
from mantic.core.metric import METRICS
from mantic.sources.read import read

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tabular"
LEAKS = [
    "grade",
    "sub_grade",
    "installment",
    "balance",
    "paid_total",
    "paid_principal",
    "paid_interest",
    "paid_late_fees",
]


@dataclass(frozen=True)
class Set:
    """A development table: what is predicted, what is left out first, by which metric."""

    target: str
    metric: str
    drop: tuple[str, ...] = ()
    time: str | None = None
    dummy: float = 0.5
    reference: float = 1.0  # best of four defaults and AutoGluon medium and good at 60 s


SETS = {
    "telco_churn": Set("Churn", "roc_auc", ("customerID",), dummy=0.5, reference=0.8530),
    "adult": Set("income", "roc_auc", dummy=0.5, reference=0.9287),
    "german_credit": Set("risk", "roc_auc", dummy=0.5, reference=0.8188),
    "mammography": Set("cls", "average_precision", dummy=0.0234, reference=0.7553),
    "letter": Set("lettr", "log_loss", dummy=3.2598, reference=0.0831),
    "comics_alignment": Set("align", "log_loss", dummy=0.9995, reference=0.8708),
    "california_housing": Set("median_house_value", "rmse", dummy=114402, reference=47982),
    "ames_housing": Set("price", "rmse", ("Order", "PID"), dummy=80517, reference=19996),
    "diamonds": Set("price", "rmse", dummy=4043, reference=519.0),
    "hotel_rates": Set("avg_price_per_room", "rmse", time="arrival_date", dummy=78.8356, reference=28.8277),
    "tate_artworks": Set("year", "rmse", ("id",), dummy=5.4860, reference=3.6287),
    "fine_foods": Set("score", "roc_auc", dummy=0.5, reference=0.8754),
    "loans_clean": Set("interest_rate", "rmse", tuple(LEAKS), dummy=4.9195, reference=3.5297),
    "loans_leak": Set("interest_rate", "rmse", dummy=4.9195, reference=0.3177),
}


def split(name: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return TRAIN and TEST by the README's rule."""
    if "split" in frame.columns:
        judged = (frame["split"].str.to_lowercase() == "test").to_numpy()
        frame = frame.drop("split")
    elif name == "hotel_rates":
        judged = (frame["arrival_date"].cast(pl.String).str.slice(0, 10) >= "2017-04-01").to_numpy()
    else:
        file = "loans_leak" if name == "loans_clean" else name
        judged = np.array([zlib.crc32(f"{file}:{row}".encode()) % 5 == 0 for row in range(frame.height)])
    return frame.filter(pl.Series(~judged)), frame.filter(pl.Series(judged))


def measure(name: str, *, budget: str, seed: int) -> dict[str, object]:
    """Fit on TRAIN, read the report, hold it against TEST."""
    about = SETS[name]
    frame = read(DATA / f"{'loans_leak' if name == 'loans_clean' else name}.csv.gz").drop(list(about.drop))
    train, test = split(name, frame)
    started = time.monotonic()
    model = mantic.fit(train, about.target, budget=budget, seed=seed, metric=about.metric, time=about.time)
    seconds = time.monotonic() - started
    facts = model.report_.facts
    aligned, truth = model.schema_.align(test), model._truth(test[about.target].to_numpy())
    guess = model.model_.predict(aligned)
    score = METRICS.get(about.metric)(truth, guess)
    if model.model_.n_classes:
        held = model.model_.conformal.sets(guess, level=0.9)[np.arange(len(truth)), truth]
    else:
        ends = model.model_.conformal.interval(guess, level=0.9)
        held = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    with tempfile.TemporaryDirectory() as folder:
        size = model.save(Path(folder) / "model.mantic").stat().st_size
    low, high = facts["interval"]
    gap = facts["score"] - score if facts["higher_is_better"] else score - facts["score"]
    return {
        "name": f"honesty of {name}", "value": round((score - about.dummy) / (about.reference - about.dummy), 4),
        "unit": "normalised score on TEST (0 dummy, 1 best peer)", "table": name, "seed": seed, "budget": budget,
        "metric": about.metric, "said": facts["score"], "low": low, "high": high, "test": score,
        "held": bool(low <= score <= high), "optimism_in_widths": round(gap / (high - low), 3),
        "coverage_90": round(float(held.mean()), 4), "leaks": [one["column"] for one in facts["leaks"]],
        "seconds": round(seconds, 2), "trials": len(facts["learners"]), "megabytes": round(size / 1e6, 2),
    }  # fmt: skip


def main() -> int:
    """Print a line for each table and seed, then the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*")
    parser.add_argument("--budget", default="15s")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="one small table, to see that it works")
    options = parser.parse_args()
    if not DATA.is_dir():
        print(f"the development tables are not here: {DATA}", file=sys.stderr)
        return 0
    tables = options.tables or (["german_credit"] if options.quick else list(SETS))
    rows = []
    for seed in range(options.seeds):
        for name in tables:
            rows.append(measure(name, budget=options.budget, seed=seed))
            print(json.dumps(rows[-1]), flush=True)
    clean = [row for row in rows if row["table"] != "loans_leak"]
    sums = {
        "intervals that held TEST": float(np.mean([row["held"] for row in clean])),
        "mean coverage of 90 % sets and intervals": float(np.mean([row["coverage_90"] for row in clean])),
        "mean optimism": float(np.mean([row["optimism_in_widths"] for row in clean])),
        "false leaks over the clean tables": float(sum(len(row["leaks"]) for row in clean)),
        "mean normalised score": float(np.mean([row["value"] for row in clean])),
    }
    for name, value in sums.items():
        print(json.dumps({"name": name, "value": round(value, 4), "unit": "", "budget": options.budget}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
