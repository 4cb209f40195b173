"""Write a file so that nobody ever sees half of it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def write_atomic(path: str | Path, *, mode: int | None = None) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well it becomes `path`, else it is removed.

    The bytes are on the disk (fsync of the file and of its folder) before the name changes hands, so a crash leaves
    either the old file or the new one. A path that is a link is followed: the link stays, its file is replaced.

    Parameters
    ----------
    mode : rights of the file; those of the file that is replaced, or the usual ones, when absent.

    Raises
    ------
    FileNotFoundError : if the folder does not exist.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with write_atomic(folder / "a.txt") as part:
    ...     _ = part.write_text("whole")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    path = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(_mode(path) if mode is None else mode)
        _to_disk(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    names_to_disk(path.parent)


def names_to_disk(folder: Path) -> None:
    """Force the names in a folder to the disk: a new or renamed file is there after a loss of power, too."""
    with suppress(OSError):  # some systems cannot open a folder; the file itself is safe
        _to_disk(folder)


def _mode(path: Path) -> int:
    """Return the rights of the file that is replaced, or those that a new file gets."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
