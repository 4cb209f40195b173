"""Write the measured table into README.md, between its markers, from the results in bench/results."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def main() -> int:
    """Fill the table in; return 1 with --check when README.md is not what the results say."""
    page = ROOT / "README.md"
    old = page.read_text(encoding="utf-8")
    new = filled(old, results())
    if "--check" in sys.argv:
        return int(old != new)
    page.write_text(new, encoding="utf-8")
    return 0


def results() -> list[dict[str, Any]]:
    """Return all kept results, by name."""
    paths = sorted((ROOT / "bench" / "results").glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def filled(text: str, kept: list[dict[str, Any]]) -> str:
    """Return the text with the table between the markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(kept)}\n{END}{after}"


def table(kept: list[dict[str, Any]]) -> str:
    """Return a Markdown table: what, how much, where and when it was measured."""
    lines = ["| What | Measured | On |", "|---|---|---|"]
    for result in kept:
        machine = result["machine"]
        where = f"{machine['cores']} cores, Python {machine['python']}, {machine['date']}"
        for figure in result["figures"]:
            lines.append(f"| {figure['name']} | {figure['value']:,} {figure['unit']}{_extra(figure)} | {where} |")
    return "\n".join(lines)


def _extra(figure: dict[str, Any]) -> str:
    parts = []
    if "p95" in figure:
        parts.append(f"p95 {figure['p95']} ms")
    if "file_mb" in figure:
        parts.append(f"file {figure['file_mb']} MB")
    if "kept" in figure:
        parts.append(f"{figure['kept']} of {figure['runs']} within 1.05 x budget + 1 s")
    return f" ({', '.join(parts)})" if parts else ""


if __name__ == "__main__":
    sys.exit(main())
