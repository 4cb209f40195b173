"""mantic verify: look at every byte of the store, or of a backup."""

from argparse import Namespace
from dataclasses import asdict

from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, tell
from mantic.cli.words import Parser
from mantic.core.settings import read_settings
from mantic.report.numbers import amount

_FAULTY = 1


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "verify",
        "Read every row and hash every model again; name every fault. Leaves with 1 if there is one.",
        examples="  mantic verify\n  mantic verify monday.backup",
    )
    options.add_argument("file", metavar="FILE", nargs="?", help="a backup (the store)")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Look."""
    from mantic.store.verify import verify_backup

    if options.file:
        found, where = verify_backup(options.file), options.file
    else:
        with store_of(read_settings().store) as store:
            found, where = store.verify(), str(store.address)
    if options.json:
        show_json({"where": where, **asdict(found)})
    else:
        for fault in found.faults:
            print(f"fault: {fault}")
        said = amount(len(found.faults), "fault") if found.faults else "no fault"
        tell(f"{said} in {amount(found.n_rows, 'row')} and {amount(found.n_blobs, 'model')} of {where}")
        if found.garbage:
            tell(f"nothing points at {len(found.garbage):,} of its files; they go with the next 'mantic backup'")
    return _FAULTY if found.faults else 0
