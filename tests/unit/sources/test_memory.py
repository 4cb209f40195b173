"""A file that does not fit into memory is refused before it is tried."""

import pytest

from mantic.core.errors import SourceError
from mantic.sources.memory import check_fits, free_bytes
from mantic.sources.read import read


def test_a_csv_of_a_terabyte_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n")
        file.truncate(10**12)  # sparse: takes no room on the disk

    with pytest.raises(SourceError, match=r"1000\.0 GB.*memory") as caught:
        read(path)

    assert "head -n" in caught.value.fix


def test_parts_are_counted_together(tmp_path):
    free = free_bytes()
    if free is None:
        pytest.skip("this system does not say how much memory is free")
    for place in range(4):
        with (tmp_path / f"{place}.csv").open("wb") as file:
            file.write(b"a,b\n1,2\n")
            file.truncate(max(200_000_000, free // 8))

    with pytest.raises(SourceError, match="memory"):
        read(tmp_path)


def test_what_fits_is_let_through():
    check_fits(99_000_000, "csv", where="small.csv")
