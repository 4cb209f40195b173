"""mantic backup: everything that the store keeps, in one file."""

from argparse import Namespace
from typing import TYPE_CHECKING

from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, tell
from mantic.cli.words import Parser
from mantic.core.settings import read_settings
from mantic.report.numbers import amount

if TYPE_CHECKING:
    from mantic.store.backup import Backup


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "backup",
        "Write everything that the store keeps at this moment to one file, while it is in use, and read it again.",
        examples="  mantic backup monday.backup",
    )
    options.add_argument("file", metavar="FILE", help="what to write; it is replaced as a whole, or stays as it was")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Write it; then remove what deleted versions have left."""
    with store_of(read_settings().store) as store:
        made = store.back_up(options.file)
        _show(made, options)
        store.sweep()
    return 0


def _show(made: "Backup", options: Namespace) -> None:
    if options.json:
        show_json({"file": str(made.path), "n_rows": made.n_rows, "n_models": made.n_blobs, "n_bytes": made.n_bytes})
    else:
        what = f"{amount(made.n_rows, 'row')} and {amount(made.n_blobs, 'model')}"
        tell(f"wrote {what} to {made.path} ({made.n_bytes / 1e6:.1f} MB)")
