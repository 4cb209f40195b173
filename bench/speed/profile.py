"""How long a profile takes, and how much memory: a CSV of 1,000,000 x 30, read and profiled by a fresh process."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

WORK = """
import json, resource, sys, time
start = time.perf_counter()
from mantic.core.run import Run
from mantic.features.profile import profile
from mantic.sources.read import read
imported = time.perf_counter()
with Run() as run:
    frame = read(sys.argv[1], run=run)
    was_read = time.perf_counter()
    report = profile(frame, target="f0", run=run)
done = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"import": imported - start, "read": was_read - imported, "profile": done - was_read, "peak": peak,
                  "problems": len(report.facts["problems"])}))
"""


def table(n_rows: int) -> pl.DataFrame:
    """Return 10 numbers, 5 whole numbers, 8 categories, 3 dates, 2 short texts and 2 identifiers."""
    rng = np.random.default_rng(0)
    words = np.array(
        ["slow", "fast", "broken", "good", "modem", "support", "price", "call", "again", "never", "refund", "late"]
    )
    columns = {f"f{at}": np.round(rng.gamma(2, 10, n_rows), 4) for at in range(10)}
    columns |= {f"i{at}": rng.integers(0, 10 ** (at + 1), n_rows) for at in range(5)}
    columns |= {f"c{at}": np.char.add("level ", rng.integers(0, 4 * 3**at, n_rows).astype(str)) for at in range(8)}
    days = np.datetime64("2015-01-01") + rng.integers(0, 3000, (3, n_rows)).astype("timedelta64[D]")
    columns |= {f"d{at}": days[at].astype(str) for at in range(3)}
    picks = rng.integers(0, len(words), (2, 5, n_rows))
    columns |= {f"t{at}": np.char.add(np.char.add(words[picks[at, 0]], " "), words[picks[at, 1]]) for at in range(2)}
    for at in range(2):
        for more in range(2, 5):
            columns[f"t{at}"] = np.char.add(np.char.add(columns[f"t{at}"], " "), words[picks[at, more]])
    columns |= {"id": np.arange(n_rows) + 1, "key": np.char.add("K", rng.permutation(n_rows).astype(str))}
    frame = pl.DataFrame(columns)
    gaps = pl.Series(rng.random(n_rows) < 0.05)
    return frame.with_columns(frame["f1"].set(gaps, None), frame["c1"].set(gaps, None))


def main() -> None:
    """Print wall seconds and peak memory."""
    if "--make" in sys.argv:
        table(int(sys.argv[2])).write_csv(sys.argv[3])
        return
    n_rows = 20_000 if "--quick" in sys.argv else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        # made by another process: a child begins with its parent's peak of memory
        subprocess.run([sys.executable, __file__, "--make", str(n_rows), str(path)], check=True)
        n_bytes = path.stat().st_size
        settings = os.environ | {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", WORK, str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=settings)
    found = json.loads(done.stdout)
    figure = {
        "name": f"read and profile, {n_rows:,} x 30",
        "value": round(found["read"] + found["profile"], 2),
        "unit": "s",
        "read_seconds": round(found["read"], 2),
        "profile_seconds": round(found["profile"], 2),
        "import_seconds": round(found["import"], 2),
        "peak_mb": round(found["peak"]),
        "file_mb": round(n_bytes / 1e6, 1),
        "problems": found["problems"],
    }
    print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
