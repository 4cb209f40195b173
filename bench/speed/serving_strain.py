"""A server under strain: its model switched a thousand times under load, and five times what it can answer.

The overload is of requests that each hold 200 rows, so that a small generator can send five times as many as are
answered. Accepted and refused requests are timed apart, by when they should have been sent.
"""

import asyncio
import json
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from load import Load, generate, load
from serving import CONNECTIONS, make_model, server

SWITCHING = Path(__file__).resolve().parents[1] / "switching.py"
ROWS = 200
TIMES = 5
TICK_SECONDS = 0.002  # the clock of asyncio is coarser than what is measured: the rest is waited for without sleep
MOST_LOADS = 90  # of two seconds: then the switches hang


def switched(model: Path, body: bytes, *, n: int) -> dict[str, Any]:
    """Return how many requests failed while the model was switched."""
    command = [sys.executable, str(SWITCHING), str(model), str(n)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            greeting = next(line for line in process.stderr if line.startswith("serving "))
            url = f"{greeting.partition(' at ')[2].split()[0]}/v1/models/{model.stem}/predict"
            load(Load(url, body, CONNECTIONS, 1))
            process.stdin.write("go\n")
            found, is_done = [], False
            while not is_done and len(found) < MOST_LOADS:
                found.append(load(Load(url, body, CONNECTIONS, 2)))
                is_done = process.poll() is not None or bool(_ready(process))
            seconds = float(process.stdout.readline().split()[2])
        finally:
            process.terminate()
    total = {name: sum(one[name] for one in found) for name in ("requests", "seconds", "refused", "broken")}
    figure = {"name": f"requests that failed in {n:,} switches", "value": int(total["refused"] + total["broken"])}
    figure |= {"unit": "", "requests": int(total["requests"]), "switches_per_s": round(n / seconds)}
    return figure | {"requests_per_s": round(total["requests"] / total["seconds"])}


def _ready(process: "subprocess.Popen[str]") -> bool:
    return bool(select.select([process.stdout], [], [], 0)[0])


async def flood(url: str, body: bytes, *, rate: float, seconds: float) -> list[tuple[int, float, float]]:
    """Send requests at a rate, whatever comes back.

    Returns
    -------
    Status, milliseconds since each was due, and how many of these passed before this generator came to it.
    """
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    message = f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    done: list[tuple[int, float, float]] = []

    async def one(due: float) -> None:
        late = 1000 * (time.perf_counter() - due)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(message)
        answer = await reader.read()
        done.append((int(answer.split(b" ", 2)[1]), 1000 * (time.perf_counter() - due), late))
        writer.close()

    started, tasks = time.perf_counter(), []
    for number in range(int(rate * seconds)):
        due = started + number / rate
        while (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(max(0.0, left - TICK_SECONDS))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    return done


def overloaded(model: Path, body: bytes, *, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure what is answered at all, then what becomes of five times as much."""
    rows = json.loads(body)["rows"] * ROWS
    many = json.dumps({"rows": rows}).encode()
    with server(model) as running:
        full = asyncio.run(generate(Load(running.url, many, CONNECTIONS, seconds)))
        rate = (full["requests"] - full["refused"]) / full["seconds"]
        found = asyncio.run(flood(running.url, many, rate=TIMES * rate, seconds=seconds))
    accepted = [took for status, took, _ in found if status == 200]
    refused = [took for status, took, _ in found if status == 429]
    others = len(found) - len(accepted) - len(refused)
    yield {
        "name": f"{TIMES} times what is answered, accepted",
        "value": round(_p99(accepted) / full["p99"], 2),
        "unit": f"times the p99 of {CONNECTIONS} connections",
        "p99_ms": round(_p99(accepted), 1),
        "usual_p99_ms": round(full["p99"], 1),
        "requests_per_s": round(len(accepted) / seconds),
        "usual_requests_per_s": round(rate),
        "others": others,
    }
    yield {
        "name": f"{TIMES} times what is answered, refused by 429",
        "value": round(statistics.median(refused), 2),
        "unit": "ms, p50",
        "latency_p99": round(_p99(refused), 2),
        "late_p99": round(_p99([late for status, _, late in found if status == 429]), 2),  # of the generator's making
        "share": round(len(refused) / len(found), 3),
    }


def _p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * len(values))]


def main() -> None:
    """Print the figures."""
    is_quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as place:
        model, body = make_model(Path(place), n_rows=2_000 if is_quick else 20_000)
        print(json.dumps(switched(model, body, n=50 if is_quick else 1_000)), flush=True)
        for figure in overloaded(model, body, seconds=2 if is_quick else 10):
            print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
