"""mantic profile: what is in a table, problems first."""

from argparse import Namespace

from mantic.cli.screen import show_json, show_report, tell
from mantic.cli.words import Parser, check_output
from mantic.core.run import Run


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "profile",
        "Say what is in a table and what is wrong with it: kinds, gaps, duplicates, strange values.",
        examples="  mantic profile churn.csv --out profile.html\n  mantic profile churn.csv --target churned",
    )
    options.add_data()
    options.add_argument("--target", metavar="COLUMN", help="look at this column as the one to predict")
    options.add_argument("--out", metavar="FILE.html", help="write one page with pictures (.json: the data)")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Profile the table."""
    out = check_output(options.out, "--out", (".html", ".json"))
    from mantic.features.profile import profile
    from mantic.sources.read import read

    with Run() as work:
        report = profile(read(options.data, run=work), target=options.target, run=work)
    if out:
        report.save(out)
    if options.json:
        show_json(report.facts)
        return 0
    show_report(report)
    if out:
        tell(f"\nwrote {out}")
    return 0
