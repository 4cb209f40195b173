"""A pretrained model in a forecast: looked at before the search, told of after it, and found again for an update."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mantic.core.errors import ArtifactError, ManticError, MissingExtraError
from mantic.core.lazy import absent, how_to_install
from mantic.core.run import Run, Started
from mantic.core.table import Array
from mantic.learners.pretrained.chronos import NEEDS, opened
from mantic.learners.pretrained.hub import Named
from mantic.learners.pretrained.method import NAME, Pretrained
from mantic.learners.pretrained.weights import found, found_again
from mantic.report.numbers import say
from mantic.search.series.backtest import Cost
from mantic.search.series.combine import Mixture
from mantic.search.series.foretold import Foretold


def brought(source: str | Path | None, run: Run) -> Pretrained | None:
    """Return the pretrained model that the user names, looked at but not loaded; None where he names none.

    Where a file names it, it must be on this machine: whoever made the file must not choose what is fetched.

    Raises
    ------
    MissingExtraError : if a package that it needs is not installed. Others : as `weights.found`.
    """
    if not source:
        return None
    _check_installed()
    run.tell(Started(f"looking at the pretrained model {source}"))
    look = found_again if isinstance(source, Named) else found
    return Pretrained(look(str(source)))


def brought_again(told: Foretold, source: str, run: Run) -> Pretrained | None:
    """Return the very model that has weight in a forecast; nothing is fetched. None where none has, or none is wanted.

    Raises
    ------
    ArtifactError : if it is no longer there, or another one is.
    """
    if not told.pretrained:
        return None
    if not source:
        run.warn(NAME, "the pretrained model is left out from now on, as you wish: its weight goes to the others")
        return None
    _check_installed()
    fix = (
        "put it back, or say where it is now with set_params(pretrained=...); "
        "set_params(pretrained=None) goes on without it"
    )
    try:
        weights = found_again(source)
    except ManticError as error:
        raise ArtifactError(
            f"the forecast needs its pretrained model: {error.what}", where=error.where, fix=fix
        ) from error
    if weights.sha256 != told.pretrained:
        raise ArtifactError(
            "this is another pretrained model than the one that the forecast was made with", where=source, fix=fix
        )  # fmt: skip
    return Pretrained(weights)


@contextmanager
def put_away() -> Iterator[None]:
    """Let go of a model that was loaded in this process, once the work is done: it may hold a gigabyte."""
    try:
        yield
    finally:
        opened.cache_clear()


def sealed(guest: Pretrained | None, mixture: Mixture) -> str:
    """Return what tells the model again if it has weight; else nothing, as the forecast can go on without it."""
    return guest.weights.sha256 if guest is not None and NAME in mixture.names else ""


def tell(guest: Pretrained | None, ledger: Sequence[Cost], mixture: Mixture, run: Run) -> dict[str, Any]:
    """Warn of what a pretrained model is in the forecast, or why it is none; return it as facts, by one name."""
    if guest is None:
        return {}
    weights, line = guest.weights, next(one for one in ledger if one.method == NAME)
    share = float(mixture.weights[:, mixture.names.index(NAME)].mean()) if NAME in mixture.names else 0.0
    if share > 0:
        text = (
            f"{weights} has {say(share, 'share')} of the weight. If series like these were public, it may have learned "
            "from their very past: then its weight and all scores of the past are too good, and only rows that came "
            "after its training tell how good it is"
        )
    elif line.outcome == "used":
        text = f"{weights} was tried and is no part of the forecast: on the past the others did as well without it"
    else:
        text = f"{weights} is no part of the forecast: {line.reason or line.outcome}"
    run.warn(NAME, text)
    facts = {
        "source": weights.source, "family": weights.config.family.title, "sha256": weights.sha256,
        "n_weights": weights.n_weights, "weight": share, "outcome": line.outcome, "reason": line.reason,
    }  # fmt: skip
    return {NAME: facts}


def tell_absent(guest: Pretrained | None, mixture: Mixture, voices: Array, run: Run) -> None:
    """Warn where a pretrained model had no time, or failed, though it has weight."""
    if guest is not None and not np.isfinite(voices[mixture.names.index(NAME)]).all():
        run.warn(
            NAME, "the pretrained model gave no answer in time for some series: there its weight went to the others"
        )


def _check_installed() -> None:
    if missing := absent(NEEDS):
        raise MissingExtraError(
            f"the package '{missing[-1]}' is needed for a pretrained model, and it is not installed",
            fix=how_to_install(missing[-1]),
        )
