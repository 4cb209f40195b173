"""Support vector machines by scikit-learn."""

import warnings
from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.learner import Choice, Params, Range, RowAnswer, Space, complete, learner
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array, EncodedRow, Layout, Table, Target
from mantic.learners.table._chance_row import chance_of, shares_of
from mantic.learners.table._classes import Classes, hold_out, sample
from mantic.learners.table._skops import load_model, save_model
from mantic.learners.table._svm_row import decision_of_row

_WHY = "the svm learner"
_N_EXACT = 3_000
_N_AT_MOST = 50_000
_N_LANDMARKS = 400


@learner(
    "svm",
    tasks=("classify", "regress"),
    layout=Layout.SPARSE,
    needs=("sklearn", "scipy", "skops"),
    good_for="few thousand rows with smooth borders between classes, and short texts",
    costs="exact up to 3,000 rows, then by 400 landmarks; learns from 50,000 rows (a sample) at most",
)
class SupportVectors:
    """A machine with a radial kernel: exact on few rows, by landmarks (Nystroem) on many, linear by choice.

    Probabilities come from decision values of rows held out (Platt's sigmoid; one temper for more classes).
    By landmarks the loss is logistic (or squared), which gives probabilities at once.
    Sources: Cortes and Vapnik (1995), Support-Vector Networks; Williams and Seeger (2001), Using the Nystroem Method to
    Speed Up Kernel Machines; Platt (1999), Probabilistic Outputs for Support Vector Machines.
    """

    def space(self) -> Space:
        """Return the parameters; `gamma` is relative to 1 / (the variance of all columns together)."""
        return {
            "kernel": Choice(("rbf", "linear")),
            "form": Choice(("by rows", "exact", "landmarks")),
            "C": Range(0.01, 100.0, default=1.0, log=True),
            "gamma": Range(0.05, 20.0, default=1.0, log=True),
        }

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Fit; exact machines do not go in steps, so only the calibration is spared when the deadline has passed."""
        full = complete("svm", self.space(), params)
        form = full.pop("form")
        self.classes_ = Classes.of(target)
        self.centre_, self.spread_ = 0.0, 1.0
        if not target.is_classes:
            self.centre_, self.spread_ = float(target.values.mean()), float(target.values.std()) or 1.0
            target = Target((target.values - self.centre_) / self.spread_)
        part = sample(target, _N_AT_MOST, seed=run.seed)
        rows, target = table.matrix()[part], target.rows(part)
        full["gamma"] = full["gamma"] / (_variance(rows) or 1.0)
        labels = self.classes_.labels(target)
        self.slope_, self.offset_, self.form_ = 1.0, 0.0, form
        if self.classes_.is_one:
            self.model_ = need("sklearn.dummy", why=_WHY).DummyClassifier().fit(rows, labels)
            return self
        is_exact = len(target) <= _N_EXACT if form == "by rows" else form == "exact"
        self.form_ = "exact" if is_exact else "landmarks"
        if is_exact and target.is_classes and not run.deadline.passed:
            self.slope_, self.offset_ = _calibrated(rows, target, full, run)
        make = _exact if is_exact else _by_landmarks
        self.model_ = _quiet(make(full, target.is_classes, run.seed), rows, labels)
        return self

    @property
    def found_(self) -> Params:
        """Return the form, which a fit on more rows of the same table must keep: it is what was judged."""
        return {"form": self.form_}

    def predict(self, table: Table) -> Array:
        """Return probabilities or values."""
        if self.classes_.n == 0:
            return self.centre_ + self.spread_ * np.asarray(self.model_.predict(table.matrix()), dtype=np.float64)
        if self.classes_.is_one or hasattr(self.model_, "predict_proba"):
            return self.classes_.predict(self.model_, table.matrix())
        decision = self.model_.decision_function(table.matrix())
        return self.classes_.spread(_chances(decision, self.slope_, self.offset_))

    def for_rows(self) -> RowAnswer:
        """Return the machine's sum over its support vectors, for one row."""
        classes, centre, spread = self.classes_, self.centre_, self.spread_
        if classes.is_one:
            constant = classes.spread(np.ones((1, 1)))[0]
            return lambda row: constant
        decision_of, seen = decision_of_row(self.model_), np.array(classes.seen, dtype=np.intp)
        slope, offset = self.slope_, self.offset_

        def answer(row: EncodedRow) -> Array:
            decision = decision_of(row.dense())
            if classes.n == 0:
                return centre + spread * decision
            full = np.zeros(classes.n)
            two = len(seen) == 2
            full[seen] = chance_of(slope * float(decision[0]) + offset) if two else shares_of(slope * decision)
            return full

        return answer

    def save(self, folder: Path) -> None:
        """Write the machine by skops, and the calibration."""
        facts = {"slope": self.slope_, "offset": self.offset_, "centre": self.centre_, "spread": self.spread_}
        write_parts(folder, "svm", facts, {})
        save_model(folder, self.model_, self.classes_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        facts, _ = read_parts(folder, "svm")
        restored = cls()
        restored.slope_, restored.offset_ = facts["slope"], facts["offset"]
        restored.centre_, restored.spread_ = facts["centre"], facts["spread"]
        restored.model_, restored.classes_ = load_model(
            folder,
            trusted=("scipy.sparse._csr.csr_matrix",),
            kinds=("SVC", "SVR", "Pipeline", "LogisticRegression", "Ridge", "DummyClassifier"),
        )
        return restored


def _variance(rows: Any) -> float:
    """Return the variance of all columns together: half the mean squared distance of two rows."""
    if isinstance(rows, np.ndarray):
        return float(rows.var(axis=0).sum())
    return float(rows.multiply(rows).sum() / rows.shape[0] - np.square(np.asarray(rows.mean(axis=0))).sum())


def _exact(params: Params, is_classes: bool, seed: int) -> Any:
    svm = need("sklearn.svm", why=_WHY)
    if is_classes:
        return svm.SVC(**params, random_state=seed)
    return svm.SVR(**params, epsilon=0.05)


def _by_landmarks(params: Params, is_classes: bool, seed: int) -> Any:
    linear_model = need("sklearn.linear_model", why=_WHY)
    last = (
        linear_model.LogisticRegression(C=params["C"], max_iter=200)
        if is_classes
        else linear_model.Ridge(1 / params["C"])
    )
    if params["kernel"] == "linear":
        return last
    kernel = need("sklearn.kernel_approximation", why=_WHY)
    landmarks = kernel.Nystroem(gamma=params["gamma"], n_components=_N_LANDMARKS, random_state=seed)
    return need("sklearn.pipeline", why=_WHY).make_pipeline(landmarks, last)


def _quiet(model: Any, rows: Any, labels: Array) -> Any:
    with warnings.catch_warnings():
        # weights after the last step are of use all the same
        warnings.simplefilter("ignore", need("sklearn.exceptions", why=_WHY).ConvergenceWarning)
        return model.fit(rows, labels)


def _chances(decision: Array, slope: float, offset: float) -> Array:
    special = need("scipy.special", why=_WHY)
    if decision.ndim == 1:
        margin = slope * decision + offset
        return np.asarray(special.expit(np.column_stack([-margin, margin])))
    return np.asarray(special.softmax(slope * decision, axis=1))


def _calibrated(rows: Any, target: Target, params: Params, run: Run) -> tuple[float, float]:
    """Return slope and offset that turn decision values into probabilities, learned on held-out rows."""
    learned, judged = hold_out(target, seed=run.seed, n_folds=5)
    known = target.rows(learned)
    classes = Classes.of(known)
    model = _exact(params, True, run.seed).fit(rows[learned], classes.labels(known))
    decision, truth = model.decision_function(rows[judged]), classes.labels(target.rows(judged))
    here = np.arange(len(truth))

    def pain(scale: Array) -> float:
        chance = _chances(decision, float(np.exp(scale[0])), float(scale[1]))[here, truth]
        return float(-np.log(np.clip(chance, 1e-9, 1)).mean() + 1e-3 * (scale**2).sum())

    found = need("scipy.optimize", why=_WHY).minimize(pain, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(found[0])), float(found[1])
