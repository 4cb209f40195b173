"""Passwords: what is kept of them, and why one is not good enough."""

import secrets
import string
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mantic.core.errors import StoreError
from mantic.core.lazy import need

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST = 12  # characters; ASVS 5.0, 6.2.1 asks for 8 and recommends 15
MOST = 1000  # characters; more would only keep the machine busy
_FEW = 5  # different characters
_AT_ONCE = threading.BoundedSemaphore(2)  # each takes 64 MiB
_PATIENCE_SECONDS = 10.0

# what a well-known password is when its digits, marks and capitals are taken off
_TRIED_FIRST = """
password passwort motdepasse contrasena passphrase secret geheim qwerty qwertz azerty qwertyuiop qwertzuiop azertyuiop
asdfghjkl letmein welcome willkommen bienvenue iloveyou changeme administrator admin mantic login master monkey dragon
football baseball sunshine princess superman batman trustno whatever starwars default test testtest user username
correcthorsebatterystaple qwertyasdfgh onetwothree passwordpassword adminadmin
"""
_KNOWN = frozenset(_TRIED_FIRST.split())
_AROUND = string.digits + string.punctuation + " "
_LOOKS_LIKE = str.maketrans("@4310$5!7", "aaelossit")


def reasons_against(password: str, name: str = "") -> list[str]:
    """Return why a password is not good enough; nothing when it is.

    Parameters
    ----------
    name : whose it is to be.

    >>> reasons_against("tide"), reasons_against("slow tide, old boat")
    (['it has 4 characters; 12 are needed'], [])
    """
    found = []
    if len(password) < LEAST:
        found.append(f"it has {len(password)} characters; {LEAST} are needed")
    if len(password) > MOST:
        found.append(f"it has {len(password):,} characters; {MOST:,} are allowed")
    lower = password[:MOST].casefold()
    if len(password) >= LEAST:
        if len(set(lower)) < _FEW or _is_row(lower):
            found.append("it is a simple row of characters")
        elif _core(lower) in _KNOWN or _core(lower.strip(_AROUND).translate(_LOOKS_LIKE)) in _KNOWN:
            found.append("it is one that is tried first")
        if name and (_core(name.casefold()) or name.casefold()) in (lower, _core(lower)):
            found.append("it is little more than the name")
    return found


def hashed(password: str) -> str:
    """Return what is kept of a password: argon2id with a salt of its own, about a tenth of a second of work.

    Raises
    ------
    StoreError : if too many wait for theirs.
    """
    with _turn():
        return _hasher().hash(_one_spelling(password))


def is_right(password: str, kept: str | None) -> bool:
    """Whether a password is the one that is kept; the answer takes as long where none is kept.

    Raises
    ------
    StoreError : if too many wait for theirs.
    """
    exceptions: Any = need("argon2.exceptions", why="passwords")
    with _turn():
        spare = _nobodys()  # made by the first who asks, whatever the name
        try:
            _hasher().verify(kept or spare, _one_spelling(password[:MOST]))
        except (exceptions.VerificationError, exceptions.InvalidHashError):
            return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a password was hashed by other parameters than today's."""
    return _hasher().check_needs_rehash(kept)


@cache
def _hasher() -> "PasswordHasher":
    """Return the second recommended choice of RFC 9106: three passes, 64 MiB, four lanes."""
    argon2: Any = need("argon2", why="passwords")
    made: PasswordHasher = argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)
    return made


@cache
def _nobodys() -> str:
    """Return a hash that is checked where there is none."""
    return _hasher().hash(secrets.token_urlsafe(32))


@contextmanager
def _turn() -> Iterator[None]:
    """Let few hash at once: many signs-in must not take all memory."""
    if not _AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
        raise StoreError("too many sign in at this moment", where="sign-in", fix="try again in a minute")
    try:
        yield
    finally:
        _AT_ONCE.release()


def _one_spelling(password: str) -> bytes:
    """Return the bytes of a password; two keyboards may spell one letter in two ways."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _core(text: str) -> str:
    return "".join(mark for mark in text if mark.isalpha())


def _is_row(text: str) -> bool:
    """Whether most characters follow each other, as in 123456 or fedcba."""
    steps = [ord(after) - ord(one) for one, after in pairwise(text)]
    return sum(abs(step) <= 1 for step in steps) > 0.7 * len(steps)
