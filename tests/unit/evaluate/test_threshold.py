import numpy as np
import pytest

from mantic.evaluate.costs import read_costs
from mantic.evaluate.threshold import NOBODY, by_capacity, by_cost, theory

COSTS = read_costs("fp=1,fn=4").bind(("no", "yes"))


def test_right_probabilities_are_cut_where_theory_says():
    random = np.random.default_rng(0)
    chance = random.uniform(size=2000)
    is_case = random.random(2000) < chance

    assert by_cost(chance, is_case, COSTS) == pytest.approx(0.2, abs=0.05)


def test_wrong_probabilities_are_cut_where_the_rows_say():
    random = np.random.default_rng(0)
    chance = random.uniform(size=20_000)
    is_case = random.random(20_000) < chance**3  # stated 0.58 is 0.2 in truth

    assert by_cost(chance, is_case, COSTS) == pytest.approx(0.2 ** (1 / 3), abs=0.1)


def test_without_rows_theory_decides():
    assert by_cost(np.empty(0), np.empty(0, dtype=bool), COSTS) == theory(COSTS) == pytest.approx(0.2)


def test_one_value_for_all_rows_acts_on_all_or_nobody():
    few, many = np.arange(100) < 1, np.arange(100) < 60

    assert by_cost(np.full(100, 0.5), many, COSTS) <= 0.5
    assert by_cost(np.full(100, 0.5), few, COSTS) > 0.5


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.999, 1.0])
def test_a_capacity_is_filled_and_not_exceeded(share):
    chance = np.random.default_rng(0).random(1000)

    acted = (chance >= by_capacity(chance, share)).mean()

    assert share - 0.001 <= acted <= share


def test_equal_probabilities_are_acted_on_together_or_not_at_all():
    chance = np.array([0.9, 0.5, 0.5, 0.5, 0.1])

    assert (chance >= by_capacity(chance, 0.5)).sum() == 1
    assert (chance >= by_capacity(chance[1:], 0.25)).sum() == 4  # the highest run is not left out


def test_costs_by_which_acting_never_or_always_pays_have_a_threshold_too():
    assert theory(read_costs("fp=0,fn=1").bind(("no", "yes"))) == 0
    assert theory(COSTS.scaled([(1, 0)], 0.0)) == NOBODY
    assert NOBODY > 1
