"""Write the measured tables into README.md, between their markers, from the results in bench/results."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
_SCALE = """\
Accuracy on rows that no fit has seen, on 13 real tables: 0 is always saying the same, 1 is the best of LightGBM,
histogram boosting, a forest and a linear model with their defaults and of AutoGluon 1.6.3 (medium and good) within 60 s
on two cores."""


def main() -> int:
    """Fill the tables in; return 1 with --check when README.md is not what the results say."""
    page = ROOT / "README.md"
    old = page.read_text(encoding="utf-8")
    new = filled(filled(old, "accuracy", accuracy(_read("tabular/*.json"))), "measured", speed(_read("*.json")))
    if "--check" in sys.argv:
        return int(old != new)
    page.write_text(new, encoding="utf-8")
    return 0


def _read(pattern: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob(pattern))]


def filled(text: str, name: str, table: str) -> str:
    """Return the text with the table between the markers of this name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


def speed(kept: list[dict[str, Any]]) -> str:
    """Return a Markdown table: what, how much, where and when it was measured."""
    lines = ["| What | Measured | On |", "|---|---|---|"]
    for result in kept:
        for figure in result["figures"]:
            value = f"{figure['value']:,} {figure['unit']}{_extra(figure)}".strip()
            lines.append(f"| {figure['name']} | {value} | {_where(result)} |")
    return "\n".join(lines)


def accuracy(kept: list[dict[str, Any]]) -> str:
    """Return a Markdown table: normalised scores on TEST by table (rows) and by system with its budget (columns)."""
    if not kept:
        return ""
    scores: dict[str, dict[str, list[float]]] = {}
    for result in kept:
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
    return "\n".join([_SCALE, "", *lines, "", f"On {', '.join(sorted({_where(result) for result in kept}))}."])


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
        parts.append(f"{figure['kept']} of {figure['runs']} within 1.05 x budget + 1 s")
    return f" ({', '.join(parts)})" if parts else ""


if __name__ == "__main__":
    sys.exit(main())
