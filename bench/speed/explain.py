"""What reasons cost: the contributions for one row by wall clock, and the other questions in seconds."""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from made import wide_table

import mantic

ALONE = ("boosting", "linear", "forest", "histgb", "mlp", "svm", "knn")  # the last five cannot say their contributions
LEARNERS: dict[str, list[str] | None] = {name: [name] for name in ALONE} | {"the search's choice": None}


def one_row(model: Any, rows: Any) -> dict[str, float]:
    """Return milliseconds per row, the first five left out."""
    milliseconds = []
    for place in range(rows.height):
        one = rows[place : place + 1]
        started = time.perf_counter()
        model.explain(one)
        milliseconds.append(1000 * (time.perf_counter() - started))
    return {
        "p50": round(statistics.median(milliseconds[5:]), 2),
        "p95": round(statistics.quantiles(milliseconds[5:], n=20)[-1], 2),
    }


def error(model: Any, rows: Any) -> float:
    """Return by how much reasons do not add up to the answer of their row, at most."""
    margins = model.model_.margin(model.schema_.align(rows))[:, 0]
    every = [model.explain(rows[place : place + 1]).rows[0].margin for place in range(rows.height)]
    return max(abs(one - margin) for one, margin in zip(every, margins, strict=True))


def seconds(ask: Callable[[], Any]) -> float:
    """Return how long a question takes."""
    started = time.perf_counter()
    ask()
    return round(time.perf_counter() - started, 3)


def main() -> None:
    """Print a line per kind of model, and one per question."""
    is_quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as place:
        table = wide_table(Path(place) / "wide.csv", n_rows=2_000 if is_quick else 10_000)
        frame = mantic.read(str(table))
        rows = frame.drop("target").head(20 if is_quick else 200)
        for name, learners in LEARNERS.items():
            model = mantic.Classifier(budget="4s" if is_quick else "20s", seed=0, learners=learners).fit(
                frame, "target"
            )
            model = mantic.load(model.save(table.with_suffix(".mantic")))
            figures = one_row(model, rows)
            members = " ".join(part.member.learner.name for part in model.model_.parts)
            figures["error"] = error(model, rows[:20])
            line = {"name": f"reasons for one row, {name}", "value": figures["p50"], "unit": "ms"} | figures
            print(json.dumps(line | {"members": members}), flush=True)
        questions = {
            "effect of a number": lambda: model.effect("number 0"),
            "effect of a category": lambda: model.effect("region"),
            "counterfactuals": lambda: model.counterfactuals(rows[:1]),
            "similar rows": lambda: model.similar(rows[:1]),
            "rules": model.rules,
            "interactions": model.interactions,
        }
        for name, ask in questions.items():
            print(json.dumps({"name": name, "value": seconds(ask), "unit": "s"}), flush=True)


if __name__ == "__main__":
    main()
