"""What one prediction costs: a dictionary in, the answer out, in one thread; and the size of the model's file."""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from made import text_table, wide_table

import mantic

LEARNERS = ("linear", "boosting", "histgb", "forest", "tree", "mlp", "naive_bayes", "knn", "svm")


def measure(table: Path, *, learner: str | None, budget: str, n_rows: int) -> dict[str, object]:
    """Fit, save and load a model; return milliseconds per row, the size of the file, and what has no fast form."""
    frame = mantic.read(str(table))
    options = {} if learner is None else {"learners": [learner]}
    path = table.with_suffix(".mantic")
    mantic.Classifier(budget=budget, seed=0, **options).fit(frame, "target").save(path)
    model = mantic.load(path)
    rows = json.loads(frame.drop("target").head(n_rows).write_json())
    milliseconds = []
    with threadpool_limits(1):
        for row in rows:
            started = time.perf_counter()
            model.predict_proba_one(row)
            milliseconds.append(1000 * (time.perf_counter() - started))
    cuts = statistics.quantiles(milliseconds[5:], n=20)
    figures: dict[str, object] = {
        "p50": round(statistics.median(milliseconds[5:]), 3),
        "p95": round(cuts[-1], 3),
        "file_mb": round(path.stat().st_size / 1e6, 3),
    }
    return figures | ({"fallback": model.row_plan_.fallback} if model.row_plan_.fallback else {})


def main() -> None:
    """Print one line per kind of model."""
    is_quick = "--quick" in sys.argv
    budget, n_rows = ("4s", 40) if is_quick else ("20s", 1_000)
    with tempfile.TemporaryDirectory() as place:
        wide = wide_table(Path(place) / "wide.csv", n_rows=2_000 if is_quick else 20_000)
        texts = text_table(Path(place) / "texts.csv", n_rows=1_000 if is_quick else 5_000)
        cases = [(wide, None), *((wide, learner) for learner in LEARNERS), (texts, None), (texts, "linear")]
        for table, learner in cases:
            figures = measure(table, learner=learner, budget=budget, n_rows=n_rows)
            name = (learner or "the search's choice") + (" with texts" if table is texts else "")
            print(json.dumps({"name": f"one row, {name}", "value": figures["p50"], "unit": "ms"} | figures), flush=True)


if __name__ == "__main__":
    main()
