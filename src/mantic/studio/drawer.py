"""What was thrown away lately, so that it can be taken back."""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from mantic.core.errors import ManticError

SECONDS = 900.0
_MOST = 200


class TooLateError(ManticError, LookupError):
    """It cannot be taken back any more."""

    status = 410


@dataclass
class Drawer:
    """Things that were thrown away, for a quarter of an hour and as long as this process lives.

    >>> drawer = Drawer()
    >>> ticket = drawer.put("an old key")
    >>> drawer.take(ticket)
    'an old key'
    """

    _things: "OrderedDict[str, tuple[float, Any]]" = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, thing: Any) -> str:
        """Keep a thing; return the ticket for which `take` gives it back."""
        ticket = secrets.token_urlsafe(12)
        with self._lock:
            self._things[ticket] = (time.monotonic() + SECONDS, thing)
            while len(self._things) > _MOST:
                self._things.popitem(last=False)
        return ticket

    def take(self, ticket: str) -> Any:
        """Give a thing back, once.

        Raises
        ------
        TooLateError : if there is no such ticket any more.
        """
        with self._lock:
            until, thing = self._things.pop(ticket, (0.0, None))
        if until < time.monotonic():
            raise TooLateError("this cannot be undone any more", where="undo", fix="make it anew")
        return thing
