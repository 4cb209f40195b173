"""Whether the model files of a store are to be trusted, where a signature is required."""

from collections.abc import Sequence
from pathlib import Path

from mantic.core.settings import StoreSettings
from mantic.store.blobs import digest
from mantic.store.key import Keys, user_keys
from mantic.store.signature import check
from mantic.store.signatures import Signature
from mantic.store.store import open_store


def keys_of(settings: StoreSettings) -> Keys:
    """Return the keys that are set."""
    return Keys(Path(settings.keys).expanduser() if settings.keys else user_keys())


def check_signed(sha256: str, signatures: Sequence[Signature], words: str, settings: StoreSettings) -> None:
    """Refuse content that no trusted key has signed.

    Raises
    ------
    ArtifactError : says what is missing.
    """
    check(sha256, signatures, keys_of(settings).list(), where=words)


def check_followed(path: Path, settings: StoreSettings) -> None:
    """Refuse the file of a version to which an alias has moved, if a signature is required and none can be trusted.

    Raises
    ------
    ArtifactError : says what is missing.
    """
    if settings.signature == "require":
        content = digest(path)
        with open_store(settings.url, blobs=settings.blobs) as store:
            check_signed(content, store.signatures.of(content), path.stem, settings)
