"""What is in a table, and what is wrong with it: problems first, then every column."""

from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.run import Run
from mantic.core.schema import Column, Kind
from mantic.features.infer import infer
from mantic.features.profile_chart import column_charts, correlation_chart, missing_chart
from mantic.features.profile_column import column_problems
from mantic.features.profile_table import table_problems
from mantic.features.profile_target import target_problems
from mantic.features.profile_view import View, listed, percent, spread
from mantic.report.blocks import Alert, Block, Cell, Grid, Group, Number, Report, Text
from mantic.report.numbers import amount

_RANK = {"stop": 0, "warning": 1, "note": 2}
_MOST_ALIKE = 3  # problems of one sort that are told one by one
_MOST_ROWS = 500  # columns in the grid


def profile(frame: pl.DataFrame, *, target: str | None = None, run: Run | None = None) -> Report:
    """Look a table over: what each column means, and what would harm a model, with why and what to do.

    Parameters
    ----------
    frame : any polars frame (`sources.to_polars` makes one of other libraries' frames).
    target : the column to be predicted, where known: more can be said then.
    run : hears how far the work is; what it was warned of while reading is told as a remark.

    Returns
    -------
    A Report whose `facts` hold n_rows, n_columns, columns and problems as plain JSON values. Counts of rows, missing
    values and levels are exact; shapes (charts, outliers, correlations) come from at most 50,000 rows spread over it.

    Raises
    ------
    SchemaError : if there is no column `target`.

    >>> report = profile(pl.DataFrame({"age": [41, 7] * 60, "plan": ["a", "b"] * 60}), target="plan")
    >>> [problem["code"] for problem in report.facts["problems"]]
    ['duplicates']
    """
    if target is not None and target not in frame.columns:
        near = get_close_matches(target, frame.columns, n=1)
        fix = f"did you mean '{near[0]}'?" if near else f"known are: {listed(frame.columns, 20)}"
        raise SchemaError(f"there is no column '{target}'", where="target", fix=fix)
    run = run or Run()
    run.progress(0, 4, "columns")
    schema = infer(frame)
    table = schema.align(frame)
    view = View(frame, schema, table, spread(table), target)
    run.progress(1, 4, "problems")
    problems = find_problems(view, run)
    run.progress(2, 4, "pictures")
    blocks = (*_first(view, problems), _problem_group(problems), *_columns(view))
    run.progress(4, 4, "profile")
    return Report("Profile", blocks, subtitle=_subtitle(view), facts=_facts(view, problems))


def find_problems(view: View, run: Run) -> list[Alert]:
    """Return all problems, the gravest first; warnings of the run (how the file was read) come as remarks."""
    found = [*target_problems(view), *table_problems(view), *column_problems(view)]
    found += [
        Alert("note", warning.code, warning.text, "it was not the usual, and might be read wrongly", "check a few rows")
        for warning in run.warnings
    ]
    return sorted(found, key=lambda alert: _RANK[alert.level])


def _first(view: View, problems: list[Alert]) -> tuple[Block, ...]:
    """Return the one sentence, then the figures of the table."""
    grave = sum(alert.level != "note" for alert in problems)
    remarks = len(problems) - grave
    said = f"{grave} {'problem' if grave == 1 else 'problems'} to look at" if grave else "No problem found"
    more = f" and {remarks} {'remark' if remarks == 1 else 'remarks'}" if remarks else ""
    n_cells = view.n_rows * len(view.schema)
    missing = sum(column.share_missing for column in view.schema.columns) / max(1, len(view.schema))
    figures = (
        Number("rows", view.n_rows),
        Number("columns", len(view.schema), note=_kinds(view)),
        Number("missing", percent(missing) if n_cells else "0 %", note="of all cells"),
        Number("memory", round(view.frame.estimated_size("mb"), 2), "MB", note="as it was read"),
    )
    where = f"{amount(view.n_rows, 'row')} and {amount(len(view.schema), 'column')}"
    return Text(f"{said}{more} in {where}.", "verdict"), Group("Overview", figures)


def _kinds(view: View) -> str:
    counts = {kind: len(view.of_kind(kind)) for kind in Kind}
    return ", ".join(f"{n:,} {kind.value}" for kind, n in counts.items() if n)


def _subtitle(view: View) -> str:
    return f"target: {view.target}" if view.target else "no target given"


def _problem_group(problems: list[Alert]) -> Group:
    """Return the problems with those of one sort put together where they are many."""
    by_code: dict[tuple[str, str], list[Alert]] = {}
    for alert in problems:
        by_code.setdefault((alert.level, alert.code), []).append(alert)
    shown: list[Block] = []
    for alike in by_code.values():
        shown += alike if len(alike) <= _MOST_ALIKE else [_together(alike)]
    return Group("Problems", tuple(shown) or (Text("Nothing in this table looks wrong."),))


def _together(alike: list[Alert]) -> Alert:
    first = alike[0]
    names = [alert.column for alert in alike if alert.column is not None]
    others = list(dict.fromkeys(name for name in names if name != first.column))
    return replace(
        first, what=f"{first.what}; the same kind of problem in {len(alike) - 1:,} more: {listed(others, 12)}"
    )


def _columns(view: View) -> tuple[Block, ...]:
    if not len(view.schema) or not view.n_rows:
        return ()
    together = Group("How columns go together", tuple(correlation_chart(view)), fold=True)
    gaps = Group("Missing values", tuple(missing_chart(view)))
    groups = (Group("Columns", (_grid(view),)), column_charts(view), gaps, together)
    return tuple(group for group in groups if group.blocks)


def _grid(view: View) -> Grid:
    rows = tuple(_row(view, column) for column in view.schema.columns[:_MOST_ROWS])
    note = f"the first {_MOST_ROWS} of {len(view.schema):,} columns" if len(view.schema) > _MOST_ROWS else ""
    return Grid(("column", "kind", "missing %", "distinct", "range or commonest"), rows, note=note, bars=("missing %",))


def _row(view: View, column: Column) -> tuple[Cell, ...]:
    return (
        column.name,
        column.kind.value,
        round(100 * column.share_missing, 2),
        column.n_levels,
        _content(view, column),
    )


def _content(view: View, column: Column) -> str:
    """Return the range of a number or date, the commonest of categories, an example of everything else."""
    if column.kind is Kind.NUMBER and column.low is not None:
        return f"{column.low:,.6g} to {column.high:,.6g}"
    if column.kind is Kind.DATE:
        return f"{str(column.low)[:10]} to {str(column.high)[:10]}"
    if column.levels:
        return _short(", ".join(column.levels[:3]))
    example = view.table[column.name].drop_nulls().head(1)
    return f"for instance {_short(str(example[0]))}" if len(example) else ""


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _facts(view: View, problems: list[Alert]) -> dict[str, Any]:
    return {
        "n_rows": view.n_rows,
        "n_columns": len(view.schema),
        "n_bytes": int(view.frame.estimated_size()),
        "target": view.target,
        "n_rows_sampled": view.sample.height,
        "columns": [_column_facts(view, column) for column in view.schema.columns],
        "problems": [
            {"code": a.code, "column": a.column, "what": a.what, "why": a.why, "fix": a.fix, "level": a.level}
            for a in problems
        ],
    }


def _column_facts(view: View, column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "kind": column.kind.value,
        "stored": str(view.frame[column.name].dtype),
        "share_missing": column.share_missing,
        "n_levels": column.n_levels,
        "levels": list(column.levels[:20]),
        "low": column.low,
        "high": column.high,
        "form": column.form,
        "sentinels": list(column.sentinels),
        "zone": column.zone,
    }
