"""mantic models show, compare: what is known of a version, and how versions differ."""

from argparse import Namespace
from dataclasses import asdict

from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, show_report
from mantic.cli.words import Parser, action
from mantic.core.errors import SettingsError
from mantic.core.settings import read_settings
from mantic.evaluate.side_by_side import facts_of, minute, rows_of, sentence_of, side_by_side


def actions() -> dict[str, Parser]:
    """Return the parsers."""
    show = action("models show", "all that is known of a version", example="mantic models show churn/3", do=_show)
    show.add_argument("model", metavar="MODEL", help="churn, churn@challenger or churn/3")
    compare = action(
        "models compare", "versions side by side", example="mantic models compare churn churn/3", do=_compare
    )
    compare.add_argument("models", metavar="MODEL", nargs="+", help="two or more")
    for one in (show, compare):
        one.add_json()
    return {"show": show, "compare": compare}


def _show(options: Namespace) -> int:
    with store_of(read_settings().store) as store:
        version = store.models.get(options.model)
        aliases = sorted(
            alias
            for alias, number in store.models.aliases(version.name)[version.name].items()
            if number == version.number
        )
        moves = [one for one in store.models.moves(version.name) if version.number in (one.before, one.after)]
        signers = [one.key for one in store.signatures.of(version.sha256)]
    if options.json:
        show_json(
            {**facts_of(version), "aliases": aliases, "signed_by": signers, "moves": [asdict(one) for one in moves]}
        )
        return 0
    from mantic.report.blocks import Block, Grid, Report

    rows = [("aliases", ", ".join(aliases)), *rows_of([version]), ("signed by", ", ".join(signers))]
    blocks: list[Block] = [Grid(("what", "value"), tuple(row for row in rows if row[1] not in ("", None)))]
    if moves:
        heads = ("when", "by", "what", "alias", "from", "to")
        told = tuple((minute(one.at), one.by, one.kind, one.alias, one.before, one.after) for one in moves)
        blocks.append(Grid(heads, told, title="Moves"))
    show_report(Report(str(version), tuple(blocks)))
    return 0


def _compare(options: Namespace) -> int:
    if len(options.models) < 2:
        raise SettingsError("one model cannot be compared", where="mantic models compare", fix="name two or more")
    with store_of(read_settings().store) as store:
        versions = [store.models.get(words) for words in options.models]
    if options.json:
        show_json({"models": [facts_of(one) for one in versions], "sentence": sentence_of(versions)})
        return 0
    show_report(side_by_side(versions))
    return 0
