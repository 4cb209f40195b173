"""mantic replay: repeat what a timed search did, and say whether the same came out."""

import time
from argparse import Namespace

from mantic.cli.forecast import check_of_table
from mantic.cli.screen import show_json, tell
from mantic.cli.table import load_model
from mantic.cli.words import Parser, check_output
from mantic.core.errors import SchemaError
from mantic.core.run import Run

_DIFFERENT = 1


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "replay",
        "Repeat the search that a model came from, without its clock. Leaves with 1 when something else comes out.",
        examples="  mantic replay churn.mantic churn.csv\n  mantic replay churn.mantic churn.csv --out again.mantic",
    )
    options.add_model()
    options.add_data()
    options.add_argument("--out", metavar="FILE.mantic", help="where to write the model that comes out (nowhere)")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Repeat the search."""
    from mantic.cli.progress import following
    from mantic.core.budget import Deadline
    from mantic.sources.read import read
    from mantic.tasks.replay import replay

    out = check_output(options.out, "--out", (".mantic",))
    model = load_model(options.model, options.plugin, options.signature)
    check_of_table(model, "replay")
    with following(options.started, Deadline()) as listener, Run(seed=model.seed, listeners=[listener]) as work:
        frame = read(options.data, run=work)
        wanted = {*model.schema_.names, model.target_.name, *filter(None, model.roles_)}
        if missing := sorted(wanted - set(frame.columns)):
            raise SchemaError(
                f"this is not the table that the model was fitted on: {', '.join(missing)} missing",
                where=options.data,
                fix="give the same table",
            )
        found = replay(model, frame.select(one for one in frame.columns if one in wanted), run=work)
    if out:
        found.model.save(out)
    seconds = round(time.monotonic() - options.started, 3)
    if options.json:
        rows = [{**vars(one), "is_same": one.is_same} for one in found.trials]
        facts = {"is_same": found.is_same, "largest_difference": found.largest_difference, "trials": rows}
        show_json({**facts, "seconds": seconds, "model": str(out) if out else None})
    else:
        for one in found.trials:
            if not one.is_same:
                now = "failed" if one.now is None else f"{one.now:.6g}"
                cut = ", was stopped by the clock" if one.was_cut else ""
                tell(f"  {one.number:>3} {one.learner}: {one.before:.6g} before, {now} now{cut}")
        tell(f"{found.sentence()} ({seconds:.0f} s)")
        if out:
            tell(f"saved {out}")
    return 0 if found.is_same else _DIFFERENT
