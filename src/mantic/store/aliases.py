"""Aliases: names that move from version to version. Each move is in the audit, in the same transaction."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from mantic.core.errors import StoreError
from mantic.store.audit import note_deed
from mantic.store.reference import CHALLENGER, CHAMPION
from mantic.store.tables import ALIAS, DEPLOYMENT, MOVE, VERSION
from mantic.store.value import now


@dataclass(frozen=True)
class Move:
    """An alias went from one version to another; `before` or `after` is None where there was or is none."""

    at: str
    by: str
    kind: str
    name: str
    alias: str
    before: int | None
    after: int | None


def standing(connection: Connection, name: str, alias: str) -> int | None:
    """Return the number at which an alias stands; None when there is no such alias."""
    query = select(ALIAS.c.number).where(ALIAS.c.name == name, ALIAS.c.alias == alias)
    found = connection.execute(query).scalar()
    return None if found is None else int(found)


def move(connection: Connection, kind: str, name: str, alias: str, *, to: int | None, by: str) -> Move:
    """Move an alias, or remove it (`to` is None), and put the move down.

    A canary is tried out against the champion that it met: it ends when the champion moves, or its own alias goes.
    """
    before = standing(connection, name, alias)
    here = (ALIAS.c.name == name, ALIAS.c.alias == alias)
    if to is None:
        connection.execute(delete(ALIAS).where(*here))
    elif before is None:
        connection.execute(insert(ALIAS).values(name=name, alias=alias, number=to))
    else:
        connection.execute(update(ALIAS).where(*here).values(number=to))
    made = Move(now(), by, kind, name, alias, before, to)
    connection.execute(
        insert(MOVE).values(at=made.at, by=by, kind=kind, name=name, alias=alias, before=before, after=to)
    )
    note_deed(connection, kind, name, by=by, detail={"alias": alias, "before": before, "after": to})
    is_over = to != before if alias == CHAMPION else alias == CHALLENGER and to is None
    if is_over and _end_trial(connection, name):
        move(connection, "remove", name, CHALLENGER, to=None, by=by)
    return made


def _end_trial(connection: Connection, name: str) -> bool:
    """Let the challenger answer nobody; return whether it did, and is still called so."""
    trial = (DEPLOYMENT.c.name == name, DEPLOYMENT.c.share > 0)
    is_ended = connection.execute(update(DEPLOYMENT).where(*trial).values(share=0.0)).rowcount > 0
    return is_ended and standing(connection, name, CHALLENGER) is not None


def moves(connection: Connection, name: str, alias: str | None = None) -> list[Move]:
    """Return the moves of a model's aliases, in order."""
    query = select(MOVE).where(MOVE.c.name == name).order_by(MOVE.c.id)
    if alias is not None:
        query = query.where(MOVE.c.alias == alias)
    return [
        Move(row.at, row.by, row.kind, row.name, row.alias, row.before, row.after) for row in connection.execute(query)
    ]


def one_before(connection: Connection, name: str, alias: str) -> int:
    """Return where an alias stood before it came to where it stands, leaving out what was deleted since.

    A second rollback goes one further back, not forth again.

    Raises
    ------
    StoreError : if it never stood anywhere else.
    """
    stack: list[int] = []
    for one in moves(connection, name, alias):
        if one.after is None:
            stack = []
        elif one.kind == "rollback":
            while stack and stack[-1] != one.after:
                stack.pop()
        else:
            stack.append(one.after)
    alive = select(VERSION.c.number).where(VERSION.c.name == name, VERSION.c.deleted.is_(None))
    there = {int(number) for number in connection.execute(alive).scalars()}
    for number in reversed(stack[:-1]):
        if number in there and number != stack[-1]:
            return number
    raise StoreError(
        f"'{name}@{alias}' stood nowhere before" if stack else f"there is no '{name}@{alias}'",
        where=name,
        fix=f"choose a version: mantic models promote {name}/NUMBER",
    )
