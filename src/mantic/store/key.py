"""Keys that sign models: one's own and those of others that one trusts. They lie with the user, not in a store."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from mantic.core.errors import StoreError
from mantic.core.files import names_to_disk, write_atomic
from mantic.store.reference import check_name

_OWN, _PUBLIC = ".key", ".pub"
_FIX = "'mantic keys' lists those that are there"


@dataclass(frozen=True)
class Key:
    """A key that is trusted; `is_own` when its private half is here, too."""

    name: str
    id: str
    is_own: bool
    public: Ed25519PublicKey


class Keys:
    """The keys in a folder: `NAME.key` is private, for its owner only; `NAME.pub` is trusted.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = Keys(Path(folder)).new("ada")
    ...     [key.name for key in Keys(Path(folder)).list()]
    ['ada']
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new(self, name: str) -> Key:
        """Make a key of one's own.

        Raises
        ------
        StoreError : if there is a key of this name already, or the folder cannot be written.
        """
        path = self._free(name)
        made = Ed25519PrivateKey.generate()
        text = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            names_to_disk(self.folder)
            self._write_public(name, made.public_key())
        except OSError as error:
            raise self._unwritten(error) from error
        return self.get(name)

    def list(self) -> list[Key]:
        """Return the keys that are trusted, by name."""
        return [self.get(path.stem) for path in sorted(self.folder.glob(f"*{_PUBLIC}"))]

    def get(self, name: str) -> Key:
        """Return a key.

        Raises
        ------
        StoreError : if there is none of this name, or its file is damaged.
        """
        path = self.folder / f"{check_name(name)}{_PUBLIC}"
        try:
            public = read_public(path.read_bytes(), where=str(path))
        except FileNotFoundError as error:
            raise StoreError(f"there is no key '{name}'", where=str(self.folder), fix=_FIX) from error
        return Key(path.stem, key_id(public), path.with_suffix(_OWN).exists(), public)

    def private(self, name: str) -> Ed25519PrivateKey:
        """Return the private half of a key of one's own.

        Raises
        ------
        StoreError : if it is not here, damaged, or others can read it.
        """
        self.get(name)
        path = self.folder / f"{name}{_OWN}"
        try:
            if path.stat().st_mode & 0o077:
                raise StoreError("others can read this private key", where=str(path), fix=f"chmod 600 {path}")
            found = load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError as error:
            raise StoreError(
                f"the key '{name}' is another one's: it can check, not sign", where=str(self.folder), fix=_FIX
            ) from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise StoreError(f"this is no private key: {error}", where=str(path), fix="make a new one") from error
        if not isinstance(found, Ed25519PrivateKey):
            raise StoreError("this is no Ed25519 key", where=str(path), fix="make one with 'mantic keys new'")
        return found

    def export(self, name: str) -> str:
        """Return the public half as text, to be given to others."""
        return _text(self.get(name).public)

    def trust(self, text: bytes, name: str, *, where: str = "key") -> Key:
        """Trust the key of someone else from now on.

        Raises
        ------
        StoreError : if the text is no public key, or there is a key of this name already.
        """
        self._free(name)
        public = read_public(text, where=where)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write_public(name, public)
        except OSError as error:
            raise self._unwritten(error) from error
        return self.get(name)

    def remove(self, name: str) -> Key | None:
        """Trust a key no longer; a private half goes too, for good.

        Returns
        -------
        The key; None where only a private half was there, as whoever made it was killed.
        """
        own, public = (self.folder / f"{check_name(name)}{ending}" for ending in (_OWN, _PUBLIC))
        found = None if own.exists() and not public.exists() else self.get(name)
        for half in (own, public):
            half.unlink(missing_ok=True)
        names_to_disk(self.folder)
        return found

    def _free(self, name: str) -> Path:
        path = self.folder / f"{check_name(name)}{_OWN}"
        if path.exists() or path.with_suffix(_PUBLIC).exists():
            raise StoreError(
                f"there is a key '{name}' already", where=str(self.folder), fix=f"mantic keys remove {name}, or --name"
            )
        return path

    def _write_public(self, name: str, public: Ed25519PublicKey) -> None:
        with write_atomic(self.folder / f"{name}{_PUBLIC}") as part:
            part.write_text(_text(public), "ascii")

    def _unwritten(self, error: OSError) -> StoreError:
        what = f"the key cannot be written: {error.strerror or error}"
        return StoreError(what, where=str(self.folder), fix="set store.keys to a folder that can be written")


def user_keys() -> Path:
    """Return the folder where this user's keys lie when nothing else is set."""
    from platformdirs import user_config_path

    return user_config_path("mantic", appauthor=False) / "keys"


def key_id(public: Ed25519PublicKey) -> str:
    """Return sixteen hexadecimal digits that name a key, whatever people call it."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def read_public(text: bytes, *, where: str) -> Ed25519PublicKey:
    """Return the public key in a text.

    Raises
    ------
    StoreError : if there is none in it; a private key is refused by name, as it should be shown to nobody.
    """
    if b"PRIVATE KEY" in text:
        raise StoreError(
            "this is a private key, which nobody but its owner should have",
            where=where,
            fix="ask for the output of 'mantic keys export'",
        )
    try:
        found = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise StoreError(
            "this is no public key", where=where, fix="ask for the output of 'mantic keys export'"
        ) from error
    if not isinstance(found, Ed25519PublicKey):
        raise StoreError("this is no Ed25519 key", where=where, fix="ask for the output of 'mantic keys export'")
    return found


def _text(public: Ed25519PublicKey) -> str:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
