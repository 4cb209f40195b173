"""From series to a finished forecast, within a budget."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from mantic.core.budget import Deadline
from mantic.core.executor import Executor, Failure, Here, Processes
from mantic.core.method import METHODS, Method
from mantic.core.panel import Panel, evenly
from mantic.core.registry import plugins
from mantic.core.run import Run
from mantic.core.season import cycle
from mantic.core.table import Array
from mantic.learners.pretrained.method import NAME
from mantic.search.series.backtest import FREE, LOADED, ORDER, REFERENCE, Backtest, Menu, backtest, origins, to_load
from mantic.search.series.clock import Clock
from mantic.search.series.coherent import Coherent
from mantic.search.series.combine import MOST_JUDGED, Mixture, equal_mixture, mixture
from mantic.search.series.finish import Finish
from mantic.search.series.foretold import Foretold, in_bounds, of_used, with_means, with_rare
from mantic.search.series.holiday import ordinary
from mantic.search.series.loss import mean, over_steps
from mantic.search.series.paths import Together, together
from mantic.search.series.rare import Rare, learned, past_of, pinball, rare, rare_series, seconds_of_rare, usual_rare
from mantic.search.series.rare_pool import seconds_of
from mantic.search.series.size import sizes
from mantic.search.series.spread import Spread, cycle_of, past_quantiles, spread
from mantic.search.series.trial import Piece, run_piece

_AT_HOME = 12.0  # seconds: with less time, starting processes costs more than it brings
_JUDGED = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])  # probabilities by which quantiles are judged
_LEARNED_SHARE = 0.4  # of the time, for trees on rare series
_RARE_SHARE = 0.3  # of the time, for what is known of them without trees
_SHOCK = 0.1  # of a loss: what it is worth to know the shocks of a stretch
_BLOCK = 500  # series that are asked about at once, by methods that look at one at a time
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
    known : what `sizes` says of each series at the origins and now.
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
    known: Array
    together: Together
    rare: Rare | None = None
    rare_past: tuple[Rare, ...] = ()
    coherent: Coherent | None = None
    coherent_past: tuple[Coherent, ...] = ()

    def looked(self) -> Array:
        """Return the positions of the series by which a forecast is judged: very many are represented by a part."""
        n_series = len(self.forecast)
        return np.arange(n_series) if self.coherent is not None else evenly(n_series, MOST_JUDGED)

    def past_quantiles(self, panel: Panel, levels: Array) -> Array:
        """Return quantiles of the past that had not seen it, shape (n_origins, n_looked, horizon, n_levels)."""
        if self.coherent_past:
            return in_bounds(panel, np.stack([one.quantiles(levels) for one in self.coherent_past]))
        return in_bounds(panel, self.past_marginals(panel, levels, self.looked()))

    def past_marginals(self, panel: Panel, levels: Array, looked: Array) -> Array:
        """Return the same before anything adds up, of the series that are looked at."""
        backs, few = self.found.start.backs, panel.rows(looked)
        truth, past, known = self.found.truth[:, looked], self.past[:, looked], self.known[:, looked]
        found = past_quantiles(few, truth, past, backs=backs, levels=levels, known=known)
        for place, one in enumerate(self.rare_past):
            found[place] = with_rare(found[place], one.rows(looked), levels)
        return found


def foretell(
    panel: Panel,
    horizon: int,
    run: Run,
    *,
    n_methods: int | None = None,
    guest: Method | None = None,
    clock: Clock | None = None,
) -> Told:
    """Try methods on the past as long as there is time, weigh them, and forecast; whatever happens, all is finite.

    Parameters
    ----------
    n_methods : how many beside the naive family, in the order of what they usually cost; all that fit when None.
    guest : a method that the user has brought along.
    clock : of everything; what follows the search is made simpler where it says that there is no time.
    """
    clock = clock or Clock(run.deadline)
    rare_known = _known_rare(panel, horizon, run, clock)
    with _executor(panel, run) as executor:
        found = backtest(panel, horizon, executor=executor, run=run, menu=Menu(n_costly=n_methods, guest=guest))
        clock.paused(executor.waited)
    backs = found.start.backs
    cost = Finish.of(len(panel), len(backs), horizon, n_methods=len(found.names))
    weigh = mixture
    if backs and not clock.allows(cost.learned + cost.least):
        run.warn("equal_weights", "there was no time to learn weights: methods count alike, or the best one alone")
        weigh = equal_mixture
    chosen, past = weigh(found, panel.scale(panel.season))
    forecast = chosen.mix(found.future)
    reference = found.names.index(REFERENCE)
    forecast = np.where(np.isfinite(forecast), forecast, found.future[reference])
    kept, voices = of_used(found.names, chosen, found.future)
    cycle = cycle_of(panel, max(backs, default=0))
    known = sizes(panel, [*backs, 0])
    widths = spread(panel, found.truth, past, backs=backs, cycle=cycle, known=known)
    few = evenly(len(panel), MOST_JUDGED)
    paths = together(widths.rows(few), found.truth[:, few] - past[:, few], backs)
    told = Told(kept, widths, forecast, voices, found, past, found.past[reference], known, paths)
    return told if rare_known is None else _with_rare(told, panel, simple=rare_known[0], taught=rare_known[1])


def _known_rare(panel: Panel, horizon: int, run: Run, clock: Clock) -> tuple[list[Rare], list[Rare] | None] | None:
    """Return what may come of rare series now and what the same would have said at each origin, by their latest values
    and by trees; None where no series is rare, or none can be judged, or there is no time. Trees only where a part of
    the time is enough.
    """
    start = origins(panel, horizon)
    if not start.backs or not rare_series(panel).any():
        return None
    to_sample, to_choose = seconds_of_rare(panel, len(start.backs))
    if not clock.allows(to_sample / _RARE_SHARE):
        run.warn("rare_series", "there was no time to look at series that are mostly 0 by themselves")
        return None
    has_time = clock.allows((to_sample + to_choose) / _RARE_SHARE)
    known = rare(panel, horizon) if has_time else usual_rare(panel)
    assert known is not None
    at = [known, *(past_of(known, panel, back, least=start.least) for back in start.backs)]
    rows = panel.rows(known.is_rare)
    most = _LEARNED_SHARE * run.deadline.left()
    if seconds_of(rows) * len(at) > most:
        return at, None
    if most != float("inf"):  # a slow machine must not take it from all other methods
        run = run.until(Deadline.after(most))
    taught = []
    for one, back in zip(at, (0, *start.backs), strict=True):
        own = learned(one, panel, horizon, run, back=back, least=start.least if back else 1)
        if own is None:
            return at, None
        taught.append(own)
    return at, taught


def _with_rare(told: Told, panel: Panel, *, simple: list[Rare], taught: list[Rare] | None) -> Told:
    """Return the forecast with what is known of rare series, as far as it did better on the past.

    Means are judged by squared errors and quantiles by pinball loss, over all rare series together; what trees learned
    counts if it is better than the latest values by more than a standard error over series. Errors of other methods
    that come from the very stretch that they are judged on know its shocks: there they must be better by a tenth.
    """
    found, (known, *at), horizon, looked = told.found, simple, told.forecast.shape[1], told.looked()
    is_rare, levels = known.rows(looked).is_rare, _JUDGED
    if not is_rare.any():
        return told
    unit = np.maximum(panel.scale(1)[looked][is_rare], 1e-9)[:, None]
    truth, before = found.truth[:, looked][:, is_rare], told.past[:, looked][:, is_rare]

    def losses(quantiles: Array) -> Array:
        return pinball(truth, quantiles, levels) / unit

    def losses_of(several: list[Rare]) -> Array:
        return losses(np.stack([one.rows(looked).quantiles(levels)[is_rare, None] for one in several]))

    means = np.stack([np.repeat(one.means[looked][is_rare, None], horizon, axis=1) for one in at])
    own = losses_of(at)
    if taught is not None and _is_surely_better(gained := losses_of(taught[1:]), own):
        (known, *at), own = taught, gained
    better_mean = mean(((truth - means) / unit) ** 2) < mean(((truth - before) / unit) ** 2)
    others = losses(told.past_quantiles(panel, levels)[:, is_rare])
    handicap = 1.0 if _lie_apart(found.start.backs, horizon) else 1 + _SHOCK
    better_quantiles = not _is_surely_better(handicap * others, own)
    known, *at = (one.used(for_means=better_mean, for_quantiles=better_quantiles) for one in (known, *at))
    past = np.stack([with_means(one, own) for one, own in zip(told.past, at, strict=True)])
    return replace(told, forecast=with_means(told.forecast, known), past=past, rare=known, rare_past=tuple(at))


def _lie_apart(backs: Sequence[int], horizon: int) -> bool:
    """Return whether there are several stretches of the past, none of which shares a step with another."""
    return len(backs) > 1 and min(later - sooner for sooner, later in pairwise(backs)) >= horizon


def _is_surely_better(rich: Array, simple: Array) -> bool:
    """Return whether losses, shape (n_origins, n_series, horizon), are lower by more than a standard error."""
    gain = over_steps(over_steps(np.moveaxis(simple - rich, 1, 0)))
    gain = gain[np.isfinite(gain)]
    return len(gain) > 1 and float(gain.mean()) > float(gain.std(ddof=1)) / np.sqrt(len(gain))


def taught(panel: Panel, names: Sequence[str], horizon: int, run: Run) -> dict[str, Method]:
    """Return the pooled methods of these that have learned from all there is, for answers when more is known."""
    pooled = [name for name in names if name != NAME and METHODS.get(name).about.is_pooled]
    plain = ordinary(panel, horizon).panel
    return {name: METHODS.get(name).learn(plain, horizon, run) for name in pooled}


def renewed(panel: Panel, told: Foretold, run: Run, *, guest: Method | None = None) -> tuple[Array, Array]:
    """Return voices and forecast of a panel that has grown, by the methods and weights that there are.

    Methods come in the order of what they cost; one that does not come in time leaves its weight to the others. Free
    methods always come.

    Parameters
    ----------
    guest : the pretrained model, where it is one of the methods; without it its weight goes to the others, too.
    """
    horizon, names = told.horizon, told.mixture.names
    voices = np.full((len(names), len(panel), horizon), np.nan)
    everything = np.arange(len(panel))
    plain = ordinary(panel, horizon)
    with _executor(panel, run) as executor:
        handle = executor.share(panel)
        handle_of_plain = handle if panel.holidays is None else executor.share(plain.panel)

        def pieces() -> Iterator[Piece]:
            for name in sorted(names, key=_place):
                left, brought = run.deadline.left(), guest if name == NAME else None
                if name == NAME and (guest is None or left < LOADED * sum(to_load(guest.about).values())):
                    continue
                if left > 0 or name in FREE:
                    seen = handle if name == REFERENCE else handle_of_plain
                    is_whole = name in FREE or (brought or METHODS.get(name)).about.is_pooled
                    for rows in np.array_split(everything, 1 if is_whole else max(1, len(panel) // _BLOCK)):
                        yield Piece(seen, name, 0, rows, horizon, 1, run.seed, run.threads, max(1.0, left), brought)

        for piece, answer in executor.run(run_piece, pieces()):
            if not isinstance(answer, Failure):
                factor = 1.0 if piece.method == REFERENCE else plain.factor[piece.rows]
                voices[names.index(piece.method), piece.rows] = answer.forecast * factor
    forecast = told.mixture.mix(voices)
    simple = cycle(panel, horizon, panel.seasons[:1])
    return voices, np.where(np.isfinite(forecast), forecast, simple)


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


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
