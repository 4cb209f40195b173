"""mantic and its peers on the development tables: same rows, same budget, one after the other, alone on the machine.

``python bench/quality/tabular.py [--systems mantic,autogluon-medium] [--budget 60] [--seeds 3] [TABLE ...]``

Each system runs in an environment of its own (made under `.venv-peers`, as its requirements file says), in a fresh
process, and sees TRAIN and the columns of TEST. What it answers is scored here. One JSON file per run lands in
bench/results/tabular; a run that is there already is not repeated. `--inner` judges on a part of TRAIN instead: that is
for development, because no choice may be made on TEST; nothing is kept.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from run import machine
from sets import CLEAN, DATA, SETS, Set, parts

from mantic.core.metric import METRICS
from mantic.core.table import Array

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = HERE.parent / "results" / "tabular"
GUESSES = ROOT / ".venv-peers" / "guesses"  # for paired comparisons; too large to be committed


@dataclass(frozen=True)
class System:
    """A peer: its program, its requirements (none: this environment), and what its program is told."""

    program: str
    needs: str = ""
    preset: str = ""


SYSTEMS = {
    "mantic": System("peer_mantic.py"),
    "autogluon-medium": System("peer_autogluon.py", "autogluon.txt", "medium"),
    "autogluon-good": System("peer_autogluon.py", "autogluon.txt", "good"),
    "autogluon-best": System("peer_autogluon.py", "autogluon.txt", "best"),
    "flaml": System("peer_flaml.py", "flaml.txt"),
    "lightgbm": System("peer_defaults.py", "defaults.txt", "lightgbm"),
    "histgb": System("peer_defaults.py", "defaults.txt", "histgb"),
    "forest": System("peer_defaults.py", "defaults.txt", "forest"),
}


def python_of(system: System) -> str:
    """Return the interpreter of a system's environment; it is made when it is not there."""
    if not system.needs:
        return sys.executable
    folder = ROOT / ".venv-peers" / Path(system.needs).stem
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        wanted = ["-r", str(HERE / "peers" / system.needs)]
        subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *wanted], check=True)
        (folder / "done").touch()
    return str(folder / "bin" / "python")


def run(name: str, table: str, *, budget: int, seed: int, inner: bool = False) -> dict[str, Any]:
    """Run one system on one table and score it."""
    about, system = SETS[table], SYSTEMS[name]
    train, test = parts(table)
    if inner:
        train, test = _inner(train, about)
    truth = test[about.target].to_list()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        train.write_parquet(folder / "train.parquet")
        test.drop(about.target).write_parquet(folder / "test.parquet")
        job = {
            "train": str(folder / "train.parquet"), "test": str(folder / "test.parquet"), "folder": place,
            "guess": str(folder / "guess.npz"), "figures": str(folder / "figures.json"), "target": about.target,
            "task": about.task, "metric": about.metric, "time": about.time, "positive": about.positive,
            "budget": budget, "seed": seed, "preset": system.preset, "truth": truth,
        }  # fmt: skip
        (folder / "job.json").write_text(json.dumps(job))
        started = time.monotonic()
        command = [python_of(system), str(HERE / "peers" / system.program), str(folder / "job.json")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"HOME": place})
        wall = time.monotonic() - started
        facts = {"system": name, "table": table, "budget": budget, "seed": seed, "metric": about.metric}
        if done.returncode:
            return facts | {"failed": done.stderr.strip().splitlines()[-1][:300], "wall": round(wall, 2)}
        with np.load(folder / "guess.npz") as found:
            guess, classes = found["guess"], found["classes"]
        figures = json.loads((folder / "figures.json").read_text())
    codes, guess = aligned(truth, guess, classes, about)
    if not inner:
        GUESSES.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(GUESSES / f"{stem(facts)}.npz", truth=codes, guess=guess.astype(np.float32))
    score = METRICS.get(about.metric)(codes, guess)
    return facts | {"score": score, "normalised": round(about.normalised(score), 4), "wall": round(wall, 2), **figures}


def aligned(truth: list[Any], guess: Array, classes: Array, about: Set) -> tuple[Array, Array]:
    """Return the truth as codes (or values) and the guess with its classes in order, the positive one last."""
    if about.task == "regress":
        return np.array(truth, dtype=np.float64), guess
    names = sorted(set(classes.tolist()) | set(map(str, truth)), key=lambda one: (one == about.positive, one))
    order = {name: place for place, name in enumerate(names)}
    full = np.zeros((len(truth), len(names)))
    full[:, [order[name] for name in classes.tolist()]] = guess
    return np.array([order[str(value)] for value in truth]), full


def stem(facts: dict[str, Any]) -> str:
    """Return the name of a run's file."""
    return f"{facts['system']}-{facts['table']}-{facts['budget']}s-{facts['seed']}"


def _inner(train: pl.DataFrame, about: Set) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cut TRAIN once more: the latest quarter where time matters, else every fourth row of a seeded shuffle."""
    if about.time:
        train = train.sort(about.time, maintain_order=True)
        cut = round(0.75 * train.height)
        return train[:cut], train[cut:]
    judged = np.random.default_rng(4).permutation(train.height) % 4 == 0
    return train.filter(pl.Series(~judged)), train.filter(pl.Series(judged))


def main() -> None:
    """Run what is not there yet; print a line for each run, then the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*")
    parser.add_argument("--systems", default="mantic")
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--inner", action="store_true", help="judge on a part of TRAIN; nothing is kept")
    parser.add_argument("--quick", action="store_true", help="one small table, to see that it works")
    options = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"the development tables are not here: {DATA}")
    tables = options.tables or (["german_credit"] if options.quick else list(CLEAN))
    budget, inner = (5, True) if options.quick else (options.budget, options.inner)
    for name in options.systems.split(","):
        values = []
        for seed in range(options.seeds):
            for table in tables:
                figures = _kept(name, table, budget=budget, seed=seed, inner=inner)
                print(
                    json.dumps({"name": f"{name} on {table}", "value": figures.get("normalised"), **figures}),
                    flush=True,
                )
                values.append(figures.get("normalised", 0.0))
        mean = {"name": f"mean normalised score of {name}", "value": round(float(np.mean(values)), 4), "unit": ""}
        print(json.dumps(mean | {"worst": min(values), "runs": len(values), "budget": budget}), flush=True)


def _kept(name: str, table: str, *, budget: int, seed: int, inner: bool) -> dict[str, Any]:
    path = RESULTS / f"{stem({'system': name, 'table': table, 'budget': budget, 'seed': seed})}.json"
    if inner:
        return run(name, table, budget=budget, seed=seed, inner=True)
    if path.exists():
        return dict(json.loads(path.read_text())["figures"][0])
    figures = run(name, table, budget=budget, seed=seed)
    RESULTS.mkdir(parents=True, exist_ok=True)
    kept = {"name": path.stem, "machine": machine(), "figures": [figures]}
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return figures


if __name__ == "__main__":
    main()
