"""Sittings: who is signed in, and from where. A browser holds a secret; here is only its hash."""

import builtins
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from mantic.store.audit import note_deed
from mantic.store.database import Database
from mantic.store.person import Person, PersonError, person_of
from mantic.store.tables import PERSON, SITTING
from mantic.store.value import author, before, now, plain

_MOST_AGENT = 200  # characters
_TOUCH_SECONDS = 60.0  # how exactly it is known when somebody was last seen: a page must not cost a write


@dataclass(frozen=True)
class Sitting:
    """Somebody signed in with one browser.

    Parameters
    ----------
    id : the hash of the secret.
    person : the id of who it is.
    created, seen, expires : moments in UTC.
    agent : what the browser calls itself.
    """

    id: str
    person: str
    created: str
    seen: str
    expires: str
    agent: str


class Sittings:
    """The sittings of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, person: Person, *, seconds: float, agent: str = "", how: str = "password") -> str:
        """Sign somebody in; return the secret that their browser keeps. Sittings past their end are removed.

        Parameters
        ----------
        seconds : after so long it ends, whatever happens.
        agent : what the browser calls itself.
        how : by what they showed who they are, for the audit.

        Raises
        ------
        PersonError : if they were disabled.
        """
        secret, at = secrets.token_urlsafe(32), now()
        row = {"hash": _hash(secret), "person": person.id, "created": at, "seen": at, "expires": before(-seconds)}
        with self._database.writing() as connection:
            query = select(PERSON.c.id).where(PERSON.c.id == person.id, PERSON.c.disabled.is_(None))
            if connection.execute(query).first() is None:
                raise PersonError(f"{person.name} may not sign in", where="people", fix="ask an admin")
            connection.execute(delete(SITTING).where(SITTING.c.expires <= at))
            connection.execute(insert(SITTING).values(**row, agent=_plain(agent)))
            note_deed(connection, "sign in", str(person), by=person.name, detail={"how": how})
        return secret

    def find(self, secret: str, *, idle: float) -> tuple[Sitting, Person] | None:
        """Return the sitting and the person of a secret, as they are now; None if it ended.

        Parameters
        ----------
        idle : seconds without a request after which a sitting ends.
        """
        found = self._going(secret, idle)
        if found is None:
            return None
        row, who = found
        if row.seen <= before(min(_TOUCH_SECONDS, idle / 4)):
            with self._database.writing() as connection:
                connection.execute(update(SITTING).where(SITTING.c.hash == row.hash).values(seen=now()))
        return _sitting(row), person_of(who)

    def goes_on(self, secret: str, *, idle: float) -> bool:
        """Return whether a sitting has not ended; to ask this is no request of the person's."""
        return self._going(secret, idle) is not None

    def _going(self, secret: str, idle: float) -> tuple[Any, Any] | None:
        with self._database.reading() as connection:
            row = connection.execute(select(SITTING).where(SITTING.c.hash == _hash(secret))).first()
            who = row and connection.execute(select(PERSON).where(PERSON.c.id == row.person)).one()
        if row is None or who is None or who.disabled is not None or row.expires <= now() or row.seen <= before(idle):
            return None
        return row, who

    def end(self, secret: str) -> None:
        """Sign a browser out; one that is not signed in stays so."""
        with self._database.writing() as connection:
            here = SITTING.c.hash == _hash(secret)
            who = connection.execute(select(PERSON).join(SITTING, PERSON.c.id == SITTING.c.person).where(here)).first()
            if who is not None:
                connection.execute(delete(SITTING).where(here))
                note_deed(connection, "sign out", f"person {who.name}", by=who.name, detail={})

    def end_all(self, person: Person, *, by: str | None = None) -> int:
        """Sign somebody out everywhere; return how many sittings that were."""
        with self._database.writing() as connection:
            n_ended = connection.execute(delete(SITTING).where(SITTING.c.person == person.id)).rowcount
            note_deed(connection, "sign out everywhere", str(person), by=author(by), detail={"sittings": n_ended})
        return n_ended

    def list(self, person: Person | None = None) -> "builtins.list[Sitting]":
        """Return the sittings that have not reached their end, of one or all, seen most lately first."""
        query = select(SITTING).where(SITTING.c.expires > now()).order_by(SITTING.c.seen.desc(), SITTING.c.hash)
        if person is not None:
            query = query.where(SITTING.c.person == person.id)
        with self._database.reading() as connection:
            return [_sitting(row) for row in connection.execute(query)]


def _sitting(row: Any) -> Sitting:
    return Sitting(row.hash, row.person, row.created, row.seen, row.expires, row.agent)


def _plain(agent: str) -> str:
    """Return what a browser calls itself, as far as it can be kept."""
    return plain("".join(mark for mark in agent[:_MOST_AGENT] if mark.isprintable()), "the browser's name")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
