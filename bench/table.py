"""Write what bench/results hold: all into docs/measured.md, the headlines into README.md, between their markers."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
_SCALE = """\
Accuracy on rows that no fit has seen, on 13 real tables: 0 is always saying the same, 1 is the best of LightGBM,
histogram boosting, a forest and a linear model with their defaults and of AutoGluon 1.6.3 (medium and good) within 60 s
on two cores."""


# What a reader wants to know first: the name in the results, and how README.md says it.
_HEADLINES = {
    "win or tie against autogluon-medium, 60 s": "win or tie against AutoGluon medium, 60 s each",
    "win or tie against autogluon-best, 300 s": "win or tie against AutoGluon best, 300 s each",
    "stated intervals that hold the score on TEST": "stated 95 % intervals that hold the score on rows never seen",
    "fit overrun, budgets of 10 s and more, idle": "time of a fit against its budget, worst run",
    "one row, the search's choice": "one row answered in the process",
    "many rows, 100 boosted trees, 10 columns": "many rows answered, 100 boosted trees, 10 columns",
    "serving and keeping, one row, 16 connections": "served by HTTP and kept, one worker",
    "mlflow, one row, 16 connections": "MLflow, the same model, nothing kept",
    "serving, start to ready": "server, from start to ready",
    "requests that failed in 1,000 switches": "requests that failed while the model was switched 1,000 times",
    "sqlite: acknowledged writes lost": "acknowledged writes lost by killing the process again and again",
    "read and profile, 1,000,000 x 30": "1,000,000 x 30 read and profiled",
    "drop to deployed prediction, 3 s of reading before each step, 60 s budget": (
        "Studio: from a dropped file to a deployed prediction, reading before each step, 60 s budget"
    ),
    "50 people at once on Try it": "Studio: 50 people at once, 95 of 100 answers within",
    "forecast, m4_weekly, test, 60s": "forecast, M4 weekly, 60 s",
    "forecast, hospital, test, 60s": "forecast, hospital visits, 60 s",
    "false alerts per model and quarter": "false alerts per watched model and quarter",
}
_TITLES = {
    "batch": "Many rows", "calibration": "Calibration, beside what so few rows can show",
    "conformal": "Sets and intervals", "crash": "Killed while it writes", "drift": "Watch", "explain": "Reasons",
    "forecast": "Forecasts", "forecast_peers": "Forecasts, beside others",
    "forecast_overrun": "Forecasts, budget",
    "forecasting": "Forecasts, speed", "hierarchy": "Forecasts, sums", "fuzz": "Broken input", "imports": "Start",
    "honesty": "Honesty of the report", "install": "Install", "learners": "Learners", "one_row": "One row",
    "outbreak": "Outbreaks",
    "overrun": "Budget", "overrun_long": "Budget, 60 and 300 s",
    "paired": "Against others, 60 s", "paired_long": "Against others, 300 s",
    "per_table": "Models of the 13 tables", "profile": "Profile", "resume": "Resume", "serving": "Serving",
    "serving_peers": "Serving, beside others", "serving_strain": "Serving under strain", "studio": "Studio",
    "versions": "Versions", "watch": "Watch, speed",
}  # fmt: skip


def main() -> int:
    """Fill the pages in; return 1 with --check when a page is not what the results say."""
    kept = _read("*.json")
    tables = {"accuracy": accuracy(_read("tabular/*.json")), "measured": headlines(list(kept.values()))}
    stale = _written(ROOT / "README.md", tables) + _written(
        ROOT / "docs" / "measured.md", {"measured": everything(kept)}
    )
    return int("--check" in sys.argv and stale > 0)


def _written(page: Path, tables: Mapping[str, str]) -> int:
    """Fill a page in, unless it is only to be checked; return 1 when it was stale."""
    old = new = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        new = filled(new, name, table)
    if "--check" not in sys.argv:
        page.write_text(new, encoding="utf-8")
    return int(old != new)


def _read(pattern: str) -> dict[str, dict[str, Any]]:
    """Return results by the name of their file."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob(pattern))}


def filled(text: str, name: str, table: str) -> str:
    """Return the text with the table between the markers of this name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


def headlines(kept: list[dict[str, Any]]) -> str:
    """Return a Markdown table of the figures that README.md shows: what, and how much."""
    figures = {figure["name"]: figure for result in kept for figure in result["figures"]}
    rows = [f"| {words} | {_value(figures[name])} |" for name, words in _HEADLINES.items()]
    return "\n".join(["| What | Measured |", "|---|---|", *rows])


def everything(kept: Mapping[str, dict[str, Any]]) -> str:
    """Return Markdown tables of all figures, by benchmark."""
    parts = []
    for name, result in kept.items():
        rows = [f"| {figure['name']} | {_value(figure)} |" for figure in result["figures"]]
        title = _TITLES.get(name, name.replace("_", " ").capitalize())
        parts.append(
            "\n".join([f"## {title}", "", f"On {_where(result)}.", "", "| What | Measured |", "|---|---|", *rows])
        )
    return "\n\n".join(parts)


def _value(figure: dict[str, Any]) -> str:
    return f"{figure['value']:,} {figure['unit']}{_extra(figure)}".strip()


def accuracy(kept: Mapping[str, dict[str, Any]]) -> str:
    """Return a Markdown table: normalised scores on TEST by table (rows) and by system with its budget (columns)."""
    if not kept:
        return ""
    scores: dict[str, dict[str, list[float]]] = {}
    for result in kept.values():
        figure = result["figures"][0]
        system = f"{figure['system']}, {figure['budget']} s"
        scores.setdefault(figure["table"], {}).setdefault(system, []).append(figure.get("normalised", 0.0))
    systems = sorted({system for mine in scores.values() for system in mine}, key=_of_column)
    lines = [f"| Table | {' | '.join(systems)} |", f"|---|{'---|' * len(systems)}"]
    for table, mine in scores.items():
        cells = [_mean(mine[system]) if system in mine else "" for system in systems]
        lines.append(f"| {table} | {' | '.join(cells)} |")
    whole = {one for one in systems if all(one in mine for mine in scores.values())}  # else it is a mean of others
    means = [[sum(mine[one]) / len(mine[one]) for mine in scores.values()] if one in whole else [] for one in systems]
    runs = [sum(len(mine.get(one, [])) for mine in scores.values()) for one in systems]
    lines.append(f"| **mean** | {' | '.join(f'**{_mean(one)}**' if one else '' for one in means)} |")
    lines.append(f"| runs | {' | '.join(map(str, runs))} |")
    where = " and ".join(sorted({_where(result) for result in kept.values()}))
    return "\n".join([_SCALE, "", *lines, "", f"On {where}."])


def _of_column(system: str) -> tuple[bool, str, int]:
    """Return where a column stands: mantic first, then by name and budget."""
    name, _, budget = system.rpartition(", ")
    return name != "mantic", name, int(budget.removesuffix(" s"))


def _mean(values: list[float]) -> str:
    return f"{sum(values) / len(values):.3f}"


def _where(result: dict[str, Any]) -> str:
    machine = result["machine"]
    return f"{machine['cores']} cores, Python {machine['python']}, {machine['date']}"


def _extra(figure: dict[str, Any]) -> str:
    parts = []
    if "p95" in figure:
        parts.append(f"p95 {figure['p95']} ms")
    if "latency_p99" in figure:
        parts.append(f"p99 {figure['latency_p99']} ms")
    if "cpu_us" in figure:
        parts.append(f"{figure['cpu_us']:,} us of processor time each")
    if "file_mb" in figure:
        parts.append(f"file {figure['file_mb']} MB")
    if "kept" in figure:
        parts.append(f"{figure['kept']} of {figure['runs']} within {figure.get('promise', '1.05 x budget + 1 s')}")
    if "if_right" in figure:
        parts.append(f"seed {figure['seed']}; if every chance were right {figure['if_right']}")
        parts.append(f"in 95 of 100 draws up to {figure['if_right_95']}")
    return f" ({', '.join(parts)})" if parts else ""


if __name__ == "__main__":
    sys.exit(main())
