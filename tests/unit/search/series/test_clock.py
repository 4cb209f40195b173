"""What still ends in time: told by clocks that the test moves."""

import time

import pytest

from mantic.core.budget import Deadline
from mantic.search.series.clock import Clock
from mantic.search.series.finish import Finish


@pytest.fixture
def moved(monkeypatch):
    """Return a function that moves the wall clock and the processor's clock."""
    now = {"wall": 1000.0, "used": 10.0}
    monkeypatch.setattr(time, "monotonic", lambda: now["wall"])
    monkeypatch.setattr(time, "process_time", lambda: now["used"])

    def move(wall: float, used: float) -> None:
        now["wall"] += wall
        now["used"] += used

    return move


def test_on_a_machine_of_its_own_a_second_is_a_second(moved):
    clock = Clock(Deadline.after(10))

    moved(wall=2.0, used=2.0)

    assert clock.slowdown() == 1.0
    assert clock.allows(8.0)
    assert not clock.allows(8.1)


def test_beside_others_what_is_left_is_worth_less(moved):
    clock = Clock(Deadline.after(10))

    moved(wall=5.0, used=1.0)

    assert clock.slowdown() == pytest.approx(5.0)
    assert clock.allows(1.0)
    assert not clock.allows(1.1)


def test_waiting_for_workers_says_nothing_about_the_pace(moved):
    clock = Clock(Deadline.after(100))
    moved(wall=61.0, used=0.5)

    clock.paused(60.0)

    assert clock.slowdown() == pytest.approx(2.0)


def test_a_long_wait_for_something_else_makes_no_machine_endlessly_slow(moved):
    clock = Clock(Deadline.after(1_000))

    moved(wall=500.0, used=0.5)

    assert clock.slowdown() == 8.0
    assert clock.allows(60.0)


def test_of_next_to_nothing_no_pace_is_told(moved):
    clock = Clock(Deadline.after(10))

    moved(wall=1.0, used=0.01)

    assert clock.slowdown() == 1.0


def test_more_of_anything_costs_more_but_very_many_series_are_judged_by_a_part():
    one = Finish.of(2_000, 3, 12, n_methods=6)

    assert Finish.of(1_000, 3, 12, n_methods=6).learned < one.learned < Finish.of(2_000, 3, 12, n_methods=9).learned
    assert one.least < Finish.of(20_000, 3, 12, n_methods=6).least
    assert Finish.of(20_000, 3, 12).ranges == Finish.of(200_000, 3, 12).ranges


@pytest.mark.parametrize(("left", "slowdown", "seconds"), [(60, 1, 1.0), (60, 5, 5.0), (1, 1, 0.4), (0.2, 5, 0.5)])
def test_all_of_it_is_kept_time_for_where_there_is_plenty_and_else_the_least(left, slowdown, seconds):
    cost = Finish(least=0.1, learned=0.7, ranges=0.2)

    assert cost.reserve(left, slowdown) == pytest.approx(seconds)
