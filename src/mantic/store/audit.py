"""The audit: who did what, and when. It only grows."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from mantic.store.database import Database
from mantic.store.tables import AUDIT
from mantic.store.value import now, pack, unpack


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
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Deed(row.id, row.at, row.by, row.action, row.subject, unpack(row.detail)) for row in rows]
