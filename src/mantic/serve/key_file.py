"""API keys in a file: only their hashes, readable by its owner alone."""

import fcntl
import json
import logging
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from mantic.core.errors import SettingsError
from mantic.core.files import write_atomic
from mantic.serve.keyring import PREFIX, Grant, digest, is_same
from mantic.serve.route import SCOPES

_LOG = logging.getLogger("mantic.serve")
_FORMAT = 1
_LOOK_SECONDS = 1.0  # a revoked key is refused this much later at most
_DAY = 86_400


@dataclass(frozen=True)
class Kept:
    """One key as the file has it."""

    grant: Grant
    sha256: str
    created: float

    def to_facts(self) -> dict[str, Any]:
        """Return it as plain values."""
        facts = asdict(self.grant) | {"scopes": sorted(self.grant.scopes)}
        return facts | {"sha256": self.sha256, "created": self.created}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Restore what `to_facts` gave."""
        about = {name: facts[name] for name in ("id", "name", "expires", "per_second")}
        return cls(Grant(**about, scopes=frozenset(facts["scopes"])), str(facts["sha256"]), float(facts["created"]))


class KeyFile:
    """A `Keyring` in a JSON file. What changes in the file counts a second later, without a restart;
    if it cannot be read any more, the log says so, and the keys that were known go on to count.

    Parameters
    ----------
    path : may be absent: then no key is known until the first is made.

    Raises
    ------
    SettingsError : if it is no such file, or others may read it.

    >>> import tempfile
    >>> keys = KeyFile(Path(tempfile.mkdtemp()) / "keys.json")
    >>> key = keys.new("shop", scopes=("predict",))
    >>> keys.find(key).name, keys.find(key + "x")
    ('shop', None)
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._seen: tuple[int, ...] = ()
        self._said = ""
        self._looked = time.monotonic()
        self._kept = self._read()

    def find(self, key: str) -> Grant | None:
        """Return what a key allows; None if it is unknown, wrong, revoked or past its end."""
        self._look()
        kept = self._kept.get(key.removeprefix(f"{PREFIX}_").partition("_")[0])
        if kept is None or not is_same(kept.sha256, digest(key)):
            return None
        expires = kept.grant.expires
        return None if expires is not None and expires <= time.time() else kept.grant

    def grants(self) -> list[Grant]:
        """Return what is known, the oldest first; the keys themselves are nowhere."""
        self._look()
        return [one.grant for one in sorted(self._kept.values(), key=lambda one: one.created)]

    def new(
        self, name: str, *, scopes: Iterable[str], days: float | None = None, per_second: float | None = None
    ) -> str:
        """Make a key and return it. This is the only time that it can be seen.

        Parameters
        ----------
        name : whose it is.
        scopes : of "predict", "explain", "read", "admin".
        days : how long it is valid; for ever when absent.
        per_second : how many requests it may make; as many as it likes when absent.

        Raises
        ------
        SettingsError : if a scope is unknown or a number makes no sense.
        """
        wanted = frozenset(scopes)
        if (strange := wanted - SCOPES.keys()) or not wanted:
            what = f"there is no scope '{min(strange)}'" if strange else "a key needs a scope"
            raise SettingsError(what, where="--scope", fix=f"known are: {', '.join(SCOPES)}")
        for option, number in (("--days", days), ("--per-second", per_second)):
            if number is not None and not number > 0:
                raise SettingsError(f"{number} is too little", where=option, fix="give a number above 0")
        name_of_key, now = secrets.token_hex(4), time.time()
        key = f"{PREFIX}_{name_of_key}_{secrets.token_urlsafe(32)}"
        expires = None if days is None else now + days * _DAY
        grant = Grant(name_of_key, name, wanted, expires, per_second)
        self.put_back(Kept(grant, digest(key), now))
        return key

    def revoke(self, which: str) -> Grant:
        """Forget a key, by its id or by a name that only one has, and return what it allowed.

        Raises
        ------
        SettingsError : if no key or more than one is meant.
        """
        return self.take(which).grant

    def take(self, which: str) -> Kept:
        """Forget a key as `revoke` does, and return what `put_back` needs to know it again."""
        with self._changing():
            return self._take(which)

    def put_back(self, kept: Kept) -> None:
        """Know a key again that was taken."""
        with self._changing():
            self._kept = self._read() | {kept.grant.id: kept}
            self._write()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change the file from reading to writing it alone, among all threads and processes."""
        place = f"{os.path.realpath(self.path)}.lock"  # beside it, as the file itself is replaced
        try:
            lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritten(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _take(self, which: str) -> Kept:
        self._kept = self._read()
        meant = [one.grant for one in self._kept.values() if which in (one.grant.id, one.grant.name)]
        if len(meant) != 1:
            what = f"{len(meant)} keys are called '{which}'" if meant else f"there is no key '{which}'"
            known = ", ".join(f"{one.grant.id} ({one.grant.name})" for one in self._kept.values()) or "none"
            raise SettingsError(what, where=str(self.path), fix=f"give an id; known are: {known}")
        taken = self._kept.pop(meant[0].id)
        self._write()
        return taken

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        if _stamp(self.path) == self._seen:
            return
        try:
            self._kept, self._said = self._read(), ""
        except SettingsError as error:
            if self._said != str(error):
                self._said = str(error)
                _LOG.warning("the keys that were known before go on to count: %s", error)

    def _read(self) -> dict[str, Kept]:
        seen = _stamp(self.path)
        found = self._content() if seen and seen[-1] else {}  # absent, or made a moment ago and still empty
        self._seen = seen
        return found

    def _content(self) -> dict[str, Kept]:
        if self.path.stat().st_mode & 0o077:
            raise SettingsError("others may read the keys", where=str(self.path), fix=f"chmod 600 {self.path}")
        try:
            content = json.loads(self.path.read_text("utf-8"))
            if content["format"] != _FORMAT:
                raise ValueError(f"its format is {content['format']!r}, not {_FORMAT}")
            return {one["id"]: Kept.of_facts(one) for one in content["keys"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"this is no file of keys: {error}", where=str(self.path), fix="make one by 'mantic api-keys new'"
            ) from error

    def _write(self) -> None:
        content = {"format": _FORMAT, "keys": [one.to_facts() for one in self._kept.values()]}
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))  # what replaces a file keeps its rights
            with write_atomic(self.path) as part:
                part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
        except OSError as error:
            raise self._unwritten(error) from error
        self._seen = _stamp(self.path)

    def _unwritten(self, error: OSError) -> SettingsError:
        what = f"the keys cannot be written: {error.strerror}"
        return SettingsError(what, where=str(self.path), fix="give another --keys FILE")


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what changes with the file's content; nothing where there is no file."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return ()
    return (about.st_ino, about.st_mtime_ns, about.st_size)
