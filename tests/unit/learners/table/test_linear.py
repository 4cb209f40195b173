import numpy as np
import pytest

from mantic.core.budget import Deadline
from mantic.core.run import Run
from mantic.core.table import Table, Target
from mantic.learners.table.linear import Linear


def noisy(n_rows: int, n_columns: int, noise: float) -> tuple[Table, Target]:
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(n_rows, n_columns))
    names = tuple(f"c{place}" for place in range(n_columns))
    signal = rows[:, 0] + noise * chance.normal(size=n_rows)
    return Table(rows, names, np.arange(n_columns)), Target((signal > 0).astype(int), 2)


def test_many_columns_of_noise_call_for_a_strong_penalty():
    table, target = noisy(120, 60, noise=2.0)

    assert Linear().fit(table, target, {}, Run()).found_["C"] <= 0.1


def test_where_penalties_cannot_be_told_apart_it_stays_at_1():
    table, target = noisy(4_000, 3, noise=0.5)

    assert Linear().fit(table, target, {}, Run()).found_["C"] == 1.0


def test_a_clean_relation_calls_for_a_weak_penalty():
    table, target = noisy(400, 3, noise=0.0)

    assert Linear().fit(table, target, {}, Run()).found_["C"] > 1.0


@pytest.mark.parametrize("n_rows", [1, 2, 19])
def test_few_rows_choose_nothing(n_rows):
    table, target = noisy(n_rows, 2, noise=1.0)

    assert Linear().fit(table, target, {}, Run()).found_["C"] == 1.0


def test_a_deadline_that_has_passed_spares_the_choice():
    table, target = noisy(120, 60, noise=2.0)

    assert Linear().fit(table, target, {}, Run(deadline=Deadline.after(0))).found_["C"] == 1.0
