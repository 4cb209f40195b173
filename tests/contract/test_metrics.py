"""What every metric promises, whoever wrote it."""

import numpy as np
import pytest

from mantic.core.metric import METRICS, Metric
from mantic.evaluate.prepared import OneByOne, prepare

ROWS = 60


def _answers(metric: Metric, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    if metric.task == "regress":
        truth = random.normal(10, 2, ROWS)
        return truth, truth + random.normal(size=ROWS)
    guess = random.dirichlet(np.ones(n_classes), ROWS)
    return np.array([random.choice(n_classes, p=row) for row in guess]), guess


@pytest.fixture(params=METRICS.names())
def metric(request) -> Metric:
    return METRICS.get(request.param)


@pytest.fixture(params=[2, 5])
def answers(request, metric) -> tuple[np.ndarray, np.ndarray]:
    return _answers(metric, request.param)


def test_a_metric_says_its_task_and_its_name(metric):
    assert metric.task in ("classify", "regress")
    assert METRICS.get(metric.name) is metric


def test_equal_weights_change_nothing(metric, answers):
    assert metric(*answers, np.full(ROWS, 0.5)) == pytest.approx(metric(*answers))


def test_a_weight_of_two_is_a_row_that_stands_twice(metric, answers):
    truth, guess = answers
    weight = np.random.default_rng(1).integers(0, 4, ROWS)

    twice = metric(np.repeat(truth, weight), np.repeat(guess, weight, axis=0))

    assert metric(truth, guess, weight.astype(float)) == pytest.approx(twice)


def test_the_order_of_the_rows_does_not_matter(metric, answers):
    truth, guess = answers
    order = np.random.default_rng(2).permutation(ROWS)

    assert metric(truth[order], guess[order]) == pytest.approx(metric(truth, guess))


def test_many_weightings_at_once_are_scored_like_one_by_one(metric, answers):
    weights = np.random.default_rng(3).exponential(size=(60, ROWS))

    together = prepare(metric, *answers)(weights)

    np.testing.assert_allclose(together, OneByOne(metric, *answers)(weights), rtol=1e-9)


def test_a_perfect_answer_has_the_least_loss(metric, answers):
    truth, guess = answers
    perfect = truth if metric.task == "regress" else np.eye(guess.shape[1])[truth]

    assert metric.loss(truth, perfect) <= metric.loss(truth, guess)
    assert metric(truth, perfect) == pytest.approx(1.0 if metric.higher_is_better else 0.0, abs=1e-9)


def test_answers_are_left_as_they_are(metric, answers):
    truth, guess = answers
    before = truth.copy(), guess.copy()

    metric(truth, guess)

    np.testing.assert_array_equal(truth, before[0])
    np.testing.assert_array_equal(guess, before[1])
