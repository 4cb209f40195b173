"""The signatures that a store holds, by the content that they are of."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from mantic.store.audit import note_deed
from mantic.store.database import Database
from mantic.store.tables import SIGNATURE
from mantic.store.value import author, now, plain


@dataclass(frozen=True)
class Signature:
    """A signature in base64, and the id of the key that made it."""

    key: str
    signature: str


class Signatures:
    """The signatures of a store; what is kept here was not checked, whoever uses a model does that."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, sha256: str, one: Signature, *, subject: str, by: str | None = None) -> None:
        """Keep a signature of some content; one of the same key that says something else is replaced."""
        row = {"key": plain(one.key, "the key"), "signature": plain(one.signature, "the signature")}
        here = (SIGNATURE.c.sha256 == sha256, SIGNATURE.c.key == row["key"])
        with self._database.moving() as connection:
            if connection.execute(select(SIGNATURE.c.signature).where(*here)).scalar() == row["signature"]:
                return
            who = author(by)
            connection.execute(delete(SIGNATURE).where(*here))
            connection.execute(insert(SIGNATURE).values(sha256=sha256, at=now(), by=who, **row))
            note_deed(connection, "sign", subject, by=who, detail={"key": one.key, "sha256": sha256})

    def of(self, sha256: str) -> tuple[Signature, ...]:
        """Return the signatures of some content."""
        query = select(SIGNATURE.c.key, SIGNATURE.c.signature).where(SIGNATURE.c.sha256 == sha256)
        with self._database.reading() as connection:
            return tuple(Signature(*row) for row in connection.execute(query.order_by(SIGNATURE.c.key)))
