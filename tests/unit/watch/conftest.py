"""A model that is fitted once, a store, and what puts answered rows into it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mantic.store.predictions import Prediction
from mantic.store.store import Store, open_store
from mantic.tasks.classify import Classifier
from mantic.tasks.regress import Regressor
from mantic.watch.asked import Subject

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)  # in the eighth week of its quarter


def world(n_rows: int, seed: int, *, age: float = 40.0, new_plan: float = 0.0) -> pl.DataFrame:
    """Return rows of one world: older people and those of plan c leave more often."""
    chance = np.random.default_rng(seed)
    ages = chance.normal(age, 10, n_rows).round(1)
    plan = chance.choice(["a", "b", "c"], n_rows, p=[0.5, 0.3, 0.2])
    plan = np.where(chance.random(n_rows) < new_plan, "gold", plan)
    odds = (ages - 40) / 5 + 2.0 * (plan == "c") - 0.5
    left = chance.random(n_rows) < 1 / (1 + np.exp(-odds))
    words = np.array(["good", "bad", "slow", "fast", "price", "line", "help"])
    return pl.DataFrame(
        {
            "age": ages,
            "plan": plan,
            "since": np.datetime64("2024-01-01") + chance.integers(0, 700, n_rows),
            "member": chance.random(n_rows) < 0.5,
            "note": [" ".join(chance.choice(words, 4)) for _ in range(n_rows)],
            "noise": chance.normal(size=n_rows),
            "left": np.where(left, "yes", "no"),
        }
    )


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return Classifier(budget="1 trial", learners=["linear"]).fit(world(2_500, 1), "left")


def spending(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with what is spent in the place of who leaves: 3 a year of age, and what nobody can know."""
    luck = np.random.default_rng(rows.height).normal(0, 5, rows.height)
    return rows.drop("left").with_columns(spend=3 * rows["age"] + luck)


@pytest.fixture(scope="session")
def regressor() -> Regressor:
    return Regressor(budget="1 trial", learners=["linear"]).fit(spending(world(1_500, 2)), "spend")


@pytest.fixture
def churn(classifier: Classifier) -> Subject:
    return Subject("churn", 1, classifier)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def said(labels: Sequence[str], guess: list[float]) -> dict[str, Any]:
    """Return an answer as a server keeps it."""
    if not labels:
        return {"prediction": guess[0]}
    return {"prediction": labels[int(np.argmax(guess))], "probability": dict(zip(labels, guess, strict=True))}


Answer = Callable[..., list[str]]


@pytest.fixture
def answer(store: Store) -> Answer:
    """Return what lets a subject answer rows, spread over the days before an end, and keeps them; gives their ids."""

    def keep(subject: Subject, rows: pl.DataFrame, *, days: float = 6.0, end: datetime = NOW) -> list[str]:
        features = rows.select(subject.schema.names)
        guess = subject.answers(features)
        answers: Sequence[dict[str, Any]] = [
            {
                "prediction": max(zip(one, subject.labels, strict=True))[1],
                "probability": dict(zip(subject.labels, one, strict=True)),
            }
            if subject.labels
            else {"prediction": one[0]}
            for one in guess.tolist()
        ]
        moments = [end - timedelta(days=days) * (1 - place / rows.height) for place in range(rows.height)]
        return store.predictions.append(
            Prediction(subject.name, subject.number, row, one, at=moment.isoformat())
            for row, one, moment in zip(features.to_dicts(), answers, moments, strict=True)
        )

    return keep
