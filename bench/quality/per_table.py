"""What a model costs and how calibrated it is, on each table: from the runs that `tabular.py` kept.

``python bench/quality/per_table.py [--budget 60]`` fits nothing: it reads bench/results/tabular. Each figure is the
worst over the tables (of a table's seeds, the worst), with the limit that it is held against; runs that were made
before a figure was measured are left out of it.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sets import CLEAN
from tabular import RESULTS

PEER = "autogluon-medium"
LEAST_ROWS = 1_000  # of TEST, for a calibration error that says something
Run = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """What is read from a run (None: it is not there), its limit, and which of two values is the worse."""

    name: str
    unit: str
    limit: float
    of: Callable[[Run], float | None]
    worse: Callable[..., float] = max

    def line(self, runs: list[Run]) -> dict[str, Any] | None:
        """Return the worst with the tables that keep the limit, and each table's value; None without any."""
        tables: dict[str, float] = {}
        for run in runs:
            value = self.of(run)
            if value is not None:
                tables[run["table"]] = self.worse(value, tables.get(run["table"], value))
        if not tables:
            return None
        kept = sum(self.worse(value, self.limit) == self.limit for value in tables.values())
        about = {"unit": self.unit, "limit": self.limit, "tables_kept": kept, "of_tables": len(tables)}
        return {"name": self.name, "value": self.worse(tables.values()), **about, "tables": tables}


def beyond_data(run: Run) -> float | None:
    """Return the peak of memory less three times the table, in millions of bytes."""
    return round(run["peak_mb"] - 3 * run["data_mb"], 1) if "peak_mb" in run else None


def calibration(run: Run) -> float | None:
    """Return the calibration error, of tables with enough rows to judge by."""
    return run.get("ece") if run.get("n_test", 0) >= LEAST_ROWS else None


def times_faster(run: Run) -> float | None:
    """Return how many times longer the peer takes for one row; of medians."""
    found = RESULTS / f"{PEER}-{run['table']}-60s-0.json"
    if not found.exists() or not run.get("row_p50_ms"):
        return None
    theirs = json.loads(found.read_text())["figures"][0].get("row_p50_ms")
    return None if theirs is None else round(theirs / run["row_p50_ms"], 1)


def row_p95(run: Run) -> float | None:
    """Return the 95th percentile of one row, of tables without texts."""
    return None if run["table"] in TEXTS else run.get("row_p95_ms")


def row_p95_text(run: Run) -> float | None:
    """Return the 95th percentile of one row, of tables with texts."""
    return run.get("row_p95_ms") if run["table"] in TEXTS else None


TEXTS = ("comics_alignment", "fine_foods", "loans_clean", "tate_artworks")
FIGURES = (
    Figure("largest model file", "MB", 20, lambda run: run.get("megabytes")),
    Figure("peak memory beyond 3 x data, largest", "MB", 800, beyond_data),
    Figure("calibration error (15 bins of equal mass), worst", "", 0.03, calibration),
    Figure("one row, slowest table, median", "ms", 1, lambda run: run.get("row_p50_ms")),
    Figure("one row, slowest table without texts, 95th percentile", "ms", 3, row_p95),
    Figure("one row, slowest table with texts, 95th percentile", "ms", 5, row_p95_text),
    Figure(f"one row, times faster than {PEER}, least", "x", 30, times_faster, worse=min),
)


def main() -> None:
    """Print a line per figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--quick", action="store_true", help="the same: nothing is fitted")
    options = parser.parse_args()
    files = [path for table in CLEAN for path in sorted(RESULTS.glob(f"mantic-{table}-{options.budget}s-*.json"))]
    runs = [json.loads(path.read_text())["figures"][0] for path in files]
    runs = [run for run in runs if "failed" not in run]
    if not runs:
        sys.exit(f"there are no runs yet: python bench/quality/tabular.py --budget {options.budget}")
    for figure in FIGURES:
        if (line := figure.line(runs)) is not None:
            print(json.dumps(line | {"budget": options.budget}), flush=True)


if __name__ == "__main__":
    main()
