"""Forecasts of sums and of what they are made of add up, whatever was said of each."""

import numpy as np
import pytest

from mantic.core.budget import Deadline
from mantic.core.run import Run
from mantic.features.series.hierarchy import Hierarchy
from mantic.search.series import coherent
from mantic.search.series.coherent import Past, applied, chosen, level_loss, moments, projection
from mantic.search.series.paths import walking

# a total of two groups of two series
TREE = Hierarchy(("total", "group", "series"), np.array([[0, 0, 0, 0], [1, 1, 2, 2], [3, 4, 5, 6]]))
UNIT = np.ones(7)


def past(*, of_sums: float | np.ndarray, of_series: float, n_origins: int = 3, horizon: int = 8) -> Past:
    """Return truths that add up, and forecasts whose errors have these sizes."""
    chance = np.random.default_rng(0)
    truth = TREE.sums(chance.uniform(50, 150, (n_origins, 4, horizon)))
    size = np.concatenate([np.broadcast_to(of_sums, 3), np.full(4, of_series)])[:, None]
    return Past(truth, truth + size * chance.normal(size=truth.shape), UNIT)


@pytest.mark.parametrize("name", ["structure", "bottom_up", "mint"])
def test_whatever_the_way_all_levels_add_up(name):
    seen = past(of_sums=5.0, of_series=5.0)
    guess = seen.guess[0]

    found = applied(TREE, projection(name, TREE, seen), guess, is_floored=True)

    np.testing.assert_allclose(found[0], found[3:].sum(axis=0), atol=1e-9)
    np.testing.assert_allclose(found[1], found[3:5].sum(axis=0), atol=1e-9)
    if name != "bottom_up":
        assert not np.allclose(found[3:], guess[3:])


@pytest.mark.parametrize("name", ["structure", "mint"])
def test_forecasts_that_add_up_already_stay(name):
    seen = past(of_sums=5.0, of_series=5.0)

    found = applied(TREE, projection(name, TREE, seen), seen.truth[0], is_floored=False)

    np.testing.assert_allclose(found, seen.truth[0], atol=1e-6)


def test_nothing_is_below_0_where_nothing_was():
    guess = TREE.sums(np.array([[1.0], [2.0], [3.0], [4.0]])) - 5.0

    found = applied(TREE, projection("structure", TREE, past(of_sums=1, of_series=1)), guess, is_floored=True)

    assert found.min() == 0.0
    assert found[0, 0] == pytest.approx(found[3:, 0].sum())


def test_the_way_is_changed_only_for_what_is_better_by_more_than_chance():
    poor_sums = past(of_sums=300.0, of_series=1.0, n_origins=4)
    usual = past(of_sums=np.sqrt([4, 2, 2]), of_series=1.0)  # what sums of errors come to

    name, losses, reason = chosen(TREE, poor_sums, Run())

    assert name in ("bottom_up", "mint")
    assert losses[name] < losses["structure"]
    assert not reason
    assert chosen(TREE, usual, Run())[0] == "structure"


def test_without_the_library_or_the_time_series_are_added_up_and_the_reason_is_given(monkeypatch):
    seen = past(of_sums=1.0, of_series=1.0)
    monkeypatch.setattr(coherent, "absent", list)

    name, losses, reason = chosen(TREE, seen, Run())

    assert (name, list(losses)) == ("bottom_up", ["bottom_up"])
    assert reason == "hierarchicalforecast is not installed"
    monkeypatch.undo()
    monkeypatch.delitem(coherent.sys.modules, "hierarchicalforecast", raising=False)
    late = Run(deadline=Deadline.after(0))
    assert chosen(TREE, seen, late)[2].startswith("there was no time to load hierarchicalforecast")


def test_levels_count_alike_however_many_nodes_they_have():
    truth = np.zeros((7, 3))
    guess = np.where(TREE.level[:, None] == 0, 3.0, 0.0) * np.ones(3)

    assert level_loss(TREE, truth, guess, UNIT) == pytest.approx(1.0)  # 3 at one of three levels


def test_what_was_not_forecast_at_an_origin_stays_unknown():
    seen = past(of_sums=1.0, of_series=1.0)
    seen.guess[0, 3] = np.nan  # this series had not begun

    found = seen.applied(0, "structure", TREE, is_floored=False)

    assert np.isnan(found[3]).all()
    assert np.isfinite(found[[0, 1, 2, 4, 5, 6]]).all()


def test_draws_of_a_node_without_errors_are_as_wide_as_all_others():
    across = np.random.default_rng(0).normal(size=(30, 3))
    across = moments(np.where([True, True, False], across, 0.0)[None].swapaxes(1, 2))

    drawn = coherent._drawn(walking(4), across, 4_000, np.random.default_rng(1))

    np.testing.assert_allclose(drawn.std(axis=0), 1.0, atol=0.05)
