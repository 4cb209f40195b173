"""Signatures of models: Ed25519 over the SHA-256 of the whole file, kept beside the file or in the store."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cryptography.exceptions import InvalidSignature

from mantic.core.errors import ArtifactError, StoreError
from mantic.core.files import write_atomic
from mantic.core.strict_json import read_json
from mantic.store.key import Key, Keys, key_id
from mantic.store.signatures import Signature

FORMAT = 1
_MAX_BYTES = 100_000
_PURPOSE = b"mantic model file, SHA-256: "  # what is signed can be taken for nothing else


@dataclass(frozen=True)
class Signed:
    """What lies in a `.sig` file."""

    sha256: str
    signatures: tuple[Signature, ...]


def sign(sha256: str, keys: Keys, name: str) -> Signature:
    """Return a signature of a model file by a key of one's own.

    Raises
    ------
    StoreError : if the private half of the key is not here.
    """
    private = keys.private(name)
    made = private.sign(_PURPOSE + sha256.encode("ascii"))
    return Signature(key_id(private.public_key()), base64.b64encode(made).decode("ascii"))


def check(sha256: str, signatures: Sequence[Signature], trusted: Sequence[Key], *, where: str) -> Key:
    """Return the trusted key that signed a model file.

    Raises
    ------
    ArtifactError : if it is not signed, by nobody who is trusted, or was changed since.
    """
    if not signatures:
        _refuse("it is not signed", where, "ask for a signed one, or sign it: mantic models sign REFERENCE --key NAME")
    by_id = {key.id: key for key in trusted}
    known = [(by_id[one.key], one) for one in signatures if one.key in by_id]
    if not known:
        signers = ", ".join(sorted(one.key for one in signatures))
        _refuse(f"it is signed by {signers}, which is not trusted here", where, "if you do: mantic keys trust FILE")
    for key, one in known:
        try:
            key.public.verify(base64.b64decode(one.signature, validate=True), _PURPOSE + sha256.encode("ascii"))
        except (InvalidSignature, binascii.Error, ValueError):
            continue
        return key
    names = ", ".join(key.name for key, _ in known)
    _refuse(f"the signature by {names} is of other content", where, "do not use this file: it was changed since")


def beside(model: str | Path) -> Path:
    """Return where the signatures of a model file lie.

    >>> beside("churn.mantic").name
    'churn.mantic.sig'
    """
    return Path(f"{model}.sig")


def write_signed(model: str | Path, signed: Signed) -> Path:
    """Write the signatures of a model file beside it."""
    place = beside(model)
    listed = [{"key": one.key, "signature": one.signature} for one in signed.signatures]
    facts = {"format": FORMAT, "algorithm": "ed25519", "sha256": signed.sha256, "signatures": listed}
    try:
        with write_atomic(place) as part:
            part.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    except OSError as error:
        what = f"the signature cannot be written: {error.strerror or error}"
        raise StoreError(what, where=str(place), fix="choose a folder that can be written") from error
    return place


def read_signed(model: str | Path) -> Signed:
    """Return the signatures beside a model file; without signatures when there is no such file.

    Raises
    ------
    ArtifactError : if the file is no file of signatures.
    """
    place = beside(model)
    try:
        with place.open("rb") as stream:
            facts = read_json(stream.read(_MAX_BYTES), max_depth=3)
        listed = [Signature(str(one["key"]), str(one["signature"])) for one in facts["signatures"]]
        return Signed(str(facts["sha256"]), tuple(listed))
    except FileNotFoundError:
        return Signed("", ())
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise ArtifactError(
            f"this holds no signatures: {error}", where=str(place), fix="copy it again from where it came"
        ) from error


def _refuse(why: str, where: str, fix: str) -> NoReturn:
    raise ArtifactError(f"the model is refused: {why}", where=where, fix=fix)
