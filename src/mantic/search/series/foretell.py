"""From series to a finished forecast, within a budget."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from mantic.core.executor import Executor, Failure, Here, Processes
from mantic.core.method import METHODS, Method
from mantic.core.panel import Panel
from mantic.core.registry import plugins
from mantic.core.run import Run
from mantic.core.season import cycle
from mantic.core.table import Array
from mantic.search.series.backtest import FREE, ORDER, REFERENCE, Backtest, backtest
from mantic.search.series.coherent import Coherent
from mantic.search.series.combine import Mixture, mixture
from mantic.search.series.foretold import Foretold, in_bounds, of_used, with_means, with_rare
from mantic.search.series.loss import mean
from mantic.search.series.paths import Together, together
from mantic.search.series.rare import Rare, past_of, pinball, rare
from mantic.search.series.spread import Spread, cycle_of, past_quantiles, spread
from mantic.search.series.trial import Piece, run_piece

_AT_HOME = 12.0  # seconds: with less time, starting processes costs more than it brings
_JUDGED = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])  # probabilities by which quantiles are judged
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
    together : how errors go together from step to step.
    rare, rare_past : what may come of rare series, and what the same would have said at each origin.
    coherent, coherent_past : how sums and what they are made of add up, and the same at each origin by what the others
        say; None and empty where there are no sums.
    """

    mixture: Mixture
    spread: Spread
    forecast: Array
    voices: Array
    found: Backtest
    past: Array
    reference: Array
    together: Together
    rare: Rare | None = None
    rare_past: tuple[Rare, ...] = ()
    coherent: Coherent | None = None
    coherent_past: tuple[Coherent, ...] = ()

    def past_quantiles(self, panel: Panel, levels: Array) -> Array:
        """Return quantiles of the past that had not seen it, shape (n_origins, n_series, horizon, n_levels)."""
        if self.coherent_past:
            return in_bounds(panel, np.stack([one.quantiles(levels) for one in self.coherent_past]))
        return in_bounds(panel, self.past_marginals(panel, levels))

    def past_marginals(self, panel: Panel, levels: Array) -> Array:
        """Return the same before anything adds up."""
        found = past_quantiles(panel, self.found.truth, self.past, backs=self.found.start.backs, levels=levels)
        for place, one in enumerate(self.rare_past):
            found[place] = with_rare(found[place], one, levels)
        return found


def foretell(panel: Panel, horizon: int, run: Run, *, n_methods: int | None = None) -> Told:
    """Try methods on the past as long as there is time, weigh them, and forecast; whatever happens, all is finite.

    Parameters
    ----------
    n_methods : how many beside the naive family, in the order of what they usually cost; all that fit when None.
    """
    with _executor(panel, run) as executor:
        found = backtest(panel, horizon, executor=executor, run=run, n_costly=n_methods)
    chosen, past = mixture(found, panel.scale(panel.season))
    forecast = chosen.mix(found.future)
    reference = found.names.index(REFERENCE)
    forecast = np.where(np.isfinite(forecast), forecast, found.future[reference])
    kept, voices = of_used(found.names, chosen, found.future)
    backs = found.start.backs
    cycle = cycle_of(panel, max(backs, default=0))
    widths = spread(panel, forecast, found.truth, past, backs=backs, cycle=cycle)
    paths = together(widths, found.truth - past, backs)
    return _with_rare(Told(kept, widths, forecast, voices, found, past, found.past[reference], paths), panel, horizon)


def _with_rare(told: Told, panel: Panel, horizon: int) -> Told:
    """Return the forecast with what is known of rare series, as far as it did better on the past.

    Means are judged by squared errors and quantiles by pinball loss, over all rare series together.
    """
    known, found = rare(panel, horizon), told.found
    if known is None or not found.start.backs:
        return told
    at = [past_of(known, panel, back, least=found.start.least) for back in found.start.backs]
    is_rare, levels = known.is_rare, _JUDGED
    unit = np.maximum(panel.scale(1)[is_rare], 1e-9)[:, None]
    truth, before = found.truth[:, is_rare], told.past[:, is_rare]
    means = np.stack([np.repeat(one.means[is_rare, None], horizon, axis=1) for one in at])
    quantiles = np.stack([one.quantiles(levels)[is_rare, None] for one in at])
    others = told.past_quantiles(panel, levels)[:, is_rare]
    better_mean = mean(((truth - means) / unit) ** 2) < mean(((truth - before) / unit) ** 2)
    better_quantiles = mean(pinball(truth, quantiles, levels) / unit) < mean(pinball(truth, others, levels) / unit)
    known, *at = (one.used(for_means=better_mean, for_quantiles=better_quantiles) for one in (known, *at))
    past = np.stack([with_means(one, own) for one, own in zip(told.past, at, strict=True)])
    return replace(told, forecast=with_means(told.forecast, known), past=past, rare=known, rare_past=tuple(at))


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
