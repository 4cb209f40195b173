"""Models that pages ask: who waits for what."""

import threading
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from mantic.core.errors import ArtifactError
from mantic.studio import loaded
from mantic.studio.loaded import Loaded


@pytest.fixture
def held(monkeypatch):
    """Models that load at once, but for version 2, which waits for a gate, and version 3, which is damaged."""
    gate, loads = threading.Event(), []

    def load(path):
        loads.append(path)
        if path.endswith("/2"):
            gate.wait(10)
        if path.endswith("/3"):
            raise ArtifactError("this is damaged", where=path, fix="fit again")
        return path

    monkeypatch.setattr("mantic.tasks.base.load", load)
    monkeypatch.setattr(loaded, "Served", lambda name, model: SimpleNamespace(name=name, model=model))
    store = SimpleNamespace(models=SimpleNamespace(get=lambda words: words, file=nullcontext))
    made = Loaded(store)
    yield made, gate, loads
    gate.set()
    made.close()


def test_nobody_waits_for_a_model_that_somebody_else_asked_for(held):
    models, gate, _ = held
    models.get("m", 1)

    models.begin("m", 2)

    assert models.get("m", 1) == "m/1"
    assert not models.holds("m", 2)
    gate.set()
    assert models.get("m", 2) == "m/2"


def test_two_at_once_load_once(held):
    models, gate, loads = held
    models.begin("m", 2)
    asking = threading.Thread(target=models.get, args=("m", 2))
    asking.start()

    gate.set()
    asking.join(10)

    assert models.holds("m", 2)
    assert loads == ["m/2"]


def test_what_is_damaged_is_read_once_beside_the_pages_and_told_to_who_asks(held):
    models, _, loads = held

    for _ in range(5):
        models.begin("m", 3)
    models._beside.submit(int).result(10)

    assert loads == ["m/3"]
    with pytest.raises(ArtifactError, match="damaged"):
        models.get("m", 3)


def test_the_latest_few_are_held(held):
    models, _, _ = held

    for number in range(10, 20):
        models.get("m", number)

    assert [models.holds("m", number) for number in (10, 11, 12, 19)] == [False, False, True, True]
