"""mantic evaluate: score a model on rows with known answers."""

from argparse import Namespace

from mantic.cli.screen import show_json, show_report, tell
from mantic.cli.table import load_model, read_for
from mantic.cli.words import Parser, check_output
from mantic.core.errors import SchemaError
from mantic.core.run import Run


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "evaluate",
        "Score a model on rows with known answers, against guessing, with intervals.",
        examples="  mantic evaluate churn.mantic june.csv --report june.html",
    )
    options.add_model()
    options.add_data()
    options.add_argument("--report", metavar="FILE.html", help="write the report as one page")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Score the model."""
    page = check_output(options.report, "--report", (".html", ".json"))
    model = load_model(options.model, options.plugin, options.signature)
    target = model.target_.name
    with Run() as work:
        frame, raw = read_for(model, options.data, work)
        if target not in raw.columns:
            raise SchemaError(
                f"the answers are missing: there is no column '{target}'",
                where=options.data,
                fix=f"add '{target}', or use 'mantic predict' for rows without answers",
            )
        report = model.evaluate(frame.with_columns(raw[target]), run=work)
    if page:
        report.save(page)
    if options.json:
        show_json({**report.facts, "model": options.model, "report": options.report})
        return 0
    show_report(report)
    if page:
        tell(f"\nwrote {page}")
    return 0
