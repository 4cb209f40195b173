"""A person: somebody who may sign in to Studio, and what they may do there."""

import unicodedata
from dataclasses import dataclass
from typing import Any

from mantic.core.errors import StoreError
from mantic.store.value import plain

ROLES = ("viewer", "editor", "operator", "admin")  # each may all that the one before it may
MAX_NAME = 60  # characters


class PersonError(StoreError):
    """People cannot be changed like this."""

    status = 409


@dataclass(frozen=True)
class Person:
    """Somebody, without their secrets.

    Parameters
    ----------
    role : of `ROLES`.
    created, by : when and by whom they were added.
    disabled : since when they may not sign in; None while they may.
    has_password : whether they chose one.
    subject : who they are for an OpenID provider.
    invited_until : until when their link can be used; None when none is open.
    """

    id: str
    name: str
    role: str
    created: str
    by: str
    disabled: str | None = None
    has_password: bool = False
    subject: str | None = None
    invited_until: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether they may do everything, at this moment."""
        return self.role == "admin" and self.disabled is None

    @property
    def can_enter(self) -> bool:
        """Whether they can sign in from elsewhere: by a password, or through an OpenID provider."""
        return self.disabled is None and (self.has_password or self.subject is not None)

    def __str__(self) -> str:
        """Return it as it stands in the audit."""
        return f"person {self.name}"


def person_of(row: Any) -> Person:
    """Return the person of a row."""
    return Person(
        row.id, row.name, row.role, row.created, row.by, row.disabled, row.password is not None, row.subject,
        row.link_until,
    )  # fmt: skip


def check_name(name: str) -> str:
    """Return a name in one spelling, without spaces around it.

    Raises
    ------
    PersonError : if nobody can be called so.

    >>> check_name(" Ada Lovelace ")
    'Ada Lovelace'
    """
    done = " ".join(plain(name[: 10 * MAX_NAME], "the name").split())
    if not done or len(done) > MAX_NAME or not any(mark.isalnum() for mark in done):
        what = f"nobody can be called '{done[:MAX_NAME]}'" if done else "the name is empty"
        raise PersonError(
            what, where="people", fix=f"give a name with a letter in it, of at most {MAX_NAME} characters"
        )
    return done


def folded(name: str) -> str:
    """Return a name as it is compared: capitals and the width of letters make no difference.

    >>> folded("Ada") == folded("ADA")
    True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", " ".join(name.split())).casefold())


def check_role(role: str) -> str:
    """Return a role.

    Raises
    ------
    PersonError : if there is none of this name.
    """
    if role not in ROLES:
        raise PersonError(f"there is no role '{role[:40]}'", where="people", fix=f"known are: {', '.join(ROLES)}")
    return role
