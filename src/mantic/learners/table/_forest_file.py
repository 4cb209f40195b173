"""A forest in a file: plain arrays, what answers need in a fraction of the bytes, and nothing that runs."""

from pathlib import Path
from typing import Any

from mantic.core.errors import ArtifactError
from mantic.core.parts import read_parts, write_parts
from mantic.learners.table._classes import Classes
from mantic.learners.table._grove import Bare, Grove
from mantic.learners.table._skops import TREES, load_model

_SKOPS_KINDS = (
    "RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"
)  # fmt: skip


def save_forest(folder: Path, grove: Grove, classes: Classes) -> None:
    """Write a forest's trees into `forest.npz`."""
    write_parts(folder, "forest", classes.facts() | {"n_columns": grove.n_columns}, grove.arrays())


def load_forest(folder: Path) -> tuple[Grove, Classes]:
    """Return the forest and its classes.

    Raises
    ------
    ArtifactError : if the file is damaged, or a tree in it points outside of itself.
    """
    if (folder / "model.skops").exists():  # saved before trees were kept as numbers
        return _from_skops(folder)
    facts, arrays = read_parts(folder, "forest")
    try:
        classes = Classes.from_facts(facts)
        n_classes = len(classes.seen)
        return Grove.from_arrays(arrays, n_columns=int(facts["n_columns"]), n_classes=n_classes), classes
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ArtifactError(
            f"a part of the saved model is refused: {error}",
            where=str(folder / "forest.npz"),
            fix="load only models from a source that you trust; fit and save it anew",
        ) from error


def _from_skops(folder: Path) -> tuple[Grove, Classes]:
    found: tuple[Any, Classes] = load_model(folder, trusted=TREES, kinds=_SKOPS_KINDS)
    model, classes = found
    return Grove.of([Bare.of(one.tree_, len(classes.seen)) for one in model.estimators_], len(classes.seen)), classes
