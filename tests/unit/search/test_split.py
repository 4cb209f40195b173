import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from mantic.core.table import Target
from mantic.search.split import by_time, folds, rolling, units


def test_copies_of_a_row_stay_together():
    frame = pl.DataFrame({"a": list(range(50)) * 2, "b": ["x", "y"] * 25 + ["x", "y"] * 25})

    unit = units(frame)
    cut = folds(unit, Target(np.tile([0, 1], 50), n_classes=2), n_folds=5, seed=0)

    assert (unit[:50] == unit[50:]).all()
    for learn, judge in cut:
        assert not set(unit[learn]) & set(unit[judge])


def test_a_coarse_table_is_not_taken_for_copies():
    frame = pl.DataFrame({"sex": ["f", "m"] * 100})

    unit = units(frame)

    assert len(np.unique(unit)) == 200


def test_groups_and_copies_are_joined_through_any_chain():
    frame = pl.DataFrame({"a": [1, 2, 2, 3, 4, 5]})
    groups = np.array(["p", "p", "q", "q", "r", "s"])

    unit = units(frame, groups)

    assert len({*unit[:4]}) == 1
    assert len({*unit}) == 3


def test_one_common_row_does_not_let_the_copies_of_others_go():
    """900 rows twice, and 300 rows without a value, which each stand for themselves."""
    unit = units(pl.DataFrame({"a": [*range(900), *range(900), *[None] * 300]}))

    assert (unit[:900] == unit[900:1800]).all()
    assert len(set(unit)) == 900 + 300


@given(st.integers(10, 200), st.integers(2, 5), st.integers(0, 3), st.integers(1, 40))
def test_every_row_judges_exactly_once_and_units_stay_whole(n_rows, n_folds, seed, n_units):
    unit = np.unique(np.random.default_rng(seed).integers(0, n_units + n_folds, n_rows), return_inverse=True)[1]
    target = Target(np.random.default_rng(seed).normal(size=n_rows))

    cut = folds(unit, target, n_folds=n_folds, seed=seed)

    judged = np.sort(np.concatenate([judge for _, judge in cut]))
    assert judged.tolist() == list(range(n_rows))
    for learn, judge in cut:
        assert not set(unit[learn].tolist()) & set(unit[judge].tolist())


def test_classes_have_the_same_share_in_every_fold():
    target = Target((np.arange(1000) % 10 == 0).astype(int), n_classes=2)

    cut = folds(np.arange(1000), target, n_folds=5, seed=3)

    assert [int(target.values[judge].sum()) for _, judge in cut] == [20] * 5


def test_the_same_seed_gives_the_same_folds_and_another_seed_others():
    target = Target(np.arange(60) % 3, n_classes=3)

    first, again, other = (folds(np.arange(60), target, n_folds=3, seed=seed) for seed in (1, 1, 2))

    assert all((a[1] == b[1]).all() for a, b in zip(first, again, strict=True))
    assert any((a[1] != b[1]).any() for a, b in zip(first, other, strict=True))


@given(st.lists(st.integers(0, 20), min_size=5, max_size=100))
def test_by_time_never_learns_from_what_comes_later(moments):
    moment = np.array(moments)

    learn, judge = by_time(moment, share=0.2)

    assert len(learn) + len(judge) == len(moment)
    if (moment == moment.min()).mean() < 0.8:
        assert moment[learn].max() < moment[judge].min()


def test_rolling_folds_learn_from_the_past_only():
    moment = np.random.default_rng(0).permutation(100)

    for learn, judge in rolling(moment, n_folds=4):
        assert moment[learn].max() < moment[judge].min()
