"""mantic predict: answer rows that have no answer yet."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mantic.cli.progress import counting
from mantic.cli.screen import show_json, tell, warn_only
from mantic.cli.table import load_model, read_for
from mantic.cli.words import Parser, check_output
from mantic.core.errors import SettingsError
from mantic.core.run import Run
from mantic.report.numbers import amount

_ENDINGS = (".csv", ".parquet", ".json", ".ndjson")


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "predict",
        "Answer each row, in order: the identifying columns of the data, then 'prediction'; for numbers also 'low' and "
        "'high', between which the truth lies in 90 of 100 rows; 'decision' where the model has one (mantic decide). "
        "A forecast needs no data: all steps of all series are answered, or the rows that name a series and a moment.",
        examples="  mantic predict churn.mantic new.csv --out answers.csv --proba\n"
        "  mantic predict sales.mantic --out forecast.csv\n"
        "  mantic predict churn.mantic - < new.csv",
    )
    options.add_model()
    options.add_data(nargs="?")
    options.add_argument(
        "--out",
        metavar="FILE",
        help="write .csv, .parquet, .json or .ndjson (CSV to standard output); the table may be larger than memory, "
        "and after a crash the same command goes on",
    )
    options.add_argument("--proba", action="store_true", help="add 'probability_CLASS' for each class")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Answer the rows."""
    out = check_output(options.out, "--out", _ENDINGS)
    model = load_model(options.model, options.plugin, options.signature)
    if options.data is None:
        return _all_steps(model, options, out)
    if out is None:
        return _to_screen(model, options)
    return _to_file(model, options, out)


def _all_steps(model: Any, options: Namespace, out: Path | None) -> int:
    """Write the whole forecast of a model that needs no rows to answer."""
    if model.task.name != "forecast":
        fix = f"mantic predict {options.model} new.csv"
        raise SettingsError("there are no rows to answer", where="mantic predict", fix=fix)
    from mantic.tasks.series_answer import all_parts

    parts = all_parts(model.told_, model.roles_, model.levels)
    if out is not None:
        n_rows = _written(parts, out)
        tell(f"wrote {amount(n_rows, 'row')} to {out}")
        if options.json:
            show_json({"model": options.model, "version": model.version_, "out": options.out, "n_rows": n_rows})
    elif options.json:
        rows = [row for table in parts for row in table.to_dicts()]
        head = {"model": options.model, "version": model.version_, "out": None, "n_rows": len(rows)}
        show_json({**head, "predictions": rows})
    else:
        for number, table in enumerate(parts):
            sys.stdout.write(table.write_csv(include_header=not number))
    return 0


def _written(parts: Iterator[Any], out: Path) -> int:
    """Write tables to one file, one after the other, and return how many rows they have."""
    from mantic.core.files import write_atomic
    from mantic.serve.parts import FORMS

    form, paths, n_rows = FORMS[out.suffix.lower()], [], 0
    with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder, write_atomic(out) as whole:
        for number, table in enumerate(parts):
            paths.append(Path(folder) / f"{number:06}{out.suffix.lower()}")
            form.write(table, paths[-1])
            n_rows += table.height
        form.join(paths, whole)
    return n_rows


def _to_file(model: Any, options: Namespace, out: Path) -> int:
    from mantic.serve.batch import Batch, answer_file

    with counting() as listener, Run(listeners=[warn_only, listener]) as work:
        n_rows = answer_file(Batch(model, options.data, out, proba=options.proba), work)
    tell(f"wrote {amount(n_rows, 'row')} to {out}")
    if options.json:
        show_json({"model": options.model, "version": model.version_, "out": options.out, "n_rows": n_rows})
    return 0


def _to_screen(model: Any, options: Namespace) -> int:
    from mantic.serve.answer import answer_table

    with Run(listeners=[warn_only]) as work:
        frame, raw = read_for(model, options.data, work)
        table = answer_table(model, frame, raw, proba=options.proba)
    if options.json:
        head = {"model": options.model, "version": model.version_, "out": None}
        show_json({**head, "n_rows": table.height, "predictions": table.to_dicts()})
    else:
        sys.stdout.write(table.write_csv())
    return 0
