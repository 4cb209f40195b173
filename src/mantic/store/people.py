"""People: who may sign in to Studio, and as what."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from mantic.store import password
from mantic.store.audit import note_deed
from mantic.store.database import Database
from mantic.store.person import Person, PersonError, check_name, check_role, folded, person_of
from mantic.store.tables import PERSON, SITTING
from mantic.store.value import author, before, now

LINK_SECONDS = 3 * 86_400.0  # an invitation is open over a weekend
_IS_ADMIN = (PERSON.c.role == "admin") & PERSON.c.disabled.is_(None)
_CAN_ENTER = or_(PERSON.c.password.is_not(None), PERSON.c.subject.is_not(None))


class People:
    """The people of a store. Nobody is ever removed, since their name stands in the audit: they are disabled.

    One admin always stays, so that somebody can let the others in.

    >>> import tempfile
    >>> from mantic.store.store import open_store
    >>> with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
    ...     ada = store.people.add("Ada", "admin")
    ...     link = store.people.invite(ada.id)
    ...     _ = store.people.accept(link, "slow tide, old boat")
    ...     store.people.check("ada", "slow tide, old boat").role, store.people.check("ada", "another one")
    ('admin', None)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[Person]:
        """Return everybody, by name."""
        with self._database.reading() as connection:
            return [person_of(row) for row in connection.execute(select(PERSON).order_by(PERSON.c.folded))]

    def get(self, identity: str) -> Person:
        """Return the person of an id.

        Raises
        ------
        PersonError : if there is none.
        """
        with self._database.reading() as connection:
            return person_of(_row(connection, identity))

    def find(self, name: str) -> Person | None:
        """Return the person of a name, however its capitals are written; None when there is none."""
        return self._found(PERSON.c.folded == folded(name))

    def of_subject(self, subject: str) -> Person | None:
        """Return who somebody is that an OpenID provider knows."""
        return self._found(PERSON.c.subject == subject)

    def add(self, name: str, role: str, *, subject: str | None = None, by: str | None = None) -> Person:
        """Add somebody, who cannot sign in before they have a password or a subject.

        Raises
        ------
        PersonError : if the name is taken or nobody can be called so, or there is no such role.
        """
        name, role, who = check_name(name), check_role(role), author(by)
        with self._database.moving() as connection:
            if (taken := _called(connection, name)) is not None:
                raise _taken(taken)
            return _add(connection, name, {"role": role, "subject": subject, "by": who})

    def owner(self, name: str) -> Person:
        """Return whom this machine's user is; whoever holds the store's files is an admin.

        Raises
        ------
        PersonError : if nobody can be called so.
        """
        found = self.find(name)
        if found is None:
            return self.add(name, "admin", by=name)
        if found.is_admin:
            return found
        with self._changing(found.id, "own", found.name, {"role": "admin"}) as (connection, _):
            _set(connection, found.id, role="admin", disabled=None)
        return self.get(found.id)

    def found(self, name: str, chosen: str) -> Person:
        """Make the first admin who can sign in from elsewhere.

        Raises
        ------
        PersonError : if there is one already, the name is taken, or the password is not good enough.
        """
        name = check_name(name)
        kept = _good(chosen, name)
        with self._database.moving() as connection:
            if connection.execute(select(PERSON.c.id).where(_IS_ADMIN & _CAN_ENTER)).first() is not None:
                raise PersonError(
                    "there is an admin already", where="people", fix="sign in, or ask the admin for a link"
                )
            known = _called(connection, name)
            if known is not None and known.password is not None:
                raise _taken(known)
            person = _add(connection, name, {"role": "admin", "by": name}) if known is None else person_of(known)
            _set(connection, person.id, role="admin", disabled=None)
            _take_password(connection, person.id, kept)
            note_deed(connection, "first admin", str(person), by=name, detail={"before": person.role})
            return person_of(_row(connection, person.id))

    def set_role(self, identity: str, role: str, *, by: str | None = None) -> Person:
        """Give somebody another role; it counts with their next request. Returns them as they were.

        Raises
        ------
        PersonError : if there is nobody of this id or no such role, or no admin would be left.
        """
        with self._changing(identity, "role", by, {"role": check_role(role)}) as (connection, was):
            _set(connection, identity, role=role)
        return was

    def disable(self, identity: str, *, by: str | None = None) -> Person:
        """Let somebody sign in no more, and sign them out everywhere.

        Raises
        ------
        PersonError : if there is nobody of this id, or no admin would be left.
        """
        with self._changing(identity, "disable", by, {}) as (connection, was):
            _set(connection, identity, disabled=was.disabled or now())  # an open link waits too
            connection.execute(delete(SITTING).where(SITTING.c.person == identity))
        return was

    def enable(self, identity: str, *, by: str | None = None) -> Person:
        """Let somebody sign in again who was disabled."""
        with self._changing(identity, "enable", by, {}) as (connection, was):
            _set(connection, identity, disabled=None)
        return was

    def invite(self, identity: str, *, seconds: float = LINK_SECONDS, by: str | None = None) -> str:
        """Return the secret of a link by which somebody chooses a password, once. An earlier link ends.

        Raises
        ------
        PersonError : if there is nobody of this id, or they are disabled.
        """
        link, until = secrets.token_urlsafe(24), before(-seconds)
        with self._changing(identity, "invite", by, {"until": until}) as (connection, was):
            if was.disabled:
                raise PersonError(f"{was.name} is disabled", where="people", fix="enable them first")
            _set(connection, identity, link=_hash(link), link_until=until)
        return link

    def invited(self, link: str) -> Person | None:
        """Return whom a link is for, without using it; None when it was used, ended or never given."""
        return self._found(_of_link(link))

    def accept(self, link: str, chosen: str) -> Person:
        """Choose the password of whom a link is for; the link ends, and so do all their sittings.

        Raises
        ------
        PersonError : if the link is of no use any more, or the password is not good enough (then the link stays).
        """
        found = self.invited(link)
        if found is None:
            raise _ended()
        kept = _good(chosen, found.name)
        with self._changing(found.id, "password", found.name, {}) as (connection, _):
            if connection.execute(select(PERSON.c.id).where(_of_link(link))).first() is None:  # used meanwhile
                raise _ended()
            _take_password(connection, found.id, kept)
        return self.get(found.id)

    def set_password(self, identity: str, chosen: str, *, by: str | None = None) -> Person:
        """Give somebody a password; all their sittings end.

        Raises
        ------
        PersonError : if there is nobody of this id, or the password is not good enough.
        """
        kept = _good(chosen, self.get(identity).name)
        with self._changing(identity, "password", by, {}) as (connection, _):
            _take_password(connection, identity, kept)
        return self.get(identity)

    def check(self, name: str, said: str) -> Person | None:
        """Return the person of a name and password; None for a wrong one, and as late where there is no such name."""
        with self._database.reading() as connection:
            row: Any = connection.execute(select(PERSON).where(PERSON.c.folded == folded(name))).first()
        kept: Any = None if row is None else row.password
        if not password.is_right(said, kept) or row.disabled is not None:
            return None
        if password.is_outdated(kept):
            renewed = password.hashed(said)
            with self._database.writing() as connection:
                here = (PERSON.c.id == row.id, PERSON.c.password == kept)
                connection.execute(update(PERSON).where(*here).values(password=renewed))
        return person_of(row)

    def _found(self, condition: Any) -> Person | None:
        with self._database.reading() as connection:
            row = connection.execute(select(PERSON).where(condition)).first()
        return None if row is None else person_of(row)

    @contextmanager
    def _changing(
        self, identity: str, action: str, by: str | None, detail: dict[str, Any]
    ) -> Iterator[tuple[Connection, Person]]:
        """Open a block that changes somebody and puts it down in the audit; it fails when no admin is left."""
        with self._database.moving() as connection:
            was = person_of(_row(connection, identity))
            yield connection, was
            if was.is_admin and connection.execute(select(PERSON.c.id).where(_IS_ADMIN)).first() is None:
                fix = "make somebody else an admin first"
                raise PersonError(f"{was.name} is the last admin", where="people", fix=fix)
            told = {"before": was.role} if "role" in detail else {}
            note_deed(connection, action, str(was), by=author(by), detail=detail | told)


def _row(connection: Connection, identity: str) -> Any:
    row = connection.execute(select(PERSON).where(PERSON.c.id == identity)).first()
    if row is None:
        raise PersonError("there is no such person", where="people", fix="look at the list of people again")
    return row


def _called(connection: Connection, name: str) -> Any:
    return connection.execute(select(PERSON).where(PERSON.c.folded == folded(name))).first()


def _add(connection: Connection, name: str, facts: dict[str, str | None]) -> Person:
    identity = secrets.token_hex(8)
    connection.execute(insert(PERSON).values(id=identity, name=name, folded=folded(name), created=now(), **facts))
    note_deed(connection, "add", f"person {name}", by=str(facts["by"]), detail={"role": facts["role"]})
    return person_of(_row(connection, identity))


def _set(connection: Connection, identity: str, **values: str | None) -> None:
    connection.execute(update(PERSON).where(PERSON.c.id == identity).values(**values))


def _take_password(connection: Connection, identity: str, kept: str) -> None:
    _set(connection, identity, password=kept, link=None, link_until=None)
    connection.execute(delete(SITTING).where(SITTING.c.person == identity))


def _of_link(link: str) -> Any:
    return (PERSON.c.link == _hash(link)) & (PERSON.c.link_until > now()) & PERSON.c.disabled.is_(None)


def _good(chosen: str, name: str) -> str:
    if reasons := password.reasons_against(chosen, name):
        what = f"this password cannot be taken: {'; '.join(reasons)}"
        raise PersonError(what, where="password", fix="three or four words that nobody connects with you are good")
    return password.hashed(chosen)


def _taken(row: Any) -> PersonError:
    return PersonError(f"there is a '{row.name}' already", where="people", fix="choose another name")


def _ended() -> PersonError:
    return PersonError("this link was used before, or is too old", where="the link", fix="ask an admin for a new one")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
