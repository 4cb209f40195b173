"""Boosting by each of the libraries: categories, held-out rows, files."""

from itertools import count

import numpy as np
import pytest

from mantic.core.budget import Deadline
from mantic.core.learner import LEARNERS, is_installed
from mantic.core.run import Run
from mantic.core.table import Table, Target
from mantic.learners.table import boosting

NAMES = [name for name in ("boosting", "xgboost", "catboost") if is_installed(LEARNERS.get(name))]
CHANCE = np.random.default_rng(0)
LEVELS = CHANCE.integers(0, 12, 900).astype(float)
LEVELS[::40] = np.nan
TABLE = Table(np.column_stack([LEVELS, CHANCE.normal(size=900)]), ("level", "noise"), np.arange(2), categorical=(0,))
ODD = Target((np.nan_to_num(LEVELS) % 2).astype(int), 2)  # no order of the codes tells it


@pytest.mark.parametrize("name", NAMES)
def test_codes_are_categories_and_not_amounts(name):
    model = LEARNERS.get(name)().fit(TABLE, ODD, {"rounds": 30}, Run())

    parts = np.abs(model.contributions(TABLE)[:, :, 0]).mean(axis=0)

    assert (model.predict(TABLE).argmax(axis=1) == ODD.values).mean() > 0.99
    assert parts[0] > 10 * parts[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_level_that_was_never_seen_and_a_gap_that_was_never_seen_get_an_answer(name):
    model = LEARNERS.get(name)().fit(TABLE, ODD, {"rounds": 10}, Run())
    new = Table(np.array([[40.0, np.nan], [np.nan, 1e30]]), TABLE.names, TABLE.origin, categorical=(0,))

    assert np.isfinite(model.predict(new)).all()
    assert np.isfinite(model.contributions(new)).all()


@pytest.mark.parametrize("name", NAMES)
def test_noise_stops_the_rounds_early_and_what_was_found_is_used_again(name):
    noise = Target(np.random.default_rng(1).normal(size=900))

    model = LEARNERS.get(name)().fit(TABLE, noise, {}, Run())
    again = LEARNERS.get(name)().fit(TABLE, noise, model.found_, Run())

    assert model.found_["rounds"] < 100
    assert again.found_ == model.found_


@pytest.mark.parametrize("name", NAMES)
def test_a_deadline_ends_the_rounds(name):
    run = Run(deadline=Deadline.after(0.3))

    model = LEARNERS.get(name)().fit(TABLE, ODD, {"rounds": 100_000, "stopping": "none"}, run)

    assert 1 <= model.found_["rounds"] < 100_000


def test_where_rounds_are_dear_the_learning_rate_is_raised_and_the_same_comes_out_without_a_clock(monkeypatch):
    seconds = count()
    monkeypatch.setattr(boosting, "monotonic", lambda: next(seconds))  # a taste of six rounds takes a second
    params = {"learning_rate": 0.01, "stopping": "once"}

    hurried = boosting.Boosting().fit(TABLE, ODD, params, Run(deadline=Deadline.after(100)))
    calm = boosting.Boosting().fit(TABLE, ODD, params, Run())
    again = boosting.Boosting().fit(TABLE, ODD, params | hurried.hurried_, Run())
    steady = boosting.Boosting().fit(TABLE, ODD, params | {"hurry": False}, Run(deadline=Deadline.after(100)))

    assert 0.01 < hurried.hurried_["learning_rate"] < 0.02
    assert hurried.found_ == {"rounds": hurried.rounds_found_, "stopping": "none"} | hurried.hurried_
    assert calm.hurried_ == steady.hurried_ == {}
    assert hurried.predict(TABLE).tolist() == again.predict(TABLE).tolist() != calm.predict(TABLE).tolist()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_categories", [0, 2])
def test_tables_of_numbers_only_and_of_categories_only_are_learned(name, n_categories):
    codes = CHANCE.integers(0, 5, (400, 2)).astype(float)
    table = Table(codes, ("a", "b"), np.arange(2), categorical=tuple(range(n_categories)))
    target = Target(codes[:, 0] * 10)

    guess = LEARNERS.get(name)().fit(table, target, {"rounds": 150}, Run()).predict(table)

    assert np.mean((guess - target.values) ** 2) < 0.1 * target.values.var()


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_left_beside_the_program(name, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)

    LEARNERS.get(name)().fit(TABLE, ODD, {"rounds": 5}, Run()).predict(TABLE)

    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("boosting", {"extra_trees": True}),
        ("boosting", {"max_cat_to_onehot": 20}),
        ("xgboost", {"grow_policy": "lossguide", "max_leaves": 6}),
        ("xgboost", {"max_cat_to_onehot": 20}),
        ("catboost", {"one_hot_max_size": 2}),
    ],
)
def test_other_ways_to_grow_explain_themselves_too(name, params):
    if name not in NAMES:
        pytest.skip(f"{name} is not installed")
    model = LEARNERS.get(name)().fit(TABLE, ODD, {"rounds": 20} | params, Run())

    guess = model.predict(TABLE)

    margin = np.log(guess[:, 1]) - np.log(guess[:, 0])
    np.testing.assert_allclose(model.contributions(TABLE).sum(axis=1)[:, 0], margin, atol=1e-6)
