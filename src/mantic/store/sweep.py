"""Remove blobs that nothing points at: of deleted versions, and of writers that were killed."""

from sqlalchemy import select

from mantic.store.blobs import NAME, Blobs
from mantic.store.database import Database
from mantic.store.owner import claim
from mantic.store.tables import VERSION
from mantic.store.value import before

GRACE_SECONDS = 3600.0  # a writer may be between its blob and its row; a backup may still read what was deleted


def sweep(database: Database, blobs: Blobs, *, grace: float = GRACE_SECONDS) -> int:
    """Remove what nothing has pointed at for `grace` seconds; return how many blobs that were.

    No version is added meanwhile, so that none can take up a blob that is about to go.

    Raises
    ------
    StoreError : if the place is another store's: what nothing here points at is what that one keeps.
    """
    with database.moving() as connection:
        query = select(VERSION.c.sha256).where(VERSION.c.deleted.is_(None) | (VERSION.c.deleted > before(grace)))
        wanted = set(connection.execute(query).scalars())
        garbage = [name for name, age in blobs.listed() if name not in wanted and age >= _patience(name, grace)]
        if garbage:
            claim(connection, blobs)
        for name in garbage:
            blobs.remove(name)
    return len(garbage)


def _patience(name: str, grace: float) -> float:
    """Return how long to leave a file alone; one that is not whole yet may be in the hands of a writer."""
    return grace if NAME.fullmatch(name) else max(grace, GRACE_SECONDS)
