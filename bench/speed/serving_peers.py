"""The same LightGBM model behind mantic, MLflow's server and BentoML: one row per request, one worker, in one run.

Peers get the row as numbers, encoded beforehand, and answer a number; mantic gets the row as it is, checks and encodes
it, and answers calibrated probabilities. Each peer runs in an environment of its own, made under `.venv-peers`.
Processor time is of all processes of a server.
"""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from load import Load, load
from serving import CONNECTIONS, make_model, server

import mantic

PEERS = Path(__file__).resolve().parents[1] / "peers"
ROOT = PEERS.parents[1]
ADDRESSES = {"mlflow": "/invocations", "bentoml": "/predict"}
_START_SECONDS = 120


def python_of(peer: str) -> str:
    """Return the interpreter of a peer's environment; it is made when it is not there."""
    folder = ROOT / ".venv-peers" / peer
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        wanted = ["-r", str(PEERS / f"{peer}.txt")]
        subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *wanted], check=True)
        (folder / "done").touch()
    return str(folder / "bin" / "python")


def numbers_of(path: Path, body: bytes, folder: Path) -> tuple[Path, list[float | None]]:
    """Return the trees of the model as LightGBM's text, and the row of a body as the numbers that they see."""
    model = mantic.load(path)
    plan, part = model.row_plan_, model.model_.parts[0]
    values = plan.values(json.loads(body)["rows"][0])
    table = part.member.encoder.transform(plan.frame(values))
    trees = folder / "trees.txt"
    part.member.learner.trees_.save_model(str(trees))
    return trees, [None if math.isnan(number) else number for number in table.numbers[0].tolist()]


@contextmanager
def peer(name: str, trees: Path, body: bytes, folder: Path) -> Iterator[tuple[str, int]]:
    """Run a peer's server until it answers; give its address and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    python = python_of(name)
    place = folder / name
    place.mkdir()
    command = [python, str(PEERS / f"peer_{name}.py"), str(trees), str(place), str(port)]
    environ = os.environ | {"PATH": f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(place)}
    environ.pop("PYTHONPATH", None)
    with (place / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environ, start_new_session=True)
    url = f"http://127.0.0.1:{port}{ADDRESSES[name]}"
    try:
        _wait(url, body, process, place / "log")
        yield url, process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait(url: str, body: bytes, process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from error
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{url} does not answer: {log.read_text()[-2_000:]}")


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and all its children."""
    top = psutil.Process(pid)
    return sum(one.cpu_times().user + one.cpu_times().system for one in (top, *top.children(recursive=True)))


def measure(name: str, url: str, pid: int, *, body: bytes, seconds: float) -> dict[str, Any]:
    """Return requests per second, latency and processor time."""
    load(Load(url, body, CONNECTIONS, min(2, seconds)))
    before = cpu_seconds(pid)
    full = load(Load(url, body, CONNECTIONS, seconds))
    cpu = cpu_seconds(pid) - before
    figure = {"name": f"{name}, one row, {CONNECTIONS} connections", "value": round(full["requests"] / full["seconds"])}
    latency = {f"latency_{one}": round(full[one], 2) for one in ("p50", "p99")}
    figure |= {"unit": "requests/s", "cpu_us": round(1e6 * cpu / full["requests"]), **latency}
    return figure | {"refused": full["refused"]}


def main() -> None:
    """Print a line per server."""
    is_quick = "--quick" in sys.argv
    seconds = 1 if is_quick else 10
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path, body = make_model(folder, n_rows=2_000 if is_quick else 20_000)
        with server(path) as running:
            print(json.dumps(measure("mantic", running.url, running.pid, body=body, seconds=seconds)), flush=True)
        trees, row = numbers_of(path, body, folder)
        bodies = {"mlflow": {"inputs": [row]}, "bentoml": {"rows": [row]}}
        for name, content in bodies.items():
            sent = json.dumps(content).encode()
            with peer(name, trees, sent, folder) as (url, pid):
                print(json.dumps(measure(name, url, pid, body=sent, seconds=seconds)), flush=True)


if __name__ == "__main__":
    main()
