"""The forecast of an outbreak: voices, blend, widening, and what is kept."""

from datetime import date, timedelta
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest

from mantic.core.budget import Deadline
from mantic.core.curves import LEVELS, Curves
from mantic.core.run import Run
from mantic.features.series.assemble import Roles
from mantic.features.series.vintages import known
from mantic.search.series.outbreak import Outbreak
from mantic.search.series.outbreak_mix import MEMBERS, averaged, blend, widened
from mantic.search.series.outbreak_search import foresee, then

N_SERIES, HORIZON = 6, 3


def waves(n_steps: int = 110) -> Curves:
    """Return seasons of one year in several places, larger in some, with counting noise."""
    chance = np.random.default_rng(5)
    phase = np.arange(n_steps + HORIZON) / 52 % 1
    height = np.exp(4.0 * np.cos(2 * np.pi * (phase[:n_steps] - 0.3)))
    size = np.geomspace(0.3, 30, N_SERIES)
    values = chance.poisson(size[:, None] * height).astype(float)
    return Curves(values, phase, np.ones(N_SERIES))


@pytest.fixture(scope="module")
def told_late() -> pl.DataFrame:
    """Return the waves as they are told: at first seven tenths of each value, the rest a week later."""
    values, first = waves().values, date(2022, 1, 1)
    weeks = [first + timedelta(weeks=at) for at in range(values.shape[1] + 1)]
    rows = [
        (f"T{town}", weeks[at], weeks[at + age], float(round(share * values[town, at])))
        for town in range(N_SERIES) for at in range(values.shape[1])
        for age, share in enumerate((0.7, 1.0)) if at + age < values.shape[1]
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=["town", "week", "told", "cases"], orient="row")


@pytest.mark.parametrize("name", list(MEMBERS))
def test_a_voice_gives_rising_finite_quantiles_that_are_never_below_0(name):
    curves = waves()

    found = np.sort(MEMBERS[name].foresee(curves, Run(seed=0)), axis=-1)

    assert found.shape == (N_SERIES, HORIZON, len(LEVELS))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found[..., -1] > found[..., 0]).all()


@pytest.mark.parametrize("name", [name for name, one in MEMBERS.items() if not one.is_spare])
def test_a_voice_that_has_seen_a_season_does_better_than_the_flat_one(name):
    whole = waves(130)
    lost = {"flat": [], name: []}

    for back in range(HORIZON, 24, 3):
        for one, own in lost.items():
            seen = Curves(whole.values[:, :-back], whole.phase[: 130 - back + HORIZON], whole.offset)
            found = np.sort(MEMBERS[one].foresee(seen, Run(seed=0)), axis=-1)
            stop = 130 - back + HORIZON
            away = np.log1p(whole.values[:, stop - HORIZON : stop, None]) - np.log1p(found)
            own.append(np.maximum(LEVELS * away, (LEVELS - 1) * away).mean())

    assert np.mean(lost[name]) < 0.9 * np.mean(lost["flat"])


def test_a_voice_that_missed_less_lately_counts_more_but_not_everything():
    truth = np.full((6, 2, HORIZON), 100.0)
    shape = np.linspace(-0.2, 0.2, len(LEVELS))
    good, bad = (np.tile(centre * np.exp(shape), (6, 2, HORIZON, 1)) for centre in (100.0, 200.0))

    found = blend(
        np.stack([good, bad]), truth, offset=np.ones(2), age=np.arange(1.0, 7.0), is_spare=np.zeros(2, dtype=bool)
    )

    assert found.weights[0] > 0.6
    assert 0 < found.weights[1] < 0.4
    assert found.weights.sum() == pytest.approx(1)


def test_intervals_grow_where_they_did_not_hold_lately_and_shrink_where_they_were_too_wide():
    chance = np.random.default_rng(0)
    z = np.array([NormalDist().inv_cdf(one) for one in LEVELS])
    truth = 1000 * np.exp(0.1 * chance.normal(size=(8, 30, HORIZON)))

    def factor(width: float) -> float:
        past = np.broadcast_to(1000 * np.exp(width * z), (1, 8, 30, HORIZON, len(LEVELS)))
        return blend(past, truth, offset=np.ones(30), age=np.arange(1.0, 9.0), is_spare=np.zeros(1, dtype=bool)).factor

    too_narrow, right, too_wide = factor(0.05), factor(0.1), factor(0.2)
    assert too_narrow > 1.05 * right > 1.1 * too_wide


def test_a_silent_voice_leaves_its_weight_to_the_others():
    voices = np.full((2, 1, HORIZON, len(LEVELS)), np.nan)
    voices[0] = 7.0

    np.testing.assert_allclose(averaged(voices, np.array([0.5, 0.5]), np.ones(1)), 7.0)


def test_widening_keeps_the_median_and_the_order():
    found = np.sort(np.random.default_rng(0).gamma(2.0, 50.0, (2, HORIZON, len(LEVELS))), axis=-1)

    wider = widened(found, 1.5, np.ones(2))

    np.testing.assert_allclose(wider[..., len(LEVELS) // 2], found[..., len(LEVELS) // 2])
    assert (np.diff(wider, axis=-1) >= 0).all()
    assert (wider[..., -1] > found[..., -1]).all()


def test_the_alarm_is_the_share_of_the_future_above_the_capacity():
    quantiles = np.tile(np.linspace(10.0, 110.0, len(LEVELS)), (1, 1, 1))
    held = Outbreak(quantiles, np.ones(1), None, 0)  # type: ignore[arg-type]

    assert held.above(quantiles[0, 0, len(LEVELS) // 2])[0, 0] == pytest.approx(0.5)
    assert held.above(0.0)[0, 0] == pytest.approx(0.995)
    assert held.above(1e6)[0, 0] == pytest.approx(0.005)
    assert (np.diff([held.above(one)[0, 0] for one in np.linspace(1, 120, 40)]) <= 0).all()


def test_no_value_that_was_told_later_is_seen_when_the_past_is_foretold(told_late):
    roles = Roles("week", "cases", ("town",), (), "told")
    back = 4
    day = told_late["told"].unique().sort()[-1 - back]
    changed = pl.when(pl.col("told") > day).then(7 * pl.col("cases") + 100).otherwise(pl.col("cases"))
    spoiled = told_late.with_columns(changed.alias("cases"))

    found = [
        foresee(known(one, roles, freq="W", seasons=None), HORIZON, Run(seed=0), n_methods=3)
        for one in (told_late, spoiled)
    ]

    before = found[0].origins <= found[0].curves.n_steps - 1 - back
    assert before.sum() >= 2
    for voice in range(len(found[0].names)):
        np.testing.assert_array_equal(found[0].voices_past[voice][before], found[1].voices_past[voice][before])
    assert not np.array_equal(found[0].voices, found[1].voices)


def test_with_no_time_the_cheap_voices_still_answer(told_late):
    held = known(told_late, Roles("week", "cases", ("town",), (), "told"), freq="W", seasons=None)

    found = foresee(held, HORIZON, Run(seed=0, deadline=Deadline.after(0.0)))

    assert "boosted" not in found.names
    assert np.isfinite(found.quantiles).all()
    assert then(held, 40, HORIZON).n_steps == 41


def late_record(n_early: int) -> pl.DataFrame:
    """Return weeks of one town that are told as they come in the last ones only; the older ones are told at the end."""
    values, first = waves().values[3], date(2022, 1, 1)
    weeks = [first + timedelta(weeks=at) for at in range(len(values))]
    rows = [(weeks[at], weeks[at], values[at]) for at in range(len(values) - n_early, len(values))]
    rows += [(week, weeks[-1], value) for week, value in zip(weeks, values, strict=True)]
    return pl.DataFrame(rows, schema=["week", "told", "cases"], orient="row")


@pytest.mark.parametrize("n_early", [3, 10, 34])
def test_a_voice_is_silent_of_days_on_which_too_little_had_been_recorded(n_early):
    held = known(late_record(n_early), Roles("week", "cases", (), (), "told"), freq="W", seasons=None)

    found = foresee(held, HORIZON, Run(seed=0))

    assert found.names == tuple(MEMBERS)
    assert np.isfinite(found.quantiles).all()
    spoke = dict(zip(found.names, np.isfinite(found.voices_past).all(axis=(2, 3, 4)), strict=True))
    recorded = n_early - (found.curves.n_steps - 1 - found.origins)
    for name, one in MEMBERS.items():
        enough = recorded > 0 if one.is_spare else recorded - HORIZON >= one.least
        np.testing.assert_array_equal(spoke[name], enough, err_msg=name)


def test_a_voice_sees_the_steps_since_the_record_began_and_nothing_before():
    whole = waves(60)
    late = Curves(np.where(np.arange(60) < 25, np.nan, whole.values), whole.phase, whole.offset)

    begun = late.begun()

    assert (begun.n_steps, begun.horizon) == (35, HORIZON)
    np.testing.assert_array_equal(begun.phase, whole.phase[25:])
    assert whole.begun() is whole
    assert not MEMBERS["analogue"].suits(begun)
    assert MEMBERS["analogue"].can_speak(begun)
    assert Curves(np.full((2, 5), np.nan), np.zeros(7), np.ones(2)).begun().n_steps == 1


def test_voices_that_said_exactly_what_came_share_the_weight_and_do_not_spoil_it():
    truth = np.full((6, 2, HORIZON), 5.0)
    right, wrong = (np.full((6, 2, HORIZON, len(LEVELS)), one) for one in (5.0, 9.0))

    found = blend(
        np.stack([right, right, wrong]), truth, offset=np.ones(2), age=np.arange(1.0, 7.0), is_spare=np.zeros(3, bool)
    )

    assert found.weights.sum() == pytest.approx(1)
    assert found.weights[0] == found.weights[1] > 2 * found.weights[2] > 0
    assert np.isfinite(found.factor)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, 5.0])
def test_counts_that_never_change_are_forecast_with_weights_that_are_numbers(value):
    rows = late_record(34).with_columns(cases=pl.lit(value))

    found = foresee(known(rows, Roles("week", "cases", (), (), "told"), freq="W", seasons=None), HORIZON, Run(seed=0))

    assert found.blend.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.quantiles, value, atol=1e-6)
