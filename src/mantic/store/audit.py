"""The audit: who did what, and when. It only grows."""

import builtins
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, insert, or_, select

from mantic.store.database import Database
from mantic.store.tables import AUDIT
from mantic.store.value import now, pack, unpack

_MOST_WORDS = 10


@dataclass(frozen=True)
class Deed:
    """One thing that was done to the store; `at` is in UTC."""

    id: int
    at: str
    by: str
    action: str
    subject: str
    detail: dict[str, Any]


def note_deed(connection: Connection, action: str, subject: str, *, by: str, detail: dict[str, Any]) -> None:
    """Put a deed down in the transaction that does it."""
    row = {"at": now(), "by": by, "action": action, "subject": subject, "detail": pack(detail)}
    connection.execute(insert(AUDIT).values(row))


class Audit:
    """What was done to a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, action: str, subject: str, *, by: str, detail: dict[str, Any] | None = None) -> None:
        """Put down something that was done beside the store, for instance to a file of keys."""
        with self._database.writing() as connection:
            note_deed(connection, action, subject, by=by, detail=detail or {})

    def find(self, words: str, *, limit: int = 100, before: int | None = None) -> "builtins.list[Deed]":
        """Return the latest deeds in which every word is found, newest first; by whom, what, to what, or how.

        Parameters
        ----------
        words : separated by spaces; all deeds when empty. Capitals make no difference.
        before : only deeds with a smaller id, to read on.
        """
        query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
        for word in words.split()[:_MOST_WORDS]:
            columns = (AUDIT.c.by, AUDIT.c.action, AUDIT.c.subject, AUDIT.c.detail)
            query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
        return self._deeds(query if before is None else query.where(AUDIT.c.id < before))

    def list(self, subject: str | None = None, *, limit: int = 100, before: int | None = None) -> list[Deed]:
        """Return the latest deeds, newest first.

        Parameters
        ----------
        subject : only of this one (``churn``); of all when absent.
        before : only deeds with a smaller id, to read on.
        """
        query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
        if subject is not None:
            query = query.where(AUDIT.c.subject == subject)
        if before is not None:
            query = query.where(AUDIT.c.id < before)
        return self._deeds(query)

    def _deeds(self, query: "Select[Any]") -> "builtins.list[Deed]":
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Deed(row.id, row.at, row.by, row.action, row.subject, unpack(row.detail)) for row in rows]
