"""The journal beside a model in the making: after a crash `--resume` goes on from there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mantic.core.budget import Budget
from mantic.core.errors import StoreError
from mantic.core.journal import Journal

_LEAST_SECONDS = 20.0  # what a last sitting gets, of the budget: to start, fit again and judge


@contextmanager
def journal_of(out: Path, *, resume: bool, started: float) -> Iterator[Journal | None]:
    """Open the journal of the model that will be `out`; None, with a word on stderr, where it cannot be written.

    Raises
    ------
    StoreError, ArtifactError : if it is to be resumed and another process has it, or it is damaged.
    """
    path = out.with_name(f"{out.name}.journal")
    if resume and not path.exists():
        _say(f"there is no {path}, so this fit begins anew")
    try:
        journal = Journal(path, started=started)
    except StoreError as error:
        if resume:
            raise
        _say(f"after a crash this fit could not be resumed: {error.what}")
        yield None
        return
    with journal:
        if journal.n_done and not resume:
            _say(f"{path} held an unfinished fit; this one begins anew (--resume would have gone on)")
            journal.discard()
        yield journal


def left_of(budget: Budget, journal: Journal | None) -> float | None:
    """Return the seconds for this sitting: what earlier ones have left of the budget, or at least enough to finish."""
    if budget.seconds is None or journal is None:
        return budget.seconds
    return max(budget.seconds - journal.spent, min(_LEAST_SECONDS, budget.seconds))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
