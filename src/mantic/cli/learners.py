"""mantic learners: what can be tried, what it is good for, what it costs."""

from argparse import Namespace
from typing import Any

from mantic.cli.screen import show_json, show_report
from mantic.cli.words import Parser, load_plugins


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "learners",
        "List the learners, with a sentence on what each is good for and what it costs, and their parameters.",
        examples="  mantic learners\n  mantic learners svm",
    )
    options.add_argument("names", metavar="NAME", nargs="*", help="show the parameters of these")
    options.add_plugin()
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """List them."""
    load_plugins(options.plugin)
    from mantic.core.lazy import absent, how_to_install
    from mantic.core.learner import LEARNERS

    kinds = [LEARNERS.get(name) for name in options.names or LEARNERS.names()]
    facts: list[dict[str, Any]] = [
        {
            "name": kind.name,
            "tasks": list(kind.tasks),
            "good_for": kind.good_for,
            "costs": kind.costs,
            "needs": list(kind.needs),
            "installed": not absent(kind.needs),
            "install": [how_to_install(package) for package in absent(kind.needs)],
            "parameters": {name: repr(one) for name, one in kind().space().items()},
        }
        for kind in kinds
    ]
    if options.json:
        show_json({"learners": facts})
        return 0
    from mantic.report.blocks import Block, Grid, Group, Report

    heads = ("learner", "tasks", "good for", "costs")
    rows = tuple(
        (
            one["name"],
            ", ".join(one["tasks"]),
            one["good_for"],
            "; ".join([*([] if one["installed"] else ["not installed"]), *one["install"]]) or one["costs"],
        )
        for one in facts
    )
    blocks: list[Block] = [Grid(heads, rows)]
    if options.names:
        blocks += [
            Group(f"Parameters of {one['name']}", (Grid(("parameter", "values"), tuple(one["parameters"].items())),))
            for one in facts
        ]
    show_report(Report("Learners", tuple(blocks)))
    return 0
