"""mantic predict: answer rows that have no answer yet."""

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from mantic.cli.screen import show_json, tell, warn_only
from mantic.cli.table import load_model, read_for
from mantic.cli.words import Parser, check_output
from mantic.core.files import write_atomic
from mantic.core.run import Run
from mantic.core.schema import Kind

_WRITERS: Mapping[str, Callable[[pl.DataFrame, Path], Any]] = {
    ".csv": pl.DataFrame.write_csv,
    ".parquet": pl.DataFrame.write_parquet,
    ".json": pl.DataFrame.write_json,
}


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "predict",
        "Answer each row, in order: the identifying columns of the data, then 'prediction'; for numbers also 'low' and "
        "'high', between which the truth lies in 90 of 100 rows; 'decision' where the model has one (mantic decide).",
        examples="  mantic predict churn.mantic new.csv --out answers.csv --proba\n"
        "  mantic predict churn.mantic - < new.csv",
    )
    options.add_model()
    options.add_data()
    options.add_argument("--out", metavar="FILE", help="write .csv, .parquet or .json (CSV to standard output)")
    options.add_argument("--proba", action="store_true", help="add 'probability_CLASS' for each class")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Answer the rows."""
    out = check_output(options.out, "--out", tuple(_WRITERS))
    model = load_model(options.model, options.plugin, options.signature)
    with Run(listeners=[warn_only]) as work:
        frame, raw = read_for(model, options.data, work)
        answers = _answers(model, frame, proba=options.proba)
    names = [column.name for column in model.schema_.columns if column.kind == Kind.ID and column.name in raw.columns]
    table = pl.DataFrame([*(raw[name] for name in names if name not in answers.columns), *answers])
    if out:
        with write_atomic(out) as part:
            _WRITERS[out.suffix.lower()](table, part)
        tell(f"wrote {table.height:,} rows to {out}")
    if options.json:
        head = {"model": options.model, "version": model.version_, "out": options.out}
        show_json({**head, "n_rows": table.height, "predictions": table.to_dicts()})
    elif not out:
        sys.stdout.write(table.write_csv())
    return 0


def _answers(model: Any, frame: pl.DataFrame, *, proba: bool) -> pl.DataFrame:
    if not hasattr(model, "predict_proba"):
        ends = model.predict_interval(frame)
        return pl.DataFrame({"prediction": model.predict(frame), "low": ends[:, 0], "high": ends[:, 1]})
    chances = model.predict_proba(frame)
    labels = pl.Series("prediction", model.classes_[chances.argmax(axis=1)].tolist())
    decided = []
    if model.decision_ is not None:
        decided = [pl.Series("decision", model.classes_[model.decision_.decide(chances)].tolist())]
    each = [pl.Series(f"probability_{label}", chances[:, place]) for place, label in enumerate(model.classes_)]
    return pl.DataFrame([labels, *decided, *(each if proba else [])])
