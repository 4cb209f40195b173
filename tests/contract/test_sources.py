"""What every source keeps, whoever wrote it."""

import pytest

from mantic.core.errors import ManticError
from mantic.core.run import Run
from mantic.core.source import SOURCES
from mantic.sources.read import KINDS


@pytest.mark.parametrize("name", [name for name in SOURCES.names() if name != "ones"])
def test_a_source_refuses_rubbish_with_a_reason(name, tmp_path):
    path = tmp_path / "rubbish"
    path.write_bytes(b"\x00\x01\x02\x03" * 64)

    with Run() as run, pytest.raises(ManticError) as caught:
        SOURCES.get(name)(str(path), run)

    assert caught.value.what
    assert caught.value.fix


def test_every_ending_and_scheme_has_a_source():
    assert set(KINDS.values()) <= set(SOURCES.names())
