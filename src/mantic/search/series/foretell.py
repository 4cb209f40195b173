"""From series to a finished forecast, within a budget."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from mantic.core.executor import Executor, Failure, Here, Processes
from mantic.core.method import METHODS, Method
from mantic.core.panel import Panel
from mantic.core.registry import plugins
from mantic.core.run import Run
from mantic.core.season import cycle
from mantic.core.table import Array
from mantic.search.series.backtest import FREE, ORDER, REFERENCE, Backtest, backtest
from mantic.search.series.combine import Mixture, mixture
from mantic.search.series.foretold import Foretold, of_used
from mantic.search.series.spread import Spread, spread
from mantic.search.series.trial import Piece, run_piece

_AT_HOME = 12.0  # seconds: with less time, starting processes costs more than it brings
_FEW_VALUES = 30_000  # of all series together: below, this process is enough


@dataclass(frozen=True)
class Told:
    """What a search ends with.

    Parameters
    ----------
    mixture, spread, forecast, voices : as in a `Foretold`.
    found : all that was tried.
    past : what such a mixture said at each origin that it had not seen, shape (n_origins, n_series, horizon).
    reference : the same of seasonal naive.
    """

    mixture: Mixture
    spread: Spread
    forecast: Array
    voices: Array
    found: Backtest
    past: Array
    reference: Array


def foretell(panel: Panel, horizon: int, run: Run) -> Told:
    """Try methods on the past as long as there is time, weigh them, and forecast; whatever happens, all is finite."""
    with _executor(panel, run) as executor:
        found = backtest(panel, horizon, executor=executor, run=run)
    chosen, past = mixture(found, panel.scale(panel.season))
    forecast = chosen.mix(found.future)
    reference = found.names.index(REFERENCE)
    forecast = np.where(np.isfinite(forecast), forecast, found.future[reference])
    kept, voices = of_used(found.names, chosen, found.future)
    return Told(kept, spread(panel, forecast, found.truth, past), forecast, voices, found, past, found.past[reference])


def taught(panel: Panel, names: Sequence[str], horizon: int, run: Run) -> dict[str, Method]:
    """Return the pooled methods of these that have learned from all there is, for answers when more is known."""
    pooled = [name for name in names if METHODS.get(name).about.is_pooled]
    return {name: METHODS.get(name).learn(panel, horizon, run) for name in pooled}


def renewed(panel: Panel, told: Foretold, run: Run) -> tuple[Array, Array]:
    """Return voices and forecast of a panel that has grown, by the methods and weights that there are.

    Methods come in the order of what they cost; one that does not come in time leaves its weight to the others. Free
    methods always come.
    """
    horizon, names = told.horizon, told.mixture.names
    voices = np.full((len(names), len(panel), horizon), np.nan)
    everything = np.arange(len(panel))
    with _executor(panel, run) as executor:
        handle = executor.share(panel)

        def pieces() -> Iterator[Piece]:
            for name in sorted(names, key=ORDER.index):
                left = run.deadline.left()
                if left > 0 or name in FREE:
                    for rows in np.array_split(everything, 1 if name in FREE else max(1, len(panel) // 500)):
                        yield Piece(handle, name, 0, rows, horizon, 1, run.seed, run.threads, max(1.0, left))

        for piece, answer in executor.run(run_piece, pieces()):
            if not isinstance(answer, Failure):
                voices[names.index(piece.method), piece.rows] = answer.forecast
    forecast = told.mixture.mix(voices)
    simple = cycle(panel, horizon, panel.seasons[:1])
    return voices, np.where(np.isfinite(forecast), forecast, simple)


@contextmanager
def _executor(panel: Panel, run: Run) -> Iterator[Executor]:
    """Choose where methods run: here where the series or the time are few, else a process for each core."""
    if run.deadline.left() < _AT_HOME or len(panel.values) < _FEW_VALUES:
        yield Here()
        return
    n_workers = max(1, (os.cpu_count() or 2) // run.threads)
    workers = Processes(n_workers, threads=run.threads, plugins=plugins(), warm=("mantic.search.series.warm",))
    try:
        yield workers
    finally:
        workers.close()
