"""Fuzz the server, the loader of models, the readers of tables and backups: ``python bench/fuzz/campaign.py``.

``--minutes`` is for all targets together; they run one beside the other. Each runs in a process of its own, which is
started again when native code takes it along: that is a finding too. Needs ``pip install 'mantic[fuzz]'``; without
Atheris, ``--by chance`` runs the same cases, chosen by chance alone.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from made_models import write_all  # noqa: E402
from run import RESULTS, _keep  # noqa: E402

FILES = ("model", "reader", "backup")
GRACE_SECONDS = 120  # for a process to begin and end, beside its cases


def main() -> int:
    """Run the campaigns; return 1 when something was found."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="mantic-fuzz-") as name:
        folder = Path(name)
        models = options.models or folder / "models"
        models.mkdir(exist_ok=True)
        write_all(models)
        with ThreadPoolExecutor() as threads:
            found = list(threads.map(lambda target: _one(target, folder, models, options), options.targets))
    figures = []
    for facts in found:
        findings = facts.pop("findings")
        figures.append({"name": facts.pop("target"), "value": len(findings), "unit": "findings", "limit": 0, **facts})
        for one in findings:
            print(json.dumps(one), file=sys.stderr)
    for figure in figures:
        print(json.dumps(figure), flush=True)
    if options.keep:
        _keep("fuzz", [*_of_other_targets(options.targets), *figures])
    return int(any(figure["value"] for figure in figures))


def _of_other_targets(targets: list[str]) -> list[dict[str, Any]]:
    """Return the figures that are kept of targets which this campaign leaves alone."""
    kept = RESULTS / "fuzz.json"
    figures = json.loads(kept.read_text(encoding="utf-8"))["figures"] if kept.exists() else []
    return [one for one in figures if one["name"] not in targets]


def _one(target: str, folder: Path, models: Path, options: argparse.Namespace) -> dict[str, Any]:
    place = folder / target
    place.mkdir()
    run = _server if target == "server" else _files
    return {"target": target, **run(target, place, models, options)}


def _server(target: str, place: Path, models: Path, options: argparse.Namespace) -> dict[str, Any]:
    seconds = int(60 * options.minutes)
    told = ["--cases", str(options.cases), "--seconds", str(seconds), "--seed", str(options.seed)]
    program = [sys.executable, str(HERE / "server.py"), *told, "--folder", str(place), "--models", str(models)]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=seconds + 5 * GRACE_SECONDS)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        return {
            "cases": 0,
            "findings": [{"place": f"the process ended with {done.returncode}", "error": done.stderr[-2000:]}],
        }
    facts, *findings = lines
    return {
        "cases": facts["n"]["cases"], "seconds": round(facts["seconds"]), "seed": options.seed,
        "slowest_seconds": round(facts["slowest"], 3), "answers": facts["n"], "findings": findings,
    }  # fmt: skip


def _files(target: str, place: Path, models: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run one process after the other until the time is over."""
    started, until = time.monotonic(), time.monotonic() + 60 * options.minutes
    n_cases, slowest, seed, deaths = 0, 0.0, options.seed, []
    while (left := until - time.monotonic()) > 0:
        told = ["--by", options.by, "--seconds", str(max(1, int(left))), "--seed", str(seed)]
        program = [
            sys.executable,
            str(HERE / "worker.py"),
            target,
            *told,
            "--folder",
            str(place),
            "--models",
            str(models),
        ]
        ending = _ending(program, place / "log", seconds=left + GRACE_SECONDS)
        now = json.loads((place / "now.json").read_text() or "{}")
        n_cases, slowest, seed = n_cases + now.get("n", 0), max(slowest, now.get("slowest", 0.0)), seed + 1
        if ending:
            error = (place / "log").read_text(errors="replace")[-1000:]
            deaths.append({"place": ending, "error": error, **now})
        if not now:
            break
    log = place / "found.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    findings = list({one["place"]: one for one in lines}.values())
    return {
        "cases": n_cases, "seconds": round(time.monotonic() - started), "seed": options.seed, "by": options.by,
        "slowest_seconds": round(slowest, 3), "findings": findings + deaths,
    }  # fmt: skip


def _ending(program: list[str], log: Path, *, seconds: float) -> str:
    """Run a process; return how it ended if that was not well."""
    with log.open("wb") as said:
        try:
            code = subprocess.run(program, stdout=said, stderr=said, check=False, timeout=seconds).returncode
        except subprocess.TimeoutExpired:  # native code that hangs hears no alarm
            return f"the process hung for {GRACE_SECONDS} s after its time"
    return f"the process ended with {code}" if code else ""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", nargs="+", choices=("server", *FILES), default=["server", *FILES])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--cases", type=int, default=100_000, help="of the server, at most")
    parser.add_argument("--by", choices=("atheris", "chance"), default="atheris")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--models", type=Path, help="a folder that keeps the models from one campaign to the next")
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/results/fuzz.json")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
