"""mantic api-keys: who may ask a server."""

import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mantic.cli.screen import show_json, show_report, tell
from mantic.cli.words import Parser
from mantic.core.errors import SettingsError
from mantic.core.settings import read_settings

if TYPE_CHECKING:
    from mantic.serve.key_file import KeyFile
    from mantic.serve.keyring import Grant


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "api-keys",
        "Make, list and revoke the keys of a file that 'mantic serve --keys FILE' asks for. "
        "A key is shown once; the file holds its hash.",
        examples="  mantic api-keys new shop --scope predict --days 90 --keys keys.json\n"
        "  mantic api-keys list --keys keys.json\n"
        "  mantic api-keys revoke shop --keys keys.json",
    )
    options.add_argument("action", metavar="new|list|revoke", choices=tuple(_ACTIONS), help="what to do")
    options.add_argument("name", metavar="NAME", nargs="?", help="new: whose key it is; revoke: its id or name")
    options.add_argument("--keys", metavar="FILE", help="the file; a running server sees a change within a second")
    options.add_argument(
        "--scope",
        action="append",
        metavar="predict|explain|read|admin",
        help="what the key is for (predict); may be repeated; admin is for everything",
    )
    options.add_argument("--days", type=float, metavar="N", help="how long it is valid (for ever)")
    options.add_argument("--per-second", type=float, metavar="N", help="requests that it may make (any number)")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Do what is asked."""
    path = read_settings({"serve.keys": options.keys}).serve.keys
    if not path:
        raise SettingsError("there is no file of keys", where="mantic api-keys", fix="give --keys FILE")
    if options.action != "list" and not options.name:
        raise SettingsError("a name is missing", where=f"mantic api-keys {options.action}", fix="give NAME")
    from mantic.serve.key_file import KeyFile

    _ACTIONS[options.action](KeyFile(path), options)
    return 0


def _new(keys: "KeyFile", options: Namespace) -> None:
    scopes = options.scope or ["predict"]
    key = keys.new(options.name, scopes=scopes, days=options.days, per_second=options.per_second)
    if options.json:
        show_json({"name": options.name, "scopes": sorted(scopes), "key": key})
        return
    tell(f"a key for {options.name} ({', '.join(sorted(scopes))}). This is the only time that it is shown:")
    print(key)


def _list(keys: "KeyFile", options: Namespace) -> None:
    rows = [_facts(one) for one in keys.grants()]
    if options.json:
        show_json({"keys": rows})
        return
    from mantic.report.blocks import Grid, Report

    names = ("id", "name", "scopes", "expires", "per_second", "is_valid")
    cells = tuple(tuple(_word(row[name]) for name in names) for row in rows)
    show_report(Report("API keys", (Grid(("id", "name", "scopes", "valid until", "per second", "valid"), cells),)))


def _revoke(keys: "KeyFile", options: Namespace) -> None:
    gone = keys.revoke(options.name)
    if options.json:
        show_json({"revoked": gone.id, "name": gone.name})
        return
    tell(f"the key {gone.id} of {gone.name} is revoked; a running server refuses it within a second")


def _facts(grant: "Grant") -> dict[str, object]:
    expires = grant.expires
    return {
        "id": grant.id,
        "name": grant.name,
        "scopes": sorted(grant.scopes),
        "expires": None if expires is None else datetime.fromtimestamp(expires, UTC).isoformat(timespec="minutes"),
        "per_second": grant.per_second,
        "is_valid": expires is None or expires > time.time(),
    }


def _word(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


_ACTIONS: Mapping[str, Callable[["KeyFile", Namespace], None]] = {"new": _new, "list": _list, "revoke": _revoke}
