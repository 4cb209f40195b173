"""Whether requests that arrive together should be answered as one table: what that saves, and what waiting costs.

For models whose rows have a path of their own, and for models that fall back on their libraries: the cost of a row
alone, of rows together (`fixed` for all, `each` for every one), and what follows for callers that ask again as soon as
they are answered. A window is how long the first of a batch waits for the others.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from made import wide_table

import mantic
from mantic.core.learner import LEARNERS, is_installed
from mantic.serve.question import Question
from mantic.serve.served import Served

LEARNERS_TRIED = ("boosting", "mlp", "xgboost", "catboost")
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)  # rows of a table
CALLERS = (10, 50, 200)
WINDOWS = (0.5, 1.0, 2.0)  # milliseconds
REQUEST_MS = 0.1  # that a request costs beside its row: bench/results/serving.json, less the row


@dataclass(frozen=True)
class Cost:
    """Milliseconds: of a row alone, and of rows together, `fixed` for all and `each` for every one."""

    alone: float
    fixed: float
    each: float

    def gains(self) -> dict[str, float]:
        """Return by which factor more is answered, by callers and window."""
        now = 1 / (REQUEST_MS + self.alone)
        return {
            f"{callers} callers, {window} ms": round(
                callers / (window + self.fixed + callers * (REQUEST_MS + self.each)) / now, 2
            )
            for callers in CALLERS
            for window in WINDOWS
        }


def costs(served: Served, rows: list[dict[str, Any]], *, n_times: int) -> dict[str, Cost]:
    """Return what rows cost as a frame, and encoded one by one and given to the learner as one table."""
    plan = served.plan
    assert plan is not None
    values = [plan.values(row) for row in rows]
    alone = _took(lambda: [served.predictions(Question(None, values=(one,))) for one in values[:20]], n_times) / 20
    frames = [pl.concat([plan.frame(one) for one in values[:n]]) for n in SIZES]
    as_frame = [_took(lambda frame=frame: served.model.predict_proba(frame), n_times) for frame in frames]
    (group,) = plan._groups
    learner = plan.model.parts[0].member.learner
    encoding = _took(lambda: [group.encode(one) for one in values[:20]], n_times) / 20
    about = plan.model.parts[0].member.encoder.transform(frames[-1])
    tables = [about.rows(np.arange(n)) for n in SIZES]
    as_table = [_took(lambda table=table: learner.predict(table), n_times) for table in tables]
    return {
        "as a frame": Cost(round(alone, 3), *_line(as_frame)),
        "row by row, then one table": Cost(
            round(alone, 3), *_line([one + n * encoding for one, n in zip(as_table, SIZES, strict=True)])
        ),
    }


def _line(took: list[float]) -> tuple[float, float]:
    """Return what all cost together, and each."""
    each, fixed = np.polyfit(SIZES, took, 1, w=1 / np.array(took))
    return round(max(0.0, float(fixed)), 3), round(float(each), 4)


def _took(work: Callable[[], object], n_times: int) -> float:
    """Return the milliseconds of processor time of a call: the best of some, after a first one that is not counted."""
    took = []
    for _ in range(n_times + 1):
        started = time.process_time()
        work()
        took.append(1000 * (time.process_time() - started))
    return min(took[1:])


def main() -> None:
    """Print one line per learner."""
    is_quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as place, threadpool_limits(1):
        frame = mantic.read(str(wide_table(Path(place) / "wide.csv", n_rows=300 if is_quick else 5_000, n_numbers=16)))
        rows = json.loads(frame.drop("target").head(max(SIZES)).write_json())
        for name in LEARNERS_TRIED:
            if not is_installed(LEARNERS.get(name)):
                continue
            path = Path(place) / f"{name}.mantic"
            mantic.Classifier(budget="1 trial", seed=0, learners=[name]).fit(frame, "target").save(path)
            served = Served(name, mantic.load(path))
            falls_back = bool(served.plan is None or served.plan.fallback)
            for way, cost in costs(served, rows, n_times=5 if is_quick else 30).items():
                gained = cost.gains()
                figure = {"name": f"{name}, {way}", "value": max(gained.values()), "unit": "times, at best"}
                print(json.dumps(figure | {"falls_back": falls_back} | asdict(cost) | {"gains": gained}), flush=True)


if __name__ == "__main__":
    main()
