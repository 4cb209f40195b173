"""Two models small enough to check by hand, and a way to ask an application without a socket."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest

from mantic.core.schema import Column, Kind, Schema
from mantic.report.blocks import Report
from mantic.serve.app import House, make_app
from mantic.serve.question import Limits

SCHEMA = Schema(
    (
        Column("age", Kind.NUMBER, low=18.0, high=94.0, share_missing=0.1),
        Column("plan", Kind.CATEGORY, levels=("basic", "premium"), n_levels=2),
        Column("since", Kind.DATE, low="2020-01-01", high="2024-12-31"),
        Column("is_member", Kind.BOOLEAN, levels=("True", "False"), n_levels=2),
        Column("customer", Kind.ID),
    )
)


class Churn:
    """Says "yes" with a probability that falls with age; not a number for missing ages."""

    def __init__(self, **changes: Any) -> None:
        self.task = SimpleNamespace(name="classify")
        self.schema_ = SCHEMA
        self.target_ = Column("churned", Kind.CATEGORY, levels=("no", "yes"), n_levels=2)
        self.version_ = "0123456789ab"
        self.classes_ = np.array(["no", "yes"])
        self.report_ = Report("r", facts={"metric": "log_loss", "score": 0.5, "interval": [0.4, float("nan")]})
        self.busy = threading.Lock()
        vars(self).update(changes)

    def predict_proba(self, frame: pl.DataFrame) -> Any:
        assert self.busy.acquire(blocking=False), "two calls at once"
        try:
            share = (frame["age"].fill_null(float("nan")) / 100).to_numpy()
        finally:
            self.busy.release()
        return np.column_stack([share, 1 - share])

    def predict(self, frame: pl.DataFrame) -> Any:
        return self.classes_[self.predict_proba(frame).argmax(axis=1)]

    def explain(self, frame: pl.DataFrame) -> Any:
        rows = [{"contributions": [{"column": "age", "value": age, "contribution": 0.1}]} for age in frame["age"]]
        return SimpleNamespace(to_facts=lambda: {"rows": rows})

    def save(self, path: Path) -> None:
        path.write_text("a model", "utf-8")


class Spend(Churn):
    """Says the age, give or take one."""

    def __init__(self) -> None:
        super().__init__(task=SimpleNamespace(name="regress"), target_=Column("spend", Kind.NUMBER))

    def predict(self, frame: pl.DataFrame) -> Any:
        return frame["age"].fill_null(float("nan")).to_numpy()

    def predict_interval(self, frame: pl.DataFrame, *, level: float) -> Any:
        return np.column_stack([self.predict(frame) - 1, self.predict(frame) + 1])


class Broken(Churn):
    """Has a bug."""

    def predict_proba(self, frame: pl.DataFrame) -> Any:
        raise ZeroDivisionError


Ask = Callable[..., httpx.Response]


def asker(app: Any, *, raises: bool = True) -> Ask:
    def ask(method: str, path: str, **options: Any) -> httpx.Response:
        async def talk() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=raises)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(talk())

    return ask


@pytest.fixture(name="asker", scope="session")
def give_asker() -> Callable[..., Ask]:
    """Return a function that turns an application into one that asks it."""
    return asker


@pytest.fixture(scope="session")
def churn() -> type[Churn]:
    """Return the class of a small classifier."""
    return Churn


@pytest.fixture
def broken() -> Churn:
    """Return a model that has a bug."""
    return Broken()


@pytest.fixture(scope="module")
def ask() -> Ask:
    return asker(make_app({"churn": Churn(), "spend": Spend()}, House(Limits(max_rows=100, max_bytes=20_000))))


@pytest.fixture
def row() -> dict[str, Any]:
    return {"age": 30, "plan": "basic", "since": "2023-05-01", "is_member": True, "customer": "c1"}


@pytest.fixture(scope="module")
def predict(ask: Ask) -> Callable[..., httpx.Response]:
    def post(*rows: Any, model: str = "churn", verb: str = "predict") -> httpx.Response:
        text = json.dumps({"rows": list(rows)})
        return ask("POST", f"/v1/models/{model}/{verb}", content=text, headers={"Content-Type": "application/json"})

    return post
