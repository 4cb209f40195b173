"""Example tables that come inside of an installed package."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mantic.core.lazy import need


@dataclass(frozen=True)
class Sample:
    """An example: what it is about, and which column is a good question."""

    name: str
    title: str
    about: str
    load: Callable[[Any], Any]
    target: str


def _tumours(datasets: Any) -> Any:
    found = datasets.load_breast_cancer(as_frame=False)
    return found, [found.target_names[code] for code in found.target], "diagnosis"


def _diabetes(datasets: Any) -> Any:
    found = datasets.load_diabetes(as_frame=False, scaled=False)
    return found, found.target.tolist(), "progression"


def _wines(datasets: Any) -> Any:
    found = datasets.load_wine(as_frame=False)
    return found, [f"cultivar {code + 1}" for code in found.target], "cultivar"


SAMPLES = (
    Sample("tumours", "Breast tumours", "569 patients, 30 measurements: benign or malignant?", _tumours, "diagnosis"),
    Sample("diabetes", "Diabetes", "442 patients, 10 measurements: how far will it have gone in a year?", _diabetes,
           "progression"),
    Sample("wines", "Wines", "178 wines, 13 measurements: which of three cultivars?", _wines, "cultivar"),
)  # fmt: skip


def write_sample(sample: Sample, path: Path) -> None:
    """Write an example as a CSV file."""
    import polars as pl

    datasets = need("sklearn.datasets", why="an example table")
    found, answers, target = sample.load(datasets)
    columns = {str(name).replace(" ", "_"): found.data[:, place] for place, name in enumerate(found.feature_names)}
    pl.DataFrame({**columns, target: answers}).write_csv(path)
