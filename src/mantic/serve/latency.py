"""How long a model takes for one row, measured here and now."""

import time
from dataclasses import dataclass

from mantic.serve.example import example_row
from mantic.serve.question import Limits
from mantic.serve.served import Served, to_bytes

_SECONDS = 0.3  # a page waits for it
_MOST = 400
_LEAST = 20


@dataclass(frozen=True)
class Latency:
    """Seconds that one row took, from the bytes of the question to those of the answer, without the network.

    Parameters
    ----------
    n : how often it was asked.
    half, most : half of them took at most so long, 99 of 100 (of fewer than 100: all).
    """

    n: int
    half: float
    most: float


def measure(served: Served) -> Latency:
    """Ask a row of the middle again and again for a moment."""
    body = to_bytes({"rows": [dict.fromkeys(served.schema.names) | example_row(served.schema)]})
    limits = Limits()
    seconds: list[float] = []
    until = time.perf_counter() + _SECONDS
    while len(seconds) < _MOST and (len(seconds) < _LEAST or time.perf_counter() < until):
        started = time.perf_counter()
        question = served.read(body, limits)
        served.reply(served.predictions(question), question.warnings)
        seconds.append(time.perf_counter() - started)
    seconds.sort()
    n = len(seconds)
    return Latency(n, seconds[n // 2], seconds[min(n - 1, n * 99 // 100)])
