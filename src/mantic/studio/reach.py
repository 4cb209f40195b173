"""By which address Studio is reached, and by whom."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from mantic.core.errors import SettingsError
from mantic.core.settings import StudioSettings
from mantic.serve.run import LOOPBACK


@dataclass(frozen=True)
class Reach:
    """How Studio is reached.

    Parameters
    ----------
    base : what its address begins with.
    hosts : the names by which it may be called.
    is_local : only this machine's user can reach it, who needs no password.
    warning : what whoever starts it should know; empty when there is nothing.
    """

    base: str
    hosts: frozenset[str]
    is_local: bool
    warning: str = ""


def reach(settings: StudioSettings, port: int) -> Reach:
    """Return how Studio is reached when it listens at this port.

    Raises
    ------
    SettingsError : if others could reach it and nobody said by which address, or the address is none.

    >>> reach(StudioSettings(), 8770).base
    'http://127.0.0.1:8770'
    """
    host = settings.host
    if not settings.url:
        if host not in LOOPBACK:
            raise SettingsError(
                f"{host} can be reached by other machines, and nobody said under which address",
                where="--host",
                fix="put a proxy with TLS in front and give its address: --url https://studio.example (in a network "
                "that you trust: --url http://NAME:PORT); people then sign in by name and password",
            )
        return Reach(f"http://{f'[{host}]' if ':' in host else host}:{port}", frozenset(LOOPBACK), True)
    base = settings.url.rstrip("/")
    try:
        parts = urlsplit(base)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.path and not parts.query
        _ = parts.port
    except ValueError:
        is_whole = False
    if not is_whole or parts.username:
        fix = "write https://studio.example, without a path"
        raise SettingsError("this is no address of a site", where="studio.url", fix=fix)
    name = parts.hostname or ""
    is_plain = parts.scheme == "http" and name not in LOOPBACK
    warning = (
        f"passwords and data go unencrypted to {base}: outside a network that you trust, put a proxy with TLS in front"
        if is_plain
        else ""
    )
    return Reach(base, frozenset((*LOOPBACK, name)), False, warning)
