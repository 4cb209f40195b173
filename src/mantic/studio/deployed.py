"""What programs ask at /v1 in the process of Studio: all that is deployed, whoever has deployed it.

Nothing is loaded before something is deployed: until then a look at the store each second is all that it costs.
"""

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mantic.core.errors import ManticError, StoreError
from mantic.core.settings import Settings
from mantic.serve.app import House, make_asgi
from mantic.serve.behind import kept_deployed
from mantic.serve.follow import Stand
from mantic.serve.gate import Gate
from mantic.serve.job_runner import Jobs
from mantic.serve.key_file import KeyFile
from mantic.serve.question import Limits
from mantic.serve.served import Estimator
from mantic.serve.shelf import Shelf
from mantic.serve.sidecar import Sidecar
from mantic.store.store import Store

if TYPE_CHECKING:
    from mantic.store.deployments import Deployment

_LOG = logging.getLogger("mantic.studio")
_LOOK_SECONDS = 1.0


@dataclass
class Deployed:
    """The deployed models, and what answers for them; made by `open_deployed`."""

    store: Store
    shelf: Shelf
    sidecar: Sidecar
    gate: Gate
    _wake: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _has_begun: bool = False
    _is_over: bool = False

    def start(self) -> None:
        """Begin to follow the store, in a thread."""
        self._thread = threading.Thread(target=self._wait, daemon=True, name="mantic-deployed")
        self._thread.start()

    def wake(self) -> None:
        """Look at the store now: something was deployed."""
        self._wake.set()

    def close(self) -> None:
        """End."""
        self._is_over = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        if self._has_begun:
            self.sidecar.end()
        self.gate.close()

    def is_there(self, deployment: "Deployment") -> bool:
        """Whether what should answer for a name is what answers."""
        wanted = Stand(deployment.champion, deployment.canary, deployment.share)
        return self.sidecar.standing.get(deployment.name) == wanted

    def fault(self, name: str) -> ManticError | None:
        """Return why a model does not answer as it should, if that is known."""
        return self.shelf.faults.get(name)

    def _wait(self) -> None:
        """Wait until something is deployed; from then on the sidecar follows."""
        while not self._is_over and not self._is_needed():
            self._wake.wait(_LOOK_SECONDS)
            self._wake.clear()
        if not self._is_over:
            self.sidecar.start()
            self._has_begun = True

    def _is_needed(self) -> bool:
        try:
            is_needed = bool(self.store.deployments.list())
        except StoreError:  # it is said where somebody asks for something
            return False
        self.shelf.is_opening = is_needed
        return is_needed


def open_deployed(settings: Settings, store: Store, keys: KeyFile, jobs: Jobs) -> Deployed:
    """Return what answers at /v1. Everybody is asked for a key, on this machine too."""
    shelf, ours = Shelf.opening(), settings.serve
    kept = kept_deployed(settings.store, _load)
    sidecar = Sidecar(kept, shelf, _say)
    house = House(
        Limits(ours.max_rows, ours.max_bytes, max_waiting=ours.max_waiting),
        keyring=keys,
        listener=kept.log,
        feedback=store.outcomes.add,
        counts=sidecar.counts,
        jobs=jobs,
    )
    return Deployed(store, shelf, sidecar, make_asgi(shelf, house))


def _load(path: Path) -> Estimator:
    from mantic.tasks.base import load

    model: Estimator = load(path)
    return model


def _say(line: str) -> None:
    """Put down what happens beside the pages; a warning reaches who started Studio."""
    _LOG.log(logging.WARNING if line.startswith("warning: ") else logging.INFO, line.removeprefix("warning: "))
