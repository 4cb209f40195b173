"""Alerts: what someone should look at, until someone has."""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import insert, select, update

from mantic.core.errors import StoreError
from mantic.store.audit import note_deed
from mantic.store.database import Database
from mantic.store.tables import ALERT
from mantic.store.value import author, now, pack, plain, unpack

LEVELS = ("note", "warning", "stop")
ANSWERS = ("yes", "no", "")


@dataclass(frozen=True)
class KeptAlert:
    """An alert as it is kept; `name` is of the model or flow that it is about, `closed` is None while it is open."""

    id: int
    at: str
    level: str
    code: str
    name: str
    text: str
    facts: dict[str, Any]
    closed: str | None

    @property
    def useful(self) -> str:
        """Return "yes" or "no" as somebody said, or nothing."""
        return str(self.facts.get("useful", {}).get("answer", ""))


class Alerts:
    """The alerts of a store.

    >>> import tempfile
    >>> from mantic.store.store import open_store
    >>> with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
    ...     first = store.alerts.add("warning", "drift", "'plan' moved", name="churn")
    ...     store.alerts.close(first)
    ...     len(store.alerts.open()), len(store.alerts.list())
    (0, 1)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, level: str, code: str, text: str, *, name: str = "", facts: Mapping[str, Any] | None = None) -> int:
        """Keep an alert; return its id.

        Raises
        ------
        StoreError : if there is no such level.
        """
        if level not in LEVELS:
            raise StoreError(f"there is no level '{level[:40]}'", where="alert", fix=f"known are: {', '.join(LEVELS)}")
        row = {"code": plain(code, "the code"), "text": plain(text, "the text"), "name": plain(name, "the name")}
        with self._database.writing() as connection:
            done = connection.execute(insert(ALERT).values(at=now(), level=level, facts=pack(facts or {}), **row))
            assert done.inserted_primary_key is not None
            return int(done.inserted_primary_key[0])

    def close(self, identity: int, *, by: str | None = None) -> None:
        """Put down that someone has looked.

        Raises
        ------
        StoreError : if there is no open alert of this id.
        """
        with self._database.writing() as connection:
            here = (ALERT.c.id == identity, ALERT.c.closed.is_(None))
            if connection.execute(update(ALERT).where(*here).values(closed=now())).rowcount != 1:
                raise StoreError(
                    f"there is no open alert {identity}", where="alerts", fix="store.alerts.open() lists those that are"
                )
            note_deed(connection, "close", f"alert {identity}", by=author(by), detail={})

    def reopen(self, identity: int, *, by: str | None = None) -> None:
        """Take back that someone has looked.

        Raises
        ------
        StoreError : if there is no closed alert of this id.
        """
        with self._database.writing() as connection:
            here = (ALERT.c.id == identity, ALERT.c.closed.is_not(None))
            if connection.execute(update(ALERT).where(*here).values(closed=None)).rowcount != 1:
                raise StoreError(f"there is no closed alert {identity}", where="alerts", fix="reload the page")
            note_deed(connection, "reopen", f"alert {identity}", by=author(by), detail={})

    def find(self, name: str, *, limit: int = 100) -> builtins.list[KeptAlert]:
        """Return the latest alerts about a model or flow, newest first."""
        return _latest(self._database, limit, ALERT.c.name == name)

    def get(self, identity: int) -> KeptAlert:
        """Return an alert.

        Raises
        ------
        StoreError : if there is none of this id.
        """
        if found := _latest(self._database, 1, ALERT.c.id == identity):
            return found[0]
        raise StoreError(f"there is no alert {identity}", where="alerts", fix="store.alerts.list() names the latest")

    def answer(self, identity: int, useful: str, *, by: str | None = None) -> KeptAlert:
        """Keep whether an alert was useful, and who says so; the audit remembers every answer.

        Parameters
        ----------
        useful : "yes", "no", or empty to take an answer back.

        Raises
        ------
        StoreError : if there is no such alert, or no such answer.
        """
        if useful not in ANSWERS:
            raise StoreError(f"'{useful[:20]}' is no answer", where="alert", fix="say yes, no, or nothing")
        alert = self.get(identity)
        facts = {key: value for key, value in alert.facts.items() if key != "useful"}
        if useful:
            facts["useful"] = {"answer": useful, "by": author(by), "at": now()}
        with self._database.writing() as connection:
            connection.execute(update(ALERT).where(ALERT.c.id == identity).values(facts=pack(facts)))
            note_deed(connection, "answer", f"alert {identity}", by=author(by), detail={"useful": useful})
        return replace(alert, facts=facts)

    def open(self, *, limit: int = 100) -> list[KeptAlert]:
        """Return alerts that nobody has closed, newest first."""
        return _latest(self._database, limit, ALERT.c.closed.is_(None))

    def list(self, *, limit: int = 100) -> list[KeptAlert]:
        """Return the latest alerts, newest first."""
        return _latest(self._database, limit)


def _latest(database: Database, limit: int, *conditions: Any) -> list[KeptAlert]:
    query = select(ALERT).where(*conditions).order_by(ALERT.c.id.desc()).limit(limit)
    with database.reading() as connection:
        rows = connection.execute(query).all()
    return [
        KeptAlert(row.id, row.at, row.level, row.code, row.name, row.text, unpack(row.facts), row.closed)
        for row in rows
    ]
