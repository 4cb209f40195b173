"""FLAML with its own defaults."""

import time

from flaml import AutoML
from job import JOB, give_fitted, tables

METRICS = {"roc_auc": "roc_auc", "average_precision": "ap", "log_loss": "log_loss", "rmse": "rmse"}


def main() -> None:
    """Fit within the budget, answer TEST."""
    started = time.monotonic()
    train, target, test = tables()
    is_classes = JOB["task"] == "classify"
    model = AutoML()
    model.fit(
        train, target, task="classification" if is_classes else "regression", metric=METRICS[JOB["metric"]],
        time_budget=JOB["budget"], seed=JOB["seed"], n_jobs=2, verbose=0,
    )  # fmt: skip
    give_fitted(model, test, started=started)


if __name__ == "__main__":
    main()
