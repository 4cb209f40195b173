"""mantic and AutoGluon-TimeSeries on the same series: same rows, same budget, one by one, alone on the machine.

``python bench/quality/forecast_peers.py [--systems mantic,autogluon] [--budget 10] [--part test] [--keep FILE] [SET]``

Each system runs in an environment of its own (made under `.venv-peers`, as its requirements file says), in a fresh
process, and sees the rows to learn from. AutoGluon may not load pretrained weights. Scores are those of
`bench/quality/forecast.py`. After the runs, the geometric mean over sets of mantic's errors relative to the peer's.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from forecast import SETS, Task, _keep, _short, scores, task_of
from tabular import HERE, System, python_of

LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
SYSTEMS = {
    "mantic": System("peer_forecast_mantic.py"),
    "autogluon": System("peer_forecast_autogluon.py", "autogluon_series.txt"),
}
FREQUENCIES = {
    "m4_weekly": "W-MON", "m4_hourly": "h", "m3_yearly": "YS", "m3_quarterly": "QS", "m3_monthly": "MS",
    "m3_other": "D", "hospital": "MS", "carparts": "MS",
}  # fmt: skip
"""Of moments for series that have none: AutoGluon needs them."""
_FIRST = "1900-01-01"  # a Monday, and the first of a year
_COMPARED = {"owa": "OWA", "mase": "MASE", "pinball": "scaled pinball loss"}


def dated(task: Task, freq: str) -> pl.DataFrame:
    """Return the rows with a moment each: row n of a series lies n steps after the first moment of all."""
    rows = task.learn.sort("unique_id", task.time)
    number = rows.select(pl.int_range(pl.len()).over("unique_id")).to_series().to_numpy()
    moments = pd.date_range(_FIRST, periods=int(number.max()) + 1, freq=freq).to_numpy()
    return rows.select("unique_id", "y").with_columns(when=pl.Series(moments[number]).cast(pl.Datetime("us")))


def run(name: str, which: str, *, part: str, budget: int, seed: int) -> dict[str, Any]:
    """Run one system on one set and score it."""
    one, task, system = SETS[which], task_of(which, part=part), SYSTEMS[name]
    facts: dict[str, Any] = {"system": name, "set": which, "part": part, "budget": budget, "seed": seed}
    facts["load"] = round(os.getloadavg()[0], 2)  # a peer that starves says little: AutoGluon leaves models out then
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        dated(task, FREQUENCIES[which]).write_parquet(folder / "learn.parquet")
        job = {
            "learn": str(folder / "learn.parquet"), "answers": str(folder / "answers.parquet"),
            "facts": str(folder / "facts.parquet"), "folder": place, "horizon": one.horizon, "freq": FREQUENCIES[which],
            "season": one.cycles, "levels": LEVELS, "budget": budget, "seed": seed,
        }  # fmt: skip
        (folder / "job.json").write_text(json.dumps(job))
        started = time.monotonic()
        command = [python_of(system), str(HERE / "peers" / system.program), str(folder / "job.json")]
        around = os.environ | {"HF_HUB_OFFLINE": "1", "HOME": place}
        if system.needs:
            around.pop("PYTHONPATH", None)
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=around)
        facts["wall"] = round(time.monotonic() - started, 2)
        if done.returncode:
            return facts | {"failed": done.stderr.strip().splitlines()[-1][:300]}
        answers = pl.read_parquet(folder / "answers.parquet").rename({"when": task.time}).sort("unique_id", task.time)
        told = pl.read_parquet(folder / "facts.parquet").row(0, named=True)
    if "median" not in answers.columns:
        answers = answers.rename({"q0.5": "median"})
    if answers["mean"].is_null().any() or not task.truth.keys() <= set(answers["unique_id"].to_list()):
        return facts | {"failed": "not every series has an answer"}
    return facts | scores(which, task, answers) | told


def main() -> None:
    """Run all systems on all sets that are named; print a line for each run, then the relative errors."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("sets", nargs="*", metavar="SET")
    options.add_argument("--systems", default="mantic,autogluon")
    options.add_argument("--part", choices=("validation", "test"), default="validation")
    options.add_argument("--budget", type=int, default=10)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--keep", type=Path, help="add the figures to this file of results")
    options.add_argument("--quick", action="store_true", help="mantic alone on one small set, to see that it works")
    asked = options.parse_args()
    sets = asked.sets or (["m3_other"] if asked.quick else list(SETS))
    systems = ["mantic"] if asked.quick else asked.systems.split(",")
    figures, found = [], {}
    for which in sets:
        for name in systems:
            one = run(name, which, part=asked.part, budget=asked.budget, seed=asked.seed)
            found[name, which] = one
            main_one = "pinball" if SETS[which].is_rare else "owa"
            title = f"{name} on {which}, {asked.part}, {asked.budget}s"
            figures.append({"name": title, "value": one.get(main_one), "unit": _COMPARED[main_one], **one})
            figures[-1] = {key: _short(value) for key, value in figures[-1].items()}
            print(json.dumps(figures[-1]), flush=True)
    for peer in (name for name in systems if name != "mantic" and "mantic" in systems):
        for one in compared(found, peer, sets):
            figures.append(one | {"name": f"{one['name']}, {asked.part}, {asked.budget}s"})
            print(json.dumps(figures[-1]), flush=True)
    if asked.keep is not None:
        _keep(asked.keep, [one for one in figures if one["value"] is not None])


def compared(found: dict[tuple[str, str], dict[str, Any]], peer: str, sets: list[str]) -> list[dict[str, Any]]:
    """Return how many sets a peer gave no answer for, and mantic's errors as a share of its own on the others.

    The share is the geometric mean over sets of MASE and of scaled pinball loss.
    """
    failed = {one: found[peer, one]["failed"] for one in sets if "failed" in found[peer, one]}
    both = [one for one in sets if one not in failed and "failed" not in found["mantic", one]]
    figures: list[dict[str, Any]] = [
        {"name": f"no answer from {peer}", "value": len(failed), "unit": f"of {len(sets)} sets", "failed": failed}
    ]
    if not both:
        return figures
    shares = {
        name: [found["mantic", one][name] / found[peer, one][name] for one in both] for name in ("mase", "pinball")
    }
    means = {f"relative {name}": round(float(np.exp(np.mean(np.log(own)))), 4) for name, own in shares.items()}
    better = [one for place, one in enumerate(both) if shares["mase"][place] < 1]
    overall = round(float(np.exp(np.mean([np.log(own) for own in shares.values()]))), 4)
    share = {"name": f"errors of mantic by those of {peer}", "value": overall, "unit": "geometric mean", **means}
    return [*figures, share | {"better on": better, "sets": both}]


if __name__ == "__main__":
    main()
