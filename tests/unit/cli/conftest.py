"""Models fitted once through the command line, and a way to run it in this process."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mantic.cli.main import main


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        """Return the one JSON object on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found


Mantic = Callable[..., Done]


@pytest.fixture
def mantic(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mantic:
    """Return a function that runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: object) -> Done:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory, churn_like: pl.DataFrame, rent_like: pl.DataFrame) -> Path:
    """Return a folder with churn.csv, rent.csv, the first rows of each, and a model of each by the command line."""
    folder = tmp_path_factory.mktemp("kept")
    before = Path.cwd()
    os.chdir(folder)
    try:
        churn_like.write_csv("churn.csv")
        rent_like.write_csv("rent.csv")
        churn_like.head(120).write_csv("few_churn.csv")
        rent_like.head(120).write_csv("few_rent.csv")
        quick = ["--budget", "1 trial", "--learner", "linear"]
        assert main(["fit", "churn.csv", "--target", "churned", "--report", "report.html", *quick]) == 0
        assert main(["fit", "rent.csv", "--target", "spend", *quick]) == 0
    finally:
        os.chdir(before)
    return folder
