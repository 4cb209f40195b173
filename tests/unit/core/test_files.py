from pathlib import Path

import pytest

from mantic.core.files import write_atomic


def test_a_failed_block_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    with pytest.raises(ZeroDivisionError), write_atomic(path) as part:
        part.write_text(f"half {1 / 0}")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_rights_of_the_old_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch(0o600)

    with write_atomic(path) as part:
        part.write_text("new")

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == "new"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "real.txt")

    with write_atomic(link) as part:
        part.write_text("new")

    assert link.is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_new_file_can_be_read_by_others_as_any_new_file(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()

    with write_atomic(tmp_path / "ours") as part:
        part.write_text("x")

    assert (tmp_path / "ours").stat().st_mode == usual.stat().st_mode
