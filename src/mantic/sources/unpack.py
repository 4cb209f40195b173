"""Unpack a compressed file, and refuse one that would swell beyond reason."""

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mantic.core.errors import ManticError, MissingExtraError, SourceError
from mantic.core.lazy import need

ENDINGS = ("gz", "bz2", "xz", "zst", "zip")
_STEP = 1 << 22
_SMALL = 1 << 28  # below 256 MiB nobody is hurt, however well it was compressed


@dataclass(frozen=True)
class Limit:
    """How large an unpacked file may become: in bytes, and as a multiple of the packed one (beyond 256 MiB)."""

    n_bytes: int = 1 << 35
    ratio: float = 400.0
    free: int = _SMALL


def unpack(path: Path, kind: str, folder: Path, *, limit: Limit | None = None) -> Path:
    """Write the one file that is inside into a folder; return where. Its name is the packed one's without the ending.

    Parameters
    ----------
    kind : one of `ENDINGS`.

    Raises
    ------
    SourceError : if it is damaged, holds none or several files (zip), or grows beyond the limit.
    """
    limit = limit or Limit()
    into = folder / path.stem
    try:
        with _OPEN[kind](path) as packed:
            if isinstance(packed, _Member):
                into = folder / Path(packed.name).name
                _copy(packed.file, into, path, limit)
            else:
                _copy(packed, into, path, limit)
    except ManticError:
        raise
    except Exception as error:  # each packer has a family of errors of its own
        raise SourceError(
            f"the {kind} file is damaged or cut short ({error})", where=str(path), fix="fetch or pack it again"
        ) from error
    return into


def _copy(packed: IO[bytes], into: Path, path: Path, limit: Limit) -> None:
    n_packed, n_bytes = max(1, path.stat().st_size), 0
    with into.open("wb") as out:
        while part := packed.read(_STEP):
            n_bytes += len(part)
            if n_bytes > limit.n_bytes or (n_bytes > limit.free and n_bytes > limit.ratio * n_packed):
                raise SourceError(
                    f"unpacked, the file grows beyond {n_bytes:,} bytes from {n_packed:,}",
                    where=str(path),
                    fix="if you trust it, unpack it yourself and give the unpacked file",
                )
            out.write(part)


@dataclass
class _Member:
    """The one file of an archive."""

    archive: zipfile.ZipFile
    name: str

    def __enter__(self) -> "_Member":
        self.file = self.archive.open(self.name)
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.archive.close()


def _open_zip(path: Path) -> _Member:
    archive = zipfile.ZipFile(path)
    members = [item.filename for item in archive.infolist() if not item.is_dir() and not _is_litter(item.filename)]
    if len(members) != 1:
        archive.close()
        shown = ", ".join(members[:5]) or "none"
        raise SourceError(
            f"the zip file holds {len(members)} files ({shown}), not one",
            where=str(path),
            fix="unpack it and name one file",
        )
    return _Member(archive, members[0])


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or Path(name).name.startswith(".")


def _open_zst(path: Path) -> Any:
    """Open by Python 3.14's own module, or the package for older ones."""
    try:
        return need("compression.zstd", why="zstd files").open(path, "rb")
    except MissingExtraError:
        return need("zstandard", why="reading files packed with zstd").open(path, "rb")


_OPEN: dict[str, Callable[[Path], Any]] = {
    "gz": gzip.open,
    "bz2": bz2.open,
    "xz": lzma.open,
    "zst": _open_zst,
    "zip": _open_zip,
}
