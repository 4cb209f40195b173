"""mantic watch: what became of a model since it answers."""

from argparse import Namespace
from typing import TYPE_CHECKING

from mantic.cli.kept import model_name, store_of
from mantic.cli.screen import show_json, show_report, tell
from mantic.cli.table import load_model
from mantic.cli.words import MODEL, Parser, check_output
from mantic.core.settings import read_settings
from mantic.store.reference import is_reference

if TYPE_CHECKING:
    from mantic.watch.asked import Subject


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "watch",
        "Look once at what a served model has answered: traffic, quality as outcomes arrive, columns that moved. Opens "
        "alerts in the store, and closes those that are over.",
        examples="  mantic watch churn\n  mantic watch churn --since 4w --report churn-watch.html",
    )
    options.add_argument("model", metavar="MODEL", help=f"{MODEL}, as it was served")
    options.add_argument("--since", metavar="TIME", default="7d", help="how far back to look: 24h, 7d, 4w (7d)")
    options.add_argument("--report", metavar="FILE.html", help="write the report as one page")
    options.add_plugin()
    options.add_signature()
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Look, settle the alerts, show the report."""
    page = check_output(options.report, "--report", (".html", ".json"))
    from mantic.watch.alert import settle
    from mantic.watch.look import watch
    from mantic.watch.page import report_of
    from mantic.watch.period import last

    period = last(options.since)
    with store_of(read_settings().store) as store:
        watched = watch(store, _subject(options), period)
        report = report_of(watched, settle(store, watched))
    if page:
        report.save(page)
    if options.json:
        show_json(report.facts)
        return 0
    show_report(report)
    if page:
        tell(f"\nwrote {page}")
    return 0


def _subject(options: Namespace) -> "Subject":
    from mantic.watch.asked import Subject

    number = None
    words = options.model
    if is_reference(words):
        with store_of(read_settings().store) as store:
            version = store.models.get(words)
        number, words = version.number, str(version)  # an alias may move at any moment
    return Subject(model_name(options.model), number, load_model(words, options.plugin, options.signature))
