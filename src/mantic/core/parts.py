"""Facts as JSON and arrays as npz beside each other: how encoders and learners keep what they learned."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mantic.core.errors import ArtifactError
from mantic.core.table import Array


def write_parts(folder: Path, name: str, facts: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Write `name.json` and `name.npz`; the same content gives the same bytes.

    Parameters
    ----------
    facts : plain JSON values; floats keep every bit.
    arrays : numbers of any shape; an array of objects is refused when it is read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    np.savez(folder / f"{name}.npz", **arrays)  # type: ignore[arg-type]  # numpy types its own option as a keyword


def read_parts(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the facts and arrays that `write_parts` wrote; runs no code from the files.

    Raises
    ------
    ArtifactError : if a file is absent, damaged, or holds anything but numbers.
    """
    try:
        facts = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        with (folder / f"{name}.npz").open("rb") as file, np.load(file, allow_pickle=False) as held:
            return facts, {key: held[key] for key in held.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ArtifactError(
            f"the part '{name}' of a saved model cannot be read: {error}",
            where=str(folder),
            fix="copy the model file again, or fit and save it anew",
        ) from error
