"""Patience with passwords: who fails often waits longer and longer."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from mantic.core.errors import ManticError
from mantic.report.numbers import amount

_MOST = 20_000  # of what is remembered, about 4 MB; what was tried longest ago is forgotten first
_FORGET_SECONDS = 3600.0


class PatienceError(ManticError):
    """Too many tries."""

    status = 429

    def __init__(self, seconds: float) -> None:
        wait = amount(max(1, round(seconds)), "second")
        super().__init__("too many tries", where="sign-in", fix=f"wait {wait}, then try again")
        self.seconds = seconds

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the time when the error crosses a process."""
        return PatienceError, (self.seconds,)


@dataclass(frozen=True)
class Patience:
    """How many failures are free, and how long the longest wait is; each failure more doubles it, from one second."""

    free: int
    most_seconds: float

    def wait(self, n_failures: int) -> float:
        """Return the seconds to wait after so many failures.

        >>> [Patience(3, 60.0).wait(n) for n in (2, 3, 4, 20)]
        [0.0, 1.0, 2.0, 60.0]
        """
        return 0.0 if n_failures < self.free else min(2.0 ** min(n_failures - self.free, 30), self.most_seconds)


# A name waits for minutes only: a stranger who tries a name must not shut its owner out for long.
OF_NAME = Patience(5, 300.0)
OF_ADDRESS = Patience(20, 900.0)


@dataclass
class Backoff:
    """The failures of names and addresses, whether there is such a name or not.

    Parameters
    ----------
    clock : seconds that only grow.
    """

    clock: Callable[[], float] = time.monotonic
    _failures: "OrderedDict[tuple[str, str], tuple[int, float]]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, name: str, address: str) -> None:
        """Count a try as a failure, until `succeeded` says otherwise: many at once are many.

        Parameters
        ----------
        name : of who signs in; empty where none is said.
        address : from where.

        Raises
        ------
        PatienceError : if it is not their turn yet; then nothing is counted.
        """
        keys = _keys(name, address)
        now = self.clock()
        with self._lock:
            waits = [self._wait(key, patience, now) for key, patience in keys]
            if max(waits) > 0:
                raise PatienceError(max(waits))
            for key, _ in keys:
                n_failures, _ = self._of(key, now)
                self._failures[key] = (n_failures + 1, now)
                self._failures.move_to_end(key)
            while len(self._failures) > _MOST:
                self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of a name, and the last one of an address: its others may be of other names."""
        now = self.clock()
        with self._lock:
            for (kind, what), _ in _keys(name, address):
                n_failures, at = self._of((kind, what), now)
                if kind == "name" or n_failures <= 1:
                    self._failures.pop((kind, what), None)
                else:
                    self._failures[kind, what] = (n_failures - 1, at)

    def __len__(self) -> int:
        """Return how many names and addresses are remembered."""
        return len(self._failures)

    def _of(self, key: tuple[str, str], now: float) -> tuple[int, float]:
        n_failures, at = self._failures.get(key, (0, now))
        return (0, now) if now - at > _FORGET_SECONDS else (n_failures, at)

    def _wait(self, key: tuple[str, str], patience: Patience, now: float) -> float:
        n_failures, at = self._of(key, now)
        return at + patience.wait(n_failures) - now


def _keys(name: str, address: str) -> list[tuple[tuple[str, str], Patience]]:
    found = [(("address", network(address)), OF_ADDRESS)]
    return [(("name", name[:200]), OF_NAME), *found] if name else found


def network(address: str) -> str:
    """Return what one household or company can choose its addresses from.

    >>> network("2001:db8::1:2"), network("192.0.2.7"), network("testclient")
    ('2001:db8::/64', '192.0.2.7', 'testclient')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:200]
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
