"""AutoGluon-TimeSeries without pretrained weights: local, tabular and one deep model, and its weighted ensemble."""

import time

import pandas as pd
from autogluon.timeseries import TimeSeriesDataFrame, TimeSeriesPredictor
from job import JOB

MODELS = (
    "SeasonalNaive", "AutoETS", "DynamicOptimizedTheta", "RecursiveTabular", "DirectTabular",
    "TemporalFusionTransformer",
)  # fmt: skip


def main() -> None:
    """Fit within the limit and forecast; the time counts until the answers are there."""
    started = time.monotonic()
    rows = pd.read_parquet(JOB["learn"])
    long = TimeSeriesDataFrame.from_data_frame(rows, id_column="unique_id", timestamp_column="when")
    predictor = TimeSeriesPredictor(
        prediction_length=JOB["horizon"], target="y", freq=JOB["freq"], eval_metric="MASE",
        quantile_levels=JOB["levels"], path=f"{JOB['folder']}/autogluon", verbosity=0,
    )  # fmt: skip
    predictor.fit(
        long, time_limit=JOB["budget"], hyperparameters={name: {} for name in MODELS}, random_seed=JOB["seed"],
    )  # fmt: skip
    found = predictor.predict(long, random_seed=JOB["seed"]).reset_index()
    seconds = time.monotonic() - started
    found = found.rename(columns={"item_id": "unique_id", "timestamp": "when"})
    found.columns = [f"q{name}" if name[0] == "0" else name for name in map(str, found.columns)]
    found.to_parquet(JOB["answers"])
    pd.DataFrame({"seconds": [seconds], "made_of": [str(predictor.model_names())]}).to_parquet(JOB["facts"])


if __name__ == "__main__":
    main()
