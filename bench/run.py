"""Run the measurements and keep their results: ``python bench/run.py [NAME ...] [--quick | --long]``.

Without names all of bench/speed but those that install peers (`*_peers`); these, and those of bench/quality, which need
the development tables, are asked for by name. Each
file is a program that prints JSON objects, one per line: name, value, unit,
and what else belongs to the figure. They land in bench/results/<name>.json beside the facts of the machine.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
LIBRARIES = (
    "numpy",
    "polars",
    "scikit-learn",
    "lightgbm",
    "scipy",
    "skops",
    "matplotlib",
    "fastapi",
    "uvicorn",
    "msgspec",
    "uvloop",
    "statsforecast",
)


def main() -> int:
    """Run every measurement that was named (all by default); return 1 when one fails."""
    options = _options()
    speed = sorted((HERE / "speed").glob("*.py"))
    known = {path.stem: path for path in [*speed, *sorted((HERE / "quality").glob("*.py"))]}
    if unknown := set(options.names) - set(known):
        sys.exit(f"there is no measurement {', '.join(sorted(unknown))}; known are: {', '.join(known)}")
    failed = []
    for name in options.names or [path.stem for path in speed if not path.stem.endswith("_peers")]:
        figures = _measure(known[name], [word for word in ("--quick", "--long") if getattr(options, word[2:])])
        failed += [] if figures else [name]
        if figures and not options.quick:
            _keep(f"{name}_long" if options.long else name, figures)
    for name in failed:
        print(f"FAILED: {name}", file=sys.stderr)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which measurements; all of bench/speed by default")
    parser.add_argument(
        "--quick", action="store_true", help="a short version of each, to see that it works; nothing is kept"
    )
    parser.add_argument("--long", action="store_true", help="the long version, of those that have one (overrun)")
    return parser.parse_args()


def _measure(program: Path, extra: list[str]) -> list[dict[str, Any]]:
    """Run one program, show its lines as they come, return them; empty when it failed."""
    print(f"== {program.stem}", flush=True)
    figures = []
    with subprocess.Popen([sys.executable, str(program), *extra], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print("  ", line.rstrip(), flush=True)
            if line.startswith("{"):
                figures.append(json.loads(line))
    return figures if process.returncode == 0 else []


def _keep(name: str, figures: list[dict[str, Any]]) -> None:
    RESULTS.mkdir(exist_ok=True)
    kept = {"name": name, "machine": machine(), "figures": figures}
    (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Return what a reader must know to compare: cores, load, memory, versions, date."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


if __name__ == "__main__":
    sys.exit(main())
