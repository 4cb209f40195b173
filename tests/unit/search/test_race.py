"""Who gets the other folds."""

import numpy as np
import pytest

from mantic.core.metric import METRICS
from mantic.core.table import Target
from mantic.search.race import Race
from mantic.search.trial import Candidate, TrialResult

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=400)
ROWS = np.arange(300)


def tried(guess, *, rows=ROWS, seconds=1.0):
    return TrialResult(rows, guess, seconds, 0.0, {"rounds": 7})


@pytest.fixture
def race():
    return Race(Target(TRUTH), METRICS.get("rmse"))


def numbered(number):
    return Candidate("boosting", {}, number)


def begun(race, noise):
    for number in (0, 1, 2):
        race.enter(numbered(number), tried(TRUTH[ROWS] + noise[number]))
    race.waiting.clear()


def test_what_adds_nothing_to_the_best_so_far_is_left(race):
    begun(race, RNG.normal(0, 0.3, (3, 300)))

    assert not race.enter(numbered(3), tried(RNG.normal(size=300)))

    assert [one.number for one in race.left] == [3]
    assert race.waiting == []


def test_what_errs_in_another_way_goes_on_even_if_it_is_worse_alone(race):
    same = RNG.normal(0, 0.3, 300)
    begun(race, np.stack([same, same, same]))

    assert race.enter(numbered(3), tried(TRUTH[ROWS] - 1.5 * same))

    assert [one.number for one in race.waiting] == [3]


def test_one_of_the_best_goes_on_even_if_it_adds_nothing(race):
    noise = RNG.normal(0, 0.3, 300)
    begun(race, np.stack([noise, noise * 1.5, noise * 2]))

    assert race.enter(numbered(3), tried(TRUTH[ROWS] + 1.01 * noise))


def test_a_score_that_is_not_finite_is_left(race):
    assert not race.enter(numbered(0), tried(np.full(300, np.nan)))


def test_the_first_fold_and_the_others_are_joined_in_that_order(race):
    race.enter(numbered(0), tried(TRUTH[ROWS]))
    rest = np.arange(300, 400)

    whole = race.joined(numbered(0), tried(TRUTH[rest], rows=rest, seconds=3.0))

    assert whole.rows.tolist() == list(range(400))
    np.testing.assert_array_equal(whole.guess, TRUTH)
    assert whole.fit_seconds == 4.0
    assert race.waiting == []


def test_other_folds_without_a_first_one_are_not_a_result(race):
    assert race.joined(numbered(0), tried(TRUTH[ROWS])) is None
