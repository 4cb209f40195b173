"""Findings to test with."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from mantic.core.metric import METRICS
from mantic.core.model import Importance
from mantic.core.run import Warned
from mantic.core.schema import Column, Kind, Schema
from mantic.evaluate.findings import Conformal, Findings, TrialRow
from mantic.features.leaks.leak import Leak

SCHEMA = Schema((Column("size", Kind.NUMBER), Column("plan", Kind.CATEGORY, levels=("a", "b"))))
_STORY = {
    "split": "One row of five was held out.",
    "n_rows": 5000,
    "n_train": 4000,
    "trials": (
        TrialRow("boosting", {"num_leaves": 63}, 0.41, 3.2, 0.7),
        TrialRow("linear", {}, 0.45, 0.4, 0.3),
        TrialRow("svm", {"C": 0.1}, float("nan"), 2.0, note="stopped at its time limit"),
    ),
    "warnings": (Warned("few_rows", "there are few rows"), Warned("leak", "knows the answer", "status")),
    "leaks": (Leak("status", "it alone tells the target", 0.99, 0.85),),
    "importance": (Importance("size", 0.3, 0.2, 0.4), Importance("plan", float("nan"), float("nan"), float("nan"))),
    "conformal": Conformal(0.9, 0.896, 12.5),
    "seconds": 12.3,
    "command": "mantic fit churn.csv --target left",
    "script": "mantic.fit(frame)",
}


def _frame(size: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({"size": size, "plan": np.where(np.arange(len(size)) % 3 == 0, "a", "b")})


def _yes_or_no(n_rows: int = 1000, *, clear: float = 2.0, lean: float = 0.0, metric: str = "log_loss") -> Findings:
    """Answers of an honest model: `clear` says how much it knows (0: nothing), `lean` how common yes is."""
    random = np.random.default_rng(0)
    size = random.normal(size=n_rows)
    share = 1 / (1 + np.exp(-(clear * size + lean)))
    truth = (random.random(n_rows) < share).astype(int)
    base = float(np.clip(truth.mean(), 0.01, 0.99))
    return Findings(
        task="classify",
        target="left",
        metric=METRICS.get(metric),
        schema=SCHEMA,
        frame=_frame(size),
        truth=truth,
        guess=np.stack([1 - share, share], axis=1),
        baseline_guess=np.tile([1 - base, base], (n_rows, 1)),
        classes=("no", "yes"),
    )


def _one_of(n_classes: int, n_rows: int = 1000) -> Findings:
    """Answers of an honest model for many classes."""
    random = np.random.default_rng(0)
    guess = random.dirichlet(np.full(n_classes, 0.3), n_rows)
    truth = np.array([random.choice(n_classes, p=row) for row in guess])
    counts = np.bincount(truth, minlength=n_classes) + 1
    return replace(
        _yes_or_no(n_rows),
        truth=truth,
        guess=guess,
        baseline_guess=np.tile(counts / counts.sum(), (n_rows, 1)),
        classes=tuple(f"kind {code}" for code in range(n_classes)),
    )


def _amount(n_rows: int = 1000, *, noise: float = 1.0) -> Findings:
    """Answers of a model that knows the formula; the rest is noise of this size."""
    random = np.random.default_rng(0)
    size = random.normal(size=n_rows)
    truth = 100 + 3 * size + noise * random.normal(size=n_rows)
    return Findings(
        task="regress",
        target="price",
        metric=METRICS.get("rmse"),
        schema=SCHEMA,
        frame=_frame(size),
        truth=truth,
        guess=100 + 3 * size,
        baseline_guess=np.full(n_rows, truth.mean()),
    )


@pytest.fixture
def yes_or_no():
    return _yes_or_no


@pytest.fixture
def one_of():
    return _one_of


@pytest.fixture
def amount():
    return _amount


@pytest.fixture
def story():
    """Return what a search adds to findings, as keyword arguments of `replace`."""
    return _STORY
