"""Load for a server: by wrk where it is installed, else by a small generator of our own; both speak HTTP/1.1 and keep
connections open. `python bench/load.py` is that generator in a process of its own; `load` starts either.
"""

import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# wrk's own percentiles are of the answers to all requests; `delay` is asked before each, in whole milliseconds.
_LUA = """
local file = io.open("{body}"); wrk.body = file:read("*a"); file:close()
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
{delay}
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('{{"requests":%d,"seconds":%.6f,"p50":%.4f,"p99":%.4f,"p999":%.4f,"refused":%d,"broken":%d}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    latency:percentile(99.9) / 1000, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What is sent: a body to an address, by so many connections, each pausing up to so long after every answer."""

    url: str
    body: bytes
    connections: int = 16
    seconds: float = 10.0
    pause_ms: int = 0  # mean; 0 sends the next request at once


def load(wanted: Load) -> dict[str, float]:
    """Return requests, seconds, p50, p99 and p999 (ms), refused (4xx and 5xx) and broken (no answer)."""
    with tempfile.TemporaryDirectory() as place:
        body, script = Path(place) / "body", Path(place) / "post.lua"
        body.write_bytes(wanted.body)
        if shutil.which("wrk") is None:
            words = [sys.executable, __file__, wanted.url, str(body)]
            words += [str(wanted.connections), str(wanted.seconds), str(wanted.pause_ms)]
        else:
            delay = f"delay = function() return math.random(0, {2 * wanted.pause_ms}) end" if wanted.pause_ms else ""
            script.write_text(_LUA.format(body=body, delay=delay))
            words = ["wrk", "-t1", f"-c{wanted.connections}", f"-d{max(1, round(wanted.seconds))}s", "-s", str(script)]
            words += [wanted.url]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return found


async def generate(wanted: Load) -> dict[str, float]:
    """Send requests until the time is over; the same figures as wrk gives."""
    took: list[float] = []
    statuses: list[int] = []
    ends = time.perf_counter() + wanted.seconds
    started = time.perf_counter()
    await asyncio.gather(*(_talk(wanted, ends, took, statuses) for _ in range(wanted.connections)))
    seconds = time.perf_counter() - started
    took.sort()
    at = {name: took[min(len(took) - 1, int(len(took) * share))] for name, share in _SHARES.items()} if took else {}
    refused = sum(status >= 400 for status in statuses)
    return {"requests": len(took), "seconds": seconds, **at, "refused": refused, "broken": statuses.count(0)}


async def _talk(wanted: Load, ends: float, took: list[float], statuses: list[int]) -> None:
    parts = urlsplit(wanted.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    message = f"{head}Content-Length: {len(wanted.body)}\r\n\r\n".encode() + wanted.body
    try:
        while time.perf_counter() < ends:
            started = time.perf_counter()
            writer.write(message)
            answer = await reader.readuntil(b"\r\n\r\n")
            lines = answer.decode("latin-1").lower().split("\r\n")
            length = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
            await reader.readexactly(length)
            took.append(1000 * (time.perf_counter() - started))
            statuses.append(int(lines[0].split()[1]))
            if wanted.pause_ms:
                await asyncio.sleep(random.uniform(0, 2 * wanted.pause_ms) / 1000)
    except (OSError, asyncio.IncompleteReadError):
        statuses.append(0)
    finally:
        writer.close()


_SHARES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


def main() -> None:
    """Generate the load that the words ask for, and print the figures."""
    url, body, connections, seconds, pause = sys.argv[1:]
    wanted = Load(url, Path(body).read_bytes(), int(connections), float(seconds), int(pause))
    figures: dict[str, Any] = asyncio.run(generate(wanted))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
