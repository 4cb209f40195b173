"""API keys: who may ask what, until when and how often."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mantic.serve.admission import busy
from mantic.serve.problem import ForbiddenError, KeyMissingError
from mantic.serve.route import Address

PREFIX = "mantic"


@dataclass(frozen=True)
class Grant:
    """What a key allows.

    Parameters
    ----------
    id : names the key in lists and logs; it tells nothing of the secret.
    name : whose it is.
    scopes : of `route.SCOPES`; "admin" allows all.
    expires : seconds since 1970; None for never.
    per_second : requests; None for as many as there are.
    """

    id: str
    name: str
    scopes: frozenset[str]
    expires: float | None = None
    per_second: float | None = None

    def allows(self, scope: str) -> bool:
        """Whether it may be used for this.

        >>> Grant("1", "shop", frozenset({"predict"})).allows("explain")
        False
        """
        return scope in self.scopes or "admin" in self.scopes


class Keyring(Protocol):
    """Where keys are known. Called for every request, so it answers from memory."""

    def find(self, key: str) -> Grant | None:
        """Return what a key allows; None if it is unknown, wrong, revoked or past its end."""
        ...


class Guard:
    """Lets in who has a key for an address, and not more often than the key allows."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._buckets: dict[str, tuple[float, float]] = {}  # id of a key -> tokens, and when they were counted

    def check(self, address: Address | None, headers: Mapping[bytes, bytes]) -> Grant | None:
        """Let a request pass; return what its key allows, None where no key is needed.

        Raises
        ------
        KeyMissingError, ForbiddenError : if it has no key, or none for this. BusyError : if it comes too often.
        """
        if address is None or address.scope is None:
            return None
        key = key_of(headers)
        grant = None if key is None else self._keyring.find(key)
        if grant is None:
            what = "an API key is needed" if key is None else "the API key is unknown or no longer valid"
            raise KeyMissingError(what, where=address.path, fix="send the header 'Authorization: Bearer KEY'")
        if not grant.allows(address.scope):
            raise ForbiddenError(
                f"the API key '{grant.name}' is not for this",
                where=address.path,
                fix=f"use a key with the scope '{address.scope}'",
            )
        if grant.per_second is not None:
            self._take(grant.id, grant.per_second, time.monotonic())
        return grant

    def _take(self, key: str, per_second: float, now: float) -> None:
        """Take a token of the key's bucket, which holds those of one second and is refilled all the time."""
        most = max(1.0, per_second)
        tokens, then = self._buckets.get(key, (most, now))
        tokens = min(most, tokens + (now - then) * per_second)
        self._buckets[key] = (tokens - 1 if tokens >= 1 else tokens, now)
        if tokens < 1:
            raise busy((1 - tokens) / per_second)


def key_of(headers: Mapping[bytes, bytes]) -> str | None:
    """Return the key of a request: Authorization (Bearer, or the password of Basic) or X-Api-Key.

    >>> key_of({b"authorization": b"Bearer k1"}), key_of({b"x-api-key": b"k2"}), key_of({})
    ('k1', 'k2', None)
    """
    kind, _, rest = headers.get(b"authorization", b"").partition(b" ")
    if kind.lower() == b"bearer":
        return rest.strip().decode("latin-1")
    if kind.lower() == b"basic":
        try:
            return base64.b64decode(rest, validate=True).partition(b":")[2].decode("latin-1")
        except binascii.Error:
            return ""
    found = headers.get(b"x-api-key")
    return None if found is None else found.decode("latin-1")


def has_own_header(headers: Mapping[bytes, bytes]) -> bool:
    """Whether there is a key that no browser sends by itself, as it does a password that somebody has typed once.

    >>> has_own_header({b"authorization": b"Bearer k1"}), has_own_header({b"authorization": b"Basic OmsxCg=="})
    (True, False)
    """
    return b"x-api-key" in headers or headers.get(b"authorization", b"")[:7].lower() == b"bearer "


def digest(key: str) -> str:
    """Return what is kept of a key. Keys are 256 random bits, so a plain hash cannot be guessed backwards."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def is_same(one: str, other: str) -> bool:
    """Return whether two digests are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)
