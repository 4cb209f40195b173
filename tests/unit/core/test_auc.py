"""The area under the curve agrees with scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mantic.core.auc import auc


@pytest.mark.parametrize("n_levels", [2, 7, 1000])
def test_the_area_is_that_of_scikit_learn_with_ties_too(n_levels):
    chance = np.random.default_rng(n_levels)
    positive, guess = chance.random(500) < 0.3, chance.integers(0, n_levels, 500).astype(float)

    assert auc(positive, guess) == pytest.approx(roc_auc_score(positive, guess), abs=1e-12)


@pytest.mark.parametrize("positive", [[True, True], [False], []])
def test_the_area_of_one_kind_alone_is_not_defined(positive):
    assert np.isnan(auc(np.array(positive, dtype=bool), np.zeros(len(positive))))
