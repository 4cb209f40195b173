"""An estimator as one file, and back."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mantic.core import artifact
from mantic.core.arrow_lengths import check_file
from mantic.core.errors import ArtifactError, MissingExtraError
from mantic.core.schema import Schema
from mantic.evaluate.decide import Decision
from mantic.evaluate.unseen import Unseen
from mantic.report.blocks import Report
from mantic.search.blend import Blend
from mantic.search.record import Record
from mantic.tasks.tried import try_out

if TYPE_CHECKING:
    from mantic.tasks.base import Estimator

_BACKGROUND, _ANSWERS = "background.arrow", "background_answers.arrow"
_DECISION, _RECORD = "decision.json", "record.json"


def save(estimator: "Estimator", path: str | Path) -> Path:
    """Write a fitted estimator to one `.mantic` file, atomically; return the path."""
    manifest: dict[str, Any] = {
        "task": estimator.task.name,
        "parameters": estimator.get_params(deep=False),
        "schema": json.loads(estimator.schema_.to_json()),
        "target": json.loads(Schema((estimator.target_,)).to_json()),
        "roles": list(estimator.roles_),
        "kinds": estimator.kinds_,
        "names": estimator.feature_names_in_.tolist() if hasattr(estimator, "feature_names_in_") else None,
        "classes": None,
    }
    if estimator.model_.n_classes:
        labels = estimator.classes_
        manifest["classes"] = {"type": labels.dtype.str, "labels": labels.tolist()}
    with tempfile.TemporaryDirectory(prefix="mantic-save-") as name:
        folder = Path(name)
        estimator.model_.save(folder)
        estimator.background_.write_ipc(folder / _BACKGROUND, compression="zstd")
        estimator.background_answers_.write_ipc(folder / _ANSWERS, compression="zstd")
        if estimator.unseen_ is not None:
            estimator.unseen_.save(folder)
        if estimator.decision_ is not None:
            (folder / _DECISION).write_text(estimator.decision_.to_json(), "utf-8")
        if estimator.record_ is not None:
            (folder / _RECORD).write_text(estimator.record_.to_json(), "utf-8")
        return artifact.write(path, manifest=manifest, folder=folder, report=estimator.report_.to_json())


def restore(opened: artifact.Artifact, where: str) -> "Estimator":
    """Return the estimator in a file that passed every check.

    Raises
    ------
    ArtifactError : if its content does not fit together.
    """
    from mantic.tasks.choose import TASKS

    manifest = opened.manifest
    try:
        kind = TASKS[manifest["task"]]
        known = set(kind().get_params())
        estimator = kind(**{key: value for key, value in manifest["parameters"].items() if key in known})
        schema = Schema.from_json(json.dumps(manifest["schema"]))
        estimator.schema_ = schema
        estimator.target_ = Schema.from_json(json.dumps(manifest["target"])).columns[0]
        estimator.n_features_in_ = len(schema)
        if manifest["names"] is not None:
            estimator.feature_names_in_ = np.asarray(manifest["names"], dtype=object)
        if manifest["classes"] is not None:
            about = manifest["classes"]
            estimator.classes_ = np.asarray(about["labels"]).astype(np.dtype(about["type"]))
        estimator.model_ = Blend.load(opened.folder, schema)
        estimator.background_ = _frame(opened.folder / _BACKGROUND)
        estimator.background_answers_ = _frame(opened.folder / _ANSWERS)
        estimator.report_ = Report.from_json(opened.report_text)
        estimator.unseen_ = Unseen.load(opened.folder, estimator.model_.n_classes)
        estimator.roles_ = tuple(manifest.get("roles", (None, None)))
        estimator.kinds_ = {str(name): str(word) for name, word in manifest.get("kinds", {}).items()}
        estimator.record_ = _record(opened.folder / _RECORD)
        estimator.decision_ = _decision(opened.folder / _DECISION, estimator.model_.n_classes)
        try_out(estimator)
    except MissingExtraError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # each library has errors of its own for odd content
        raise ArtifactError(
            f"the parts of the model do not fit together: {error}",
            where=where,
            fix="save the model again with this version of mantic",
        ) from error
    estimator.version_ = opened.version
    return estimator


def _frame(file: Path) -> pl.DataFrame:
    content = file.read_bytes()
    check_file(content)
    return pl.read_ipc(content)


def _record(file: Path) -> Record | None:
    return Record.from_json(file.read_text("utf-8")) if file.exists() else None


def _decision(file: Path, n_classes: int) -> Decision | None:
    if not file.exists():
        return None
    found = Decision.from_json(file.read_text("utf-8"))
    if len(found.costs.classes) != n_classes:
        raise ValueError("the decision is for other classes")
    return found
