"""Models: immutable versions under a name, and aliases that move among them."""

import builtins
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from mantic.core.errors import AbsentError, StoreError
from mantic.core.files import write_atomic
from mantic.store import aliases
from mantic.store.aliases import Move
from mantic.store.audit import note_deed
from mantic.store.blobs import Blobs, digest, fetched
from mantic.store.database import Database
from mantic.store.owner import claim
from mantic.store.reference import CHAMPION, Reference, check_name, name_for, read_reference
from mantic.store.tables import ALIAS, VERSION
from mantic.store.value import author, now, plain
from mantic.store.version import Savable, Version, about, file_of

_OF_VERSION = (*VERSION.c,)  # in the order of Version's fields; a test holds the two equal


class Models:
    """The registry of a store."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    def register(
        self,
        model: str | Path | Savable,
        name: str | None = None,
        *,
        note: str = "",
        fingerprint: str = "",
        by: str | None = None,
    ) -> Version:
        """Keep a model as the next version of a name; the first version becomes the champion.

        Parameters
        ----------
        model : a `.mantic` file, or a fitted estimator.
        name : the name of the file when absent.
        fingerprint : of the data that it learned from.

        Raises
        ------
        ArtifactError : if the file is no model, damaged or hostile.
        StoreError : if the name cannot be one, the store cannot be written, or another store's models lie there.
        """
        if name is None and not isinstance(model, str | Path):
            raise StoreError("a fitted model needs a name", where="register", fix="give one: register(model, 'churn')")
        name = check_name(name_for(str(model)) if name is None else name)
        said = {"note": plain(note, "the note"), "fingerprint": plain(fingerprint, "the fingerprint"), "by": author(by)}
        with file_of(model) as file:
            facts = _facts(file)
            with self._database.reading() as connection:
                claim(connection, self._blobs)
            self._blobs.put(facts["sha256"], file)
            if digest(file) != facts["sha256"]:
                raise StoreError("the file changed while it was being kept", where=str(file), fix="try again")
            with self._database.moving() as connection:
                if self._blobs.size(facts["sha256"]) != facts["n_bytes"]:  # swept away a moment ago
                    self._blobs.put(facts["sha256"], file)
                return _add(connection, name, {**facts, **said})

    def get(self, reference: str) -> Version:
        """Return the version that `churn`, `churn@alias` or `churn/3` calls.

        Raises
        ------
        StoreError : if there is none; says which there are.
        """
        with self._database.reading() as connection:
            return find_version(connection, read_reference(reference))

    def list(self, name: str | None = None) -> list[Version]:
        """Return the versions that are there, by name, newest first."""
        query = _alive().order_by(VERSION.c.name, VERSION.c.number.desc())
        if name is not None:
            query = query.where(VERSION.c.name == check_name(name))
        with self._database.reading() as connection:
            return [Version(*row) for row in connection.execute(query)]

    def aliases(self, name: str | None = None) -> dict[str, dict[str, int]]:
        """Return where each alias stands, by the name of the model."""
        query = select(ALIAS).order_by(ALIAS.c.name, ALIAS.c.alias)
        if name is not None:
            query = query.where(ALIAS.c.name == check_name(name))
        found: dict[str, dict[str, int]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.name, {})[row.alias] = row.number
        return found

    def moves(self, name: str) -> builtins.list[Move]:
        """Return every move of a model's aliases, in order."""
        with self._database.reading() as connection:
            return aliases.moves(connection, check_name(name))

    def promote(self, reference: str, alias: str = CHAMPION, *, by: str | None = None) -> Move:
        """Let an alias point to a version; it moves at once, for everybody.

        Raises
        ------
        StoreError : if there is no such version.
        """
        alias = check_name(alias, "alias")
        with self._database.moving() as connection:
            version = find_version(connection, read_reference(reference))
            return aliases.move(connection, "promote", version.name, alias, to=version.number, by=author(by))

    def rollback(self, name: str, alias: str = CHAMPION, *, by: str | None = None) -> Move:
        """Move an alias back to where it stood before; again, and it goes one further back.

        Raises
        ------
        StoreError : if it never stood anywhere else.
        """
        name, alias = check_name(name), check_name(alias, "alias")
        with self._database.moving() as connection:
            to = aliases.one_before(connection, name, alias)
            return aliases.move(connection, "rollback", name, alias, to=to, by=author(by))

    def remove_alias(self, name: str, alias: str, *, by: str | None = None) -> Move:
        """Take an alias away; its version stays.

        Raises
        ------
        StoreError : if there is no such alias.
        """
        with self._database.moving() as connection:
            find_version(connection, Reference(check_name(name), check_name(alias, "alias")))
            return aliases.move(connection, "remove", name, alias, to=None, by=author(by))

    def delete(self, reference: str, *, by: str | None = None) -> Version:
        """Delete a version for good; its number is never given again.

        Raises
        ------
        StoreError : if there is none, or an alias points to it.
        """
        with self._database.moving() as connection:
            version = find_version(connection, read_reference(reference))
            held = select(ALIAS.c.alias).where(ALIAS.c.name == version.name, ALIAS.c.number == version.number)
            if names := sorted(connection.execute(held).scalars()):
                raise StoreError(
                    f"{version} is the {' and the '.join(names)} of '{version.name}'",
                    where=str(version),
                    fix=f"promote another version first: mantic models promote {version.name}/NUMBER",
                )
            here = (VERSION.c.name == version.name, VERSION.c.number == version.number)
            connection.execute(update(VERSION).where(*here).values(deleted=now()))
            detail = {"number": version.number, "sha256": version.sha256}
            note_deed(connection, "delete", version.name, by=author(by), detail=detail)
        return version

    @contextmanager
    def file(self, reference: str) -> Iterator[Path]:
        """Give the model file of a version, checked byte for byte, until the block ends.

        Raises
        ------
        StoreError : if there is no such version, or its content is gone or damaged.
        """
        with fetched(self._blobs, self.get(reference).sha256) as path:
            yield path

    def export(self, reference: str, path: str | Path) -> Path:
        """Write the very bytes of a version to a file, atomically; return the path.

        Raises
        ------
        StoreError : if there is no such version, its content is damaged, or the file cannot be written.
        """
        with self.file(reference) as kept:
            try:
                with write_atomic(path) as part:
                    shutil.copyfile(kept, part)
            except OSError as error:
                raise StoreError(
                    f"the model cannot be written: {error.strerror or error}",
                    where=str(path),
                    fix="choose a folder that can be written",
                ) from error
        return Path(path)


def _alive() -> "Select[Any]":
    return select(*_OF_VERSION).where(VERSION.c.deleted.is_(None))


def _facts(file: Path) -> dict[str, Any]:
    """Return what is to be put down of a model file; it is checked in full."""
    sha256 = digest(file) if file.is_file() else ""  # before it is checked: what is checked must be what is kept
    return {**asdict(about(file)), "sha256": sha256, "n_bytes": file.stat().st_size}


def _add(connection: Connection, name: str, facts: Mapping[str, Any]) -> Version:
    last = connection.execute(select(func.max(VERSION.c.number)).where(VERSION.c.name == name)).scalar()
    row = {"name": name, "number": int(last or 0) + 1, "created": now(), "deleted": None, **facts}
    connection.execute(insert(VERSION).values(row))
    version = Version(**row)
    detail = {"number": version.number, "sha256": version.sha256}
    note_deed(connection, "register", name, by=version.by, detail=detail)
    if aliases.standing(connection, name, CHAMPION) is None:
        aliases.move(connection, "promote", name, CHAMPION, to=version.number, by=version.by)
    return version


def find_version(connection: Connection, asked: Reference) -> Version:
    """Return the version that is called.

    Raises
    ------
    AbsentError : if there is none; says which there are.
    """
    number = aliases.standing(connection, asked.name, asked.alias) if asked.number is None else asked.number
    if number is not None:
        query = _alive().where(VERSION.c.name == asked.name, VERSION.c.number == number)
        if row := connection.execute(query).first():
            return Version(*row)
    raise _unknown(connection, asked)


def _unknown(connection: Connection, asked: Reference) -> AbsentError:
    """Return the complaint that a version is not there, with those that are."""
    query = select(VERSION.c.number).where(VERSION.c.name == asked.name, VERSION.c.deleted.is_(None))
    numbers = sorted(connection.execute(query).scalars())
    if not numbers:
        names = list(connection.execute(select(VERSION.c.name).distinct().limit(1000)).scalars())
        near = get_close_matches(asked.name, names, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        return AbsentError(
            f"there is no model '{asked.name}'",
            where="store",
            fix=f"{hint}'mantic models' lists what is kept; a file's name ends with .mantic",
        )
    shown = ", ".join(map(str, numbers[-10:]))
    query = select(ALIAS.c.alias).where(ALIAS.c.name == asked.name)
    points = ", ".join(sorted(connection.execute(query).scalars()))
    return AbsentError(
        f"there is no {asked}", where="store", fix=f"versions that are there: {shown}; aliases: {points or 'none'}"
    )
