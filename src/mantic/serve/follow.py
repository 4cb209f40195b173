"""What a clerk sees of a store: which versions should answer, told as the steps that lead there from what answers now.

The steps are plain values, told in lines of JSON: `moved` (a version answers), `trial` (one is tried out), `share`,
`trial_ended`, `removed`, and `failed` (the store cannot give what should answer). Each name is looked at by itself.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mantic.core.errors import ManticError, StoreError

if TYPE_CHECKING:
    from mantic.store.store import Store

_TROUBLE_SECONDS = 2.0  # a name is left alone for so long when the store could not give what should answer for it


@dataclass(frozen=True)
class Stand:
    """Which versions answer for a name, by their numbers; None for none.

    Parameters
    ----------
    share : of the callers whom the trial answers, 0 to 1.
    """

    live: int | None = None
    trial: int | None = None
    share: float = 0.0


Step = dict[str, Any]


@dataclass
class Follower:
    """Follows aliases, or all that is deployed.

    Parameters
    ----------
    watched : name in the server's address to the reference that it follows, `churn@champion` for instance.
    is_deployed : follow what is deployed in the store, whatever that is.
    standing : how each name stands at the server.
    folder : where files of versions are put down for the server to load and remove.
    """

    store: "Store"
    watched: Mapping[str, str]
    is_deployed: bool
    standing: dict[str, Stand]
    folder: Path
    _quiet_until: dict[str, float] = field(default_factory=dict)
    _has_looked: bool = False

    def steps(self) -> Iterator[Step]:
        """Look once; return what is to be done, one after the other.

        Raises
        ------
        StoreError : if the store does not answer at all.
        """
        wanted = self._wanted()
        if self.is_deployed:
            for name in [name for name in {**self.standing, **self._quiet_until} if name not in wanted]:
                self.standing.pop(name, None)  # one that could never be given has none, and is to be forgotten too
                self._quiet_until.pop(name, None)
                yield {"removed": name}
        for name, look in wanted.items():
            if time.monotonic() >= self._quiet_until.get(name, 0.0):
                yield from self._steps_of(name, look)
        if not self._has_looked:
            self._has_looked = True
            yield {"looked": True}

    def _wanted(self) -> dict[str, Callable[[], Stand]]:
        """Return how to find out what should answer for each name."""

        def watch(words: str) -> Callable[[], Stand]:
            return lambda: Stand(self.store.models.get(words).number)

        found = {name: watch(words) for name, words in self.watched.items()}
        if self.is_deployed:
            for one in self.store.deployments.list():
                stand = Stand(one.champion, one.canary, one.share)
                found[one.name] = lambda stand=stand: stand  # type: ignore[misc]  # bound to this round of the loop
        return found

    def _steps_of(self, name: str, look: Callable[[], Stand]) -> Iterator[Step]:
        """Return what is to be done for one name; what fails is a step too, and is tried again later."""
        try:
            yield from self._to(name, look())
        except ManticError as error:
            self._quiet_until[name] = time.monotonic() + _TROUBLE_SECONDS
            yield {"failed": name, "what": error.what, "where": error.where, "fix": error.fix}

    def _to(self, name: str, wanted: Stand) -> Iterator[Step]:
        now = self.standing.get(name, Stand())
        if wanted.live is None:
            fix = f"mantic models promote {name}/NUMBER"
            raise StoreError("it has no champion", where=f"model '{name}'", fix=fix)
        if wanted.live != now.live:
            yield {"moved": name, "number": wanted.live, "path": self._export(name, wanted.live)}
            now = self.standing[name] = Stand(wanted.live)  # a trial ends with it
        if wanted.trial is None and now.trial is not None:
            yield {"trial_ended": name}
        elif wanted.trial != now.trial and wanted.trial is not None:
            path = self._export(name, wanted.trial)
            yield {"trial": name, "number": wanted.trial, "share": wanted.share, "path": path}
        elif wanted.share != now.share:
            yield {"share": name, "of": wanted.share}
        self.standing[name] = wanted

    def _export(self, name: str, number: int) -> str:
        path = self.folder / f"{name}-{number}.mantic"
        self.store.models.export(f"{name}/{number}", path)
        return str(path)


def plain_stands(standing: Mapping[str, Stand]) -> dict[str, Any]:
    """Return stands as plain values.

    >>> stands_of(plain_stands({"churn": Stand(3, 4, 0.1)}))
    {'churn': Stand(live=3, trial=4, share=0.1)}
    """
    return {name: asdict(one) for name, one in standing.items()}


def stands_of(plain: Mapping[str, Any]) -> dict[str, Stand]:
    """Restore what `plain_stands` gave."""
    return {name: Stand(**one) for name, one in plain.items()}
