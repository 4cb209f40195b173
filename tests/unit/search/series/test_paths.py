"""Sample paths have the quantiles of the forecast, and hang together as errors did."""

import numpy as np
import pytest

from mantic.search.series.paths import GRID, Together, alone, as_levels, at_levels, together, walking
from mantic.search.series.spread import Spread

HORIZON = 6
LEVELS = np.linspace(0.01, 0.99, 99)


def spread_of_one(n_series: int) -> Spread:
    """Return errors that are standard normal at every step."""
    normal = np.quantile(np.random.default_rng(0).normal(size=20_000), LEVELS)
    return Spread(np.ones(n_series), np.ones(HORIZON), np.ones((n_series, 1)), LEVELS, normal, 20_000)


def missed(kind: str, n_series: int = 300) -> np.ndarray:
    """Return standard normal errors of two origins: alike at all steps, or each step by itself."""
    chance = np.random.default_rng(1)
    wide = chance.normal(size=(2, n_series, HORIZON))
    return np.repeat(wide[..., :1], HORIZON, axis=2) if kind == "alike" else wide


def correlation(draws: np.ndarray) -> float:
    """Return the correlation of the first with the last step."""
    return float(np.corrcoef(draws[:, 0, 0], draws[:, 0, -1])[0, 1])


@pytest.mark.parametrize(("kind", "low", "high"), [("alike", 0.9, 1.0), ("apart", -0.1, 0.1)])
def test_steps_go_together_as_whole_stretches_of_errors_did(kind, low, high):
    found = together(spread_of_one(300), missed(kind), (6, 12))

    draws = found.draws((4_000, 1), np.random.default_rng(2))

    assert low <= correlation(draws) <= high
    assert draws.std(axis=0) == pytest.approx(1.0, abs=0.05)


def test_few_errors_say_little_and_none_make_a_walk():
    one = missed("alike", 1)[:1]
    few = together(spread_of_one(1), one, (6,))
    none = together(spread_of_one(1), np.full_like(one, np.nan), (6,))

    assert few.n_paths == 1
    walked = none.draws((4_000, 1), np.random.default_rng(2))
    assert correlation(walked) == pytest.approx(np.sqrt(1 / HORIZON), abs=0.06)
    assert walked.std(axis=0) == pytest.approx(1.0, abs=0.05)
    assert none == walking(HORIZON)


def test_a_walk_keeps_no_matrix_and_one_of_an_earlier_file_draws_the_same():
    root = np.triu(np.ones((HORIZON, HORIZON))) / np.sqrt(np.arange(1, HORIZON + 1))
    new = walking(HORIZON)

    again = Together.from_facts(new.to_facts(), None, HORIZON)
    earlier = Together.from_facts({"n_paths": new.n_paths, "memory": new.memory}, root, HORIZON)

    assert new.root is None
    assert again == new
    drawn = [one.draws((50, 2), np.random.default_rng(3)) for one in (new, earlier)]
    np.testing.assert_allclose(drawn[0], drawn[1], atol=1e-12)


@pytest.mark.parametrize(
    ("facts", "root"), [({}, None), ({"is_walk": True}, np.eye(HORIZON)), ({}, np.eye(3)), ({}, np.ones(HORIZON))]
)
def test_parts_of_another_forecast_are_refused(facts, root):
    with pytest.raises(ValueError, match="another forecast"):
        Together.from_facts({"n_paths": 3, "memory": 0.5, **facts}, root, HORIZON)


def test_levels_lie_evenly_so_that_marginals_have_no_noise():
    levels = alone(walking(HORIZON), 200, range(3), seed=0)

    assert levels.shape == (200, 3, HORIZON)
    rising = np.sort(levels, axis=0)
    np.testing.assert_allclose(np.diff(rising, axis=0), 1 / 200)
    assert ((rising[0] > 0) & (rising[0] < 1 / 200)).all()
    assert len(np.unique(rising[0])) == 3 * HORIZON  # by chance in each series and step


def test_a_single_future_is_a_draw_whose_steps_go_together():
    levels = alone(walking(HORIZON), 1, range(4_000), seed=0)[0]

    for share in (0.1, 0.5, 0.9):
        np.testing.assert_allclose((levels < share).mean(axis=0), share, atol=0.03)
    assert np.corrcoef(levels[:, 0], levels[:, -1])[0, 1] == pytest.approx(np.sqrt(1 / HORIZON), abs=0.06)
    assert not np.array_equal(alone(walking(HORIZON), 1, [0], seed=1), alone(walking(HORIZON), 1, [0], seed=2))


def test_a_level_is_read_from_the_marginal_of_its_own_series_and_step():
    quantiles = 10 * np.arange(2)[:, None, None] + np.arange(3)[None, :, None] + GRID
    levels = np.array([[[0.1, 0.5, 0.9], [0.25, 0.5, 0.75]]])

    found = at_levels(levels, GRID, quantiles)

    np.testing.assert_allclose(found[0], [[0.1, 1.5, 2.9], [10.25, 11.5, 12.75]])


def test_order_is_kept_when_draws_become_levels():
    draws = np.array([[3.0], [1.0], [2.0]])

    np.testing.assert_allclose(as_levels(draws).ravel(), [5 / 6, 1 / 6, 3 / 6])


def test_a_series_has_the_same_futures_whoever_else_is_asked_for():
    among = alone(walking(HORIZON), 50, range(4), seed=0)
    by_itself = alone(walking(HORIZON), 50, [2], seed=0)

    np.testing.assert_array_equal(by_itself[:, 0], among[:, 2])
    assert not np.array_equal(among[:, 2], among[:, 1])
    assert not np.array_equal(by_itself, alone(walking(HORIZON), 50, [2], seed=1))
