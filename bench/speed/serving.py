"""What a server holds: a model of 20 columns and 200 trees, one row per request, one worker, load from elsewhere.

Requests per second with 16 connections that never pause, then latency at half of that, processor time per request,
memory, and the time from starting the process to the first answer of /readyz: of a server that only answers, and of one
that also keeps every prediction in a store. A search keeps several boosters; only the
first of them is served, so that the model is the one of 200 trees that other servers are measured with.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from load import Load, load
from made import wide_table

import mantic

N_NUMBERS = 16  # and four columns of other kinds
TREES = {"boosting.rounds": 200, "boosting.stopping": "none"}
CONNECTIONS = 16
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A server that answers, and how long it took to do so."""

    url: str
    pid: int
    start_seconds: float

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self) -> float:
        """Return its resident memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1000


def make_model(folder: Path, *, n_rows: int) -> tuple[Path, bytes]:
    """Fit and save the model; return its path, and the body of a request for one row."""
    table = wide_table(folder / "wide.csv", n_rows=n_rows, n_numbers=N_NUMBERS)
    frame = mantic.read(str(table))
    path = folder / "wide.mantic"
    model = mantic.Classifier(budget="1 trial", seed=0, learners=["boosting"], params=TREES).fit(frame, "target")
    model.model_ = replace(model.model_, parts=(replace(model.model_.parts[0], weight=1.0),))
    model.save(path)
    row = json.loads(frame.drop("target").head(1).write_json())
    return path, json.dumps({"rows": row}).encode()


@contextmanager
def server(model: Path, *options: str) -> Iterator[Running]:
    """Run `mantic serve` in a process of its own."""
    command = [sys.executable, "-m", "mantic.cli.main", "serve", str(model), "--port", "0", *options]
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        greeting = next(line for line in process.stderr if line.startswith("serving "))
        base = greeting.partition(" at ")[2].split()[0]
        while not _is_ready(f"{base}/readyz"):
            time.sleep(0.005)
        yield Running(f"{base}/v1/models/{model.stem}/predict", process.pid, time.perf_counter() - started)
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


def measure(running: Running, body: bytes, *, seconds: float, what: str = "serving") -> Iterator[dict[str, Any]]:
    """Return the figures of a server under load, one after the other."""
    load(Load(running.url, body, CONNECTIONS, min(2, seconds)))  # the first requests warm caches
    before = running.cpu_seconds()
    full = load(Load(running.url, body, CONNECTIONS, seconds))
    cpu = running.cpu_seconds() - before
    assert not full["refused"], full
    rate = full["requests"] / full["seconds"]
    yield {"name": f"{what}, one row, 16 connections", "value": round(rate), "unit": "requests/s", **_latency(full)}
    yield {"name": f"{what}, processor time", "value": round(1e6 * cpu / full["requests"]), "unit": "us per request"}
    one = load(Load(running.url, body, 1, seconds))
    yield {"name": f"{what}, one connection", "value": round(one["p50"], 2), "unit": "ms, p50", **_latency(one)}
    pause = max(1, round(1000 * CONNECTIONS / (rate / 2)))
    half = load(Load(running.url, body, CONNECTIONS, seconds, pause))
    rate = half["requests"] / half["seconds"]
    figure = {"name": f"{what} at half load", "value": round(half["p50"], 2), "unit": "ms, p50", **_latency(half)}
    yield figure | {"requests_per_s": round(rate)}
    yield {"name": f"{what}, memory", "value": round(running.memory_mb()), "unit": "MB"}
    yield {"name": f"{what}, start to ready", "value": round(running.start_seconds, 2), "unit": "s"}


def _latency(figures: dict[str, float]) -> dict[str, float]:
    return {f"latency_{name}": round(figures[name], 2) for name in ("p50", "p99", "p999")}


def _log_of(running: Running) -> dict[str, Any]:
    """Return what became of the predictions: those that wait when the load ends are in the store a moment later."""
    address = running.url.partition("/v1/")[0] + "/metrics"
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with urllib.request.urlopen(address, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        found = {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line.startswith("mantic_log_")}
        answered = sum(float(line.split(" ")[1]) for line in lines if line.startswith("mantic_predictions_total"))
        if found["mantic_log_stored_total"] + found["mantic_log_lost_total"] >= answered:
            break
        time.sleep(0.2)
    lost = answered - found["mantic_log_stored_total"]
    waited = round(120 - (until - time.monotonic()), 1)
    return {
        "name": "predictions that were answered and are not in the store", "value": round(lost), "unit": "",
        "answered": round(answered), "seconds_after_the_load": waited,
    }  # fmt: skip


def main() -> None:
    """Print the figures."""
    is_quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as place:
        model, body = make_model(Path(place), n_rows=2_000 if is_quick else 20_000)
        with server(model) as running:
            for figure in measure(running, body, seconds=1 if is_quick else 10):
                print(json.dumps(figure), flush=True)
        os.environ["MANTIC_STORE_URL"] = f"{place}/store"
        with server(model, "--log") as running:
            for figure in measure(running, body, seconds=1 if is_quick else 10, what="serving and keeping"):
                print(json.dumps(figure), flush=True)
            print(json.dumps(_log_of(running)), flush=True)


if __name__ == "__main__":
    main()
