"""What every test may ask for: seeded tables, the shared data sets, a quiet run; and a network that is closed."""

# ruff: noqa: E402  (the thread limits must be set first)

import os
import tempfile

# Before numpy and OpenMP wake up: several test processes on a small machine must not fight for its cores.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("POLARS_MAX_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# No test, and no command that a test starts, writes into the store or among the keys of whoever runs it.
_STORE = tempfile.mkdtemp(prefix="mantic-test-store-")
os.environ["MANTIC_STORE_URL"] = f"{_STORE}/store"
os.environ["MANTIC_STORE_KEYS"] = f"{_STORE}/keys"
os.environ["XDG_DATA_HOME"] = f"{_STORE}/data"  # open_store() without a place
for _name in ("MANTIC_STORE_BLOBS", "MANTIC_STORE_SIGNATURE"):
    os.environ.pop(_name, None)

import atexit
import ipaddress
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import polars as pl
import pytest
from tests.tiny_models import BOLT, TWO, make

from mantic.core.budget import Deadline
from mantic.core.run import Run

ROOT = Path(__file__).resolve().parents[1]
atexit.register(shutil.rmtree, _STORE, ignore_errors=True)

hypothesis.settings.register_profile(
    "mantic",
    max_examples=50,
    deadline=None,  # a shared machine is no stopwatch
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("mantic")


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Return the folder of an area (``shared_data("tabular")``); where there is none the test is skipped."""

    def folder(area: str) -> Path:
        path = ROOT.parent / "shared" / "data" / area
        if not path.is_dir():
            pytest.skip(f"the data sets are not here: {path}")
        return path

    return folder


@pytest.fixture
def quiet_run() -> Iterator[Run]:
    """Return a run with seed 0, one thread, a minute, and nobody who listens."""
    with Run(seed=0, threads=1, deadline=Deadline.after(60)) as run:
        yield run


@pytest.fixture(scope="session")
def churn_like() -> pl.DataFrame:
    """Return 400 customers with columns of every kind, gaps, and a target `churned` (yes, no) that can be learned."""
    return _customers(400, seed=0)


@pytest.fixture(scope="session")
def churn_like_new() -> pl.DataFrame:
    """Return 60 customers that were not among the first 400."""
    return _customers(60, seed=1)


@pytest.fixture(scope="session")
def rent_like(churn_like: pl.DataFrame) -> pl.DataFrame:
    """Return the customers with a number to be predicted, `spend`, instead of `churned`."""
    rng = np.random.default_rng(2)
    base = churn_like["tenure"].fill_null(24).to_numpy() * 3.0
    plan = np.where(churn_like["plan"].fill_null("basic").to_numpy() == "premium", 90.0, 20.0)
    spend = np.round(base + plan + rng.normal(0, 10, churn_like.height), 2)
    return churn_like.drop("churned").with_columns(spend=pl.Series(spend))


def _customers(n_rows: int, *, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    tenure = rng.integers(1, 72, n_rows)
    charges = np.round(rng.gamma(6, 12, n_rows), 2)
    plan = rng.choice(["basic", "plus", "premium"], n_rows, p=[0.5, 0.3, 0.2])
    city = rng.choice([f"city {number:02d}" for number in range(40)], n_rows)
    paperless = rng.random(n_rows) < 0.6
    joined = [date(2020, 1, 1) + timedelta(days=int(days)) for days in rng.integers(0, 1500, n_rows)]
    words = np.array(["slow support", "great service", "too expensive", "no complaints", "broken modem twice"])
    note = [" and ".join(rng.choice(words, 2, replace=False)) + f", call {number}" for number in range(n_rows)]
    angry = np.array(["expensive" in text or "broken" in text for text in note])
    odds = 1.4 - 0.06 * tenure + 0.012 * charges - 0.9 * (plan == "premium") + 1.2 * angry - 0.6 * paperless
    churned = rng.random(n_rows) < 1 / (1 + np.exp(-odds))
    frame = pl.DataFrame(
        {
            "customer": [f"C{seed}-{number:05d}" for number in range(n_rows)],
            "tenure": tenure,
            "charges": charges,
            "plan": plan,
            "city": city,
            "paperless": paperless,
            "joined": joined,
            "note": note,
            "churned": np.where(churned, "yes", "no"),
        }
    )
    return frame.with_columns(
        tenure=_with_gaps(frame["tenure"], rng, share=0.04),
        plan=_with_gaps(frame["plan"], rng, share=0.06),
        note=_with_gaps(frame["note"], rng, share=0.02),
    )


def _with_gaps(series: pl.Series, rng: np.random.Generator, *, share: float) -> pl.Series:
    return series.set(pl.Series(rng.random(len(series)) < share), None)


@pytest.fixture(autouse=True, scope="session")
def _closed_network() -> Iterator[None]:
    """Let a test reach this machine only: a test that needs the world is broken tomorrow."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(str(address[0])):
            raise OSError(f"a test tried to reach {address}: the network is closed")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folder of a tiny pretrained model of each family; weights are random."""
    folder = tmp_path_factory.mktemp("models")
    return {family: make(family, folder / family) for family in (BOLT, TWO)}
