"""Who is signed in: one-time links, names and passwords, and what a browser's cookie stands for."""

import hmac
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from mantic.store.person import MAX_NAME, Person, PersonError, folded
from mantic.store.store import Store
from mantic.studio.backoff import Backoff
from mantic.studio.role import Role

COOKIE = "mantic_sitting"
LINK_SECONDS = 900
_MOST_NUMBER = 1000
_MOST_NAME = 200  # characters of a name that is looked up


@dataclass(frozen=True)
class Visitor:
    """Somebody who is signed in.

    Parameters
    ----------
    name : of the person, as it stands in the audit.
    token : stands in every form; a page from elsewhere does not know it.
    id : of the person.
    sitting : the id of this sitting.
    """

    name: str
    role: Role
    token: str
    id: str = ""
    sitting: str = ""


@dataclass(frozen=True)
class _Link:
    """What a link of this process is for: it signs one person in, or, without a name, the first admin is made."""

    until: float
    name: str | None
    role: Role


@dataclass
class Visitors:
    """Those who come in, and those who are there.

    Parameters
    ----------
    store : where people and sittings are kept.
    idle_seconds, sitting_seconds : without a request, and in all, after which a sitting ends.
    backoff : how often somebody failed.
    """

    store: Store
    idle_seconds: float
    sitting_seconds: float
    backoff: Backoff = field(default_factory=Backoff)
    _links: dict[str, _Link] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def invite(self, name: str, role: Role) -> str:
        """Return the secret of a link that signs somebody in at once, within a quarter of an hour.

        Only for whoever holds the store's files: the person is made where there is none.
        """
        return self._give(name, role)

    def has_admin(self) -> bool:
        """Whether an admin can sign in from elsewhere."""
        return any(one.is_admin and one.can_enter for one in self.store.people.list())

    def invite_first(self) -> str:
        """Return the secret of a link by which the first admin chooses a name and a password."""
        return self._give(None, Role.ADMIN)

    def enter(self, link: str, *, agent: str = "") -> str | None:
        """Return the cookie of who has a link of `invite`; None if it is unknown, used, or too old."""
        with self._lock:
            found = self._open(link)
            if found is None or found.name is None:
                return None
            del self._links[_hash(link)]
        return self._start(self._local(found.name, found.role), agent, "link")

    def is_first(self, link: str) -> bool:
        """Whether a link makes the first admin."""
        with self._lock:
            found = self._open(link)
        return found is not None and found.name is None and not self.has_admin()

    def found(self, link: str, name: str, password: str, *, agent: str = "") -> str:
        """Make the first admin, and return their cookie; the link ends when that is done.

        Raises
        ------
        PersonError : if the link is of no use any more, or the name or the password cannot be taken.
        """
        if not self.is_first(link):
            raise _ended()
        person = self.store.people.found(name, password)
        with self._lock:
            self._links.pop(_hash(link), None)
        return self._start(person, agent, "first")

    def accept(self, link: str, password: str, *, agent: str = "") -> str:
        """Choose the password of whom an admin invited, and return their cookie.

        Raises
        ------
        PersonError : if the link is of no use any more, or the password cannot be taken.
        """
        return self._start(self.store.people.accept(link, password), agent, "invitation")

    def sign_in(self, name: str, password: str, *, address: str, agent: str = "") -> str | None:
        """Return the cookie of who says a name and the password of it; None for a wrong one.

        Raises
        ------
        PatienceError : if they, or others from this address, failed too often.
        """
        spelled = folded(name[:_MOST_NAME])
        self.backoff.begin(spelled, address)
        person = self.store.people.check(spelled, password)
        if person is None:
            return None
        self.backoff.succeeded(spelled, address)
        return self._start(person, agent, "password")

    def knows_password(self, person: Person, password: str, *, address: str) -> bool:
        """Whether somebody who is signed in knows their password, as `sign_in` would ask for it.

        Raises
        ------
        PatienceError : if they failed too often.
        """
        spelled = folded(person.name)
        self.backoff.begin(spelled, address)
        is_known = self.store.people.check(spelled, password) is not None
        if is_known:
            self.backoff.succeeded(spelled, address)
        return is_known

    def let_in(self, person: Person, *, agent: str = "", how: str) -> str:
        """Return the cookie of somebody who showed elsewhere who they are."""
        return self._start(person, agent, how)

    def let_in_subject(self, subject: str, names: Sequence[str], *, role: Role, agent: str = "") -> str:
        """Return the cookie of somebody for whom a provider vouches; who is not known yet is added.

        They are known by the subject alone: a name is nothing that a provider vouches for.

        Parameters
        ----------
        names : by which they may be called, the best first; one that is taken gets a number.
        role : of who is added.

        Raises
        ------
        PersonError : if they were disabled.
        """
        people = self.store.people
        person = people.of_subject(subject)
        if person is None:
            plain = ("".join(mark for mark in name if mark.isprintable())[:MAX_NAME].strip() for name in names)
            wished = [name for name in plain if any(mark.isalnum() for mark in name)] or ["somebody"]
            numbered = (f"{wished[0][: MAX_NAME - 4]} {number}" for number in range(2, _MOST_NUMBER))
            name = next((one for one in (*wished, *numbered) if people.find(one) is None), wished[0])
            person = people.add(name, role.word, subject=subject, by="OpenID")
        return self._start(person, agent, "OpenID")

    def who(self, cookie: str) -> Visitor | None:
        """Return who has a cookie, with the role that they have now."""
        found = self.store.sittings.find(cookie, idle=self.idle_seconds) if cookie else None
        if found is None:
            return None
        sitting, person = found
        return Visitor(person.name, Role.of(person.role), _hash(f"form {cookie}"), person.id, sitting.id)

    def is_in(self, cookie: str) -> bool:
        """Whether who has a cookie is still signed in; it does not keep them so."""
        return self.store.sittings.goes_on(cookie, idle=self.idle_seconds)

    def leave(self, cookie: str) -> None:
        """Sign a browser out."""
        if cookie:
            self.store.sittings.end(cookie)

    def _give(self, name: str | None, role: Role) -> str:
        link, now = secrets.token_urlsafe(24), time.monotonic()
        with self._lock:
            self._links = {key: one for key, one in self._links.items() if one.until > now}
            self._links[_hash(link)] = _Link(now + LINK_SECONDS, name, role)
        return link

    def _open(self, link: str) -> _Link | None:
        found = self._links.get(_hash(link))
        return found if found is not None and found.until > time.monotonic() else None

    def _local(self, name: str, role: Role) -> Person:
        """Return who holds the store's files, in the role that the link gives."""
        people = self.store.people
        if role is Role.ADMIN:
            return people.owner(name)
        person = people.find(name) or people.add(name, role.word, by=name)
        return person if person.role == role.word else people.set_role(person.id, role.word, by=name)

    def _start(self, person: Person, agent: str, how: str) -> str:
        return self.store.sittings.start(person, seconds=self.sitting_seconds, agent=agent, how=how)


def is_same(given: str, token: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode(), token.encode())


def _ended() -> PersonError:
    return PersonError(
        "this link was used before, or is too old",
        where="the link",
        fix="start 'mantic studio' again: it prints a new one",
    )


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
