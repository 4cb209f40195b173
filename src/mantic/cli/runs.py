"""mantic runs: what was worked on, and how it went."""

from argparse import Namespace
from dataclasses import asdict

from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, show_report
from mantic.cli.words import Parser, action
from mantic.core.settings import read_settings
from mantic.evaluate.side_by_side import minute

_SHOWN = 20


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "runs",
        "List the latest fits that the store knows, newest first.",
        examples="  mantic runs\n  mantic runs show 01f3a5c2",
    )
    listing = action("runs list", "the latest", example="mantic runs list", do=_list)
    show = action("runs show", "what a run has told", example="mantic runs show 01f3a5c2", do=_show)
    show.add_argument("run", metavar="ID", help="the beginning of it is enough")
    for one in (options, listing, show):
        one.add_json()
    options.set_defaults(action=_list)
    options.add_actions({"list": listing, "show": show})
    return options


def run(options: Namespace) -> int:
    """Do what was asked."""
    return int(options.action(options))


def _list(options: Namespace) -> int:
    from mantic.report.blocks import Block, Grid, Report, Text

    with store_of(read_settings().store) as store:
        found = store.runs.list(limit=_SHOWN)
    if options.json:
        show_json({"runs": [asdict(one) for one in found]})
        return 0
    heads = ("id", "what", "name", "state", "started", "model", "metric", "score")
    rows = tuple(
        (
            one.id[:8], one.kind, one.name, one.state, minute(one.started), str(one.facts.get("model", "")),
            str(one.facts.get("metric", "")), one.facts.get("score"),
        )
        for one in found
    )  # fmt: skip
    nothing = Text("Nothing is known yet: 'mantic fit' puts down what it does.")
    blocks: tuple[Block, ...] = (Grid(heads, rows),) if rows else (nothing,)
    show_report(Report("Runs", blocks))
    return 0


def _show(options: Namespace) -> int:
    from mantic.report.blocks import Grid, Report

    with store_of(read_settings().store) as store:
        found = store.runs.find(options.run)
        events = store.runs.events(found.id)
    if options.json:
        show_json(asdict(found) | {"events": [asdict(one) for one in events]})
        return 0
    rows = tuple((one.facts.get("seconds_in"), one.kind, _words(one.facts)) for one in events)
    about = f"{found.kind} {found.name}, {found.state}, {minute(found.started)}"
    show_report(Report(about, (Grid(("second", "what", "told"), rows, note=str(found.facts.get("data", ""))),)))
    return 0


def _words(facts: dict[str, object]) -> str:
    """Return what an event said in one line."""
    if "text" in facts:
        return str(facts["text"])
    more = facts.get("facts")
    learner = f" by {more['learner']}" if isinstance(more, dict) and "learner" in more else ""
    value = facts.get("value")
    shown = f" {value:.4g}" if isinstance(value, float) else ""
    return f"{str(facts.get('name', '')).replace('_', ' ')}{shown}{learner}"
