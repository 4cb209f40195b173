"""Whatever happens to a model file, it loads as it was or is refused."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mantic.core import artifact
from mantic.core.errors import ArtifactError


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    root = tmp_path_factory.mktemp("model")
    (root / "parts").mkdir()
    (root / "parts" / "trees.txt").write_text("tree\nversion=v4\n")
    return artifact.write(root / "a.mantic", manifest={"task": "classify"}, folder=root / "parts").read_bytes()


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "a.mantic"


def content(path: Path, raw: bytes) -> Any:
    path.write_bytes(raw)
    try:
        with artifact.open_artifact(path) as found:
            return found.manifest, found.report_text, (found.folder / "trees.txt").read_bytes()
    except ArtifactError:
        return None


def test_a_flip_of_any_byte_is_refused_or_harmless(saved: bytes, damaged: Path) -> None:
    whole = content(damaged, saved)
    for place in range(len(saved)):
        for flip in (0x01, 0x80, 0xFF):
            raw = bytearray(saved)
            raw[place] ^= flip

            assert content(damaged, bytes(raw)) in (None, whole), place


def test_a_cut_anywhere_is_refused(saved: bytes, damaged: Path) -> None:
    for place in range(len(saved)):
        assert content(damaged, saved[:place]) is None


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_splice_anywhere_is_refused_or_harmless(saved: bytes, damaged: Path, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(saved)))
    stop = data.draw(st.integers(start, min(len(saved), start + 40)))
    text = data.draw(st.binary(max_size=40))

    assert content(damaged, saved[:start] + text + saved[stop:]) in (None, content(damaged, saved))
