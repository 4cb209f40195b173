"""The same tests on both databases: SQLite in a folder, and PostgreSQL on a server that is started here."""

import importlib.util
import itertools
import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mantic.core import artifact
from mantic.store.store import Store, open_store

ROOT = Path(__file__).resolve().parents[3]
_COUNT = itertools.count(1)


def _postgres() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mantic_bench_postgres", ROOT / "bench" / "postgres.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Place:
    """Where a store of a test lies."""

    url: str
    blobs: str

    def open(self) -> Store:
        """Open it; the caller closes it."""
        return open_store(self.url, blobs=self.blobs)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Any]:
    """Return a PostgreSQL server; where CI cannot start one, that is a failure and no skip."""
    postgres = _postgres()
    if postgres.tool("postgres") is None:
        absent = "PostgreSQL is not installed (Debian: apt-get install postgresql); `make test` does it where it can"
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    with postgres.server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return a place for an empty store, once in a folder and once on the server."""
    if request.param == "sqlite":
        return Place(str(tmp_path / "store"), "")
    server = request.getfixturevalue("postgresql")
    return Place(f"{server.url}?schema=s{os.getpid()}_{next(_COUNT)}", str(tmp_path / "blobs"))


@pytest.fixture
def folder_place(tmp_path: Path) -> Place:
    """Return a place for an empty store in a folder."""
    return Place(str(tmp_path / "store"), "")


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """Return an empty store."""
    with place.open() as opened:
        yield opened


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a model file; another `mark` makes other bytes, `n_bytes` are added as noise."""

    def write(mark: object = 0, *, name: str = "churn", n_bytes: int = 0) -> Path:
        parts = tmp_path / f"parts-{name}-{mark}"
        parts.mkdir(exist_ok=True)
        (parts / "weights.json").write_text(json.dumps([str(mark)] * 50))
        for start in range(0, n_bytes, 50_000):
            (parts / f"noise{start}.bin").write_bytes(random.Random(start).randbytes(50_000))
        report = {"facts": {"metric": "log_loss", "score": 0.31, "interval": [0.25, 0.4]}}
        manifest = {"task": "classify", "target": [{"name": "churned"}]}
        place = tmp_path / f"{name}.mantic"
        return artifact.write(place, manifest=manifest, folder=parts, report=json.dumps(report))

    return write
