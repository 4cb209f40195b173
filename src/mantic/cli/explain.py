"""mantic explain: why a model answers a row as it does."""

from argparse import Namespace
from typing import Any

from mantic.cli.screen import show_json, show_report, tell, warn_only
from mantic.cli.table import load_model, read_for
from mantic.cli.words import Parser
from mantic.core.errors import SettingsError
from mantic.core.run import Run

_N_ROWS = 20  # explained when --row does not choose
_N_REASONS = 10


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "explain",
        f"Say what each column added to the answer; the first {_N_ROWS} rows when --row does not choose one.",
        examples="  mantic explain churn.mantic new.csv --row 0",
    )
    options.add_model()
    options.add_data()
    options.add_argument("--row", type=int, metavar="N", help="only this row; the first one is 0")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Explain rows."""
    model = load_model(options.model, options.plugin)
    with Run(listeners=[warn_only]) as work:
        frame, _ = read_for(model, options.data, work)
        n_rows = frame.height
        first = options.row or 0
        if not 0 <= first < n_rows:
            raise SettingsError(
                f"there is no row {first}",
                where=f"{options.data} ({n_rows:,} rows)",
                fix=f"choose --row from 0 to {n_rows - 1}",
            )
        frame = frame.slice(first, _N_ROWS if options.row is None else 1)
        facts = model.explain(frame, run=work).to_facts()
    for place, row in enumerate(facts["rows"]):
        row["row"] = first + place
    if options.json:
        show_json({"model": options.model, "version": model.version_, "n_rows": n_rows, **facts})
        return 0
    show_report(_report(facts))
    if options.row is None and n_rows > _N_ROWS:
        tell(f"\n{n_rows - _N_ROWS:,} more rows; --row N explains any one of them")
    return 0


def _report(facts: dict[str, Any]) -> Any:
    """Return the explanation as tables: the terminal draws no waterfalls."""
    from mantic.report.blocks import Grid, Group, Report, Text
    from mantic.report.numbers import say

    groups: list[Any] = []
    for row in facts["rows"]:
        reasons = row["contributions"]
        cells = tuple((one["column"], say(one["value"]), one["contribution"]) for one in reasons[:_N_REASONS])
        rest = f" {len(reasons) - _N_REASONS} more columns added less." if len(reasons) > _N_REASONS else ""
        unit = facts["target"] if row["toward"] is None else f"{_scale(row)} of '{row['toward']}'"
        grid = Grid(("column", "value", "contribution"), cells, note=f"Contributions are in {unit}.{rest}")
        groups.append(Group(f"Row {row['row']}", (Text(row["sentence"]), grid)))
    if overall := facts.get("importance"):
        heads = ("column", "mean", "low", "high")
        means = tuple(tuple(one[head] for head in heads) for one in overall[:_N_REASONS])
        groups.append(Group("All rows", (Grid(heads, means, title="How much each column matters"),)))
    return Report(f"Why: {facts['target']}", tuple(groups))


def _scale(row: dict[str, Any]) -> str:
    return "log-odds" if len(row["probability"]) == 2 else "log-probability"
