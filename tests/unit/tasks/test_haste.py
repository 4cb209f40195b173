"""What is begun with little time, on a fast machine and on a slow one: decided from a clock, not measured."""

import pytest

from mantic.core import load
from mantic.tasks.haste import Haste


@pytest.fixture
def compiled(monkeypatch):
    """Return a function that says whether libraries were compiled before."""

    def say(is_cold):
        monkeypatch.setattr(load, "is_cold", lambda: is_cold)

    return say


@pytest.mark.parametrize(
    ("left", "slowdown", "is_cold", "n_workers"),
    [
        (9.5, 1.0, False, 2),
        (5.0, 1.0, False, 2),
        (2.8, 1.0, False, 0),
        (9.5, 1.0, True, 0),
        (10.5, 1.0, True, 1),
        (15.0, 1.0, True, 2),
        (9.0, 2.5, False, 0),
        (28.0, 2.5, False, 2),
        (28.0, 2.5, True, 0),
        (58.0, 2.5, True, 2),
        (float("inf"), 4.0, True, 2),
    ],
)
def test_workers_start_only_where_they_are_ready_in_time(left, slowdown, is_cold, n_workers, compiled):
    compiled(is_cold)

    assert Haste(left, slowdown, n_cores=2).workers(2) == n_workers


def test_many_cores_are_used_where_they_are_free(compiled):
    compiled(False)

    assert Haste(9.0, 1.0, n_cores=16).workers(16) == 16


def test_more_is_kept_for_the_report_where_others_compute_too_but_never_most_of_the_time():
    assert Haste(60.0, 1.0).reserve == pytest.approx(7.2)
    assert Haste(60.0, 2.0).reserve == pytest.approx(14.4)
    assert Haste(60.0, 4.0).reserve == pytest.approx(24.0)
    assert Haste(float("inf"), 4.0).reserve == 0.0


def test_a_library_is_left_alone_where_loading_it_takes_too_much_of_what_is_left(compiled):
    compiled(True)

    assert Haste(10.0, 1.0).allows(("no_such_library",), share=0.1)
    assert not Haste(10.0, 1.0).allows(("sklearn",), share=0.1) or load.load_seconds(["sklearn"]) == 0


@pytest.mark.parametrize(("is_cold", "seconds"), [(False, 1.0), (True, 4.0)])
def test_loading_costs_more_where_nothing_is_compiled_and_nothing_once_it_is_there(
    is_cold, seconds, compiled, monkeypatch
):
    compiled(is_cold)
    monkeypatch.setattr(load, "_is_loaded", {"scipy"}.__contains__)

    assert load.load_seconds(["sklearn", "scipy"]) == seconds
    assert load.load_seconds(["scipy"]) == 0.0
