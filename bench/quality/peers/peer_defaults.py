"""LightGBM, scikit-learn's histogram boosting and a random forest, each with its defaults; no budget is needed."""

import time

from job import JOB, give_fitted, tables
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder


def _forest(kind: type, seed: int) -> object:
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    columns = make_column_transformer(
        (codes, make_column_selector(dtype_include="category")), remainder=SimpleImputer(strategy="median")
    )
    return make_pipeline(columns, kind(n_estimators=200, n_jobs=2, random_state=seed))


def _histgb(kind: type, seed: int) -> object:
    return kind(categorical_features="from_dtype", random_state=seed)


def _lightgbm(kind: type, seed: int) -> object:
    return kind(n_jobs=2, random_state=seed, verbose=-1)


MODELS = {
    "lightgbm": (_lightgbm, LGBMClassifier, LGBMRegressor),
    "histgb": (_histgb, HistGradientBoostingClassifier, HistGradientBoostingRegressor),
    "forest": (_forest, RandomForestClassifier, RandomForestRegressor),
}


def main() -> None:
    """Fit, answer TEST."""
    started = time.monotonic()
    train, target, test = tables()
    make, classifier, regressor = MODELS[JOB["preset"]]
    is_classes = JOB["task"] == "classify"
    model = make(classifier if is_classes else regressor, JOB["seed"]).fit(train, target)
    give_fitted(model, test, started=started)


if __name__ == "__main__":
    main()
