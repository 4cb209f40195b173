"""mantic explain: why a model answers as it does, and what would change its answer."""

from argparse import Namespace
from typing import Any

from mantic.cli.forecast import FORECAST, check_of_table
from mantic.cli.screen import show_json, show_report, tell, warn_only
from mantic.cli.table import load_model, read_for
from mantic.cli.words import Parser, check_output
from mantic.core.errors import SettingsError
from mantic.core.run import Run

_N_ROWS = 20  # explained when --row does not choose
_N_REASONS = 10
_LIMITS = ("keep", "only_up", "only_down")


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "explain",
        f"Say what each column added to the answer; the first {_N_ROWS} rows when --row does not choose one.",
        examples="\n".join(
            [
                "  mantic explain churn.mantic new.csv --row 0",
                "  mantic explain churn.mantic new.csv --row 3 --wanted no --keep age,sex --only-up tenure",
                "  mantic explain rent.mantic new.csv --row 3 --wanted 500..",
                "  mantic explain churn.mantic new.csv --effect tenure --rules --report why.html",
            ]
        ),
    )
    options.add_model()
    options.add_data()
    options.add_argument("--row", type=int, metavar="N", help="only this row; the first one is 0")
    options.add_argument(
        "--effect", action="append", default=[], metavar="COLUMN", help="how the answer moves with it; may be repeated"
    )
    options.add_argument(
        "--wanted", metavar="ANSWER", help="what would have to change for this class, or for LOW..HIGH (500.., ..200)"
    )
    for option, what in (("keep", "may not change"), ("only-up", "may only grow"), ("only-down", "may only shrink")):
        told = f"with --wanted: columns that {what}"
        options.add_argument(f"--{option}", type=_names, default=(), metavar="A,B", help=told)
    options.add_argument("--similar", type=int, metavar="N", help="the N known rows that are most like it")
    options.add_argument("--rules", action="store_true", help="the model in at most seven rules, and what they give up")
    options.add_argument(
        "--interactions", action="store_true", help="which pairs of columns act together, how strongly"
    )
    options.add_argument("--report", metavar="FILE.html", help="write all of it as one page with pictures")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Explain rows, and whatever else is asked."""
    page = check_output(options.report, "--report", (".html", ".json"))
    _check_limits(options)
    model = load_model(options.model, options.plugin, options.signature)
    if strange := _of_tables(options):
        check_of_table(model, ", ".join(strange))
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
        found = model.explain(frame, run=work)
        more = _more(model, frame[:1], options)
    facts = found.to_facts()
    for place, row in enumerate(facts["rows"]):
        row["row"] = first + place
    for name, many in more.items():
        facts[name] = [one.to_facts() for one in many] if name == "effects" else many[0].to_facts()
    if page is not None:
        _page(found, more, facts).save(page)
    if options.json:
        show_json({"model": options.model, "version": model.version_, "n_rows": n_rows, **facts})
        return 0
    show_report(found.to_report(first=first) if model.task.name == FORECAST else _report(facts, _in_figures(more)))
    if options.row is None and n_rows > _N_ROWS:
        tell(f"\n{n_rows - _N_ROWS:,} more rows; --row N explains any one of them")
    return 0


def _of_tables(options: Namespace) -> list[str]:
    """Return the options that ask for more than what stands behind the answers."""
    names = ("effect", "wanted", "similar", "rules", "interactions")
    return [f"--{name}" for name in names if getattr(options, name) not in (None, [], False)]


def _check_limits(options: Namespace) -> None:
    given = [f"--{name.replace('_', '-')}" for name in _LIMITS if getattr(options, name)]
    if given and not options.wanted:
        raise SettingsError(
            f"{' and '.join(given)}: what may not change is only asked with --wanted",
            where="mantic explain",
            fix="add --wanted ANSWER",
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _more(model: Any, row: Any, options: Namespace) -> dict[str, list[Any]]:
    """Return what was asked beside the contributions, under its name in the facts."""
    found: dict[str, list[Any]] = {}
    if options.wanted:
        limits = {name: getattr(options, name) for name in _LIMITS}
        wanted = options.wanted if model.task.name == "classify" else _range(options.wanted)
        found["counterfactuals"] = [model.counterfactuals(row, wanted, **limits)]
    if options.similar is not None:
        found["similar"] = [model.similar(row, n=options.similar)]
    if options.effect:
        found["effects"] = [model.effect(column) for column in options.effect]
    if options.interactions:
        found["interactions"] = [model.interactions()]
    if options.rules:
        found["rules"] = [model.rules()]
    return found


def _range(text: str) -> tuple[float | None, float | None]:
    """Read LOW..HIGH, either end may be left out.

    >>> _range("500.."), _range("1.5..2")
    ((500.0, None), (1.5, 2.0))
    """
    low, dots, high = text.partition("..")
    try:
        ends = tuple(float(end) if end.strip() else None for end in (low, high))
    except ValueError:
        dots = ""
    if not dots:
        raise SettingsError(
            f"'{text}' is no range of numbers", where="--wanted", fix="write LOW..HIGH, for instance 500.. or ..200"
        )
    return ends[0], ends[1]


def _page(found: Any, more: dict[str, list[Any]], facts: dict[str, Any]) -> Any:
    """Return all of it as a page with pictures."""
    from dataclasses import replace

    report = found.to_report()
    groups = [one.group() for many in more.values() for one in many]
    return replace(report, blocks=(*groups, *report.blocks), facts=facts)


def _in_figures(more: dict[str, list[Any]]) -> list[Any]:
    """Return what was asked beside the contributions for a terminal, which draws no curves."""
    from mantic.report.blocks import Group, Text

    groups = [one.group() for name, many in more.items() if name != "effects" for one in many]
    curves = [Group(f"Effect of '{one.column}'", (Text(one.sentence), one.table())) for one in more.get("effects", [])]
    return [*groups, *curves]


def _report(facts: dict[str, Any], more: list[Any]) -> Any:
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
    return Report(f"Why: {facts['target']}", (*groups, *more))


def _scale(row: dict[str, Any]) -> str:
    return "log-odds" if len(row["probability"]) == 2 else "log-probability"
