"""Backups with something changed inside of them, hashes and all, restored into an empty folder."""

import hashlib
import io
import json
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from choices import Choices, damaged, odd_json

from mantic.core import artifact
from mantic.store.predictions import Prediction
from mantic.store.restore import restore
from mantic.store.store import open_store


@cache
def _sound() -> dict[str, bytes]:
    """Return the members of a backup with something of everything."""
    with tempfile.TemporaryDirectory(prefix="mantic-fuzz-") as place:
        folder = Path(place)
        (folder / "parts").mkdir()
        (folder / "parts" / "weights.json").write_text("[1, 2, 3]")
        file = artifact.write(folder / "churn.mantic", manifest={"task": "classify"}, folder=folder / "parts")
        with open_store(folder / "store") as store:
            store.models.register(file)
            store.runs.append(store.runs.start("churn", "fit"), [("measured", {"score": 0.5})])
            store.alerts.add("note", "code", "text")
            store.predictions.append([Prediction("churn", None, {"x": 1}, {"y": 2}, id="p1")])
            store.outcomes.add({"p1": "yes"})
            path = store.back_up(folder / "all.backup").path
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def changed(choices: Choices) -> tuple[str, bytes]:
    """Return what was changed, and the file."""
    members, told = dict(_sound()), []
    for _ in range(1 + choices.below(2)):
        name = choices.pick([one for one in sorted(members) if members[one]])
        members[name] = _changed_part(name, members[name], choices)
        told.append(name)
    if "manifest.json" not in told:
        about = json.loads(members["manifest.json"])
        for name, content in members.items():
            if name != "manifest.json":
                about["members"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        members["manifest.json"] = json.dumps(about).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for one, each in members.items():
            archive.writestr(one, each)
    content = out.getvalue()
    return ", ".join(told), damaged(content, choices) if choices.once_in(8) else content


def bring(path: Path) -> None:
    """Restore a backup; what is restored can be looked through."""
    with tempfile.TemporaryDirectory(prefix="mantic-fuzz-") as place:
        restore(path, Path(place) / "store")
        with open_store(Path(place) / "store") as store:
            store.verify()
            for version in store.models.list():
                store.models.aliases()
                str(version)
            store.models.moves("churn"), store.runs.list(), store.alerts.list(), store.audit.list(None, limit=50)
            for run in store.runs.list():
                store.runs.events(run.id)


def _changed_part(name: str, content: bytes, choices: Choices) -> bytes:
    try:
        return _changed_inside(name, content, choices)
    except ValueError:  # it was changed before, and is no JSON any more
        return damaged(content, choices)


def _changed_inside(name: str, content: bytes, choices: Choices) -> bytes:
    if choices.once_in(6) or name.startswith("blobs/"):
        return damaged(content, choices)
    if name == "manifest.json":
        return json.dumps(odd_json(json.loads(content), choices)).encode()
    lines = content.splitlines()
    place = choices.below(len(lines))
    lines[place] = json.dumps(odd_json(json.loads(lines[place]), choices)).encode()
    return b"\n".join(lines) + b"\n"
