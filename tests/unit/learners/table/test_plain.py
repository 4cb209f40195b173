"""Linear models in NumPy alone come close to scikit-learn's."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge

from mantic.core.budget import Deadline
from mantic.core.run import Run
from mantic.core.table import Table, Target
from mantic.learners.table._plain import logistic, ridge
from mantic.learners.table.linear import Linear

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(400, 5))
VALUES = ROWS @ np.array([1.0, -2.0, 0.0, 0.5, 3.0]) + 7 + RNG.normal(size=400)


def chances(weights, base, rows):
    margin = np.asarray(rows @ weights.T) + base
    power = np.exp(margin - margin.max(axis=1, keepdims=True))
    return power / power.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
def test_ridge_comes_close_to_that_of_scikit_learn(form):
    expected = Ridge(alpha=3.0).fit(ROWS, VALUES)

    weights, base = ridge(form(ROWS), VALUES, 3.0)

    assert np.abs(form(ROWS) @ weights + base - expected.predict(ROWS)).mean() < 0.05


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_logistic_comes_close_to_that_of_scikit_learn(form, n_classes):
    codes = np.digitize(VALUES, np.quantile(VALUES, np.linspace(0, 1, n_classes + 1)[1:-1]))
    expected = LogisticRegression(C=0.5 if n_classes > 2 else 1.0).fit(ROWS, codes).predict_proba(ROWS)

    weights, base = logistic(form(ROWS), codes, 0.5, Run())

    assert np.abs(chances(weights, base, ROWS) - expected).mean() < 0.02


def test_a_deadline_that_is_gone_still_leaves_a_model():
    codes = (VALUES > 7).astype(int)

    weights, base = logistic(ROWS, codes, 1.0, Run(deadline=Deadline.after(0)))

    assert (chances(weights, base, ROWS).argmax(axis=1) == codes).mean() > 0.8


@pytest.mark.parametrize("target", [Target(VALUES), Target((VALUES > 7).astype(int), 2), Target(np.zeros(400, int), 3)])
def test_the_learner_answers_by_plain_weights_as_by_exact_ones(target):
    table = Table(ROWS, tuple("abcde"), np.arange(5))

    exact, plain = (
        Linear().fit(table, target, {"C": 1.0, "solver": solver}, Run()).predict(table) for solver in ("exact", "plain")
    )

    assert np.abs(exact - plain).mean() < 0.02
