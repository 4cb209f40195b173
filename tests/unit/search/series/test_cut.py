"""What lies in a hole tells nothing of what came after it."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from mantic.core.calendar import Calendar
from mantic.core.executor import Here
from mantic.core.panel import Panel
from mantic.core.run import Run
from mantic.features.series.assemble import Roles
from mantic.features.series.hierarchy import gather
from mantic.features.series.prepare import prepare
from mantic.learners.series.boosting import _questions, origins_of
from mantic.search.series.backtest import Menu, backtest
from mantic.search.series.cut import cut_back, judged_after


def every_sixth(last: float) -> Panel:
    values = np.full(60, np.nan)
    values[::6] = 10.0
    values[59] = last
    rows = pl.DataFrame({"t": [date(2024, 1, 1) + timedelta(days=day) for day in range(60)], "y": values})
    return prepare(rows.with_columns(pl.col("y").fill_nan(None)), Roles("t", "y"), freq="D").panel


def test_a_hole_that_an_origin_lies_in_is_filled_from_before_it():
    cuts = [cut_back(every_sixth(last), 3, least=1, horizon=3)[0] for last in (10.0, 100.0)]

    assert [cut.one(0)[-1] for cut in cuts] == [10.0, 10.0]
    assert cuts[1].lengths.tolist() == [57]


def test_a_series_is_judged_from_its_observations_on():
    panel = every_sixth(100.0)

    from_a_hole, from_an_observation = (judged_after(panel, back, 3, np.array([0]))[0] for back in (3, 5))

    assert np.isnan(from_a_hole).all()
    np.testing.assert_array_equal(from_an_observation, [np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(judged_after(panel, 5, 5, np.array([0]))[0], [np.nan] * 4 + [100.0])


def test_series_whose_origins_all_lie_in_holes_still_have_a_past():
    values = np.tile(5.0 + np.arange(60) % 3, 2)
    truth = values.copy()
    truth[[47, 51, 55]] = np.nan
    panel = Panel(
        values, truth, np.array([0, 60, 120]), np.array([60, 60]), Calendar.named("step"), (), np.empty((120, 0))
    )

    found = backtest(panel, 4, executor=Here(), run=Run(), menu=Menu([]))

    assert np.isfinite(found.truth).sum(axis=(0, 2)).tolist() == [10, 12]


def test_sums_are_cut_as_they_are():
    day = [date(2024, 1, 1) + timedelta(days=one) for one in range(40)]
    rows = pl.DataFrame(
        {"t": day * 2, "s": ["a"] * 40 + ["b"] * 40, "y": [float(one % 5 + 1) for one in range(80)]}
    ).filter((pl.col("s") == "a") | pl.col("t").is_in(day[::3]))
    panel = gather(prepare(rows, Roles("t", "y", ("s",)), freq="D"), ["s"])[0].panel

    cut, _ = cut_back(panel, 2, least=1, horizon=3)

    assert (panel.n_sums, panel.rows(np.array([1, 2])).n_sums) == (1, 0)
    np.testing.assert_array_equal(cut.one(0), panel.until(2, least=1, horizon=3)[0].one(0))


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_trees_learn_from_what_was_observed_to_what_was_observed(share):
    chance = np.random.default_rng(1)
    values = chance.normal(size=4000)
    truth = np.where(chance.random(4000) < share, values, np.nan)
    panel = Panel(
        values, truth, np.array([0, 2000, 4000]), np.array([2000, 2000]), Calendar.named("step"), (),
        np.empty((4000, 0)),
    )  # fmt: skip

    asked = _questions(panel, 5, 10_000, np.random.default_rng(2))

    end = panel.bounds[asked.series] + asked.n_known - 1
    assert np.isfinite(truth[end]).all()
    assert np.isfinite(truth[end + asked.step]).all()
    assert 0.9 * share * 3982 < origins_of(panel, 5) < 1.1 * share * 3982
