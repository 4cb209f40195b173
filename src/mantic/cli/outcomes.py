"""mantic outcomes: say how predictions turned out."""

from argparse import Namespace

from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, tell, warn_only
from mantic.cli.words import Parser
from mantic.core.run import Run
from mantic.core.settings import read_settings
from mantic.report.numbers import amount


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "outcomes",
        "Keep what was true, from a table with the ids of predictions; a later word replaces an earlier one.",
        examples="  mantic outcomes may.csv --value churned\n  mantic outcomes may.csv --id prediction --value churned",
    )
    options.add_data()
    options.add_argument("--value", metavar="COLUMN", required=True, help="what was true; empty cells are left out")
    options.add_argument("--id", metavar="COLUMN", default="id", help="of the prediction (id)")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Keep them, piece by piece."""
    from mantic.watch.outcomes import keep_outcomes

    with store_of(read_settings().store) as store, Run(listeners=[warn_only]) as work:
        n_kept = keep_outcomes(store, options.data, work, id_column=options.id, value_column=options.value)
    if options.json:
        show_json({"kept": n_kept})
    else:
        tell(f"kept {amount(n_kept, 'outcome')}")
    return 0
