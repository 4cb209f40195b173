"""What a search may begin in this process, where nobody can kill it; told by a clock that stands still."""

from types import SimpleNamespace

import pytest

from mantic.core import load
from mantic.core.executor import Here
from mantic.search.plan import _ends_in_time


def here(*, cells=1_000_000, slowdown=1.0, learners=None, executor=None):
    material = SimpleNamespace(frame=SimpleNamespace(height=cells, width=1))
    request = SimpleNamespace(material=material, slowdown=slowdown, learners=learners, quick_seconds=0.5)
    return SimpleNamespace(request=request, executor=executor or Here())


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch):
    monkeypatch.setattr(load, "_is_loaded", lambda name: False)
    monkeypatch.setattr(load, "is_cold", lambda: False)


def test_only_learners_that_stop_are_begun_on_a_large_table():
    assert _ends_in_time(here(), "boosting", 5.0)
    assert not _ends_in_time(here(), "knn", 60.0)


def test_every_learner_ends_soon_on_a_tiny_table_or_is_what_the_user_wants():
    assert _ends_in_time(here(cells=3_000), "knn", 60.0)
    assert _ends_in_time(here(learners=("knn",)), "knn", 60.0)


@pytest.mark.parametrize(("slowdown", "begins"), [(1.0, True), (4.0, False)])
def test_a_learner_whose_library_takes_too_long_to_load_is_not_begun(slowdown, begins):
    assert _ends_in_time(here(slowdown=slowdown), "linear", 5.0) is begins


def test_workers_can_be_killed_so_all_may_begin():
    assert _ends_in_time(here(executor=object()), "knn", 0.1)
