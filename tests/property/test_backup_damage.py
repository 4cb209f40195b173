"""Whatever is changed in a backup: it is refused with an error of ours, or nothing that counts was changed."""

import json
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from mantic.core import artifact
from mantic.core.errors import StoreError
from mantic.store.restore import restore
from mantic.store.store import open_store


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes of a backup with a model, a run and an alert in it."""
    folder = tmp_path_factory.mktemp("backup")
    (folder / "parts").mkdir()
    (folder / "parts" / "weights.json").write_text(json.dumps([1, 2, 3]))
    file = artifact.write(folder / "churn.mantic", manifest={"task": "classify"}, folder=folder / "parts")
    with open_store(folder / "store") as store:
        store.models.register(file)
        store.runs.append(store.runs.start("churn", "fit"), [("measured", {"score": 0.5})])
        store.alerts.add("note", "code", "text")
        return store.back_up(folder / "all.backup").path.read_bytes()


@pytest.fixture(scope="module")
def whole(backup: bytes) -> list[str] | None:
    """Return what the unchanged backup gives."""
    return _restored(backup)


def _restored(content: bytes) -> list[str] | None:
    """Return what a restored store tells of itself; None when the backup was refused."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "changed.backup"
        path.write_bytes(content)
        try:
            restore(path, Path(place) / "store")
        except StoreError:
            assert not (Path(place) / "store").exists()
            return None
        with open_store(Path(place) / "store") as store:
            assert store.verify().faults == ()
            return [str(store.models.list()), str(store.runs.list()), str(store.alerts.list())]


@given(data=st.data())
def test_a_changed_byte_is_found_or_does_not_matter(backup, whole, data):
    place = data.draw(st.integers(0, len(backup) - 1))
    value = data.draw(st.integers(0, 255))
    content = backup[:place] + bytes([value]) + backup[place + 1 :]

    restored = _restored(content)

    assert restored in (None, whole)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_backup_are_refused(content):
    assert _restored(content) is None


@given(data=st.data())
def test_a_piece_that_is_missing_or_doubled_is_found(backup, whole, data):
    start = data.draw(st.integers(0, len(backup) - 1))
    end = data.draw(st.integers(start + 1, len(backup)))

    assert _restored(backup[:start] + backup[end:]) is None
    assert _restored(backup[:end] + backup[start:]) in (None, whole)
