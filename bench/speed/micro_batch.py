"""Whether requests that arrive together should be answered as one table: what that saves, and what waiting costs.

For a model whose rows have a path of their own, and for models that fall back on their libraries: the cost of a row
alone, of a table (`fixed` for the table, `each` for a row in it), and what follows for callers that ask again as soon
as they are answered. `window` is how long the first of a batch waits for the others.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from made import wide_table

import mantic
from mantic.core.learner import LEARNERS, is_installed
from mantic.serve.question import Limits, read_question
from mantic.serve.served import Served

LEARNERS_TRIED = ("boosting", "mlp", "knn", "xgboost", "catboost")
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)  # rows of a table
CALLERS = (10, 50, 200)
WINDOWS = (0.5, 1.0, 2.0)  # milliseconds
REQUEST_MS = 0.1  # that a request costs beside its row: bench/results/serving.json, less the row


def costs(served: Served, rows: list[dict[str, Any]], *, n_times: int) -> dict[str, float]:
    """Return the milliseconds of a row alone, of a table, and of each row in it."""
    plan = served.plan
    alone = [read_question(_body([row]), served.schema, Limits(), plan=plan) for row in rows[:50]]
    tables = [read_question(_body(rows[:n]), served.schema, Limits(), plan=None) for n in SIZES]
    one = statistics.median(_took(lambda question=question: served.predictions(question), 5) for question in alone)
    many = [_took(lambda question=question: served.predictions(question), n_times) for question in tables]
    each, fixed = np.polyfit(SIZES, many, 1, w=1 / np.array(many))
    return {"alone": round(one, 3), "fixed": round(float(fixed), 3), "each": round(float(each), 4)}


def gains(cost: dict[str, float]) -> dict[str, float]:
    """Return by which factor more is answered, by callers and window."""
    now = 1 / (REQUEST_MS + cost["alone"])
    return {
        f"{callers} callers, {window} ms": round(
            callers / (window + cost["fixed"] + callers * (REQUEST_MS + cost["each"])) / now, 2
        )
        for callers in CALLERS
        for window in WINDOWS
    }


def _took(work: Callable[[], object], n_times: int) -> float:
    """Return the milliseconds of a call: the median, after a first one that is not counted."""
    took = []
    for _ in range(n_times + 1):
        started = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - started))
    return statistics.median(took[1:])


def _body(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps({"rows": rows}).encode()


def main() -> None:
    """Print one line per learner."""
    is_quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as place, threadpool_limits(1):
        frame = mantic.read(
            str(wide_table(Path(place) / "wide.csv", n_rows=1_000 if is_quick else 5_000, n_numbers=16))
        )
        rows = json.loads(frame.drop("target").head(max(SIZES)).write_json())
        for name in LEARNERS_TRIED:
            if not is_installed(LEARNERS.get(name)):
                continue
            path = Path(place) / f"{name}.mantic"
            mantic.Classifier(budget="1 trial", seed=0, learners=[name]).fit(frame, "target").save(path)
            served = Served(name, mantic.load(path))
            cost = costs(served, rows, n_times=5 if is_quick else 30)
            gained = gains(cost)
            falls_back = bool(served.plan is None or served.plan.fallback)
            figure = {"name": f"rows together, {name}", "value": max(gained.values()), "unit": "times, at best"}
            print(json.dumps(figure | {"falls_back": falls_back} | cost | {"gains": gained}), flush=True)


if __name__ == "__main__":
    main()
