"""Whether a row alone gets the answer that it gets in a table: the largest difference over 10,000 rows, per learner."""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from made import wide_table

import mantic
from mantic.core.learner import LEARNERS

SMALL = {"boosting.rounds": 100, "histgb.rounds": 50, "forest.n_estimators": 50, "xgboost.rounds": 50}
SMALL |= {"catboost.rounds": 50, "mlp.epochs": 5}


def compare(learner: str, table: Path, *, n_fit: int) -> dict[str, Any]:
    """Return the largest difference between the two ways, and what a row costs."""
    frame = mantic.read(str(table))
    params = {name: value for name, value in SMALL.items() if name.startswith(f"{learner}.")}
    model = mantic.Classifier(budget="1 trial", seed=0, learners=[learner], params=params)
    model.fit(frame.head(n_fit), "target")
    rows = frame.drop("target")
    wanted = model.predict_proba(rows)
    plan, milliseconds, most = model.row_plan_, [], 0.0
    for row, known in zip(rows.iter_rows(named=True), wanted, strict=True):
        started = time.perf_counter()
        found = plan.predict(row)
        milliseconds.append(1000 * (time.perf_counter() - started))
        most = max(most, float(np.abs(found - known).max()))
    figure: dict[str, Any] = {"name": f"a row against a table, {learner}", "value": float(f"{most:.1e}")}
    figure |= {"unit": "largest difference", "rows": len(rows), "p50_ms": round(statistics.median(milliseconds), 3)}
    return figure | ({"fallback": plan.fallback} if plan.fallback else {})


def main() -> None:
    """Print a line per learner; fail where the two differ by more than 1e-6."""
    is_quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as place:
        table = wide_table(Path(place) / "wide.csv", n_rows=500 if is_quick else 10_000)
        for learner in LEARNERS.names():
            figure = compare(learner, table, n_fit=500 if is_quick else 2_000)
            print(json.dumps(figure), flush=True)
            assert figure["value"] <= 1e-6, figure


if __name__ == "__main__":
    main()
