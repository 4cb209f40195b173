"""Where a store lies: a folder with SQLite and files in it, or a PostgreSQL server and a place for blobs."""

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from mantic.core.errors import SettingsError

_SERVERS = ("postgresql", "postgres")
_DRIVER = "postgresql+psycopg"  # as SQLAlchemy calls it
_PASSWORD = re.compile(r"^([^:/?#]+://[^:/?#@\[\]]*):.*@", re.DOTALL)  # to the last @: rather too much
SCHEMA = "mantic"  # of the tables on a server; ?schema=NAME chooses another


@dataclass(frozen=True)
class Address:
    """Where the rows and the blobs of a store lie.

    Parameters
    ----------
    folder : of an embedded store; None on a server.
    server : URL of the database on a server; empty for an embedded store.
    schema : in which the tables of a server lie.
    blobs : a folder, or a URL of fsspec (``s3://bucket/models``).
    """

    folder: Path | None
    server: str
    schema: str
    blobs: str

    def __str__(self) -> str:
        """Return it for people; a password is not shown."""
        return str(self.folder) if self.folder else masked(self.server).replace(_DRIVER, "postgresql", 1)


def where(url: str = "", blobs: str = "") -> Address:
    """Return where a store lies.

    Parameters
    ----------
    url : a folder, or ``postgresql://user@host/database``; empty is the folder of this user's data.
    blobs : a folder or URL for the blobs; needed with a server, inside the folder when absent.

    Raises
    ------
    SettingsError : if the URL is of something else, or a server is given without a place for blobs.

    >>> where("/srv/mantic").blobs
    '/srv/mantic/blobs'
    """
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme in _SERVERS:
        return _server(url, blobs)
    if scheme:
        raise SettingsError(
            f"a store cannot lie at {scheme}://",
            where="store.url",
            fix="give a folder, or postgresql://user@host/database",
        )
    folder = Path(url).expanduser().absolute() if url else user_folder()
    return Address(folder, "", "", _absolute(blobs) or str(folder / "blobs"))


def user_folder() -> Path:
    """Return the folder where this user's programs keep their data."""
    from platformdirs import user_data_path

    return user_data_path("mantic", appauthor=False)


def beside(url: str, blobs: str, what: str) -> Path:
    """Return where something that belongs to a store lies beside it: in its folder, or for a server in this user's."""
    address = where(url, blobs)
    if address.folder is not None:
        return address.folder / what
    return user_folder() / what / sha256(f"{address.server} {address.schema}".encode()).hexdigest()[:16]


def masked(url: str) -> str:
    """Return an address without its password.

    >>> masked("postgresql://me:secret@host/db"), masked("/srv/mantic")
    ('postgresql://me:***@host/db', '/srv/mantic')
    """
    if "://" not in url:
        return url
    hidden = _PASSWORD.sub(r"\1:***@", url)  # first of all: one with a slash would end the part that holds it
    try:
        parts = urlsplit(hidden)
    except ValueError:
        return hidden.partition("?")[0]
    options = [(key, "***" if "password" in key.lower() else value) for key, value in parse_qsl(parts.query)]
    query = urlencode(options, safe="*/:", quote_via=quote)
    return _joined(parts.scheme, parts.netloc, parts.path, query)


def _server(url: str, blobs: str) -> Address:
    if not blobs:
        raise SettingsError(
            "a store on a server needs a place for its models too",
            where="store.blobs",
            fix="give a folder that all can reach, or s3://bucket/folder, gs://..., abfs://...",
        )
    try:
        parts = urlsplit(url)
    except ValueError as error:
        what = f"the address of the store cannot be read ({error})"
        fix = "write signs other than letters and digits in a password as %XX ([ is %5B, ] is %5D)"
        raise SettingsError(what, where="store.url", fix=fix) from None
    options = dict(parse_qsl(parts.query))
    schema = options.pop("schema", SCHEMA)
    if not (schema.isidentifier() and schema.isascii() and schema.islower() and len(schema) <= 50):
        raise SettingsError(
            f"'{schema[:60]}' is no name of a schema", where="store.url", fix="use letters a to z, 0-9, _"
        )
    driver = _joined(_DRIVER, parts.netloc, parts.path, urlencode(options, quote_via=quote))
    return Address(None, driver, schema, _absolute(blobs))


def _joined(scheme: str, netloc: str, path: str, query: str) -> str:
    """Return a URL; without a host it keeps its `//`, which `urlunsplit` would leave out."""
    return f"{scheme}{scheme and '://'}{netloc}{path}{query and '?'}{query}"


def _absolute(blobs: str) -> str:
    return blobs if "://" in blobs or not blobs else str(Path(blobs).expanduser().absolute())
