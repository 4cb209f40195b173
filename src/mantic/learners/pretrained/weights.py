"""The folder of a pretrained model: two files, looked at without opening anything that could run."""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mantic.core.errors import ArtifactError, SettingsError
from mantic.core.strict_json import read_json
from mantic.learners.pretrained import hub
from mantic.learners.pretrained.family import Config, read_config

CONFIG, TENSORS = "config.json", "model.safetensors"
_MOST_CONFIG, _MOST_HEADER = 1_000_000, 50_000_000  # bytes
_MOST_DIMENSIONS = 8
_FIRST = "input_patch_embedding.hidden_layer.weight"
_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Weights:
    """A pretrained model on this machine.

    Parameters
    ----------
    source : as the user named it.
    folder : where its two files lie.
    sha256 : of both; it tells whether they are the same as before.
    n_weights : how many numbers it holds.
    config : what it is.
    shapes : of each tensor in the file.
    """

    source: str
    folder: Path
    sha256: str
    n_weights: int
    config: Config = field(compare=False)
    shapes: Mapping[str, tuple[int, ...]] = field(compare=False)

    def __str__(self) -> str:
        """Return its name as a sentence has it."""
        size = f"{self.n_weights / 1e6:.1f} million" if self.n_weights >= 100_000 else f"{self.n_weights:,}"
        return f"{self.source} ({self.config.family.title}, {size} weights)"


def found(source: str) -> Weights:
    """Return the model in a folder, or of the hub where it is named as `hf://owner/name`; only that is looked up there.

    Raises
    ------
    SettingsError : if it is named in a way that is not known. SourceError : if the hub does not give it.
    ArtifactError : if there is no such folder, or it holds no model that can be used; says why.
    """
    return _looked_at(source, hub.fetch(source) if hub.is_named(source) else _folder(source))


def found_again(source: str) -> Weights:
    """Return the same from this machine only: a model of the hub must have been fetched before."""
    return _looked_at(source, hub.kept(source) if hub.is_named(source) else _folder(source))


def _folder(source: str) -> Path:
    if _URL.match(source):
        raise SettingsError(
            f"'{source}' is no place of a pretrained model", where="pretrained",
            fix=f"give a folder with {CONFIG} and {TENSORS}, or hf://owner/name for a model of the hub",
        )  # fmt: skip
    folder = Path(source).expanduser()
    if not folder.is_dir():
        of_hub = f", or hf://{source} if it is of the hub" if hub.is_named(f"hf://{source}") else ""
        what = "this is a file, not the folder of a model" if folder.exists() else "there is no such folder"
        raise ArtifactError(what, where=source, fix=f"give a folder with {CONFIG} and {TENSORS}{of_hub}")
    return folder


def _looked_at(source: str, folder: Path) -> Weights:
    tensors, config = folder / TENSORS, folder / CONFIG
    _check_there(source, folder)
    try:
        with config.open("rb") as stream:
            text = stream.read(_MOST_CONFIG + 1)
        if len(text) > _MOST_CONFIG:
            raise ValueError(f"{CONFIG} is too large")
        about = read_config(text)
        shapes = read_shapes(tensors)
        first = shapes.get(_FIRST)
        if first != (about.sizes["d_ff"], about.patch * about.family.n_inputs):
            raise ValueError(f"{TENSORS} is of another model than {CONFIG}, which says {about.family.title}")
        with tensors.open("rb") as stream:
            digest = hashlib.sha256(hashlib.sha256(text).digest() + hashlib.file_digest(stream, "sha256").digest())
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"the pretrained model cannot be used: {error}", where=source, fix="fetch it again, whole"
        ) from error
    return Weights(source, folder, digest.hexdigest(), sum(map(math.prod, shapes.values())), about, shapes)


def _check_there(source: str, folder: Path) -> None:
    absent = [name for name in (CONFIG, TENSORS) if not (folder / name).is_file()]
    if not absent:
        return
    others = sorted(one.name for one in folder.iterdir())
    fix = f"give a folder with {CONFIG} and {TENSORS}"
    what = f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} missing"
    if TENSORS in absent and any(name.endswith((".bin", ".pt", ".pth", ".ckpt", ".pkl")) for name in others):
        what, fix = (
            f"the weights are there as a pickle only, which could run code: {what}",
            f"get the weights as {TENSORS}; whoever trusts the file can load it and write it with save_pretrained",
        )
    elif TENSORS in absent and any(name.endswith(".safetensors.index.json") for name in others):
        fix = f"put the parts together into one {TENSORS}: load them and write them with save_pretrained"
    elif "adapter_config.json" in others:
        fix = f"merge the adapter into its model, and give a folder with {CONFIG} and {TENSORS}"
    raise ArtifactError(what, where=source, fix=fix)


def read_shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor in a safetensors file, from its head; the numbers are not read.

    Raises
    ------
    ValueError : if it is none, is cut off, or holds other than plain numbers.
    """
    with file.open("rb") as stream:
        n_bytes = int.from_bytes(stream.read(8), "little")
        if not 2 <= n_bytes <= _MOST_HEADER:
            raise ValueError(f"{file.name} is no safetensors file")
        text = stream.read(n_bytes)
    try:
        head = read_json(text)
    except ValueError as error:
        raise ValueError(f"{file.name} is no safetensors file: {error}") from error
    if not isinstance(head, dict):
        raise ValueError(f"{file.name} is no safetensors file")
    head.pop("__metadata__", None)
    size = file.stat().st_size
    shapes, spans = {}, []
    for name, one in head.items():
        if not _is_table(one, size):
            raise ValueError(f"{file.name} holds what is no table of plain numbers: {str(name)[:80]}")
        shapes[name] = tuple(one["shape"])
        spans.append(tuple(one["data_offsets"]))
    end = 0
    for start, stop in sorted(spans):
        if start != end:  # else a small file could say that it is a large one
            raise ValueError(f"{file.name} holds tables that overlap, or bytes of none")
        end = stop
    if size != 8 + n_bytes + end:
        raise ValueError(f"{file.name} is cut off, or more than it says")
    return shapes


def _is_table(one: Any, most: int) -> bool:
    """Return whether an entry of the head says a type, a shape and a span that fit together, no number above `most`."""
    try:
        shape, span, n_bytes = one["shape"], one["data_offsets"], _BYTES[one["dtype"]]
    except (KeyError, TypeError):
        return False
    if not (isinstance(shape, list) and isinstance(span, list) and len(shape) <= _MOST_DIMENSIONS and len(span) == 2):
        return False
    if not all(type(number) is int and 0 <= number <= most for number in (*shape, *span)):
        return False
    return bool(span[1] - span[0] == math.prod(shape) * n_bytes)
