"""What one prediction costs: a row from Python, by wall clock, and the size of the file that holds the model."""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from made import wide_table

import mantic


def measure(table: Path, *, learner: str | None, budget: str, n_rows: int) -> dict[str, float]:
    """Fit, save and load a model; return milliseconds per row and the size of the file."""
    frame = mantic.read(str(table))
    options = {} if learner is None else {"learners": (learner,)}
    mantic.Classifier(budget=budget, seed=0, **options).fit(frame, "target").save(table.with_suffix(".mantic"))
    model = mantic.load(table.with_suffix(".mantic"))
    rows = frame.drop("target").head(n_rows)
    milliseconds = []
    for place in range(rows.height):
        one = rows[place : place + 1]
        started = time.perf_counter()
        model.predict_proba(one)
        milliseconds.append(1000 * (time.perf_counter() - started))
    cuts = statistics.quantiles(milliseconds[5:], n=20)
    return {
        "p50": round(statistics.median(milliseconds[5:]), 2),
        "p95": round(cuts[-1], 2),
        "file_mb": round(table.with_suffix(".mantic").stat().st_size / 1e6, 3),
    }


def main() -> None:
    """Print one line per kind of model."""
    is_quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as place:
        table = wide_table(Path(place) / "wide.csv", n_rows=2_000 if is_quick else 20_000)
        for learner in (None, "linear", "boosting", "forest"):
            figures = measure(
                table, learner=learner, budget="4s" if is_quick else "20s", n_rows=20 if is_quick else 300
            )
            name = learner or "the search's choice"
            print(json.dumps({"name": f"one row, {name}", "value": figures["p50"], "unit": "ms"} | figures), flush=True)


if __name__ == "__main__":
    main()
