"""Model files with something changed inside of them, hashes and all, and what is asked of those that still load."""

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from choices import Choices, damaged, odd_json
from made_models import table

from mantic.core.artifact import _member
from mantic.serve.question import Limits
from mantic.serve.served import Served
from mantic.tasks.base import load

_BODY = json.dumps(
    {"rows": [{"age": 41, "plan": "gold", "since": "2021-05-01", "is_member": True, "remark": "late again"}]}
).encode()
_ROWS = json.dumps({"rows": [dict.fromkeys(("age", "plan", "since", "is_member", "remark"))] * 20}).encode()
_DTYPES = ("float64", "float32", "int8", "int64", "uint8", "bool", "complex128", "U3", "M8[D]", "float16")


@dataclass(frozen=True)
class Base:
    """A sound model file, taken apart."""

    name: str
    raw: bytes
    members: dict[str, bytes]


@cache
def bases(folder: Path) -> tuple[Base, ...]:
    """Return the models of a folder."""
    found = []
    for path in sorted(folder.glob("*.mantic")):
        with zipfile.ZipFile(path) as archive:
            found.append(Base(path.stem, path.read_bytes(), {name: archive.read(name) for name in archive.namelist()}))
    return tuple(found)


def changed(choices: Choices, models: tuple[Base, ...]) -> tuple[str, bytes]:
    """Return what was changed, and the file."""
    base = choices.pick(models)
    if choices.once_in(10):
        return f"{base.name} as bytes", damaged(base.raw, choices)
    members, told = dict(base.members), []
    for _ in range(1 + choices.below(2)):
        name = choices.pick([one for one in sorted(members) if members[one]])
        members[name] = _changed_part(name, members[name], choices)
        told.append(name)
    about = json.loads(members["manifest.json"]) if "manifest.json" not in told else None
    if about is not None:
        for name, content in members.items():
            if name != "manifest.json":
                about["parts"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        members["manifest.json"] = json.dumps(about).encode()
    return f"{base.name}: {', '.join(told)}", packed(members)


def packed(members: dict[str, bytes]) -> bytes:
    """Return members as a model file holds them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(_member(name), content)
    return out.getvalue()


def ask(path: Path) -> None:
    """Load a model and ask it everything that a server, a caller and a page would."""
    model: Any = load(path)
    frame = table().head(25)
    model.predict(frame)
    served = Served("fuzzed", model)
    for body in (_BODY, _ROWS):
        question = served.read(body, Limits())
        served.reply(served.predictions(question), question.warnings)
    served.about()


def _changed_part(name: str, content: bytes, choices: Choices) -> bytes:
    try:
        return _changed_inside(name, content, choices)
    except (ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error):  # it was changed before
        return damaged(content, choices)


def _changed_inside(name: str, content: bytes, choices: Choices) -> bytes:
    if choices.once_in(8):
        return damaged(content, choices)
    if name.endswith(".json"):
        return json.dumps(odd_json(json.loads(content), choices)).encode()
    if name.endswith(".npz"):
        return _changed_arrays(content, choices)
    if name.endswith(".skops"):
        return _changed_skops(content, choices)
    if content[:1] == b"\x78":
        return zlib.compress(damaged(zlib.decompress(content), choices), level=1)
    return damaged(content, choices)


def _changed_arrays(content: bytes, choices: Choices) -> bytes:
    with np.load(io.BytesIO(content), allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    if not arrays:
        return damaged(content, choices)
    name = choices.pick(sorted(arrays))
    arrays[name] = _odd_array(arrays[name], choices)
    if choices.once_in(12):
        del arrays[name]
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def _odd_array(array: Any, choices: Choices) -> Any:
    kind = choices.below(6)
    if kind == 0:
        return array.astype(choices.pick(_DTYPES), casting="unsafe")
    if kind == 1:
        return array[: choices.below(len(array) + 1)] if array.ndim else array[None]
    if kind == 2:
        return choices.pick(
            (array[None], array.reshape(-1), array.T, np.concatenate([array, array]) if array.ndim else array)
        )
    array = array.copy()
    if array.size:
        odd = choices.pick((0, -1, 1, 2, 127, 2**31 - 1, -(2**31), 1e308, np.nan, np.inf, -np.inf, 300))
        place = choices.below(array.size)
        with np.errstate(all="ignore"):
            odd = np.asarray(odd).astype(array.dtype)
        array.reshape(-1)[place : place + choices.pick((1, 1, 3, 10**9))] = odd
    return array


def _changed_skops(content: bytes, choices: Choices) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "schema.json" if choices.once_in(2) else choices.pick(sorted(members))
    if name == "schema.json":
        members[name] = json.dumps(odd_json(json.loads(members[name]), choices)).encode()
    elif name.endswith(".npy") and not choices.once_in(6):
        out = io.BytesIO()
        np.save(out, _odd_array(np.load(io.BytesIO(members[name]), allow_pickle=False), choices), allow_pickle=False)
        members[name] = out.getvalue()
    else:
        members[name] = damaged(members[name], choices)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for one, each in members.items():
            archive.writestr(one, each)
    return out.getvalue()
