"""Was what the reports said true? Reads the runs of mantic that `tabular.py` kept in bench/results/tabular.

Each report was made on TRAIN alone; it is held against TEST: does the stated 95 % interval hold the score there, how
flattering was the score (in widths of its interval), do 90 % sets and intervals hold 90 % of the truth, was a column of
a clean table called a leak, and was the budget kept.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sets import SETS
from tabular import RESULTS

from mantic.core.metric import METRICS


def runs() -> list[dict[str, Any]]:
    """Return the kept runs of mantic that did not fail."""
    found = [json.loads(path.read_text())["figures"][0] for path in sorted(RESULTS.glob("mantic-*.json"))]
    return [one for one in found if "failed" not in one]


def optimism(run: dict[str, Any]) -> float:
    """Return by how many widths of its interval a report was too good; below 0 it was too modest."""
    gap = run["said"] - run["score"]
    gap = gap if METRICS.get(SETS[run["table"]].metric).higher_is_better else -gap
    return float(gap / (run["high"] - run["low"]))


def main() -> None:
    """Print one line per figure."""
    kept = runs()
    if not kept:
        sys.exit("there are no runs yet: python bench/quality/tabular.py")
    held = [run["low"] <= run["score"] <= run["high"] for run in kept]
    missed = sorted({run["table"] for run, inside in zip(kept, held, strict=True) if not inside})
    covered: dict[str, list[float]] = {}
    for run in kept:
        covered.setdefault(run["table"], []).append(run["coverage_90"])
    told = {name: round(float(np.mean(values)), 3) for name, values in covered.items()}
    late = [run["seconds"] - 1.05 * run["budget"] - 1 for run in kept]
    false = sum(len(run["leaks"]) for run in kept if run["table"] != "loans_leak")
    lines = [
        {"name": "stated intervals that hold the score on TEST", "value": round(float(np.mean(held)), 3),
         "unit": f"of {len(kept)} runs", "missed": missed},
        {"name": "mean optimism of the stated score", "value": round(float(np.mean([*map(optimism, kept)])), 3),
         "unit": "interval widths (below 0: too modest)"},
        {"name": "coverage of 90 % sets and intervals on TEST", "value": round(float(np.mean([*told.values()])), 3),
         "unit": "", "tables": told},
        {"name": "columns of clean tables called leaks", "value": false, "unit": f"in {len(kept)} runs"},
        {"name": "runs later than 1.05 x budget + 1 s", "value": sum(one > 0 for one in late), "unit": "runs"},
    ]  # fmt: skip
    for line in lines:
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
