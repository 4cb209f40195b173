"""Deployments: the models that answer programs, each by its champion, and its challenger as a canary.

Nothing but the share is kept beside the aliases: what they say can never be another thing than what answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, insert, select, update

from mantic.core.errors import AbsentError, StoreError
from mantic.store import aliases
from mantic.store.audit import note_deed
from mantic.store.database import Database
from mantic.store.models import find_version
from mantic.store.reference import CHALLENGER, CHAMPION, Reference, check_name, read_reference
from mantic.store.tables import ALIAS, AUDIT, DEPLOYMENT, MOVE
from mantic.store.value import author, now


class ChangedError(StoreError):
    """Somebody else has changed it since."""

    status = 409


@dataclass(frozen=True)
class Deployment:
    """How a model stands.

    Parameters
    ----------
    champion, challenger : numbers of the versions; None where the alias is absent.
    at, by : since when it is deployed, and who did it; empty when it is not.
    share : of the callers whom the challenger answers, 0 to 1.
    """

    name: str
    champion: int | None
    challenger: int | None
    at: str = ""
    by: str = ""
    share: float = 0.0

    @property
    def is_deployed(self) -> bool:
        """Whether programs may ask it."""
        return bool(self.at)

    @property
    def canary(self) -> int | None:
        """Return the number of the version that answers a share of the callers."""
        return self.challenger if self.share > 0 else None


@dataclass(frozen=True)
class Change:
    """How a model stood before something was done, and after it; `Deployments.undo` takes it."""

    before: Deployment
    after: Deployment


class Deployments:
    """The deployments of a store. Whatever is done is in the audit, in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[Deployment]:
        """Return the models that are deployed, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(_query().order_by(DEPLOYMENT.c.name)).all()
        return [Deployment(*row) for row in rows]

    def get(self, name: str) -> Deployment:
        """Return how a model stands, be it deployed or not."""
        with self._database.reading() as connection:
            return _standing(connection, check_name(name))

    def way_back(self, name: str) -> int | None:
        """Return the number of the version to which a rollback leads; None for none."""
        with self._database.reading() as connection:
            return next(iter(_ones_before(connection, check_name(name))), None)

    def canary_since(self, name: str) -> str | None:
        """Return since when the canary has answered the share of callers that it answers now; None for no canary.

        Another share, another challenger and whatever an undo brought back begin anew: callers were parted otherwise
        before.
        """
        with self._database.reading() as connection:
            found = _standing(connection, check_name(name))
            if found.canary is None:
                return None
            deeds = select(AUDIT.c.at).where(AUDIT.c.subject == found.name, AUDIT.c.action.in_(("canary", "undo")))
            moves = select(MOVE.c.at).where(MOVE.c.name == found.name, MOVE.c.alias == CHALLENGER)
            latest = (deeds.order_by(AUDIT.c.id.desc()).limit(1), moves.order_by(MOVE.c.id.desc()).limit(1))
            moments: list[str | None] = [connection.execute(one).scalar() for one in latest]
        return max([found.at, *filter(None, moments)])

    def put(self, reference: str, *, by: str | None = None) -> Change:
        """Deploy a model; `churn/3` becomes the champion by it, if it is not yet.

        Raises
        ------
        StoreError : if there is no such version.
        """
        with self._database.moving() as connection:
            version = find_version(connection, read_reference(reference))
            before, who = _standing(connection, version.name), author(by)
            if version.number != before.champion:
                aliases.move(connection, "promote", version.name, CHAMPION, to=version.number, by=who)
            if not before.is_deployed:
                row = {"name": version.name, "at": now(), "by": who, "share": 0.0}
                connection.execute(insert(DEPLOYMENT).values(row))
                note_deed(connection, "deploy", version.name, by=who, detail={"number": version.number})
            return Change(before, _standing(connection, version.name))

    def remove(self, name: str, *, by: str | None = None) -> Change:
        """Withdraw a model: programs that ask it are refused. Its versions and its champion stay.

        Raises
        ------
        StoreError : if it is not deployed.
        """
        with self._database.moving() as connection:
            before, who = _deployed(connection, name), author(by)
            if before.canary is not None:
                aliases.move(connection, "remove", before.name, CHALLENGER, to=None, by=who)
            connection.execute(delete(DEPLOYMENT).where(DEPLOYMENT.c.name == before.name))
            note_deed(connection, "withdraw", before.name, by=who, detail={"number": before.champion})
            return Change(before, _standing(connection, before.name))

    def canary(self, reference: str, share: float, *, by: str | None = None) -> Change:
        """Let a version answer a share of a deployed model's callers; it becomes the challenger.

        Nothing is done, and nothing put down, where it answers that share already.

        Parameters
        ----------
        share : above 0, up to 1.

        Raises
        ------
        StoreError : if the model is not deployed, there is no such version, it is the champion, or the share is none.
        """
        if not 0 < share <= 1:
            raise StoreError(f"a share cannot be {share}", where="canary", fix="give one above 0 and up to 1, as 0.1")
        asked = read_reference(reference)
        with self._database.moving() as connection:
            before, who = _deployed(connection, asked.name), author(by)
            version = find_version(connection, asked)
            if version.number == before.champion:
                fix = f"name another version: {version.name}/NUMBER"
                raise StoreError(f"{version} answers already", where="canary", fix=fix)
            if (version.number, share) == (before.challenger, before.share):
                return Change(before, before)
            if version.number != before.challenger:
                aliases.move(connection, "promote", version.name, CHALLENGER, to=version.number, by=who)
            here = DEPLOYMENT.c.name == version.name
            connection.execute(update(DEPLOYMENT).where(here).values(share=share))
            note_deed(connection, "canary", version.name, by=who, detail={"number": version.number, "share": share})
            return Change(before, _standing(connection, version.name))

    def end_canary(self, name: str, *, by: str | None = None) -> Change:
        """Let the champion answer all callers again; the challenger goes.

        Raises
        ------
        StoreError : if there is no canary.
        """
        with self._database.moving() as connection:
            before, who = _deployed(connection, name), author(by)
            if before.canary is None:
                raise StoreError(f"'{before.name}' has no canary", where="canary", fix="there is nothing to end")
            aliases.move(connection, "remove", before.name, CHALLENGER, to=None, by=who)
            note_deed(connection, "end canary", before.name, by=who, detail={"number": before.canary})
            return Change(before, _standing(connection, before.name))

    def promote(self, reference: str, *, by: str | None = None) -> Change:
        """Let a version answer; raises as `Models.promote` does."""
        with self._database.moving() as connection:
            version = find_version(connection, read_reference(reference))
            before = _standing(connection, version.name)
            aliases.move(connection, "promote", version.name, CHAMPION, to=version.number, by=author(by))
            return Change(before, _standing(connection, version.name))

    def rollback(self, name: str, *, by: str | None = None) -> Change:
        """Let the version before answer; raises as `Models.rollback` does."""
        name = check_name(name)
        with self._database.moving() as connection:
            before = _standing(connection, name)
            to = aliases.one_before(connection, name, CHAMPION)
            aliases.move(connection, "rollback", name, CHAMPION, to=to, by=author(by))
            return Change(before, _standing(connection, name))

    def undo(self, change: Change, *, by: str | None = None) -> Change:
        """Let a model stand as it did before a change.

        Raises
        ------
        ChangedError : if somebody has changed it since. StoreError : if a version was deleted since.
        """
        name, who = change.before.name, author(by)
        with self._database.moving() as connection:
            found = _standing(connection, name)
            if found != change.after:
                what = f"'{name}' was changed by somebody since"
                raise ChangedError(what, where="undo", fix="look how it stands now, then decide anew")
            _bring(connection, found, change.before, by=who)
            note_deed(connection, "undo", name, by=who, detail={"number": change.before.champion})
            return Change(found, _standing(connection, name))


def _bring(connection: Connection, found: Deployment, wanted: Deployment, *, by: str) -> None:
    """Let a model stand as it is wanted to."""
    name = wanted.name
    for number in filter(None, (wanted.champion, wanted.challenger)):
        find_version(connection, Reference(name, number=number))
    if found.champion != wanted.champion:
        kind = "rollback" if wanted.champion in _ones_before(connection, name) else "promote"
        kind = "remove" if wanted.champion is None else kind
        aliases.move(connection, kind, name, CHAMPION, to=wanted.champion, by=by)
    if aliases.standing(connection, name, CHALLENGER) != wanted.challenger:
        kind = "remove" if wanted.challenger is None else "promote"
        aliases.move(connection, kind, name, CHALLENGER, to=wanted.challenger, by=by)
    connection.execute(delete(DEPLOYMENT).where(DEPLOYMENT.c.name == name))
    if wanted.is_deployed:
        row = {"name": name, "at": wanted.at, "by": wanted.by, "share": wanted.share}
        connection.execute(insert(DEPLOYMENT).values(row))


def _ones_before(connection: Connection, name: str) -> Sequence[int]:
    try:
        return (aliases.one_before(connection, name, CHAMPION),)
    except StoreError:
        return ()


def _query() -> "Select[Any]":
    """Return what asks for the fields of every deployment."""
    standing = {alias: ALIAS.alias(alias) for alias in (CHAMPION, CHALLENGER)}
    found = DEPLOYMENT.c
    joined: Any = DEPLOYMENT
    for alias, table in standing.items():
        joined = joined.outerjoin(table, and_(table.c.name == found.name, table.c.alias == alias))
    numbers = (standing[CHAMPION].c.number, standing[CHALLENGER].c.number)
    return select(found.name, *numbers, found.at, found.by, found.share).select_from(joined)


def _standing(connection: Connection, name: str) -> Deployment:
    row = connection.execute(_query().where(DEPLOYMENT.c.name == name)).first()
    if row is not None:
        return Deployment(*row)
    champion, challenger = (aliases.standing(connection, name, alias) for alias in (CHAMPION, CHALLENGER))
    return Deployment(name, champion, challenger)


def _deployed(connection: Connection, name: str) -> Deployment:
    found = _standing(connection, check_name(name))
    if not found.is_deployed:
        fix = f"deploy it: mantic models deploy {found.name}"
        raise AbsentError(f"'{found.name}' is not deployed", where="store", fix=fix)
    return found
