"""A model file whose parts do not fit together is refused when it is loaded, not when it is asked."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.artifact import _member
from mantic.core.errors import ArtifactError

Change = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def saved(churn_like: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the members of a small model."""
    path = tmp_path_factory.mktemp("model") / "churn.mantic"
    frame = churn_like.head(200)
    mantic.Classifier(budget="1 trial", learners=["linear"]).fit(frame, frame.columns[-1]).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_changed(members: dict[str, bytes], name: str, change: Change, into: Path) -> Path:
    """Write the file again with another part, which the manifest vouches for."""
    members = members | {name: change(members[name])}
    about = json.loads(members["manifest.json"])
    for part in about["parts"]:
        about["parts"][part] = {"size": len(members[part]), "sha256": hashlib.sha256(members[part]).hexdigest()}
    members["manifest.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(into, "w") as archive:
        for member, content in members.items():
            archive.writestr(_member(member), content)
    return into


def facts(**changed: Any) -> Change:
    return lambda content: json.dumps(json.loads(content) | changed).encode()


def arrays(name: str, change: Callable[[Any], Any]) -> Change:
    def changed(content: bytes) -> bytes:
        with np.load(io.BytesIO(content)) as held:
            found = dict(held)
        out = io.BytesIO()
        np.savez(out, **found | {name: change(found[name])})
        return out.getvalue()

    return changed


def shorter(content: bytes) -> bytes:
    out = io.BytesIO()
    pl.read_ipc(content).head(1).write_ipc(out)
    return out.getvalue()


CHANGES: dict[str, tuple[str, Change]] = {
    "a weight that is a text": ("parts/blend.json", facts(weights=["1"])),
    "a weight that is huge": ("parts/blend.json", facts(weights=[10**400])),
    "a slope that is no number": ("parts/blend.json", facts(slope=None)),
    "a base of another shape": ("parts/blend.json", facts(base=[1.0, 2.0, 3.0])),
    "more classes than labels": ("parts/blend.json", facts(n_classes=3)),
    "no classes": ("parts/blend.json", facts(n_classes=0)),
    "one label too few": ("manifest.json", facts(classes={"type": "<U3", "labels": ["yes"]})),
    "a label of half a character": ("manifest.json", facts(classes={"type": "<U3", "labels": ["no", "\ud800"]})),
    "weights of other columns": ("parts/0/learner/linear.npz", arrays("weights", lambda found: found[:, :-1])),
    "complex weights": ("parts/0/learner/linear.npz", arrays("weights", lambda found: found.astype(complex))),
    "infinite weights": ("parts/0/learner/linear.npz", arrays("weights", lambda found: found * np.inf)),
    "errors that are cut off": ("parts/conformal.npz", lambda content: content[: len(content) // 2]),
    "no errors": ("parts/conformal.json", lambda content: b"7"),
    "fewer rows than answers": ("parts/background.arrow", shorter),
    "rows that are cut off": ("parts/background.arrow", lambda content: content[:-40]),
    "rows that are none": ("parts/background.arrow", lambda content: b"ARROW1\0\0" + bytes(200) + b"ARROW1"),
    "a report that is no text": ("report.json", lambda content: b"\xff\xfe"),
}


def test_the_model_itself_is_loaded(saved, tmp_path):
    path = with_changed(saved, "manifest.json", lambda content: content, tmp_path / "same.mantic")

    assert mantic.load(path).classes_.tolist()


@pytest.mark.parametrize("what", list(CHANGES))
def test_a_model_whose_parts_do_not_fit_together_is_refused(saved, tmp_path, what):
    path = with_changed(saved, *CHANGES[what], tmp_path / "changed.mantic")

    with pytest.raises(ArtifactError):
        mantic.load(path)


def test_an_encoder_that_learned_no_numbers_is_refused(saved, tmp_path):
    name = "parts/0/encoder/encoder.npz"
    with np.load(io.BytesIO(saved[name])) as held:
        one = next(key for key in held.files if held[key].dtype.kind == "f" and held[key].size)
    path = with_changed(saved, name, arrays(one, lambda found: found * np.nan), tmp_path / "changed.mantic")

    with pytest.raises(ArtifactError, match="encoder"):
        mantic.load(path)
