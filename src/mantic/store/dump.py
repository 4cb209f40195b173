"""The form of a backup: one zip with a JSON line per row, the blobs, and the SHA-256 of every member.

store.backup        zip
  rows/<table>.jsonl
  blobs/<sha256>
  manifest.json     format, step of the tables, moment, number of rows of each table, SHA-256 and size of every member

The same for both databases: a backup of one can be restored into the other.
"""

import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mantic.core.errors import StoreError
from mantic.core.strict_json import read_json

FORMAT = 1
KIND = "mantic store"
STEP = 1 << 20
MANIFEST = "manifest.json"
MAX_MANIFEST = 200_000_000  # bytes; a blob takes about 150 of them
MAX_LINE = 32_000_000  # bytes of one row
_MEMBER = re.compile(r"rows/[a-z_]{1,50}\.jsonl|blobs/[0-9a-f]{64}")
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, OverflowError, NotImplementedError,
    RuntimeError, KeyError, TypeError, AttributeError,
)  # fmt: skip


@dataclass(frozen=True)
class Dump:
    """A backup that is open for reading; its members were not checked yet."""

    path: Path
    archive: zipfile.ZipFile
    revision: str
    at: str
    n_rows: Mapping[str, int]
    members: Mapping[str, Mapping[str, Any]]

    @property
    def blobs(self) -> list[str]:
        """Return the names of the blobs in it."""
        return sorted(name.removeprefix("blobs/") for name in self.members if name.startswith("blobs/"))

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """Return the rows of a table, one by one."""
        with self.archive.open(f"rows/{table}.jsonl") as stream:
            while line := stream.readline(MAX_LINE):
                try:
                    row = dict(read_json(line, max_depth=2))
                except (ValueError, TypeError) as error:
                    raise damaged(self.path, f"a row of '{table}' cannot be read ({error})") from error
                yield row


@contextmanager
def open_dump(path: Path) -> Iterator[Dump]:
    """Open a backup.

    Raises
    ------
    StoreError : if it is none, is cut off, or was written by a newer mantic.
    """
    with ExitStack() as stack:
        try:
            dump = _read(path, stack.enter_context(zipfile.ZipFile(path)))
        except (FileNotFoundError, IsADirectoryError) as error:
            raise StoreError(
                "there is no such backup", where=str(path), fix="give the file that 'mantic backup' wrote"
            ) from error
        except _DAMAGE as error:
            raise damaged(path, str(error)) from error
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            what = f"the backup cannot be read: {error.strerror or error}"
            raise StoreError(what, where=str(path), fix="check its rights") from error
        yield dump


def faults(dump: Dump) -> list[str]:
    """Return what is wrong with the members of a backup, each named; reads every byte."""
    found = []
    for name, said in sorted(dump.members.items()):
        try:
            if _digest(dump.archive, name) != said.get("sha256"):
                found.append(f"{name} was changed since it was written")
            elif name.startswith("blobs/") and said.get("sha256") != name.removeprefix("blobs/"):
                found.append(f"{name} holds other content than its name says")
        except (*_DAMAGE, OSError) as error:
            found.append(f"{name} cannot be read: {error}")
    return found


def damaged(path: Path, why: str) -> StoreError:
    """Return the complaint about a backup."""
    return StoreError(f"this is no backup, or it is damaged: {why}", where=str(path), fix="take an earlier backup")


class Writer:
    """Writes the members of a backup, and what the manifest says of them."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members: dict[str, dict[str, Any]] = {}

    def rows(self, table: str, rows: Iterator[Mapping[str, Any]]) -> int:
        """Write the rows of a table; return how many there were."""
        n_rows = 0
        sha256, size = hashlib.sha256(), 0
        with self._archive.open(f"rows/{table}.jsonl", "w", force_zip64=True) as out:
            for row in rows:
                line = json.dumps(row, sort_keys=True, allow_nan=False).encode() + b"\n"
                out.write(line)
                sha256.update(line)
                size += len(line)
                n_rows += 1
        self._members[f"rows/{table}.jsonl"] = {"sha256": sha256.hexdigest(), "size": size}
        return n_rows

    def blob(self, sha256: str, file: Path) -> None:
        """Write a blob; models are packed already, so it is stored as it is."""
        self._archive.write(file, f"blobs/{sha256}", compress_type=zipfile.ZIP_STORED)
        self._members[f"blobs/{sha256}"] = {"sha256": sha256, "size": file.stat().st_size}

    def manifest(self, facts: Mapping[str, Any]) -> None:
        """Write what the backup holds; the last member."""
        text = json.dumps({**facts, "kind": KIND, "format": FORMAT, "members": self._members}, sort_keys=True, indent=1)
        self._archive.writestr(MANIFEST, text)


def _read(path: Path, archive: zipfile.ZipFile) -> Dump:
    if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST:
        raise damaged(path, "its manifest is too large")
    about = read_json(archive.read(MANIFEST), max_depth=4)
    if not isinstance(about, dict) or about.get("kind") != KIND:  # models in it are zips with a manifest too
        raise damaged(path, "it is cut off, or a zip of something else")
    if int(about["format"]) > FORMAT:
        raise StoreError(
            "the backup was written by a newer mantic", where=str(path), fix="pip install --upgrade mantic"
        )
    if not all(isinstance(said, dict) for said in about["members"].values()):
        raise damaged(path, "its manifest does not say what its members are")
    if not about["revision"] or not all(isinstance(n_rows, int) for n_rows in about["n_rows"].values()):
        raise damaged(path, "its manifest does not say how many rows there are")
    listed, present = set(about["members"]), set(archive.namelist()) - {MANIFEST}
    if len(archive.namelist()) != len(present) + 1 or listed != present:
        raise damaged(path, "its members are not those that the manifest names")
    if strange := [name for name in listed if not _MEMBER.fullmatch(name)]:
        raise damaged(path, f"{strange[0][:80]!r} does not belong in it")
    return Dump(path, archive, str(about["revision"]), str(about["at"]), about["n_rows"], about["members"])


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    found = hashlib.sha256()
    with archive.open(name) as stream:
        while part := stream.read(STEP):
            found.update(part)
    return found.hexdigest()
