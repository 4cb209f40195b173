"""The server's end of its clerk: starts it, hears what it tells, starts it anew when it dies."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mantic.serve.served import Estimator
from mantic.serve.shelf import Shelf

if TYPE_CHECKING:
    from mantic.serve.log import PredictionLog
    from mantic.store.store import Store

_AGAIN_SECONDS = 1.0
_END_SECONDS = 8.0


@dataclass(frozen=True)
class Kept:
    """The store behind a server.

    Parameters
    ----------
    url, blobs : of the store.
    log : puts down predictions; None where nothing is to be kept.
    watched : name in the address to the reference that it follows; a name that stands for one version is not in it.
    numbers : name to the number of the version that is served.
    load : from the path of a model file to the model.
    keep_days : how long predictions are kept; 0 is for ever.
    """

    url: str
    blobs: str
    log: "PredictionLog | None"
    watched: Mapping[str, str]
    numbers: Mapping[str, int]
    load: Callable[[Path], Estimator]
    keep_days: int = 0

    @cached_property
    def _store(self) -> "Store":
        from mantic.store.store import open_store  # only where somebody says how it turned out

        return open_store(self.url, blobs=self.blobs)

    def learn(self, truths: Mapping[str, Any]) -> int:
        """Keep how predictions turned out, by their ids; return how many."""
        return self._store.outcomes.add(truths)

    def close(self) -> None:
        """Let go of the store."""
        if "_store" in vars(self):
            self._store.close()


@dataclass
class Sidecar:
    """A clerk and what it has told.

    Attributes
    ----------
    n_stored, n_damaged : rows that are in the store, lines of the log that could not be read.
    """

    kept: Kept
    shelf: Shelf
    say: Callable[[str], object]
    n_stored: int = 0
    n_damaged: int = 0
    _standing: dict[str, int] = field(default_factory=dict)
    _process: "subprocess.Popen[bytes] | None" = None
    _thread: threading.Thread | None = None
    _is_over: bool = False

    def start(self) -> None:
        """Start the clerk, and a thread that listens to it."""
        self._standing = dict(self.kept.numbers)
        self._thread = threading.Thread(target=self._live, daemon=True, name="mantic-sidecar")
        self._thread.start()

    def __enter__(self) -> Self:
        """Start; the clerk ends when the block does."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.end()

    def end(self) -> None:
        """Let the clerk bring away what is left."""
        self._is_over = True
        if self.kept.log is not None:
            self.kept.log.close()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        if self._thread is not None:
            self._thread.join(_END_SECONDS)
        self.kept.close()

    def counts(self) -> dict[str, float]:
        """Return how the log stands, for the metrics."""
        log = self.kept.log
        if log is None:
            return {}
        return {
            "mantic_log_stored_total": self.n_stored,
            "mantic_log_damaged_total": self.n_damaged,
            "mantic_log_lost_total": log.n_lost,
            "mantic_log_waiting_bytes": log.waiting_bytes,
        }

    def _live(self) -> None:
        while not self._is_over:
            with self._begin() as self._process:
                assert self._process.stdout is not None
                for line in self._process.stdout:
                    with suppress(ValueError):  # a library has printed something
                        self._hear(json.loads(line))
            if not self._is_over:
                self.say("warning: the clerk that keeps predictions has ended; it is started anew")
                time.sleep(_AGAIN_SECONDS)

    def _begin(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", "mantic.serve.clerk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert process.stdin is not None
        log = self.kept.log
        wanted = {
            "url": self.kept.url, "blobs": self.kept.blobs, "log": None if log is None else str(log.folder),
            "watched": dict(self.kept.watched), "standing": self._standing, "keep_days": self.kept.keep_days,
        }  # fmt: skip
        process.stdin.write(json.dumps(wanted).encode() + b"\n")
        process.stdin.flush()
        return process

    def _hear(self, told: Mapping[str, Any]) -> None:
        self.n_stored += told.get("stored", 0)
        self.n_damaged = max(self.n_damaged, told.get("damaged", 0))
        if "trouble" in told:
            self.say(f"warning: predictions wait to be kept: {told['trouble']}")
        if "moved" in told:
            self._switch(told["moved"], told["number"], Path(told["path"]))

    def _switch(self, name: str, number: int, path: Path) -> None:
        """Let the version to which an alias has moved answer; if it cannot, the one before it goes on."""
        try:
            model = self.kept.load(path)
            if self.kept.log is not None:
                self.kept.log.numbers[name, model.version_] = number
            self.shelf.switch(name, model)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it, the other one still answers
            self.say(f"warning: {name}/{number} cannot be served, the version before it goes on: {error}")
            return
        finally:
            path.unlink(missing_ok=True)
        self._standing[name] = number
        self.say(f"{name}/{number} answers now")
