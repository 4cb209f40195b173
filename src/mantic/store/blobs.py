"""Blobs by their content: the name of a blob is the SHA-256 of its bytes, so it never changes and never clashes."""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from mantic.core.errors import StoreError
from mantic.core.files import names_to_disk, write_atomic
from mantic.core.lazy import need
from mantic.store.address import masked

NAME = re.compile(r"[0-9a-f]{64}")
OWNER = "owner"  # the file that says whose the place is
_OURS = re.compile(r"[0-9a-f]{64}|\.[0-9a-f]{64}\..+")  # a blob, or the part of one that a crash left behind
_DRIVERS = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
_STEP = 1 << 20


class Blobs(Protocol):
    """A place for blobs."""

    def put(self, sha256: str, file: Path) -> None:
        """Keep the bytes of a file; when this returns they are safe. What is there already is marked as new."""

    def size(self, sha256: str) -> int | None:
        """Return the bytes of a blob; None when it is not there."""

    def fetch(self, sha256: str, target: Path) -> None:
        """Copy a blob to a file."""

    def remove(self, sha256: str) -> None:
        """Remove a blob; one that is not there is no error."""

    def listed(self) -> Iterator[tuple[str, float]]:
        """Return every blob with the seconds since it was put; what is none is passed over."""

    def owner(self) -> str:
        """Return the id of the store whose place this is; empty while it is nobody's."""

    def claim(self, store: str) -> None:
        """Say that the place is a store's, by its id."""


def open_blobs(url: str) -> Blobs:
    """Return the place at a folder or a URL of fsspec.

    Raises
    ------
    MissingExtraError : if the package for this kind of place is not installed.
    """
    return RemoteBlobs(url) if "://" in url else FolderBlobs(Path(url))


def digest(file: Path) -> str:
    """Return the SHA-256 of a file.

    >>> digest(Path(os.devnull))[:8]
    'e3b0c442'
    """
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def fetched(blobs: Blobs, sha256: str) -> Iterator[Path]:
    """Give a private copy of a blob, checked byte for byte, until the block ends.

    Raises
    ------
    StoreError : if the blob is gone, or holds other bytes than it should.
    """
    with tempfile.TemporaryDirectory(prefix="mantic-blob-") as folder:
        target = Path(folder) / "blob"
        blobs.fetch(sha256, target)
        if digest(target) != sha256:
            raise StoreError(
                "the content of a kept model is damaged", where=f"blob {sha256[:12]}", fix="restore it from a backup"
            )
        yield target


class FolderBlobs:
    """Blobs in a folder: written aside, forced to the disk, then named."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, sha256: str, file: Path) -> None:
        """Keep the bytes of a file; when this returns they are on the disk."""
        target = self._path(sha256)
        try:
            if self.size(sha256) == file.stat().st_size:
                with suppress(FileNotFoundError):  # swept a moment ago
                    if digest(target) == sha256:  # else it was damaged since
                        os.utime(target)  # whoever sweeps sees that it is wanted again
                        return
            self._make_folder(target.parent)
            with write_atomic(target, mode=0o600) as part, file.open("rb") as source, part.open("wb") as out:
                shutil.copyfileobj(source, out, _STEP)
        except OSError as error:
            raise self._fault("kept", error) from error

    def size(self, sha256: str) -> int | None:
        """Return the bytes of a blob; None when it is not there."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def fetch(self, sha256: str, target: Path) -> None:
        """Copy a blob to a file."""
        try:
            shutil.copyfile(self._path(sha256), target)
        except FileNotFoundError as error:
            raise _gone(sha256, str(self.folder)) from error
        except OSError as error:
            raise self._fault("read", error) from error

    def remove(self, sha256: str) -> None:
        """Remove a blob; one that is not there is no error."""
        try:
            self._path(sha256).unlink(missing_ok=True)
        except OSError as error:
            raise self._fault("removed", error) from error

    def listed(self) -> Iterator[tuple[str, float]]:
        """Return every blob with the seconds since it was put; unfinished ones, left by a crash, by their odd name."""
        for path in sorted(self.folder.glob("*/*")):
            with suppress(FileNotFoundError):
                if _OURS.fullmatch(path.name):
                    yield path.name, max(0.0, time.time() - path.stat().st_mtime)

    def owner(self) -> str:
        """Return the id of the store whose place this is; empty while it is nobody's."""
        try:
            return (self.folder / OWNER).read_text("utf-8").strip()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise self._fault("kept", error) from error

    def claim(self, store: str) -> None:
        """Say that the place is a store's, by its id."""
        try:
            self._make_folder(self.folder)
            with write_atomic(self.folder / OWNER, mode=0o600) as part:
                part.write_text(store + "\n", "utf-8")
        except OSError as error:
            raise self._fault("kept", error) from error

    def _path(self, name: str) -> Path:
        if not _OURS.fullmatch(name):
            raise StoreError(
                f"'{name[:80]}' names no blob", where=str(self.folder), fix="'mantic verify' lists the faults"
            )
        return self.folder / name.lstrip(".")[:2] / name

    def _make_folder(self, folder: Path) -> None:
        for place in (self.folder, folder):
            if not place.is_dir():
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
                names_to_disk(place.parent)

    def _fault(self, done: str, error: OSError) -> StoreError:
        what = f"a model cannot be {done}: {error.strerror or error}"
        return StoreError(what, where=str(self.folder), fix="check the rights of the folder and the free space")


class RemoteBlobs:
    """Blobs at a URL of fsspec; an object is there as a whole or not at all."""

    def __init__(self, url: str) -> None:
        self.where = masked(url)
        scheme = url.partition("://")[0]
        if scheme in _DRIVERS:
            need(_DRIVERS[scheme], why=f"models at {scheme}://")
        import fsspec

        try:
            self._system, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise StoreError(
                f"models cannot be kept here: {error}", where=self.where, fix="give a folder, s3://, gs:// or abfs://"
            ) from error

    def put(self, sha256: str, file: Path) -> None:
        """Keep the bytes of a file."""
        n_bytes = file.stat().st_size
        with self._told():
            self._system.makedirs(f"{self._root}/{sha256[:2]}", exist_ok=True)
            # Also when it is there: the place then dates it anew, which is what keeps a sweeper away.
            self._system.put_file(str(file), self._path(sha256))
            self._system.invalidate_cache()
        if self.size(sha256) != n_bytes:
            raise StoreError("a model did not arrive as a whole", where=self.where, fix="try again")

    def size(self, sha256: str) -> int | None:
        """Return the bytes of a blob; None when it is not there."""
        with self._told():
            try:
                return int(self._system.info(self._path(sha256))["size"])
            except FileNotFoundError:
                return None

    def fetch(self, sha256: str, target: Path) -> None:
        """Copy a blob to a file."""
        with self._told():
            try:
                self._system.get_file(self._path(sha256), str(target))
            except FileNotFoundError as error:
                raise _gone(sha256, self.where) from error

    def remove(self, sha256: str) -> None:
        """Remove a blob; one that is not there is no error."""
        with self._told(), suppress(FileNotFoundError):
            self._system.rm_file(self._path(sha256))

    def listed(self) -> Iterator[tuple[str, float]]:
        """Return every blob with the seconds since it was put; one without a date counts as new."""
        with self._told():
            self._system.invalidate_cache()
            found = self._system.find(self._root, detail=True)
        for path, about in sorted(found.items()):
            name = path.rpartition("/")[2]
            if _OURS.fullmatch(name):
                yield name, _age(about)

    def owner(self) -> str:
        """Return the id of the store whose place this is; empty while it is nobody's."""
        with self._told():
            try:
                return str(self._system.cat_file(f"{self._root}/{OWNER}").decode()).strip()
            except FileNotFoundError:
                return ""

    def claim(self, store: str) -> None:
        """Say that the place is a store's, by its id."""
        with self._told():
            self._system.makedirs(self._root, exist_ok=True)
            self._system.pipe_file(f"{self._root}/{OWNER}", f"{store}\n".encode())

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except Exception as error:  # each driver of fsspec has a family of errors of its own
            raise StoreError(
                f"the place of the models says: {error}",
                where=self.where,
                fix="check its name, your rights, the network",
            ) from error


def _age(about: dict[str, Any]) -> float:
    """Return the seconds since an object was written; each kind of place calls its date differently."""
    for key in ("LastModified", "last_modified", "mtime", "updated", "created"):
        date: Any = about.get(key)
        if hasattr(date, "timestamp"):
            return max(0.0, time.time() - float(date.timestamp()))
        if isinstance(date, int | float):
            return max(0.0, time.time() - date)
    return 0.0


def _gone(sha256: str, where: str) -> StoreError:
    return StoreError(
        "the content of a kept model is gone", where=f"blob {sha256[:12]} in {where}", fix="restore it from a backup"
    )
