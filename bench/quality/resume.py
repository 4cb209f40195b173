"""Is anything finished lost when a fit is killed? `python bench/quality/resume.py [--kills 10] [--seed 0] [--quick]`.

`mantic fit` and its workers get SIGKILL at a random moment. What the journal holds is read from a copy of it; then the
fit is resumed. Lost is what the resumed fit does not count as finished, or has fitted again: a trial that was taken
from the journal comes with the seconds and the score that it had there, to the last digit, and one that was repeated
does not. The search is counted in trials, so its answers must also be those of a fit that was never killed.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.datasets import load_digits

from mantic.core.journal import Done, Journal

MANTIC = [sys.executable, "-m", "mantic.cli.main"]
BUDGET, N_ROWS = "12 trials", 1_000
WORDS = ["fit", "digits.csv", "--target", "digit", "--budget", BUDGET, "--json", "--no-store"]
WORDS += ["--learner", "tree", "--learner", "naive_bayes", "--learner", "linear"]


def fitted(folder: Path, out: str, *more: str) -> dict[str, Any]:
    """Fit to the end; return the facts."""
    command = [*MANTIC, *WORDS, "--out", out, *more]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def is_killed(folder: Path, out: str, *, after: float) -> bool:
    """Start a fit, kill it and all its workers after so many seconds; return False if it was done before."""
    command = [*MANTIC, *WORDS, "--out", out]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as fit:
        time.sleep(after)
        if fit.poll() is not None:
            return False
        os.killpg(fit.pid, signal.SIGKILL)
    return not (folder / out).exists()


def finished(folder: Path, out: str) -> list[Done]:
    """Return what the journal holds, without touching it."""
    with tempfile.TemporaryDirectory() as place:
        for path in folder.glob(f"{out}.journal*"):
            shutil.copy(path, place)
        if not (copy := Path(place) / f"{out}.journal").exists():
            return []
        with Journal(copy) as journal:
            return journal.done()


def fitted_again(done: list[Done], facts: dict[str, Any]) -> int:
    """Count the candidates that were finished in every part before the kill and come with other seconds after it."""
    n_parts = 6  # five nested folds and all rows, for so few rows
    seconds: dict[int, list[float]] = {}
    for one in done:
        seconds.setdefault(one.facts["number"], []).append(one.facts["fit_seconds"] + one.facts["guess_seconds"])
    told = [row["seconds"] for row in facts["learners"]]
    whole = [sum(mine) for mine in seconds.values() if len(mine) == n_parts]
    return sum(not any(abs(one - row) < 1e-9 for row in told) for one in whole)


def one_kill(folder: Path, out: str, *, after: float, answers: bytes) -> dict[str, Any]:
    """Kill, resume and compare; return what was finished, and how much of it was lost."""
    done = finished(folder, out)
    facts = fitted(folder, out, "--resume")
    told = re.search(r"with (\d+) finished fits", json.dumps(facts["warnings"]))
    recalled = int(told[1]) if told else 0
    return {
        "after": round(after, 2), "finished": len(done), "forgotten": len(done) - recalled,
        "fitted_again": fitted_again(done, facts), "same_answers": predicted(folder, out) == answers,
    }  # fmt: skip


def predicted(folder: Path, out: str) -> bytes:
    """Return the answers of a model for the whole table, as a file."""
    command = [*MANTIC, "predict", out, "digits.csv", "--out", "answers.csv"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (folder / "answers.csv").read_bytes()


def main() -> None:
    """Kill as often as asked; print each kill to stderr, then the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    chance, n_kills = np.random.default_rng(options.seed), 1 if options.quick else options.kills
    with tempfile.TemporaryDirectory() as place:
        folder, found = Path(place), []
        digits = load_digits()
        frame = pl.DataFrame(digits.data, schema=[f"pixel_{at}" for at in range(digits.data.shape[1])])
        frame.with_columns(digit=pl.Series(digits.target).cast(pl.String)).head(N_ROWS).write_csv(folder / "digits.csv")
        started = time.monotonic()
        fitted(folder, "whole.mantic")
        seconds = time.monotonic() - started
        answers = predicted(folder, "whole.mantic")
        while len(found) < n_kills:
            after, out = float(chance.uniform(0, seconds)), f"killed{len(found)}.mantic"
            if not is_killed(folder, out, after=after):
                (folder / out).unlink(missing_ok=True)
                continue
            found.append(one_kill(folder, out, after=after, answers=answers))
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    n_lost = sum(bool(one["forgotten"] or one["fitted_again"] or not one["same_answers"]) for one in found)
    figure = {"name": "kills after which something finished was lost", "value": n_lost, "unit": f"of {n_kills} kills"}
    print(json.dumps(figure | {"finished": sum(one["finished"] for one in found), "each": found}), flush=True)


if __name__ == "__main__":
    main()
