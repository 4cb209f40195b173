"""mantic predictions prune: remove predictions that are older than they are to be kept."""

from argparse import Namespace

from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, tell
from mantic.cli.words import Parser, action
from mantic.core.errors import SettingsError
from mantic.core.settings import read_settings
from mantic.core.stretch import days_of
from mantic.report.numbers import amount

_TELLING = 10_000_000  # bytes that are free in a file: then it is said


def actions() -> dict[str, Parser]:
    """Return the parsers."""
    prune = action(
        "predictions prune",
        "remove predictions that are older, with their outcomes",
        example="mantic predictions prune --older 90d --keep-with-outcomes",
        do=_prune,
    )
    prune.add_argument("--older", metavar="90d", help="than so many days or weeks (setting store.keep_predictions)")
    prune.add_argument("--keep-with-outcomes", action="store_true", help="keep those whose outcome is known")
    prune.add_json()
    return {"prune": prune}


def _prune(options: Namespace) -> int:
    settings = read_settings().store
    words = options.older or settings.keep_predictions
    if not words:
        raise SettingsError(
            "it is not said how old they may be",
            where="mantic predictions prune",
            fix="add --older 90d, or set store.keep_predictions",
        )
    days = days_of(words)
    with store_of(settings) as store:
        n_rows = sum(store.prune(days, keeps_outcomes=options.keep_with_outcomes))
        free = store.free_bytes
    if options.json:
        show_json({"removed": n_rows, "days": days, "free_bytes": free})
        return 0
    tell(f"removed {amount(n_rows, 'prediction')} older than {amount(days, 'day')}")
    if free > _TELLING:
        tell(
            f"{free / 1e6:,.0f} MB of the store's file are free for new rows; a smaller file is made by "
            "'mantic backup FILE' and 'mantic restore FILE --to FOLDER'"
        )
    return 0
