"""A clerk: a process beside a server that brings its log into the store, and tells which versions should answer.

Once a day it removes predictions that are older than the store is to keep, and what deleted versions have left.

It reads one line of JSON, what it is to do, from standard input, and tells in lines of JSON on standard output. When
its standard input ends, it brings away what is left and ends.
"""

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mantic.core.errors import ManticError
from mantic.serve.follow import Follower, stands_of
from mantic.serve.log_reader import LogReader
from mantic.store.store import Store, open_store

_EVERY = 0.2  # seconds between two rounds
_TROUBLE_SECONDS = 2.0  # the store is left alone for so long when it has refused something
_LAST_SECONDS = 5.0  # for what is left at the end
_DAY = 86_400.0  # seconds between two looks for predictions that are too old, and for what deleted versions left


@dataclass
class Clerk:
    """What it does, and how far it is.

    Parameters
    ----------
    reader : of the log; None where nothing is logged.
    follower : says which versions should answer.
    keep_days : how long predictions are kept; 0 is for ever.
    """

    store: Store
    reader: LogReader | None
    follower: Follower
    keep_days: int = 0
    _quiet_until: float = 0.0
    _n_damaged: int = 0  # that were told
    _prune_at: float = 0.0
    _pruning: Iterator[int] | None = None
    _sweep_at: float = 0.0

    def round(self) -> None:
        """Do what there is to do."""
        if time.monotonic() < self._quiet_until:
            return
        try:
            for step in self.follower.steps():
                tell(step)
            self._bring()
            self._prune()
            self._sweep()
        except ManticError as error:
            self._quiet_until = time.monotonic() + _TROUBLE_SECONDS
            tell({"trouble": f"{error.what} ({error.where}); {error.fix}"})

    def end(self) -> None:
        """Bring away what is left."""
        until = time.monotonic() + _LAST_SECONDS
        try:
            while self.reader is not None and self.reader.bring(self.store) and time.monotonic() < until:
                pass
        except ManticError as error:
            tell({"trouble": f"{error.what} ({error.where}); {error.fix}"})

    def _bring(self) -> None:
        """Bring rows away as long as there are many; an alias is looked at in between."""
        if self.reader is None:
            return
        n_rows = self.reader.bring(self.store)
        n_damaged, self._n_damaged = self.reader.n_damaged - self._n_damaged, self.reader.n_damaged
        if n_rows or n_damaged:
            tell({"stored": n_rows, "damaged": n_damaged, "why": self.reader.why})

    def _prune(self) -> None:
        """Remove some predictions that are too old: once a day all of them, a transaction in each round."""
        if self.keep_days and time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + _DAY
            self._pruning = self.store.prune(self.keep_days, keeps_outcomes=False, by="clerk")
        if self._pruning is None:
            return
        try:
            if next(self._pruning, None) is None:
                self._pruning = None
        except ManticError:
            self._pruning, self._prune_at = None, 0.0  # the store is left alone for a while, then it begins again
            raise

    def _sweep(self) -> None:
        """Remove the content of versions that were deleted, once a day."""
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + _DAY
            self.store.sweep()


def tell(facts: Mapping[str, Any]) -> None:
    """Tell the server something."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Work until standard input ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server says when it is over
    wanted = json.loads(sys.stdin.buffer.readline())
    while not _is_over(0.0):
        try:
            _work(wanted)
        except ManticError as error:  # the store cannot be opened
            tell({"trouble": f"{error.what} ({error.where}); {error.fix}"})
            _is_over(_TROUBLE_SECONDS)


def _work(wanted: Mapping[str, Any]) -> None:
    with (
        TemporaryDirectory(prefix="mantic-clerk-") as folder,
        open_store(wanted["url"], blobs=wanted["blobs"]) as store,
    ):
        reader = LogReader(Path(wanted["log"]), server=os.getppid()) if wanted["log"] else None
        standing = stands_of(wanted["standing"])
        follower = Follower(store, wanted["watched"], wanted["deployed"], standing, Path(folder))
        clerk = Clerk(store, reader, follower, wanted["keep_days"])
        tell({"ready": True})
        while not _is_over(_EVERY):
            clerk.round()
        clerk.end()


def _is_over(seconds: float) -> bool:
    """Wait so long; return whether the server has closed the pipe, or is gone."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:  # the server was killed
        os._exit(0)
