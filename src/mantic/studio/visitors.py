"""Who is signed in: one-time links, and what a browser's cookie stands for."""

import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from hashlib import sha256

from mantic.studio.role import Role

COOKIE = "mantic_sitting"
_LINK_SECONDS = 900
_SITTING_SECONDS = 12 * 3600


@dataclass(frozen=True)
class Visitor:
    """Somebody who is signed in.

    Parameters
    ----------
    name : of the person, as it stands in the audit.
    token : stands in every form; a page from elsewhere does not know it.
    """

    name: str
    role: Role
    token: str


@dataclass
class Visitors:
    """Those who are signed in to this process."""

    _links: dict[str, tuple[float, Visitor]] = field(default_factory=dict)
    _sittings: dict[str, tuple[float, Visitor]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def invite(self, name: str, role: Role) -> str:
        """Return a token that signs somebody in, once, within a quarter of an hour."""
        link = secrets.token_urlsafe(24)
        with self._lock:
            self._links[_hash(link)] = (
                time.monotonic() + _LINK_SECONDS,
                Visitor(name, role, secrets.token_urlsafe(24)),
            )
        return link

    def enter(self, link: str) -> str | None:
        """Return the cookie of who has a link; None if it is unknown, used, or too old."""
        with self._lock:
            until, visitor = self._links.pop(_hash(link), (0.0, None))
            if visitor is None or until < time.monotonic():
                return None
            cookie = secrets.token_urlsafe(32)
            self._sittings[_hash(cookie)] = (time.monotonic() + _SITTING_SECONDS, visitor)
        return cookie

    def who(self, cookie: str) -> Visitor | None:
        """Return who has a cookie."""
        until, visitor = self._sittings.get(_hash(cookie), (0.0, None))
        return visitor if until > time.monotonic() else None

    def leave(self, cookie: str) -> None:
        """Sign somebody out."""
        with self._lock:
            self._sittings.pop(_hash(cookie), None)


def is_same(given: str, token: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode(), token.encode())


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
