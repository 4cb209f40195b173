"""Packed bytes come back as they were, or not at all."""

import zlib

import pytest

from mantic.core.errors import ArtifactError
from mantic.learners.table import _packed


def test_what_unpacks_to_far_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_packed, "_SMALL", 1_000_000)
    (tmp_path / "bomb").write_bytes(zlib.compress(bytes(2_000_000)))

    with pytest.raises(ArtifactError, match="too much"):
        _packed.read_packed(tmp_path / "bomb")


@pytest.mark.parametrize("change", [lambda packed: packed[:-5], lambda packed: packed + b"more", lambda packed: b""])
def test_what_is_cut_off_or_goes_on_is_refused(change, tmp_path):
    (tmp_path / "part").write_bytes(change(zlib.compress(b"oak" * 100)))

    with pytest.raises(ArtifactError, match="cannot be read"):
        _packed.read_packed(tmp_path / "part")
