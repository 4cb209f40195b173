"""MAPIE's CV+ for numbers and cross-conformal LAC for classes, around mantic's encoder and boosting learner.

`peer_mapie.py TABLE SPLITS FIGURES`: what it is given as X are positions of rows, so that each of its folds encodes
what it learns from itself, as mantic does.
"""

import json
import sys
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from conformal import LEVEL, PARAMS, given_of, judged_of, splits
from mapie.classification import CrossConformalClassifier
from mapie.regression import CrossConformalRegressor
from sets import SETS
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from mantic.core.run import Run
from mantic.core.table import Layout, Target
from mantic.features.encode import Encoder
from mantic.learners.table.boosting import Boosting
from mantic.tasks.door import Given


class Same(BaseEstimator):
    """The same learner by scikit-learn's rules; rows are looked up by their position."""

    def __init__(self, frame: Any = None, given: Any = None, seed: int = 0) -> None:
        self.frame = frame
        self.given = given
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:
        """Encode and learn."""
        given: Given = self.given
        target = Target(np.asarray(y), given.target.n_classes)
        self.encoder_ = Encoder(given.schema, Layout.TREES, seed=self.seed)
        table = self.encoder_.fit_transform(self.frame[X[:, 0].astype(int)], target)
        self.learner_ = Boosting().fit(table, target, dict(PARAMS), Run(seed=self.seed))
        if target.is_classes:
            self.classes_ = np.arange(target.n_classes)
        self.n_features_in_ = 1
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities."""
        return self.learner_.predict(self.encoder_.transform(self.frame[X[:, 0].astype(int)]))


class SameClassifier(ClassifierMixin, Same):
    """For classes."""

    def predict(self, X: Any) -> Any:
        """Return the likeliest class."""
        return self.predict_proba(X).argmax(axis=1)


class SameRegressor(RegressorMixin, Same):
    """For numbers."""

    predict = Same.predict_proba


def one_split(about: Any, learn: pl.DataFrame, judge: pl.DataFrame, *, seed: int) -> tuple[float, float]:
    """Return coverage and width, or the size of sets."""
    given = given_of(about, learn)
    later, truth = judged_of(given, about, judge)
    frame = pl.concat([given.frame, later])
    rows, new = np.arange(frame.height)[:, None], np.arange(given.frame.height, frame.height)[:, None]
    known, kind = rows[: given.frame.height], SameClassifier if given.target.is_classes else SameRegressor
    model = kind(frame, given, seed)
    told = {"confidence_level": LEVEL, "cv": 5, "random_state": seed}
    if given.target.is_classes:
        fitted = CrossConformalClassifier(model, conformity_score="lac", **told)
        inside = fitted.fit_conformalize(known, given.target.values).predict_set(new)[1][:, :, 0]
        return inside[np.arange(len(truth)), truth].mean(), inside.sum(axis=1).mean()
    fitted = CrossConformalRegressor(model, method="plus", **told).fit_conformalize(known, given.target.values)
    ends = fitted.predict_interval(new)[1][:, :, 0]
    return ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean(), (ends[:, 1] - ends[:, 0]).mean()


def main() -> None:
    """Write the means over the splits."""
    name, n_splits, out = sys.argv[1:]
    about = SETS[name]
    found = [one_split(about, learn, judge, seed=seed) for seed, learn, judge in splits(name, int(n_splits))]
    coverage, width = np.mean(found, axis=0)
    Path(out).write_text(json.dumps({"coverage": round(float(coverage), 4), "width": round(float(width), 4)}))


if __name__ == "__main__":
    main()
