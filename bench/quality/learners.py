"""Hold every learner against its plain scikit-learn counterpart: `python bench/quality/learners.py`.

Two development tables, 80 % to learn from and 20 % to judge by (the rule of their README: crc32 of file and row). The
counterpart is what one writes in a minute: median, scaler, one-hot, and the algorithm with its defaults (LightGBM and
histogram boosting too). `ours / theirs` is the ratio of losses (1 - ROC AUC, RMSE): up to 1.01 keeps the promise.
"""

import json
import sys
import time
import warnings
import zlib
from pathlib import Path

import lightgbm
import numpy as np
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mantic.core.learner import LEARNERS
from mantic.core.run import Run
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Target
from mantic.features.encode import Encoder

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tabular"
TABLES = {
    "telco_churn": ("Churn", ["customerID"], ["TotalCharges"], 2),
    "california_housing": ("median_house_value", [], [], 0),
}
COUNTERPARTS = {
    "linear": (LogisticRegression(max_iter=1000), LinearRegression()),
    "tree": (DecisionTreeClassifier(random_state=0), DecisionTreeRegressor(random_state=0)),
    "forest": (RandomForestClassifier(random_state=0), RandomForestRegressor(random_state=0)),
    "knn": (KNeighborsClassifier(), KNeighborsRegressor()),
    "svm": (SVC(random_state=0), SVR()),
    "mlp": (MLPClassifier(random_state=0), MLPRegressor(random_state=0)),
    "naive_bayes": (GaussianNB(), None),
    "boosting": (lightgbm.LGBMClassifier(verbose=-1, n_jobs=1), lightgbm.LGBMRegressor(verbose=-1, n_jobs=1)),
    "histgb": (HistGradientBoostingClassifier(random_state=0), HistGradientBoostingRegressor(random_state=0)),
}


def read(name: str) -> tuple[Schema, pl.DataFrame, Target, np.ndarray]:
    """Return the schema, the aligned frame, the target, and which rows are to be judged by."""
    target, dropped, numbers, n_classes = TABLES[name]
    frame = pl.read_csv(DATA / f"{name}.csv.gz", infer_schema_length=None).drop(dropped)
    labels, frame = frame[target], frame.drop(target)
    frame = frame.with_columns(pl.col(numbers).str.strip_chars().cast(pl.Float64, strict=False))
    kinds = [Kind.NUMBER if series.dtype.is_numeric() else Kind.CATEGORY for series in frame.iter_columns()]
    schema = Schema(tuple(Column(column, kind) for column, kind in zip(frame.columns, kinds, strict=True)))
    values = labels.rank("dense").to_numpy().astype(np.int64) - 1 if n_classes else labels.to_numpy().astype(float)
    judged = np.array([zlib.crc32(f"{name}:{row}".encode()) % 5 == 0 for row in range(frame.height)])
    return schema, schema.align(frame), Target(values, n_classes), judged


def loss(target: Target, guess: np.ndarray) -> float:
    """Return 1 - ROC AUC, or RMSE."""
    if target.is_classes:
        return 1 - roc_auc_score(target.values, guess)
    return float(np.sqrt(np.mean((target.values - guess) ** 2)))


def ours(name: str, table: str) -> tuple[float, float]:
    """Return loss and seconds of a learner of ours, with its defaults."""
    schema, frame, target, judged = read(table)
    kind, started = LEARNERS.get(name), time.perf_counter()
    encoder = Encoder(schema, kind.layout)
    learned = target.rows(~judged)
    model = kind().fit(encoder.fit_transform(frame.filter(~judged), learned), learned, {}, Run())
    guess = model.predict(encoder.transform(frame.filter(judged)))
    seconds = time.perf_counter() - started
    return loss(target.rows(judged), guess[:, 1] if target.is_classes else guess), seconds


def theirs(name: str, table: str) -> tuple[float, float]:
    """Return loss and seconds of the plain pipeline."""
    schema, frame, target, judged = read(table)
    started = time.perf_counter()
    columns = np.array([column.kind is Kind.NUMBER for column in schema.columns])
    rows = np.column_stack([series.to_numpy().astype(object) for series in frame.iter_columns()])
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), np.flatnonzero(columns)),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), np.flatnonzero(~columns)),
    )
    model = make_pipeline(encoder, COUNTERPARTS[name][0 if target.is_classes else 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        model.fit(rows[~judged], target.values[~judged])
        if not target.is_classes:
            guess = model.predict(rows[judged])
        elif hasattr(model, "predict_proba"):
            guess = model.predict_proba(rows[judged])[:, 1]
        else:
            guess = model.decision_function(rows[judged])
    return loss(target.rows(judged), guess), time.perf_counter() - started


def main(names: list[str]) -> None:
    """Print one line per learner and table."""
    if not DATA.is_dir():
        sys.exit(f"the development tables are not here: {DATA}")
    for table, (_, _, _, n_classes) in TABLES.items():
        for name in names:
            if COUNTERPARTS[name][0 if n_classes else 1] is None:
                continue
            (mine, seconds), (plain, plain_seconds) = ours(name, table), theirs(name, table)
            figure = {
                "name": f"{name} on {table}",
                "value": round(mine / plain, 4),
                "unit": "x the loss of plain scikit-learn",
            }
            more = {
                "ours": mine,
                "theirs": plain,
                "seconds": round(seconds, 1),
                "their_seconds": round(plain_seconds, 1),
            }
            print(json.dumps(figure | more), flush=True)


if __name__ == "__main__":
    main([word for word in sys.argv[1:] if word != "--quick"] or list(COUNTERPARTS))
