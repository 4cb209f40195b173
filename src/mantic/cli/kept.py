"""The door to the store for verbs: where it lies, which file a MODEL means, and what is kept after a fit."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mantic.cli.screen import tell
from mantic.core.errors import ManticError
from mantic.core.settings import StoreSettings
from mantic.store.reference import is_reference, name_for, read_reference

if TYPE_CHECKING:
    from mantic.cli.scribe import Scribe
    from mantic.store.models import Models
    from mantic.store.store import Store
    from mantic.store.version import Version


def store_of(settings: StoreSettings) -> "Store":
    """Open the store that is set."""
    from mantic.store.store import open_store

    return open_store(settings.url, blobs=settings.blobs)


@contextmanager
def model_file(words: str, settings: StoreSettings) -> Iterator[Path]:
    """Give the file of a MODEL, be it a path or a reference, until the block ends; signed, where that is required.

    Raises
    ------
    StoreError : if there is no such version.
    ArtifactError : if a signature is required and there is none to be trusted.
    """
    must_be_signed = settings.signature == "require"
    if must_be_signed:
        from mantic.store.trust import check_signed
    if is_reference(words):
        with store_of(settings) as store:
            version = store.models.get(words)
            with store.models.file(str(version)) as path:  # by number: an alias may move at any moment
                if must_be_signed:
                    check_signed(version.sha256, store.signatures.of(version.sha256), words, settings)
                yield path
    elif must_be_signed and Path(words).is_file():
        from mantic.store.blobs import digest
        from mantic.store.signature import read_signed

        with tempfile.TemporaryDirectory(prefix="mantic-signed-") as folder:
            path = Path(folder) / "model.mantic"
            shutil.copyfile(words, path)  # what was checked is what is used, whatever happens to the file meanwhile
            check_signed(digest(path), read_signed(words).signatures, words, settings)
            yield path
    else:
        yield Path(words)


def model_name(words: str) -> str:
    """Return the name of a MODEL: of its file, or that by which it is kept."""
    return read_reference(words).name if is_reference(words) else Path(words).stem


def keep(model: Path, data: str, scribe: "Scribe") -> str | None:
    """Keep a fitted model as the next version of its file's name; return what it is called.

    The file is saved already: a store that cannot be written is a warning.
    """
    try:
        store = scribe.store()
        version = store.models.register(model, name_for(model), fingerprint=_remember(store, data))
        scribe.outcome = {"model": str(version), "metric": version.metric, "score": version.score}
        tell(f"kept as {version} {champion_of(version, store.models)}")
        return str(version)
    except ManticError as error:
        scribe.is_lost = True
        where = f" ({error.where})" if error.where else ""
        tell(f"warning: {model} is saved, but not kept in the store: {error.what}{where}; {error.fix}")
        return None


def champion_of(version: "Version", models: "Models") -> str:
    """Return in brackets which version of the name is the champion."""
    number = models.aliases(version.name).get(version.name, {}).get("champion")
    if number == version.number:
        return "(champion)"
    return f"(champion is {version.name}/{number})" if number else "(no champion)"


def _remember(store: "Store", data: str) -> str:
    """Put down the data set, if it is a file; return its fingerprint."""
    file = Path(data)
    if not file.is_file():
        return ""
    from mantic.store.blobs import digest

    fingerprint = f"sha256:{digest(file)}"
    store.datasets.add(fingerprint, file.name, n_bytes=file.stat().st_size)
    return fingerprint
