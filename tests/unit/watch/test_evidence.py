"""Nothing is claimed where nothing moved, and what moved is found."""

import numpy as np
import pytest
from scipy.stats import kstest

from mantic.watch.evidence import Evidence, alarms, moved, worse
from mantic.watch.rank import online_ranks

ONE_WEEK = np.zeros(400, dtype=int)


def test_ranks_are_uniform_and_know_nothing_of_each_other_as_long_as_nothing_moves():
    found = []
    for seed in range(300):
        chance = np.random.default_rng(seed)
        found.append(online_ranks(chance.integers(0, 4, 50), chance.integers(0, 4, 140), seed=seed))
    ranks = np.array(found)

    assert kstest(ranks.ravel(), "uniform").pvalue > 0.01
    assert abs(np.corrcoef(ranks[:, 10], ranks[:, 11])[0, 1]) < 0.15
    assert abs(np.corrcoef(ranks[:, 127], ranks[:, 128])[0, 1]) < 0.15  # either side of a block's end


def test_a_rank_counts_the_reference_and_all_rows_before():
    ranks = online_ranks(np.array([1.0, 2.0, 3.0]), np.array([10.0, 11.0, 10.5]))

    assert 3 / 4 <= ranks[0] <= 1
    assert 4 / 5 <= ranks[1] <= 1
    assert 4 / 6 <= ranks[2] <= 5 / 6


def test_more_rows_do_not_change_the_ranks_of_those_before():
    chance = np.random.default_rng(0)
    reference, stream = chance.normal(size=100), chance.normal(size=300)

    np.testing.assert_array_equal(online_ranks(reference, stream)[:170], online_ranks(reference, stream[:170]))


@pytest.mark.parametrize("bet", [moved, worse])
def test_a_bet_is_worth_one_on_average_while_nothing_moves(bet):
    chance = np.random.default_rng(1)

    values = [bet(chance.random(60), np.zeros(60, dtype=int), 1).value for _ in range(4_000)]

    assert 0.8 < np.mean(values) < 1.2


def test_calm_columns_are_never_called_moved_in_a_hundred_weeks():
    chance = np.random.default_rng(2)

    for _ in range(100):
        found = {str(place): moved(chance.random(400), ONE_WEEK, 1) for place in range(20)}
        assert alarms(found, 40.0) == set()


@pytest.mark.parametrize(
    "ranks",
    [
        lambda chance: chance.random(400) ** 1.7,
        lambda chance: 1 - chance.random(400) ** 1.7,
        lambda chance: 0.5 + 0.35 * (2 * chance.random(400) - 1),
        lambda chance: np.where(chance.random(400) < 0.1, 0.3752, chance.random(400)),
    ],
    ids=["lower", "higher", "narrower", "a new value"],
)
def test_any_kind_of_move_is_found_among_calm_columns(ranks):
    chance = np.random.default_rng(3)
    found = {str(place): moved(chance.random(400), ONE_WEEK, 1) for place in range(19)}
    found["moved"] = moved(ranks(chance), ONE_WEEK, 1)

    assert alarms(found, 40.0) == {"moved"}


def test_several_that_moved_a_little_are_found_together_where_one_alone_is_not():
    little = Evidence(45.0, 45.0, 45.0, 400, 400)
    calm = Evidence(0.1, 0.1, 0.1, 400, 400)

    assert alarms({"a": little, "b": calm}, 40.0) == set()
    assert alarms({"a": little, "b": little}, 40.0) == {"a", "b"}


def test_a_move_after_calm_weeks_is_found_and_recent_weeks_alone_say_when_it_is_over():
    chance = np.random.default_rng(4)
    week = np.repeat(np.arange(8), 200)
    late = np.concatenate([chance.random(1_200), chance.random(400) ** 2])
    over = np.concatenate([chance.random(800), chance.random(400) ** 2, chance.random(400)])

    assert moved(late, week, 8).value > 1_000
    assert moved(late, week, 8).lately > 1_000
    assert moved(over, week, 8).lately < 1


def test_losses_that_shrink_are_no_loss_of_quality():
    chance = np.random.default_rng(5)

    assert worse(1 - chance.random(400) ** 2, ONE_WEEK, 1).peak < 12
    assert worse(chance.random(400) ** 2, ONE_WEEK, 1).peak > 1_000


def test_without_rows_nothing_is_said():
    assert moved(np.empty(0), np.empty(0, dtype=int), 3).n_rows == 0
    assert worse(np.empty(0), np.empty(0, dtype=int), 3).value == 1.0
