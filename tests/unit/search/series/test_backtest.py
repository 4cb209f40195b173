"""Every method that fits into the budget, and a ledger of those that do not."""

import time

import numpy as np
import pytest

from mantic.core.budget import Deadline
from mantic.core.calendar import Calendar
from mantic.core.executor import Here, Processes
from mantic.core.method import METHODS, About, OneByOne, everywhere
from mantic.core.panel import Panel
from mantic.core.run import Run
from mantic.search.series.backtest import FREE, Menu, _Search, backtest, origins


def panel_of(lengths: list[int], season: int = 7) -> Panel:
    chance = np.random.default_rng(0)
    values = np.concatenate(
        [20 + 5 * np.sin(np.arange(n) * 2 * np.pi / season) + chance.normal(size=n) for n in lengths]
    )
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    last = np.zeros(len(lengths), dtype=np.int64)
    return Panel(values, values, bounds, last, Calendar.named("D"), (season,), np.zeros((len(values), 0)))


@pytest.fixture
def slow():
    """Enter a method that takes 20 ms for each series, and one that always fails."""

    def wait(values, horizon, panel):
        time.sleep(0.02)
        busy = time.process_time()
        while time.process_time() - busy < 0.02:
            continue
        return np.full(horizon, values[-1])

    def fail(panel, horizon):
        raise MemoryError("too much")

    METHODS.add("slow", OneByOne(About("slow", everywhere, (), "a test", "20 ms"), wait))
    METHODS.add("broken", type(METHODS.get("naive"))(About("broken", everywhere, (), "a test", "all"), fail))
    yield
    for name in ("slow", "broken"):
        del METHODS._found[name]


def outcomes(found) -> dict[str, str]:
    return {one.method: one.outcome for one in found.ledger}


@pytest.mark.parametrize(
    ("lengths", "horizon", "backs"),
    [
        ([100], 14, (14, 28, 42)),
        ([40], 14, (14, 20, 26)),
        ([20], 14, (5, 6)),
        ([8] * 3 + [60], 6, (2, 4, 6)),
        ([3], 5, ()),
    ],
)
def test_origins_are_a_horizon_apart_or_closer_in_short_series(lengths, horizon, backs):
    assert origins(panel_of(lengths), horizon).backs == backs


def test_short_series_are_not_judged_where_they_had_hardly_begun():
    found = backtest(panel_of([100, 100, 20]), 14, executor=Here(), run=Run(), menu=Menu(names=FREE))

    assert np.isfinite(found.truth[0, :2]).all()
    assert np.isnan(found.truth[1:, 2]).all()


def test_nothing_after_an_origin_is_looked_at():
    panel = panel_of([100])
    before = backtest(panel, 14, executor=Here(), run=Run(), menu=Menu(names=FREE))
    changed = Panel(**panel.__dict__ | {"values": np.r_[panel.values[:-14], np.full(14, 1e6)]})

    after = backtest(changed, 14, executor=Here(), run=Run(), menu=Menu(names=FREE))

    np.testing.assert_array_equal(after.past[:, 0], before.past[:, 0])


def test_a_method_that_does_not_fit_is_left_out_and_the_ledger_says_why(slow):
    run = Run(deadline=Deadline.after(3))

    found = backtest(panel_of([60] * 200), 7, executor=Here(), run=run, menu=Menu(names=["slow"]))

    line = next(one for one in found.ledger if one.method == "slow")
    assert line.outcome == "no time"
    assert "would take" in line.reason
    assert "slow" not in found.names
    assert line.foretold == pytest.approx(200 * 4 * 0.02, rel=0.5)
    assert run.deadline.left() > 0


def test_when_time_is_up_only_the_reference_is_asked():
    found = backtest(panel_of([60] * 3), 7, executor=Here(), run=Run(deadline=Deadline.after(0)), menu=Menu(names=FREE))

    assert found.names == ("seasonal_naive",)
    assert np.isfinite(found.past).all()
    assert outcomes(found)["quick_theta"] == "no time"


def test_a_free_method_that_would_be_late_is_not_begun(monkeypatch):
    monkeypatch.setattr(_Search, "pace", lambda search: 1e9)

    found = backtest(
        panel_of([60] * 3), 7, executor=Here(), run=Run(deadline=Deadline.after(60)), menu=Menu(names=FREE)
    )

    line = next(one for one in found.ledger if one.method == "quick_theta")
    assert line.outcome == "no time"
    assert "takes about" in line.reason
    assert "drift" in found.names


def test_a_method_that_takes_long_for_a_single_series_is_not_tried_when_that_would_be_late(slow):
    about = About("slow", everywhere, (), "a test", "20 ms", guess=lambda panel, horizon: 100.0 * len(panel))
    METHODS.add("slow", OneByOne(about, None))

    found = backtest(
        panel_of([60] * 5), 7, executor=Here(), run=Run(deadline=Deadline.after(60)), menu=Menu(names=["slow"])
    )

    assert outcomes(found)["slow"] == "no time"


def test_a_method_that_fits_is_used_at_every_origin(slow):
    found = backtest(
        panel_of([60] * 5), 7, executor=Here(), run=Run(deadline=Deadline.after(60)), menu=Menu(names=["slow"])
    )

    assert outcomes(found)["slow"] == "used"
    assert np.isfinite(found.past[found.names.index("slow")]).all()


def test_a_method_that_fails_costs_only_itself(slow):
    found = backtest(panel_of([60] * 5), 7, executor=Here(), run=Run(), menu=Menu(names=["broken", "slow"]))

    assert outcomes(found)["broken"] == "failed"
    assert outcomes(found)["slow"] == "used"


def test_processes_give_the_same_forecasts_as_this_process():
    panel = panel_of([60] * 6)
    workers = Processes(2)
    try:
        there = backtest(panel, 7, executor=workers, run=Run(), menu=Menu(names=["boosting"]))
    finally:
        workers.close()

    here = backtest(panel, 7, executor=Here(), run=Run(), menu=Menu(names=["boosting"]))

    np.testing.assert_array_equal(there.future, here.future)
    np.testing.assert_array_equal(there.past, here.past)
