"""mantic keys: keys that sign models, and whom one trusts."""

import sys
from argparse import Namespace
from pathlib import Path

from mantic.cli.screen import show_json, show_report, tell
from mantic.cli.words import Parser, action
from mantic.core.errors import SettingsError
from mantic.core.files import write_atomic
from mantic.core.settings import read_settings
from mantic.store.trust import keys_of


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "keys",
        "List the keys that are trusted here. A private key signs models; it never leaves this machine by itself. "
        "--require-signature, or the setting store.signature=require, takes only models that one of these signed.",
        examples="  mantic keys new ada\n  mantic models sign churn/3 --key ada\n  mantic keys export ada --out ada.pub"
        "\n  mantic keys trust ada.pub",
    )
    options.add_json()
    options.set_defaults(action=_list)
    listing = action("keys list", "the keys that are trusted here", example="mantic keys list", do=_list)
    new = action("keys new", "make a key of one's own", example="mantic keys new ada", do=_new)
    export = action("keys export", "the public half, for others", example="mantic keys export ada", do=_export)
    export.add_argument("--out", metavar="FILE", help="write it there (standard output)")
    trust = action("keys trust", "trust the key of someone else", example="mantic keys trust ada.pub", do=_trust)
    trust.add_argument("file", metavar="FILE", help="what 'mantic keys export' gave")
    trust.add_argument("--name", metavar="NAME", help="under which it is known here (the name of the file)")
    remove = action("keys remove", "trust a key no longer", example="mantic keys remove ada", do=_remove)
    for one in (new, export, remove):
        one.add_argument("name", metavar="NAME", help="of the key")
    for one in (listing, new, trust, remove):
        one.add_json()
    options.add_actions({"list": listing, "new": new, "export": export, "trust": trust, "remove": remove})
    return options


def run(options: Namespace) -> int:
    """Do what was asked."""
    return int(options.action(options))


def _list(options: Namespace) -> int:
    keys = keys_of(read_settings().store)
    found = [{"name": key.name, "id": key.id, "is_own": key.is_own} for key in keys.list()]
    if options.json:
        show_json({"folder": str(keys.folder), "keys": found})
        return 0
    from mantic.report.blocks import Block, Grid, Report, Text

    rows = tuple((str(one["name"]), str(one["id"]), "yes" if one["is_own"] else "no") for one in found)
    nothing = Text("No key is trusted here yet: 'mantic keys new NAME' makes one.")
    blocks: tuple[Block, ...] = (Grid(("key", "id", "can sign"), rows, note=str(keys.folder)),) if rows else (nothing,)
    show_report(Report("Keys", blocks))
    return 0


def _new(options: Namespace) -> int:
    keys = keys_of(read_settings().store)
    made = keys.new(options.name)
    if options.json:
        show_json({"name": made.name, "id": made.id, "folder": str(keys.folder)})
    else:
        tell(f"made the key '{made.name}' ({made.id}) in {keys.folder}; 'mantic keys export {made.name}' is for others")
    return 0


def _export(options: Namespace) -> int:
    text = keys_of(read_settings().store).export(options.name)
    if not options.out:
        sys.stdout.write(text)
        return 0
    try:
        with write_atomic(options.out) as part:
            part.write_text(text, "ascii")
    except OSError as error:
        what = f"the key cannot be written: {error.strerror or error}"
        raise SettingsError(what, where=f"--out {options.out}", fix="choose a folder that can be written") from error
    tell(f"wrote the public half of '{options.name}' to {options.out}")
    return 0


def _trust(options: Namespace) -> int:
    file = Path(options.file)
    try:
        text = file.read_bytes()
    except OSError as error:
        what = f"the key cannot be read: {error.strerror or error}"
        raise SettingsError(what, where=options.file, fix="give the file of 'mantic keys export'") from error
    key = keys_of(read_settings().store).trust(text, options.name or file.stem, where=options.file)
    if options.json:
        show_json({"name": key.name, "id": key.id})
    else:
        tell(f"models signed by '{key.name}' ({key.id}) are trusted from now on")
    return 0


def _remove(options: Namespace) -> int:
    gone = keys_of(read_settings().store).remove(options.name)
    if options.json:
        id_, was_own = (None, True) if gone is None else (gone.id, gone.is_own)
        show_json({"removed": options.name, "id": id_, "was_own": was_own})
    elif gone is None:
        tell(f"removed the private half of '{options.name}'; that was all there was of it")
    else:
        tell(f"removed '{gone.name}' ({gone.id})" + (", with its private half" if gone.is_own else ""))
    return 0
