"""mantic models promote, rollback, retire, delete, history: which version answers to a name."""

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, show_report, tell
from mantic.cli.words import Parser, action
from mantic.core.errors import SettingsError
from mantic.core.settings import read_settings
from mantic.evaluate.side_by_side import minute
from mantic.store.reference import CHAMPION, read_reference

if TYPE_CHECKING:
    from mantic.store.aliases import Move

_LATER = "Its content goes with a deletion or backup in an hour or later, or within a day where a server runs"


def actions() -> dict[str, Parser]:
    """Return the parsers."""
    promote = action(
        "models promote", "let an alias point to a version", example="mantic models promote churn/3", do=_promote
    )
    promote.add_argument("model", metavar="MODEL", help="churn/3, or churn@challenger")
    rollback = action(
        "models rollback", "back to the version before", example="mantic models rollback churn", do=_rollback
    )
    rollback.add_argument("name", metavar="NAME", help="of the model")
    for one in (promote, rollback):
        one.add_argument("--alias", default=CHAMPION, metavar="ALIAS", help=f"which one moves ({CHAMPION})")
    retire = action("models retire", "take an alias away", example="mantic models retire churn@challenger", do=_retire)
    retire.add_argument("alias", metavar="NAME@ALIAS", help="its version stays")
    delete = action("models delete", "delete a version for good", example="mantic models delete churn/1", do=_delete)
    delete.add_argument("model", metavar="MODEL", help="churn/1; no alias may point to it")
    history = action("models history", "who did what, and when", example="mantic models history churn", do=_history)
    history.add_argument("name", metavar="NAME", nargs="?", help="only what was done to this one")
    history.add_argument("--limit", type=int, default=50, metavar="N", help="only the latest (50)")
    for one in (promote, rollback, retire, delete, history):
        one.add_json()
    return {"promote": promote, "rollback": rollback, "retire": retire, "delete": delete, "history": history}


def _promote(options: Namespace) -> int:
    with store_of(read_settings().store) as store:
        return _told(store.models.promote(options.model, options.alias), options)


def _rollback(options: Namespace) -> int:
    with store_of(read_settings().store) as store:
        return _told(store.models.rollback(options.name, options.alias), options)


def _retire(options: Namespace) -> int:
    if "@" not in options.alias:
        what = f"'{options.alias}' names no alias"
        raise SettingsError(what, where="NAME@ALIAS", fix=f"say which one: mantic models retire NAME@{CHAMPION}")
    asked = read_reference(options.alias)
    with store_of(read_settings().store) as store:
        return _told(store.models.remove_alias(asked.name, asked.alias), options)


def _delete(options: Namespace) -> int:
    with store_of(read_settings().store) as store:
        version = store.models.delete(options.model)
        n_swept = store.sweep()
    if options.json:
        show_json({"deleted": str(version), "swept": n_swept})
    else:
        tell(f"deleted {version}; its number is not given again. {_LATER}")
    return 0


def _history(options: Namespace) -> int:
    with store_of(read_settings().store) as store:
        deeds = store.audit.list(options.name, limit=max(0, options.limit))
    if options.json:
        show_json({"deeds": [asdict(deed) for deed in deeds]})
        return 0
    from mantic.report.blocks import Grid, Report

    def told(detail: dict[str, Any]) -> str:
        return ", ".join(f"{name} {str(value)[:12]}" for name, value in detail.items() if value is not None)

    rows = tuple((minute(deed.at), deed.by, deed.action, deed.subject, told(deed.detail)) for deed in deeds)
    show_report(Report("History", (Grid(("when", "by", "what", "of", "how"), rows),)))
    return 0


def _told(move: "Move", options: Namespace) -> int:
    if options.json:
        show_json(asdict(move))
        return 0
    before = f"it was {move.name}/{move.before}" if move.before else "it was not there before"
    after = f"is now {move.name}/{move.after}" if move.after else "is gone"
    tell(f"{move.name}@{move.alias} {after} ({before})")
    return 0
