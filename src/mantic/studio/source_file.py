"""Databases and files by a name, so that their addresses with passwords are written once and seen never again."""

import json
import os
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mantic.core.errors import SettingsError, SourceError
from mantic.core.files import write_atomic
from mantic.store.address import masked
from mantic.store.reference import check_name

SCHEMES = ("postgresql", "mysql", "sqlite")
_FORMAT = 1


@dataclass(frozen=True)
class NamedSource:
    """A source by its name.

    Parameters
    ----------
    address : with its password; only for whoever reads the data.
    by, created : who gave it, and when (seconds since 1970).
    """

    name: str
    address: str
    by: str
    created: float

    @property
    def shown(self) -> str:
        """Return the address without its secrets."""
        return masked(self.address)

    def __repr__(self) -> str:
        """Return it without its secrets, for logs."""
        return f"NamedSource({self.name}, {self.shown})"


class SourceFile:
    """Named sources in a JSON file that only its owner can read; each call reads it anew.

    >>> import tempfile
    >>> sources = SourceFile(Path(tempfile.mkdtemp()) / "sources.json")
    >>> sources.add("shop", "postgresql://ada:secret@host/shop?table=orders", by="ada")
    NamedSource(shop, postgresql://ada:***@host/shop?table=orders)
    >>> sources.address("shop")
    'postgresql://ada:secret@host/shop?table=orders'
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def list(self) -> list[NamedSource]:
        """Return them by name."""
        return sorted(self._read().values(), key=lambda one: one.name.casefold())

    def address(self, name: str) -> str:
        """Return the address of a name, with its password.

        Raises
        ------
        SourceError : if there is none.
        """
        found = self._read().get(name)
        if found is None:
            raise SourceError("there is no such source", where=name[:100], fix="choose one of those in the settings")
        return found.address

    def add(self, name: str, address: str, *, by: str) -> NamedSource:
        """Keep an address under a name that is free.

        Raises
        ------
        SettingsError : if the name is taken, or it is no address of a database or file.
        """
        source = NamedSource(check_name(name.strip(), "name"), check_address(address.strip()), by, time.time())
        self.put_back(source)
        return source

    def remove(self, name: str) -> NamedSource:
        """Forget a source, and return what it was.

        Raises
        ------
        SourceError : if there is none.
        """
        with self._lock:
            known = self._read()
            if name not in known:
                raise SourceError("there is no such source", where=name[:100], fix="it may be removed already")
            gone = known.pop(name)
            self._write(known)
        return gone

    def put_back(self, source: NamedSource) -> None:
        """Keep what `remove` returned.

        Raises
        ------
        SettingsError : if its name was given to another meanwhile.
        """
        with self._lock:
            known = self._read()
            if source.name in known:
                what = f"there is a source '{source.name}' already"
                raise SettingsError(what, where="sources", fix="choose another name, or remove that one first")
            self._write(known | {source.name: source})

    def _read(self) -> "dict[str, NamedSource]":
        if not self.path.exists():
            return {}
        try:
            content = json.loads(self.path.read_text("utf-8"))
            if content["format"] != _FORMAT:
                raise ValueError(f"its format is {content['format']!r}, not {_FORMAT}")
            return {one["name"]: NamedSource(**one) for one in content["sources"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = f"this is no file of sources: {type(error).__name__}"  # the error's words may hold an address
            raise SettingsError(what, where=str(self.path), fix="move it away, and name the sources again") from None

    def _write(self, known: "dict[str, NamedSource]") -> None:
        content = {"format": _FORMAT, "sources": [asdict(one) for one in known.values()]}
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))  # what replaces a file keeps its rights
            with write_atomic(self.path) as part:
                part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
        except OSError as error:
            what = f"the sources cannot be written: {error.strerror}"
            raise SettingsError(what, where=str(self.path), fix="check the rights of its folder") from error


def check_address(address: str) -> str:
    """Return the address of a database, or of a file on the machine where Studio runs.

    Raises
    ------
    SettingsError : if it is none.
    """
    scheme = address.partition("://")[0].partition("+")[0].lower() if "://" in address else ""
    is_database = scheme in SCHEMES and address.isprintable() and _is_whole(address)
    is_file = not scheme and address.startswith("/") and Path(address).is_file()
    if not is_database and not is_file:
        raise SettingsError(
            "this is no address of a database, nor a file on the machine where Studio runs",
            where="the address",  # it may hold a password, even where it is none
            fix="write postgresql://user:password@host/database?table=NAME, mysql://..., sqlite:///FILE?table=NAME, or "
            "/folder/file.csv",
        )
    return address


def _is_whole(address: str) -> bool:
    try:
        return bool(urlsplit(address).path.strip("/"))
    except ValueError:
        return False
