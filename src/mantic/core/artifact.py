"""Save and load a model file: one zip of data, checked in full before anything in it is used.

churn.mantic        zip, members deflated (stored where they would shrink too far), fixed order and time stamps
  manifest.json     format, task, what the caller adds (parameters, schema, ...), size and SHA-256 of every part
  report.json       what was measured when it was saved
  parts/...         files that learners and encoders wrote
"""

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from mantic.core.errors import ArtifactError
from mantic.core.files import write_atomic
from mantic.core.pickled import is_pickle
from mantic.core.strict_json import read_json

FORMAT = 2  # in format 1 members were stored as they are; both are read
MAX_BYTES = 2_000_000_000  # of the whole file; below this a zip needs no 64-bit fields
MAX_MEMBERS = 10_000
MAX_MANIFEST = 32_000_000  # bytes
MAX_DEPTH = 32
MAX_RATIO = 100  # unpacked to packed, of a whole file ...
SMALL = 50_000_000  # ... that unpacks to more bytes than this

_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_LIBRARIES = ("mantic", "numpy", "polars", "scikit-learn", "scipy", "lightgbm", "skops")
_SEGMENT = r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_\-])?"
_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,7}}")
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError, OverflowError, struct.error
)  # fmt: skip
_AGAIN = "copy or download it again, or save the model again"
_HOSTILE = "do not use this file: it was not written by mantic, or was changed since"
_END = struct.Struct("<4s4H2LH")  # end of the central directory: the last 22 bytes


@dataclass(frozen=True)
class Artifact:
    """A model file that passed every check.

    Parameters
    ----------
    manifest : what was given to `write`, with format, libraries and parts.
    folder : private temporary folder with the parts, laid out as they were given to `write`.
    report_text : JSON text of the report.
    version : twelve hexadecimal digits that name this very content.
    """

    manifest: Mapping[str, Any]
    folder: Path
    report_text: str
    version: str


def write(path: str | Path, *, manifest: Mapping[str, Any], folder: Path, report: str = "{}") -> Path:
    """Pack a folder of parts into one model file, atomically; the same input gives the same bytes.

    Parameters
    ----------
    manifest : plain JSON values; needs "task". "format", "libraries" and "parts" are added.
    folder : every file in it, in sub-folders too, becomes a part.
    report : JSON text of the report.

    Returns
    -------
    The path.

    Raises
    ------
    ArtifactError : if a part has a name that no computer should have to unpack, holds a pickle, or all is too large.
    """
    path = Path(path)
    files = {f"parts/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*") if not file.is_dir()}
    _check_parts(path, files)
    sizes: dict[str, Any] = {
        name: {"size": file.stat().st_size, "sha256": _digest(file)} for name, file in files.items()
    }
    text = report.encode()
    sizes["report.json"] = {"size": len(text), "sha256": hashlib.sha256(text).hexdigest()}
    about = {**manifest, "format": FORMAT, "libraries": library_versions(), "parts": sizes}
    head = json.dumps(about, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False).encode()
    total = len(head) + sum(part["size"] for part in sizes.values())
    if total > MAX_BYTES or len(head) > MAX_MANIFEST:
        raise ArtifactError(
            f"the model is too large for one file ({total:,} bytes)", where=str(path), fix="use fewer learners"
        )
    try:
        with write_atomic(path) as part:
            _pack(part, {"manifest.json": head, "report.json": text}, files, zipfile.ZIP_DEFLATED)
            if total > max(SMALL, MAX_RATIO * part.stat().st_size):  # it would be refused as a zip bomb
                _pack(part, {"manifest.json": head, "report.json": text}, files, zipfile.ZIP_STORED)
    except OSError as error:
        raise ArtifactError(
            f"the model cannot be saved: {error.strerror or error}",
            where=str(path),
            fix="choose a folder that can be written",
        ) from error
    return path


@contextmanager
def open_artifact(path: str | Path, *, tasks: Collection[str] = ()) -> Iterator[Artifact]:
    """Check a model file in full, then give its manifest and a private folder with its parts until the block ends.

    Nothing in the file is run, unpickled or imported. Checked are: layout, names, sizes, SHA-256 of every part, that
    the manifest names exactly the parts that are there, that no part is a pickle, the format's version and the task.

    Parameters
    ----------
    tasks : names of the tasks that the caller can load; empty means any.

    Raises
    ------
    ArtifactError : on the first kind of fault found; names every part that has it.
    """
    path = Path(path)
    folder = Path(tempfile.mkdtemp(prefix="mantic-model-"))
    try:
        yield _unpack(path, folder, tasks)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def library_versions() -> dict[str, str]:
    """Return the installed version of each library that a saved model may depend on.

    >>> sorted(library_versions())[:2]
    ['lightgbm', 'mantic']
    """
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def _unpack(path: Path, folder: Path, tasks: Collection[str]) -> Artifact:
    if not path.exists():
        raise ArtifactError("there is no such model file", where=str(path), fix="give the path of a .mantic file")
    if not path.is_file():
        raise ArtifactError("this is no file", where=str(path), fix="give the path of a .mantic file")
    try:
        with path.open("rb") as stream:
            _check_end(path, stream)
            with zipfile.ZipFile(stream) as archive:
                members = _members(path, archive, stream)
                text = archive.read(members["manifest.json"])
                manifest = _manifest(path, text, members, tasks)
                _extract(path, archive, members, manifest=manifest, folder=folder)
        report = (folder / "report.json").read_text("utf-8") if "report.json" in members else "{}"
    except ArtifactError:
        raise
    except OSError as error:
        what = f"the model file cannot be unpacked: {error.strerror or error}"
        raise ArtifactError(
            what, where=str(path), fix="check its rights and the free disk space, or copy it again"
        ) from error
    except _DAMAGE as error:
        raise ArtifactError(f"the model file is damaged: {error}", where=str(path), fix=_AGAIN) from error
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    return Artifact(manifest, parts, report, hashlib.sha256(text).hexdigest()[:12])


def _check_end(path: Path, stream: IO[bytes]) -> None:
    """Look at the last bytes before the zip library does: they say how much it would read into memory."""
    size = stream.seek(0, os.SEEK_END)
    if size > MAX_BYTES + MAX_MANIFEST:
        _refuse(path, f"the file is larger than a model may be ({size:,} bytes)")
    stream.seek(0)
    if stream.read(4) != b"PK\x03\x04":
        raise ArtifactError(
            "this is no mantic model" + (" (the file is empty)" if size == 0 else ""),
            where=str(path),
            fix="give a file that 'mantic fit' or model.save() wrote",
        )
    stream.seek(max(0, size - _END.size))
    end = stream.read()
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise ArtifactError("the model file is cut off", where=str(path), fix=_AGAIN)
    _, _, _, _, n_members, n_bytes, _, _ = _END.unpack(end)
    if n_members > MAX_MEMBERS or n_bytes > MAX_MEMBERS * 256:
        _refuse(path, f"it claims to hold {n_members:,} parts")


def _members(path: Path, archive: zipfile.ZipFile, stream: IO[bytes]) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name, once names, kinds and the layout of the whole file are right."""
    infos = archive.infolist()
    faults = [fault for info in infos if (fault := _fault(info))]
    if len({info.filename.lower() for info in infos}) < len(infos):
        faults.append("two parts have the same name")
    if faults:
        _refuse(path, "; ".join(faults[:10]))
    # Members without extras leave no room: any other length means hidden, overlapping or missing bytes.
    expected = sum(76 + 2 * len(info.filename) + info.compress_size for info in infos) + _END.size
    if expected != stream.seek(0, os.SEEK_END):
        _refuse(path, "its parts do not fill the file exactly")
    unpacked = sum(info.file_size for info in infos)
    if unpacked > min(MAX_BYTES + MAX_MANIFEST, max(SMALL, MAX_RATIO * expected)):
        _refuse(path, f"it would unpack to {unpacked:,} bytes")
    members = {info.filename: info for info in infos}
    if "manifest.json" not in members:
        raise ArtifactError("this zip holds no manifest.json, so it is no mantic model", where=str(path), fix=_AGAIN)
    if members["manifest.json"].file_size > MAX_MANIFEST:
        _refuse(path, "its manifest is too large")
    return members


def _fault(info: zipfile.ZipInfo) -> str:
    name = info.orig_filename
    if name != info.filename or not _NAME.fullmatch(name) or len(name) > 200:
        return f"the name {name[:80]!r} is not allowed"
    if name not in ("manifest.json", "report.json") and not name.startswith("parts/"):
        return f"'{name}' does not belong in a model"
    if (info.external_attr >> 16) & 0o170000 not in (0, 0o100000):
        return f"'{name}' is no plain file"
    is_plain = info.compress_type == zipfile.ZIP_DEFLATED or info.compress_size == info.file_size
    if info.compress_type not in _KINDS or not is_plain or info.flag_bits & 0x1:
        return f"'{name}' is encrypted or packed in an unknown way"
    if info.extra or info.comment:
        return f"'{name}' carries extra fields"
    return ""


def _manifest(path: Path, text: bytes, members: Collection[str], tasks: Collection[str]) -> dict[str, Any]:
    try:
        found = read_json(text, max_depth=MAX_DEPTH)
    except ValueError as error:
        raise ArtifactError(
            f"the manifest cannot be read: {error}", where=f"{path}, manifest.json", fix=_AGAIN
        ) from error
    manifest: dict[str, Any] = found if isinstance(found, dict) else {}
    version = manifest.get("format")
    if not isinstance(version, int) or isinstance(version, bool):
        raise ArtifactError("the manifest names no format", where=f"{path}, manifest.json", fix=_AGAIN)
    if version > FORMAT:
        raise ArtifactError(
            f"the model was saved by a newer mantic (format {version}; this one reads up to {FORMAT})",
            where=str(path),
            fix="pip install --upgrade mantic",
        )
    if version < 1 or not isinstance(manifest.get("task"), str) or not isinstance(manifest.get("parts"), dict):
        raise ArtifactError("the manifest is incomplete", where=f"{path}, manifest.json", fix=_AGAIN)
    listed, present = set(manifest["parts"]), set(members) - {"manifest.json"}
    if faults := [f"'{name}' is missing" for name in sorted(listed - present)] + [
        f"'{name}' is not in the manifest" for name in sorted(present - listed)
    ]:
        _refuse(path, "; ".join(faults[:10]))
    if tasks and manifest["task"] not in tasks:
        raise ArtifactError(
            f"the model was fitted for the task '{manifest['task'][:40]}'",
            where=str(path),
            fix=f"load it with mantic.load(); here fits: {', '.join(tasks)}",
        )
    return manifest


def _extract(
    path: Path,
    archive: zipfile.ZipFile,
    members: Mapping[str, zipfile.ZipInfo],
    *,
    manifest: Mapping[str, Any],
    folder: Path,
) -> None:
    faults = []
    for name, about in manifest["parts"].items():
        if not isinstance(about, dict) or about.get("size") != members[name].file_size:
            faults.append(f"'{name}' has another size than the manifest says")
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(members[name]) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
        if _digest(target) != about.get("sha256"):
            faults.append(f"'{name}' was changed since it was saved")
        elif is_pickle(target):
            faults.append(f"'{name}' is a pickle, which could run code")
    if faults:
        _refuse(path, "; ".join(faults[:10]))


def _check_parts(path: Path, files: Mapping[str, Path]) -> None:
    faults = [
        f"the part {name!r} cannot be kept under this name"
        for name in files
        if not _NAME.fullmatch(name) or len(name) > 200
    ]
    faults += [
        f"the part '{name}' is no plain file" for name, file in files.items() if file.is_symlink() or not file.is_file()
    ]
    if not faults:
        faults += [
            f"the part '{name}' is a pickle, which could run code" for name, file in files.items() if is_pickle(file)
        ]
    if len({name.lower() for name in files}) < len(files) or len(files) > MAX_MEMBERS - 2:
        faults.append("there are too many parts, or two of the same name")
    if faults:
        raise ArtifactError(
            "; ".join(faults[:10]), where=str(path), fix="let the learner save plain data under plain names"
        )


def _pack(path: Path, texts: Mapping[str, bytes], files: Mapping[str, Path], kind: int) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in texts.items():
            archive.writestr(_member(name, kind), text)
        for name in sorted(files):
            with files[name].open("rb") as source, archive.open(_member(name, kind), "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)


def _member(name: str, kind: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    info.compress_type = kind
    return info


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _refuse(path: Path, what: str) -> NoReturn:
    raise ArtifactError(f"the model file is refused: {what}", where=str(path), fix=_HOSTILE)
