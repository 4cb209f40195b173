"""Intervals hold what they promise."""

import numpy as np
import pytest

from mantic.core.calendar import Calendar
from mantic.core.panel import Panel
from mantic.search.series.size import sizes
from mantic.search.series.spread import Spread, cycle_of, past_quantiles
from mantic.search.series.spread import spread as spread_of

BACKS = (6, 12, 18)
LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])


def world(n_series: int, n_origins: int, horizon: int = 6, *, seed: int = 0):
    """Return series of very different sizes, forecasts of their future, and truths of the past and of the future."""
    chance = np.random.default_rng(seed)
    size = 10.0 ** chance.uniform(0, 4, n_series)
    values = np.concatenate([one * (10 + chance.normal(size=40)) for one in size])
    bounds = np.arange(n_series + 1) * 40
    panel = Panel(
        values, values, bounds, np.zeros(n_series, dtype=np.int64), Calendar.named("D"), (), np.zeros((len(values), 0))
    )
    grows = np.sqrt(np.arange(1, horizon + 1))

    def missed(n: int) -> np.ndarray:
        return chance.standard_t(5, (n, n_series, horizon)) * grows * size[:, None]

    forecast = 10 * size[:, None] * np.ones(horizon)
    return panel, forecast, forecast + missed(n_origins), forecast + missed(1)[0]


def spread(panel: Panel, truth: np.ndarray, past: np.ndarray, *, backs) -> Spread:
    known = sizes(panel, [*backs, 0])
    return spread_of(panel, truth, past, backs=backs, cycle=cycle_of(panel, max(backs)), known=known)


def held(truth: np.ndarray, quantiles: np.ndarray, low: int, high: int) -> float:
    return float(((truth >= quantiles[..., low]) & (truth <= quantiles[..., high])).mean())


def test_intervals_of_what_is_to_come_hold_what_they_promise():
    panel, forecast, truth, coming = world(400, 3)

    found = spread(panel, truth, np.broadcast_to(forecast, truth.shape), backs=BACKS[: len(truth)]).quantiles(
        forecast, LEVELS
    )

    assert held(coming, found, 1, 5) == pytest.approx(0.8, abs=0.02)
    assert held(coming, found, 0, 6) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("n_origins", [1, 3])
def test_intervals_of_the_past_hold_too_without_having_seen_it(n_origins):
    panel, forecast, truth, _ = world(200, n_origins)

    past = np.broadcast_to(forecast, truth.shape)
    backs = BACKS[:n_origins]
    found = past_quantiles(panel, truth, past, backs=backs, levels=LEVELS, known=sizes(panel, [*backs, 0]))

    assert held(truth, found, 1, 5) == pytest.approx(0.8, abs=0.03)


def test_intervals_grow_with_the_step_and_with_the_series():
    panel, forecast, truth, _ = world(100, 3)

    found = spread(panel, truth, np.broadcast_to(forecast, truth.shape), backs=BACKS[: len(truth)]).quantiles(
        forecast, LEVELS
    )

    width = found[..., -1] - found[..., 0]
    assert (np.diff(width, axis=1) >= -1e-9).all()
    assert np.corrcoef(np.log(width[:, 0]), np.log(forecast[:, 0]))[0, 1] > 0.9


def test_quantiles_rise_with_their_level():
    panel, forecast, truth, _ = world(20, 2)

    found = spread(panel, truth, np.broadcast_to(forecast, truth.shape), backs=BACKS[: len(truth)]).quantiles(
        forecast, LEVELS
    )

    assert (np.diff(found, axis=-1) >= 0).all()


def test_a_past_that_cannot_be_judged_gives_a_random_walk():
    panel, forecast, truth, _ = world(3, 1)

    found = spread(panel, np.full_like(truth, np.nan), truth, backs=BACKS[:1])

    assert found.n_errors == 0
    width = np.diff(found.quantiles(forecast, LEVELS)[..., [0, -1]])[..., 0]
    assert (width > 0).all()


def test_errors_that_arrive_widen_intervals_that_were_too_narrow():
    panel, forecast, truth, _ = world(50, 2)
    before = spread(panel, truth, np.broadcast_to(forecast, truth.shape), backs=BACKS[: len(truth)])

    after = before.learned(np.random.default_rng(0).normal(0, 20, 200))

    assert after.errors[-1] > before.errors[-1]
    assert after.n_errors == before.n_errors + 200
    assert before.learned(np.array([np.nan])) is before


def test_places_of_the_cycle_that_change_more_get_wider_intervals():
    chance = np.random.default_rng(0)
    wild = np.tile([0.2, 0.2, 5.0, 0.2], 30)
    values = np.concatenate([50 + wild * chance.normal(size=120) for _ in range(20)])
    bounds = np.arange(21) * 120
    last = np.zeros(20, dtype=np.int64)
    panel = Panel(values, values, bounds, last, Calendar.named("Q"), (4,), np.zeros((len(values), 0)))
    forecast = np.full((20, 4), 50.0)
    truth = np.stack([panel.recent(4 * place)[:, :4] for place in (1, 2)])

    found = spread(panel, truth, np.full_like(truth, 50.0), backs=(4, 8))

    width = np.diff(found.quantiles(forecast, LEVELS)[..., [0, -1]])[..., 0].mean(axis=0)
    assert width[2] > 3 * max(width[0], width[1], width[3])
    moved = np.diff(found.before(1).quantiles(forecast, LEVELS)[..., [0, -1]])[..., 0].mean(axis=0)
    assert moved[3] > 3 * max(moved[:3])


@pytest.mark.parametrize("seed", range(3))
def test_intervals_of_one_series_hold_though_its_past_is_three_stretches(seed):
    held_so = []
    for one in range(60):
        panel, forecast, truth, coming = world(1, 3, seed=100 * seed + one)
        found = spread(panel, truth, np.broadcast_to(forecast, truth.shape), backs=BACKS).quantiles(forecast, LEVELS)
        held_so.append(held(coming, found, 0, 6))

    assert np.mean(held_so) == pytest.approx(0.95, abs=0.035)


def test_a_forecast_that_was_too_low_everywhere_is_held_to_be_so_by_a_quarter():
    panel, forecast, truth, _ = world(200, 3)
    lifted = truth + np.abs(truth - forecast).mean(axis=(0, 2))[:, None]

    found = spread(panel, lifted, np.broadcast_to(forecast, truth.shape), backs=BACKS)

    middle = np.interp(0.5, found.levels, found.errors)
    reach = found.errors[-1] - found.errors[0]
    assert 0.01 * reach < middle < 0.1 * reach


def test_a_perfect_past_says_nothing_and_breaks_nothing():
    panel, forecast, truth, _ = world(5, 3)

    found = spread(panel, truth, truth, backs=BACKS).quantiles(forecast, LEVELS)

    assert np.isfinite(found).all()


@pytest.mark.parametrize("n_series", [1, 200])
def test_intervals_that_follow_the_truth_hold_again_after_errors_have_tripled(n_series):
    chance = np.random.default_rng(0)
    panel, forecast, truth, _ = world(50, 2)
    found = spread(panel, truth, np.broadcast_to(forecast, truth.shape), backs=BACKS[:2])
    is_in = []

    for _ in range(300):
        missed = found.errors[[3, -4]].std() * 3 * chance.normal(size=(n_series, 1))
        low, high = np.interp([0.1, 0.9], found.levels, found.reached())
        is_in.append(((missed >= low) & (missed <= high)).mean())
        found = found.followed(missed)

    assert np.mean(is_in[150:]) == pytest.approx(0.8, abs=0.06)
    assert np.mean(is_in[:3]) < 0.7 or n_series == 1
    assert (np.diff(found.reached()) >= 0).all()
