"""What every peer is given and gives back: two Parquet files and a few words in, guesses and figures out."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

JOB: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text()) if len(sys.argv) > 1 else {}


def tables() -> tuple[Any, Any, Any]:
    """Return the learning rows, their target, and the rows to answer, as pandas has them; texts become categories."""
    import pandas as pd

    train, test = pd.read_parquet(JOB["train"]), pd.read_parquet(JOB["test"])
    target = train.pop(JOB["target"])
    for column in train.columns:
        if not pd.api.types.is_numeric_dtype(train[column]):
            texts = train[column].astype(object).map(str, na_action="ignore")
            common = pd.Index(texts.value_counts().index[:200].tolist(), dtype=object)  # as the references were made
            train[column] = pd.Categorical(texts, categories=common)
            test[column] = pd.Categorical(test[column].astype(object).map(str, na_action="ignore"), categories=common)
    return train, target, test


def give(guess: Any, *, classes: Any = (), answer_one: Callable[[int], Any] | None = None, **figures: Any) -> None:
    """Write the guesses for TEST, what one row costs, and further figures.

    Parameters
    ----------
    guess : probabilities (n_rows, n_classes) in the order of `classes`, or values (n_rows,).
    answer_one : answers the row at a position; timed on 60 rows, or on fewer where they take more than 20 seconds.
    """
    if answer_one is not None:
        milliseconds = []
        for place in range(60):
            started = time.perf_counter()
            answer_one(place % len(guess))
            milliseconds.append(1000 * (time.perf_counter() - started))
            if len(milliseconds) > 20 and sum(milliseconds) > 20_000:
                break
        figures["row_p50_ms"] = round(float(np.median(milliseconds[10:])), 3)
        figures["row_p95_ms"] = round(float(np.quantile(milliseconds[10:], 0.95)), 3)
    np.savez(JOB["guess"], guess=np.asarray(guess, dtype=np.float64), classes=np.asarray(classes, dtype=str))
    Path(JOB["figures"]).write_text(json.dumps(figures))


def give_fitted(model: Any, test: Any, *, started: float) -> None:
    """Give what a model by scikit-learn's rules answers; the time of its fit ends here."""
    seconds = round(time.monotonic() - started, 2)
    is_classes = JOB["task"] == "classify"
    answer = model.predict_proba if is_classes else model.predict
    classes = [str(label) for label in model.classes_] if is_classes else ()
    give(answer(test), classes=classes, answer_one=lambda place: answer(test.iloc[[place]]), seconds=seconds)


def megabytes(path: Path) -> float:
    """Return the size of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return round(sum(one.stat().st_size for one in files) / 1e6, 2)
