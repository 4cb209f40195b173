"""mantic, as a user calls it."""

import time
from pathlib import Path

import numpy as np
import polars as pl
from job import JOB, give, megabytes
from peak import peak
from threadpoolctl import threadpool_limits

import mantic
from mantic.evaluate.calibration import calibration_error


def main() -> None:
    """Fit within the budget, answer TEST."""
    started = time.monotonic()
    train, test = pl.read_parquet(JOB["train"]), pl.read_parquet(JOB["test"])
    with peak() as memory:
        model = mantic.fit(
            train, JOB["target"], budget=f"{JOB['budget']}s", seed=JOB["seed"], metric=JOB["metric"],
            time=JOB["time"], positive=JOB["positive"],
        )  # fmt: skip
    seconds = time.monotonic() - started
    facts = model.report_.facts
    path = model.save(Path(JOB["folder"]) / "model.mantic")
    size = megabytes(path)
    loaded = mantic.load(path)
    is_classes = JOB["task"] == "classify"
    more = {"peak_mb": memory.megabytes, "data_mb": round(train.estimated_size() / 1e6, 2), "n_test": test.height}
    guess = loaded.predict_proba(test) if is_classes else loaded.predict(test)
    if is_classes:
        inside = loaded.predict_set(test, level=0.9)
        labels = [str(label) for label in loaded.classes_.tolist()]
        truth = [labels.index(value) for value in JOB["truth"]]
        covered = inside[range(len(truth)), truth].mean()
        width = inside.sum(axis=1).mean()
        more["ece"] = round(calibration_error(np.array(truth), guess), 4)
    else:
        ends, truth = loaded.predict_interval(test, level=0.9), pl.Series(JOB["truth"]).to_numpy()
        covered, width = ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean(), (ends[:, 1] - ends[:, 0]).mean()
    rows, one = test.to_dicts(), loaded.predict_proba_one if is_classes else loaded.predict_one
    low, high = facts["interval"]
    threadpool_limits(1)  # for what one row costs
    give(
        guess, classes=loaded.classes_ if is_classes else (), answer_one=lambda place: one(rows[place]),
        seconds=round(seconds, 2), megabytes=size, said=facts["score"], low=low, high=high,
        coverage_90=round(float(covered), 4), width_90=round(float(width), 4), trials=len(facts["learners"]),
        leaks=[one["column"] for one in facts["leaks"]], **more,
    )  # fmt: skip


if __name__ == "__main__":
    main()
