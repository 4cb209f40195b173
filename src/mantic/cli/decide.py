"""mantic decide: say what mistakes cost, and get the threshold, its value, and a model that decides."""

from argparse import Namespace
from typing import Any

from mantic.cli.screen import show_json, show_report, tell
from mantic.cli.table import load_model
from mantic.cli.words import Parser, check_output
from mantic.core.errors import SettingsError


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "decide",
        "Choose from which probability on to act, by what mistakes cost and by how many rows can be acted on, and say "
        "what that is worth on rows that nothing has seen. The decision is kept in the model; nothing is fitted again.",
        examples="  mantic decide churn.mantic --cost fp=1,fn=10 --unit EUR --report worth.html\n"
        "  mantic decide churn.mantic --cost gain:tp=50,fp=-2 --capacity 100/day\n"
        "  mantic decide churn.mantic --capacity 5%",
    )
    options.add_model()
    options.add_decision()
    options.add_argument("--out", metavar="FILE.mantic", help="write the model there (MODEL itself)")
    options.add_argument("--report", metavar="FILE.html", help="write the decision's report as one page")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Decide, and keep the decision in the model."""
    out = check_output(options.out or options.model, "--out", (".mantic",))
    page = check_output(options.report, "--report", (".html", ".json"))
    assert out is not None
    model = load_model(options.model, options.plugin)
    decide_with(model, options)
    model.save(out)
    report = model.decision_.report
    if page:
        report.save(page)
    if options.json:
        show_json({**model.decision_.to_facts(), "model": str(out), "report": str(page) if page else None})
        return 0
    show_report(report)
    tell(f"\nsaved {out}; 'mantic predict' and 'mantic serve' now answer with a decision")
    if page:
        tell(f"wrote {page}")
    return 0


def decide_with(model: Any, options: Namespace) -> None:
    """Let a fitted model decide by the options.

    Raises
    ------
    SettingsError : if the model predicts a number, or the options make no sense.
    """
    if not hasattr(model, "decide"):
        raise SettingsError(
            "this model predicts a number, and a decision is about classes",
            where="--cost" if options.cost else "--capacity",
            fix="predict whether the number is above a limit that matters",
        )
    model.decide(options.cost, capacity=options.capacity, unit=options.unit)
