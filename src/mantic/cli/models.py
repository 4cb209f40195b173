"""mantic models: what the store keeps, and what is done with it."""

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mantic.cli import carry, compare, deploy, moves
from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, show_report
from mantic.cli.words import Parser, action
from mantic.core.settings import read_settings
from mantic.evaluate.side_by_side import facts_of, minute

if TYPE_CHECKING:
    from mantic.store.deployments import Deployment
    from mantic.store.version import Version


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "models",
        "List the models that the store keeps, newest first. A model is called NAME (its champion), NAME@ALIAS or "
        "NAME/NUMBER.",
        examples="  mantic models\n  mantic models compare churn@champion churn/3\n  mantic models promote churn/3\n"
        "  mantic models rollback churn",
    )
    _add_list(options)
    listing = action("models list", "the versions of a name, or of all", example="mantic models list churn", do=_list)
    _add_list(listing)
    options.add_actions(
        {"list": listing, **compare.actions(), **moves.actions(), **deploy.actions(), **carry.actions()}
    )
    return options


def run(options: Namespace) -> int:
    """Do what was asked."""
    return int(options.action(options))


def _add_list(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="only the versions of this name")
    parser.add_json()
    parser.set_defaults(action=_list)


def _list(options: Namespace) -> int:
    settings = read_settings().store
    with store_of(settings) as store:
        versions, places = store.models.list(options.name), store.models.aliases(options.name)
        deployed = {one.name: one for one in store.deployments.list()}
        where = str(store.address)
    standing = {
        (name, number): sorted(alias for alias, at in found.items() if at == number)
        for name, found in places.items()
        for number in found.values()
    }
    if options.json:
        listed = [
            {**facts_of(one), "aliases": standing.get((one.name, one.number), []), "answers": _part(one, deployed)}
            for one in versions
        ]
        show_json({"store": where, "models": listed})
        return 0
    from mantic.report.blocks import Block, Grid, Report, Text

    heads = ("model", "aliases", "answers", "target", "metric", "score", "kept", "by", "note")
    rows = tuple(
        (
            str(one), ", ".join(standing.get((one.name, one.number), [])), _said(_part(one, deployed)), one.target,
            one.metric, one.score, minute(one.created), one.by, one.note,
        )
        for one in versions
    )  # fmt: skip
    nothing = Text("Nothing is kept yet: 'mantic fit' keeps each model that it saves.")
    blocks: tuple[Block, ...] = (Grid(heads, rows, note=where),) if rows else (nothing,)
    show_report(Report("Models", blocks))
    return 0


def _part(version: "Version", deployed: "Mapping[str, Deployment]") -> float:
    """Return which share of the callers of a deployed model a version answers."""
    stands = deployed.get(version.name)
    if stands is None or version.number not in (stands.champion, stands.canary):
        return 0.0
    return stands.share if version.number == stands.canary else 1.0 - stands.share


def _said(share: float) -> str:
    return f"{100 * share:g} %" if share else ""
