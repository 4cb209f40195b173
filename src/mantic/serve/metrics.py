"""What the server counts, in the text format of Prometheus (version 0.0.4)."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds
_ABOUT = {
    "mantic_requests_total": ("counter", "requests that were answered, by address, method and status"),
    "mantic_request_seconds": ("histogram", "how long an answer took inside the server"),
    "mantic_in_flight": ("gauge", "requests that are being answered"),
    "mantic_refused_total": ("counter", "requests that were sent away, by reason"),
    "mantic_predictions_total": ("counter", "rows that were answered, by model and version"),
    "mantic_shadow_total": ("counter", "requests that a version in the shadow was asked too, by whether it agreed"),
    "mantic_log_stored_total": ("counter", "answered rows that this server's clerk has brought into the store"),
    "mantic_log_lost_total": ("counter", "answered rows that were not put down: the disk is full, or too much waits"),
    "mantic_log_damaged_total": ("counter", "lines of the log that could not be read, and rows that no store can keep"),
    "mantic_log_waiting_bytes": ("gauge", "what has been put down and is not in the store yet"),
    "mantic_jobs": ("gauge", "jobs that are kept, by state"),
    "mantic_model_info": ("gauge", "1 for each version that can be asked, by the part that it plays"),
}

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """Counters of one process. They are changed in the event loop only, so nothing needs a lock.

    >>> metrics = Metrics()
    >>> metrics.count("mantic_refused_total", (("reason", "busy"),))
    >>> print(metrics.text({}, {}).splitlines()[-1])
    mantic_refused_total{reason="busy"} 1
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self._counts: dict[tuple[str, Labels], float] = {}
        self._requests: dict[tuple[str, str, int], int] = {}
        self._seconds: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def count(self, name: str, labels: Labels, n: int = 1) -> None:
        """Add to a counter."""
        self._counts[name, labels] = self._counts.get((name, labels), 0) + n

    def answered(self, address: str, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        key = (address, method, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        if address not in self._seconds:
            self._seconds[address], self._sums[address] = [0] * (len(_BOUNDS) + 1), 0.0
        self._seconds[address][bisect_left(_BOUNDS, seconds)] += 1
        self._sums[address] += seconds

    def within(self, address: str, share: float) -> float | None:
        """Return a bound in seconds below which at least this share of an address's answers was given; None for none.

        >>> metrics = Metrics()
        >>> for seconds in (0.0004, 0.0004, 0.004):
        ...     metrics.answered("/v1/models/{name}/predict", "POST", 200, seconds)
        >>> [metrics.within("/v1/models/{name}/predict", share) for share in (0.5, 0.99)]
        [0.0005, 0.005]
        """
        counts = self._seconds.get(address, [])
        wanted, total = share * sum(counts), 0
        for bound, n in zip((*_BOUNDS, math.inf), counts, strict=bool(counts)):
            total += n
            if total >= wanted:
                return bound
        return None

    def n_answered(self, address: str) -> int:
        """Return how many answers an address has given."""
        return sum(self._seconds.get(address, ()))

    def text(self, versions: Mapping[Labels, float], others: Mapping[str, float]) -> str:
        """Return all that was counted.

        Parameters
        ----------
        versions : the models as they stand now. others : what is counted elsewhere, by its series.
        """
        found: list[tuple[str, str, float]] = [("mantic_in_flight", "mantic_in_flight", self.in_flight)]
        for (address, method, status), n in self._requests.items():
            labels = (("address", address), ("method", method), ("status", str(status)))
            found.append(("mantic_requests_total", f"mantic_requests_total{_braces(labels)}", n))
        for address in self._seconds:
            found += (("mantic_request_seconds", *line) for line in self._histogram(address))
        found += ((name, f"{name}{_braces(labels)}", n) for (name, labels), n in self._counts.items())
        found += (("mantic_model_info", f"mantic_model_info{_braces(labels)}", n) for labels, n in versions.items())
        found += ((series.partition("{")[0], series, n) for series, n in others.items())
        lines = []
        for name, (kind, about) in _ABOUT.items():
            if mine := [f"{series} {n:.17g}" for of, series, n in found if of == name]:
                lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}", *mine]
        return "\n".join(lines) + "\n"

    def _histogram(self, address: str) -> Iterable[tuple[str, float]]:
        total = 0
        for bound, n in zip((*map(str, _BOUNDS), "+Inf"), self._seconds[address], strict=True):
            total += n
            yield f"mantic_request_seconds_bucket{_braces((('address', address), ('le', bound)))}", total
        yield f"mantic_request_seconds_sum{_braces((('address', address),))}", self._sums[address]
        yield f"mantic_request_seconds_count{_braces((('address', address),))}", total


def _braces(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
