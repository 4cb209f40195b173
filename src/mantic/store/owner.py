"""Whose a place for blobs is: of two stores in one, each would sweep the other's models away."""

from sqlalchemy import Connection, select

from mantic.core.errors import StoreError
from mantic.store.blobs import OWNER, Blobs
from mantic.store.tables import STORE


def claim(connection: Connection, blobs: Blobs) -> None:
    """Let a place for blobs be this store's from now on, where it is nobody's yet.

    Raises
    ------
    StoreError : if it is another store's.
    """
    ours, found = connection.execute(select(STORE.c.id)).scalar_one(), blobs.owner()
    if not found:
        blobs.claim(ours)
    elif found != ours:
        raise StoreError(
            "this place for models is another store's",
            where="store.blobs",
            fix=f"give each store a place of its own; from the copy of a place remove the file '{OWNER}'",
        )
