"""One version of a model, and what its file says about it."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mantic.core.artifact import open_artifact


@dataclass(frozen=True, slots=True)
class Version:
    """A model as it was kept; it never changes.

    Parameters
    ----------
    name, number : `churn` and 3 are called `churn/3`.
    sha256, n_bytes : of the model file.
    created, by : when (UTC) and by whom it was kept.
    task, target, metric, score, low, high : what the model's own report says; empty or None where it says nothing.
    fingerprint : of the data that it learned from; empty when unknown.
    deleted : when it was deleted; None while it is there.
    """

    name: str
    number: int
    sha256: str
    n_bytes: int
    created: str
    by: str
    task: str
    target: str
    metric: str
    score: float | None
    low: float | None
    high: float | None
    fingerprint: str
    note: str
    deleted: str | None

    def __str__(self) -> str:
        """Return the words by which it is called."""
        return f"{self.name}/{self.number}"

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return where the score will lie on new rows; None when unknown."""
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True)
class About:
    """What a model file says about itself."""

    task: str
    target: str
    metric: str
    score: float | None
    low: float | None
    high: float | None


class Savable(Protocol):
    """Something that writes itself to a model file."""

    def save(self, path: str | Path) -> Path:
        """Write a model file."""


def about(file: Path) -> About:
    """Check a model file in full, and return what it says about itself.

    Raises
    ------
    ArtifactError : if the file is no model, damaged or hostile.
    """
    with open_artifact(file) as opened:
        manifest = opened.manifest
        facts = _facts(opened.report_text)
    target = manifest.get("target")
    first = target[0] if isinstance(target, list) and target else {}
    interval = facts.get("interval")
    ends = interval if isinstance(interval, list) and len(interval) == 2 else (None, None)
    return About(
        task=_shown(manifest["task"], 100),
        target=_shown(first.get("name") if isinstance(first, dict) else None, 1000),
        metric=_shown(facts.get("metric"), 100),
        score=_number(facts.get("score")),
        low=_number(ends[0]),
        high=_number(ends[1]),
    )


@contextmanager
def file_of(model: str | Path | Savable) -> Iterator[Path]:
    """Give the file of a model; an estimator is saved to a temporary one."""
    if isinstance(model, str | Path):
        yield Path(model)
        return
    with tempfile.TemporaryDirectory(prefix="mantic-keep-") as folder:
        yield model.save(Path(folder) / "model.mantic")


def _facts(report: str) -> dict[str, Any]:
    try:
        found = json.loads(report).get("facts")
    except (ValueError, AttributeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _shown(value: object, most: int) -> str:
    """Return a text of a file as any database and terminal can show it: the file itself stays as it is."""
    return "".join(mark if mark.isprintable() else "?" for mark in str(value or "")[:most])


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < float("inf") else None
