"""mantic predictions: what was answered, and how it turned out."""

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mantic.cli import prune
from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, show_report, tell
from mantic.cli.words import Parser, check_output
from mantic.core.settings import read_settings

if TYPE_CHECKING:
    from mantic.store.predictions import Prediction
    from mantic.store.store import Store

_SHOWN = 20
_AT_ONCE = 10_000
_NOTHING = "Nothing is kept of '{0}': 'mantic serve {0}' keeps what it answers."
_NONE_JUDGED = "No outcome of what '{0}' answered is known yet: 'mantic outcomes FILE' or /v1/feedback tells it."
_NOT_YET = object()  # an outcome may be null


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "predictions",
        "Show what a served model has answered, and how it turned out where that is known. Shows the newest; --out "
        "writes all.",
        examples="  mantic predictions churn\n  mantic predictions churn --since 2026-05-01 --judged --out may.parquet",
    )
    options.add_argument("name", metavar="NAME", help="of a model, as it was served")
    options.add_argument("--since", metavar="MOMENT", help="from this moment on (2026-05-01, or with a time; UTC)")
    options.add_argument("--until", metavar="MOMENT", help="before this moment")
    options.add_argument("--version", metavar="NUMBER", type=int, help="only of this version")
    options.add_argument("--judged", action="store_true", help="only those whose outcome is known")
    options.add_argument("--out", metavar="FILE", help="write all of them to .csv, .parquet or .ndjson")
    options.add_json()
    options.set_defaults(action=_look)
    options.add_actions(prune.actions())
    return options


def run(options: Namespace) -> int:
    """Do what was asked."""
    return int(options.action(options))


def _look(options: Namespace) -> int:
    """Show or write them."""
    out = check_output(options.out, "--out", (".csv", ".parquet", ".ndjson"))
    with store_of(read_settings().store) as store:
        if out is not None:
            n_rows = _write(_all(store, options), out)
            tell(f"wrote {n_rows:,} predictions to {out}")
            return 0
        newest = _newest(store, options)
    if options.json:
        show_json({"name": options.name, "predictions": [one | _outcome(truth) for one, truth in newest]})
    else:
        nothing = _NONE_JUDGED if options.judged else _NOTHING
        _show(options.name, newest, nothing.format(options.name))
    return 0


_Row = tuple[dict[str, Any], Any]  # of a prediction, and what was true


def _all(store: "Store", options: Namespace) -> Iterator[list[_Row]]:
    """Yield predictions with their outcomes, oldest first, some thousand at a time."""
    last = None
    while found := store.predictions.find(
        options.name, number=options.version, since=options.since, until=options.until, after=last, limit=_AT_ONCE
    ):
        last = found[-1]
        yield _joined(store, found, options)


def _joined(store: "Store", found: "Sequence[Prediction]", options: Namespace) -> list[_Row]:
    truths = store.outcomes.of([one.id for one in found])
    rows = [(_facts(one), truths.get(one.id, _NOT_YET)) for one in found]
    return [row for row in rows if row[1] is not _NOT_YET] if options.judged else rows


def _newest(store: "Store", options: Namespace) -> list[_Row]:
    look = store.predictions.newest_judged if options.judged else store.predictions.newest
    found = look(options.name, number=options.version, since=options.since, until=options.until, limit=_SHOWN)
    return _joined(store, found, options)


def _facts(one: "Prediction") -> dict[str, Any]:
    head = {"id": one.id, "at": one.at, "number": one.number}
    return head | {"row": dict(one.row), "answer": dict(one.answer)}


def _outcome(truth: Any) -> dict[str, Any]:
    return {} if truth is _NOT_YET else {"outcome": truth}


def _flat(facts: Mapping[str, Any], truth: Any) -> dict[str, Any]:
    """Return a prediction as one row of a table: the columns of its row, then those of the answer.

    A column of the row that is called as one of ours becomes `row_...`.
    """
    answer: dict[str, Any] = {}
    for name, value in facts["answer"].items():
        if isinstance(value, Mapping):
            answer |= {f"{name}_{label}": one for label, one in value.items()}
        elif isinstance(value, list):
            answer |= dict(zip(("low", "high"), value, strict=False))
        else:
            answer[name] = value
    head = {name: facts[name] for name in ("id", "at", "number")}
    outcome = {"outcome": None if truth is _NOT_YET else truth}
    return {**head, **_renamed(facts["row"], {*head, *answer, *outcome}), **answer, **outcome}


def _renamed(row: Mapping[str, Any], ours: Set[str]) -> dict[str, Any]:
    renamed = {}
    for name, value in row.items():
        free = name
        while free in ours or (free != name and free in row):
            free = f"row_{free}"
        renamed[free] = value
    return renamed


def _write(pages: Iterator[list[_Row]], out: Path) -> int:
    """Write them to a file, a page at a time, and return how many they are."""
    import polars as pl

    from mantic.core.files import write_atomic

    sinks: dict[str, Callable[[pl.LazyFrame, Path], Any]] = {
        ".csv": pl.LazyFrame.sink_csv, ".parquet": pl.LazyFrame.sink_parquet, ".ndjson": pl.LazyFrame.sink_ndjson
    }  # fmt: skip
    parts = [pl.LazyFrame(schema={"id": pl.String, "at": pl.String, "number": pl.Int64})]
    n_rows = 0
    with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder, write_atomic(out) as whole:
        for page in filter(None, pages):
            place = Path(folder) / f"{len(parts):06}.parquet"
            rows = [_flat(facts, truth) for facts, truth in page]
            pl.DataFrame(rows, infer_schema_length=None, strict=False).write_parquet(place)
            parts.append(pl.scan_parquet(place, glob=False))
            n_rows += len(rows)
        sinks[out.suffix.lower()](pl.concat(parts, how="diagonal_relaxed"), whole)  # pages may have other columns
    return n_rows


def _show(name: str, newest: Sequence[_Row], nothing: str) -> None:
    from mantic.report.blocks import Block, Grid, Report, Text

    heads = ("id", "when (UTC)", "version", "prediction", "outcome")
    rows = tuple(
        (
            facts["id"], facts["at"][:19].replace("T", " "),
            str(facts["number"] or facts["answer"].get("version", "")), str(facts["answer"].get("prediction", "")),
            "" if truth is _NOT_YET else str(truth),
        )
        for facts, truth in newest
    )  # fmt: skip
    blocks: tuple[Block, ...] = (Grid(heads, rows, note=f"the newest {len(rows)}"),) if rows else (Text(nothing),)
    show_report(Report(f"Predictions of {name}", blocks))
