"""The metrics agree with scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics as reference

from mantic.core.errors import SettingsError
from mantic.core.metric import METRICS

ROWS = 300
EDGES = 8  # probabilities are rounded to so many steps, so that there are ties


def _classes(n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    guess = np.round(random.dirichlet(np.ones(n_classes), ROWS) * EDGES) + 0.5
    guess /= guess.sum(axis=1, keepdims=True)
    truth = np.array([random.choice(n_classes, p=row) for row in guess])
    return truth, guess, random.exponential(size=ROWS)


def _called(guess: np.ndarray) -> np.ndarray:
    return guess.argmax(axis=1)


BINARY = {
    "log_loss": lambda t, g, w: reference.log_loss(t, g, sample_weight=w),
    "roc_auc": lambda t, g, w: reference.roc_auc_score(t, g[:, 1], sample_weight=w),
    "average_precision": lambda t, g, w: reference.average_precision_score(t, g[:, 1], sample_weight=w),
    "accuracy": lambda t, g, w: reference.accuracy_score(t, _called(g), sample_weight=w),
    "balanced_accuracy": lambda t, g, w: reference.balanced_accuracy_score(t, _called(g), sample_weight=w),
    "f1": lambda t, g, w: reference.f1_score(t, _called(g), sample_weight=w),
    "brier": lambda t, g, w: reference.brier_score_loss(t, g[:, 1], sample_weight=w),
    "mcc": lambda t, g, w: reference.matthews_corrcoef(t, _called(g), sample_weight=w),
}
MANY = {
    "log_loss": lambda t, g, w: reference.log_loss(t, g, sample_weight=w),
    "roc_auc": lambda t, g, w: np.mean(
        [reference.roc_auc_score(t == code, g[:, code], sample_weight=w) for code in range(g.shape[1])]
    ),
    "average_precision": lambda t, g, w: np.mean(
        [reference.average_precision_score(t == code, g[:, code], sample_weight=w) for code in range(g.shape[1])]
    ),
    "accuracy": lambda t, g, w: reference.accuracy_score(t, _called(g), sample_weight=w),
    "balanced_accuracy": lambda t, g, w: reference.balanced_accuracy_score(t, _called(g), sample_weight=w),
    "f1": lambda t, g, w: reference.f1_score(t, _called(g), sample_weight=w, average="macro"),
    "brier": lambda t, g, w: reference.brier_score_loss(t, g, sample_weight=w, labels=range(g.shape[1])),
    "mcc": lambda t, g, w: reference.matthews_corrcoef(t, _called(g), sample_weight=w),
}
NUMBERS = {
    "rmse": lambda t, g, w: reference.root_mean_squared_error(t, g, sample_weight=w),
    "mae": lambda t, g, w: reference.mean_absolute_error(t, g, sample_weight=w),
    "median_ae": lambda t, g, w: reference.median_absolute_error(t, g, sample_weight=w),
    "r2": lambda t, g, w: reference.r2_score(t, g, sample_weight=w),
    "mape": lambda t, g, w: reference.mean_absolute_percentage_error(t, g, sample_weight=w),
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_two_classes_are_scored_as_scikit_learn_does(name, is_weighted):
    truth, guess, weight = _classes(2)
    used = weight if is_weighted else None

    score = METRICS.get(name)(truth, guess, used)

    assert score == pytest.approx(BINARY[name](truth, guess, used), abs=1e-12)


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_many_classes_are_scored_as_scikit_learn_does(name, is_weighted):
    truth, guess, weight = _classes(4)
    used = weight if is_weighted else None

    score = METRICS.get(name)(truth, guess, used)

    assert score == pytest.approx(MANY[name](truth, guess, used), abs=1e-12)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_numbers_are_scored_as_scikit_learn_does(name, is_weighted):
    random = np.random.default_rng(1)
    truth = random.normal(size=ROWS) + 5
    guess = truth + random.normal(size=ROWS)
    weight = random.exponential(size=ROWS) if is_weighted else None

    score = METRICS.get(name)(truth, guess, weight)

    assert score == pytest.approx(NUMBERS[name](truth, guess, weight), rel=1e-10)


def test_every_metric_is_held_against_a_reference():
    assert set(METRICS.names()) >= set(BINARY) | set(NUMBERS)
    assert {name for name in METRICS.names() if METRICS.get(name).task == "classify"} == set(BINARY)
    assert {name for name in METRICS.names() if METRICS.get(name).task == "regress"} == set(NUMBERS)


@pytest.mark.parametrize("name", ["log_loss", "accuracy", "brier", "rmse", "mae", "mape"])
def test_the_mean_over_rows_is_the_score(name):
    metric = METRICS.get(name)
    truth, guess, _ = _classes(3)
    if metric.task == "regress":
        truth, guess = truth + 1.0, guess[:, 0]

    mean = metric.per_row(truth, guess).mean()

    assert (metric.finish(mean) if metric.finish else mean) == pytest.approx(metric(truth, guess))


@pytest.mark.parametrize("name", ["roc_auc"])
def test_the_area_is_undefined_when_the_truth_has_one_class(name):
    guess = np.array([[0.2, 0.8], [0.6, 0.4]])

    assert np.isnan(METRICS.get(name)(np.array([1, 1]), guess))
    assert np.isnan(METRICS.get(name)(np.array([0, 0]), guess))


def test_average_precision_is_undefined_without_a_positive_row():
    assert np.isnan(METRICS.get("average_precision")(np.array([0, 0]), np.array([[0.2, 0.8], [0.6, 0.4]])))


def test_a_class_that_does_not_occur_is_left_out_of_means_over_classes():
    truth = np.array([0, 1, 0, 1])
    guess = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.2, 0.7, 0.1]])

    for name in ("roc_auc", "average_precision", "balanced_accuracy", "f1"):
        assert METRICS.get(name)(truth, guess) == pytest.approx(1.0)


def test_a_constant_truth_is_explained_only_when_it_is_hit():
    flat = np.full(5, 3.0)

    assert METRICS.get("r2")(flat, flat) == 1.0
    assert METRICS.get("r2")(flat, flat + 1) == 0.0


def test_losses_point_down_for_every_metric():
    truth, guess, _ = _classes(2)

    for name in BINARY:
        metric = METRICS.get(name)
        assert metric.loss(truth, np.eye(2)[truth] * 0.98 + 0.01) < metric.loss(truth, guess)


def test_an_unknown_metric_names_its_neighbours():
    with pytest.raises(SettingsError, match="no metric 'rsme'") as caught:
        METRICS.get("rsme")

    assert "did you mean 'rmse'" in caught.value.fix
