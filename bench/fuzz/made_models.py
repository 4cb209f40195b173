"""Small fitted models, one with each learner: what the fuzzers begin with."""

import random
import tempfile
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from mantic.core.run import Run
from mantic.tasks.classify import Classifier
from mantic.tasks.regress import Regressor

CLASSIFY = ("boosting", "linear", "forest", "tree", "histgb", "knn", "mlp", "naive_bayes", "svm", "xgboost", "catboost")
REGRESS = ("boosting", "linear", "forest", "tree", "histgb", "knn", "mlp", "svm", "xgboost", "catboost")
_WORDS = ("late", "broken", "slow", "good", "fast", "again", "never", "price", "support", "phone")


@cache
def table(n_rows: int = 60) -> pl.DataFrame:
    """Return a table with a column of every kind."""
    chance = random.Random(1)
    rows = []
    for place in range(n_rows):
        plan, age = chance.choice(("basic", "plus", "gold")), chance.randrange(18, 90)
        words = " ".join(chance.choice(_WORDS) for _ in range(6))
        rows.append(
            {
                "age": float(age) if place % 11 else None,
                "plan": plan if place % 13 else None,
                "since": date(2020, 1, 1) + timedelta(days=chance.randrange(1500)),
                "is_member": chance.random() < 0.5,
                "remark": words,
                "rent": 400.0 + 5 * age + 100 * (plan == "gold") + chance.gauss(0, 20),
                "leaves": "yes" if age + chance.gauss(0, 20) + 20 * ("late" in words) > 60 else "no",
            }
        )
    return pl.DataFrame(rows)


def fitted(task: str, learners: list[str]) -> Any:
    """Return a model of these learners for a task."""
    kind, target = {"classify": (Classifier, "leaves"), "regress": (Regressor, "rent")}[task]
    frame = table().drop("rent" if target == "leaves" else "leaves")
    with Run() as run:
        return kind(budget=f"{len(learners)} trials", learners=learners).fit(frame, target, run=run)


def saved(task: str, learners: list[str]) -> bytes:
    """Return the file of such a model."""
    with tempfile.TemporaryDirectory(prefix="mantic-fuzz-") as folder:
        path = Path(folder) / "model.mantic"
        fitted(task, learners).save(path)
        return path.read_bytes()


def write_all(folder: Path) -> None:
    """Write a model of every learner for both tasks, where it is not there yet."""
    for task, names in (("classify", CLASSIFY), ("regress", REGRESS)):
        for name in names:
            path = folder / f"{task}-{name}.mantic"
            if not path.exists():
                path.write_bytes(saved(task, [name]))
