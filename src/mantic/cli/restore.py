"""mantic restore: a backup, into an empty place."""

from argparse import Namespace

from mantic.cli.screen import show_json, tell
from mantic.cli.words import Parser
from mantic.core.settings import read_settings


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "restore",
        "Bring a backup back, into a place where nothing is yet: a folder, or the tables of a server. Every byte is "
        "checked first. A backup of a folder restored into PostgreSQL is how one moves there.",
        examples="  mantic restore monday.backup --to ~/mantic\n"
        "  mantic restore monday.backup --to postgresql://me@host/mantic --blobs s3://bucket/models",
    )
    options.add_argument("file", metavar="FILE", help="what 'mantic backup' wrote")
    options.add_argument("--to", metavar="PLACE", help="a folder or postgresql:// (the setting store.url)")
    options.add_argument("--blobs", metavar="PLACE", help="where model files shall lie (the setting store.blobs)")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Bring it back."""
    settings = read_settings({"store.url": options.to, "store.blobs": options.blobs}).store
    from mantic.store.restore import restore

    # A place for blobs that is set belongs to the store that is set, not to a new one elsewhere.
    blobs = settings.blobs if options.blobs or not options.to else ""
    where = restore(options.file, settings.url, blobs=blobs)
    if options.json:
        show_json({"file": options.file, "store": where})
    else:
        tell(f"restored {options.file} to {where}; MANTIC_STORE_URL or store.url says which store is used")
    return 0
