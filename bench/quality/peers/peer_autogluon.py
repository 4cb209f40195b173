"""AutoGluon, preset "medium" or "good"; one model folder per run, as its documentation asks for."""

import time
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor
from job import JOB, give, megabytes

METRICS = {
    "roc_auc": "roc_auc",
    "average_precision": "average_precision",
    "log_loss": "log_loss",
    "rmse": "root_mean_squared_error",
}


def main() -> None:
    """Fit within the limit, answer TEST; the time counts until `fit` returns."""
    started = time.monotonic()
    train, test = pd.read_parquet(JOB["train"]), pd.read_parquet(JOB["test"])
    folder = Path(JOB["folder"]) / "autogluon"
    told = {"positive_class": JOB["positive"]} if JOB["positive"] else {}
    if JOB["task"] == "regress":  # whole numbers are not always taken for a regression
        told["problem_type"] = "regression"
    predictor = TabularPredictor(
        label=JOB["target"], eval_metric=METRICS[JOB["metric"]], path=str(folder), verbosity=0, **told
    )
    predictor.fit(train, time_limit=JOB["budget"], presets=f"{JOB['preset']}_quality", num_cpus=2, ag_args_fit={})
    seconds = time.monotonic() - started
    predictor.persist()
    if JOB["task"] == "classify":
        chances = predictor.predict_proba(test)
        give(
            chances.to_numpy(), classes=[str(label) for label in chances.columns],
            answer_one=lambda place: predictor.predict_proba(test.iloc[[place]]),
            seconds=round(seconds, 2), megabytes=megabytes(folder),
        )  # fmt: skip
    else:
        give(
            predictor.predict(test).to_numpy(), answer_one=lambda place: predictor.predict(test.iloc[[place]]),
            seconds=round(seconds, 2), megabytes=megabytes(folder),
        )  # fmt: skip


if __name__ == "__main__":
    main()
