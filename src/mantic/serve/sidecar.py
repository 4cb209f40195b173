"""The server's end of its clerk: starts it, hears what it tells, starts it anew when it dies."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mantic.core.errors import ManticError, StoreError
from mantic.serve.follow import Stand, plain_stands
from mantic.serve.served import Estimator
from mantic.serve.shelf import Shelf

if TYPE_CHECKING:
    from mantic.serve.log import PredictionLog
    from mantic.store.store import Store

_AGAIN_SECONDS = 1.0
_END_SECONDS = 8.0
_SEE_LOG = "the server has said why; deploy another version, or mend it"


@dataclass(frozen=True)
class Kept:
    """The store behind a server.

    Parameters
    ----------
    url, blobs : of the store.
    log : puts down predictions; None where nothing is to be kept.
    watched : name in the address to the reference that it follows; a name that stands for one version is not in it.
    is_deployed : what is deployed in the store answers, and is followed; then `watched` and `numbers` are empty.
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
    is_deployed: bool = False
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
    n_stored, n_damaged : rows that are in the store, and that could not be read or kept.
    standing : which versions answer for each name.
    """

    kept: Kept
    shelf: Shelf
    say: Callable[[str], object]
    n_stored: int = 0
    n_damaged: int = 0
    standing: dict[str, Stand] = field(default_factory=dict)
    _said: dict[str, str] = field(default_factory=dict)
    _process: "subprocess.Popen[bytes] | None" = None
    _thread: threading.Thread | None = None
    _is_over: bool = False

    def start(self) -> None:
        """Start the clerk, and a thread that listens to it."""
        self.standing = {name: Stand(number) for name, number in self.kept.numbers.items()}
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
                self._end_if_over(self._process)
                for line in self._process.stdout:
                    with suppress(ValueError):  # a library has printed something
                        self._hear(json.loads(line))
            if not self._is_over:
                self.say("warning: the clerk that keeps predictions has ended; it is started anew")
                time.sleep(_AGAIN_SECONDS)

    def _end_if_over(self, process: "subprocess.Popen[bytes]") -> None:
        """End a clerk that was being started while this end was told to end."""
        if self._is_over and process.stdin is not None:
            process.stdin.close()

    def _begin(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mantic.serve.clerk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert process.stdin is not None
        log = self.kept.log
        wanted = {
            "url": self.kept.url, "blobs": self.kept.blobs, "log": None if log is None else str(log.folder),
            "watched": dict(self.kept.watched), "standing": plain_stands(self.standing),
            "deployed": self.kept.is_deployed, "keep_days": self.kept.keep_days,
        }  # fmt: skip
        process.stdin.write(json.dumps(wanted).encode() + b"\n")
        process.stdin.flush()
        return process

    def _hear(self, told: Mapping[str, Any]) -> None:
        self.n_stored += told.get("stored", 0)
        if told.get("damaged") and not self.n_damaged:
            self.say(
                f"warning: not all that is answered can be kept: {told['why']}; mantic_log_damaged_total counts it"
            )
        self.n_damaged += told.get("damaged", 0)
        if "trouble" in told:
            self.say(f"warning: predictions wait to be kept: {told['trouble']}")
        if "looked" in told:
            self.shelf.is_opening = False
        for step, do in self._steps.items():
            if step in told:
                do(told[step], told)

    @cached_property
    def _steps(self) -> Mapping[str, Callable[[str, Mapping[str, Any]], None]]:
        return {
            "moved": self._switch, "trial": self._try_out, "share": self._widen, "trial_ended": self._end_trial,
            "removed": self._remove, "failed": self._fail,
        }  # fmt: skip

    def _switch(self, name: str, told: Mapping[str, Any]) -> None:
        """Let a version answer; if it cannot, the one before it goes on."""
        number = told["number"]
        try:
            self.shelf.put(name, self._load(name, told))
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it, the others still answer
            self._complain(name, number, error)
            return
        self.standing[name] = Stand(number)
        self._said.pop(name, None)
        self.say(f"{name}/{number} answers now")

    def _try_out(self, name: str, told: Mapping[str, Any]) -> None:
        """Let a version answer a share of the callers; if it cannot, the live one answers them all."""
        number, share = told["number"], told["share"]
        try:
            self.shelf.try_out(name, self._load(name, told), share=share)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it, the live one still answers
            self.say(f"warning: {name}/{number} cannot be tried out: {error}")
            return
        self._stand(name, trial=number, share=share)
        self.say(f"{name}/{number} answers {100 * share:g} % of the callers now")

    def _widen(self, name: str, told: Mapping[str, Any]) -> None:
        place = self.shelf.find(name)
        if place is not None and place.trial is not None:  # one that could not be loaded has no share
            self.shelf.share(name, told["of"])
            self._stand(name, share=told["of"])
            self.say(f"{name}/{self.standing[name].trial} answers {100 * told['of']:g} % of the callers now")

    def _end_trial(self, name: str, _: Mapping[str, Any]) -> None:
        if self.shelf.find(name) is not None:
            self.shelf.share(name, 0.0)
            self._stand(name, trial=None, share=0.0)
            self.say(f"the canary of {name} has ended")

    def _remove(self, name: str, _: Mapping[str, Any]) -> None:
        self.shelf.remove(name)
        self.standing.pop(name, None)
        self._said.pop(name, None)
        self.say(f"{name} is withdrawn")

    def _fail(self, name: str, told: Mapping[str, Any]) -> None:
        """Hear that the store cannot give what should answer for a name."""
        self._complain(name, None, StoreError(told["what"], where=told["where"], fix=told["fix"]))

    def _complain(self, name: str, number: int | None, error: Exception) -> None:
        """Say once what is wrong; where nothing answers for the name, those who ask are told too."""
        what = f"{name}/{number}" if number else name
        if self.shelf.find(name) is not None:
            words = f"warning: {what} cannot be served, the version before it goes on: {error}"
        else:
            words = f"warning: {what} cannot be served: {error}"
        known = error if isinstance(error, ManticError) else StoreError("it cannot be loaded", where=what, fix=_SEE_LOG)
        self.shelf.fail(name, known)
        if self._said.get(name) != words:
            self._said[name] = words
            self.say(words)

    def _load(self, name: str, told: Mapping[str, Any]) -> Estimator:
        """Load a version, and let the log know its number before anybody is answered by it."""
        path = Path(told["path"])
        try:
            model = self.kept.load(path)
        finally:
            path.unlink(missing_ok=True)
        if self.kept.log is not None:
            self.kept.log.numbers[name, model.version_] = told["number"]
        return model

    def _stand(self, name: str, **changes: Any) -> None:
        self.standing[name] = replace(self.standing.get(name, Stand()), **changes)
