"""Every method that is worth it, at every origin, cheapest first, as long as the budget lasts."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mantic.core.executor import Executor, Failure
from mantic.core.interrupt import watch_ctrl_c
from mantic.core.method import METHODS, About, Method, can_be_used
from mantic.core.panel import Panel, evenly
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.search.series.cut import judged_after
from mantic.search.series.holiday import ordinary
from mantic.search.series.standing import Standing
from mantic.search.series.trial import Answer, Piece, run_piece

ORDER = (
    "naive", "seasonal_naive", "drift", "cycle_naive", "seasonal_mean", "quick_theta", "several_seasons",
    "ces", "damped", "quick_boosting", "boosting", "theta", "ets", "deep_boosting",
)  # fmt: skip
"""Methods in the order of what they bring for what they cost; those that a package adds come last."""
REFERENCE = "seasonal_naive"
FREE = ORDER[:6]
"""Methods that need no probe: all series together take less time than a process to start."""
LIBRARIES = {"statsforecast": 4.0, "lightgbm": 1.5, "torch": 3.5, "chronos": 8.5}  # processor seconds to load them
_SLOWEST, _LEAST_WALL = 8.0, 0.02  # of the machine's pace; seconds from which it can be told
LOADED = 2.0  # how many times that must be left
_N_PROBED = 20  # series, from which the cost of all is foretold
_MARGIN = 1.25  # by which a foretold cost is held to be too low
_BLOCK_SECONDS = 2.0  # of a piece of work, so that a deadline costs little
_MOST_ORIGINS = 3
_NOTHING_LEFT = "nothing was left"
_LEAST_JUDGED = 40  # observations after origins that were observed: from these on they speak for all series
_LEAST_MIDDLE = 6  # steps of the middle series, for a judgement on the past
_GUEST_SHARE = 0.5  # of the time that is left, for a method that was brought along


@dataclass(frozen=True)
class Menu:
    """What may be tried beside the naive family.

    Parameters
    ----------
    names : of methods; all when None.
    n_costly : how many of these at most, in the order of `ORDER`.
    guest : a method that the user has brought along; it is tried first, in a part of the time, and counts as none.
    """

    names: Sequence[str] | None = None
    n_costly: int | None = None
    guest: Method | None = None


@dataclass(frozen=True)
class Cost:
    """A line of the ledger.

    Parameters
    ----------
    method : its name.
    foretold, spent : processor seconds for all origins and the future.
    outcome : "used", "no time", "failed" or "not suited"; `reason` says more.
    """

    method: str
    foretold: float
    spent: float
    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Origins:
    """From where the past is forecast.

    Parameters
    ----------
    backs : steps between each origin and each series' end, the latest first; empty where series are very short.
    least : steps that a series must have had before an origin in order to be judged there.
    """

    backs: tuple[int, ...]
    least: int


@dataclass
class Backtest:
    """Forecasts of all methods.

    Parameters
    ----------
    names : of the methods.
    past : shape (n_methods, n_origins, n_series, horizon), the latest origin first; NaN where there is none.
    future : shape (n_methods, n_series, horizon).
    truth : shape (n_origins, n_series, horizon), NaN where nothing was observed.
    ledger : what each method was thought to cost, and did.
    start : from where the past was forecast.
    """

    names: tuple[str, ...]
    past: Array
    future: Array
    truth: Array
    ledger: tuple[Cost, ...]
    start: Origins

    def rows(self, index: Array) -> "Backtest":
        """Return what was forecast of these series."""
        return replace(self, past=self.past[:, :, index], future=self.future[:, index], truth=self.truth[:, index])


def origins(panel: Panel, horizon: int, *, most: int = _MOST_ORIGINS) -> Origins:
    """Return from where to forecast the past: a horizon apart, or closer where series are short.

    Stretches that overlap still tell one shock from another. The latest origin leaves the middle series enough to learn
    from; the others a quarter of the series.
    """
    middle, longer = (int(np.quantile(panel.lengths, share)) for share in (0.5, 0.75))
    needed = max(_LEAST_MIDDLE, min(2 * panel.season, 60))
    first = horizon if middle - horizon >= needed else min(horizon, middle // 4)
    if first < 1 or middle < _LEAST_MIDDLE:
        return Origins((), needed)
    apart = min(horizon, max(1, (longer - needed - first) // max(1, most - 1)))
    backs = (first + number * apart for number in range(most))
    least = min(needed, middle - first)
    return Origins(tuple(back for back in backs if back == first or longer - back >= needed), least)


@dataclass
class _Search:
    panel: Panel
    horizon: int
    executor: Executor
    run: Run
    start: Origins
    guest: Method | None = None
    forecasts: dict[str, dict[int, Array]] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    loading: dict[str, float] = field(default_factory=dict)
    foretold: dict[str, float] = field(default_factory=dict)
    outcome: dict[str, tuple[str, str]] = field(default_factory=dict)
    n_rows: dict[str, int] = field(default_factory=dict)
    standing: Standing | None = None  # where somebody looks on

    def method(self, name: str) -> Method:
        return self.guest if self.guest is not None and self.is_guest(name) else METHODS.get(name)

    def is_guest(self, name: str) -> bool:
        return self.guest is not None and name == self.guest.about.name

    def left(self, name: str) -> float:
        """Return the seconds that there are for a method."""
        return self.run.deadline.left() * (_GUEST_SHARE if self.is_guest(name) else 1.0)

    def piece(self, method: str, n_back: int, rows: Array, seconds: float) -> Piece:
        least = self.start.least if n_back else 1  # the future is forecast whatever there is
        run, guest = self.run, self.guest if self.is_guest(method) else None
        handle = self.handle if method == REFERENCE else self.plain[n_back]
        return Piece(handle, method, n_back, rows, self.horizon, least, run.seed, run.threads, seconds, guest)

    @property
    def backs(self) -> tuple[int, ...]:
        return self.start.backs

    def __post_init__(self) -> None:
        self.handle = self.executor.share(self.panel)
        self.plain, self.factor = dict.fromkeys((0, *self.backs), self.handle), {}
        if self.panel.holidays is not None:  # what a day's holidays do is known from before it alone
            for n_back in self.plain:
                seen = ordinary(self.panel, self.horizon, n_back=n_back)
                self.plain[n_back], self.factor[n_back] = self.executor.share(seen.panel), seen.factor
        self.began = time.monotonic(), time.process_time()

    def pace(self) -> float:
        """Return how much longer than processor time things take in this process, from what it has done so far."""
        wall, used = time.monotonic() - self.began[0], time.process_time() - self.began[1]
        return min(_SLOWEST, max(1.0, wall / used)) if self.executor.workers == 1 and wall > _LEAST_WALL else 1.0

    def take(self, piece: Piece, answer: Answer | Failure) -> None:
        if isinstance(answer, Failure):
            self.outcome[piece.method] = ("failed", answer.reason)
            return
        self.spent[piece.method] = self.spent.get(piece.method, 0.0) + answer.seconds
        self.loading[piece.method] = self.loading.get(piece.method, 0.0) + answer.loading
        whole = self.forecasts.setdefault(piece.method, {})
        if piece.n_back not in whole:
            whole[piece.n_back] = np.full((len(self.panel), self.horizon), np.nan)
        factor = self.factor[piece.n_back][piece.rows] if self.factor and piece.method != REFERENCE else 1.0
        whole[piece.n_back][piece.rows] = answer.forecast * factor
        self.n_rows[piece.method] = self.n_rows.get(piece.method, 0) + len(piece.rows)
        if self.n_rows[piece.method] == len(self.panel) * (1 + len(self.backs)):
            self.outcome[piece.method] = ("used", "")
            self.tell(piece.method)

    def tell(self, method: str) -> None:
        """Say how a method did that is complete."""
        if self.standing is not None:
            past = self.forecasts[method]
            if method == REFERENCE:
                self.standing.measure_by(np.stack([past[back] for back in self.backs]))
            self.standing.tell(method, past, self.backs, took=self.spent[method])

    def truth(self) -> Array:
        """Return what came after each origin, shape (n_origins, n_series, horizon), NaN where nothing was observed."""
        truth = np.full((max(1, len(self.backs)), len(self.panel), self.horizon), np.nan)
        judged = truth.copy()
        everything = np.arange(len(self.panel))
        for place, n_back in enumerate(self.backs):
            there = everything[self.panel.lengths - n_back >= self.start.least]
            truth[place, there] = self.panel.after(n_back, self.horizon, there)
            judged[place, there] = judged_after(self.panel, n_back, self.horizon, there)
        if np.isfinite(judged).sum() >= min(_LEAST_JUDGED, np.isfinite(truth).sum()):
            return judged
        is_judged = np.isfinite(judged).any(axis=(0, 2))  # the others have no past at all: errors that are a bit large
        return np.where(is_judged[:, None], judged, truth)


def backtest(
    panel: Panel,
    horizon: int,
    *,
    executor: Executor,
    run: Run,
    menu: Menu = Menu(),
) -> Backtest:
    """Forecast from every origin and into the future with every method that fits into the time.

    Ctrl-C ends it early, with the methods that are complete.

    Seasonal naive is always complete, and the rest of the naive family as long as anything is left. Each other method
    is first asked about twenty series; what it took foretells what all would take, and it is let in only if that fits
    into what is left.
    """
    names, guest = menu.names, menu.guest
    search = _Search(panel, horizon, executor, run, origins(panel, horizon), guest)
    if run.listeners and search.backs:
        search.standing = Standing(run, search.truth(), panel.scale(panel.season))
    known = [name for name in (*ORDER, *METHODS.names()) if names is None or name in names or name in FREE]
    wanted = [name for name in dict.fromkeys(known) if can_be_used(METHODS.get(name))]
    for name in (REFERENCE, *(one for one in FREE if one != REFERENCE)):
        _ask(search, name)
    costly = [name for name in wanted if name not in FREE and _suits_some(name, panel, horizon)]
    if panel.known.shape[1]:  # what is known beforehand is of use to pooled methods only: they come first
        costly.sort(key=lambda name: not METHODS.get(name).about.is_pooled)
    stages = _stages([name for name in costly if not _is_too_late(search, name)][: menu.n_costly])
    if guest is not None:
        wanted.append(guest.about.name)
        if not _is_too_late(search, guest.about.name):
            stages.insert(0, [guest.about.name])
    with watch_ctrl_c() as ctrl_c:
        if ctrl_c.ended(lambda: _run_all(search, stages)):
            run.warn("interrupted", "stopped early at your wish: this is the best so far")
            executor.close()
    return _gathered(search, wanted)


def _ask(search: _Search, name: str) -> None:
    """Ask a free method about all series at every origin, right here; only the reference whatever time it is."""
    if not _suits_some(name, search.panel, search.horizon):
        return
    if name != REFERENCE:
        if search.run.deadline.passed:
            search.outcome[name] = ("no time", _NOTHING_LEFT)
            return
        if _would_be_late(search, name):
            return
    for n_back in (0, *search.backs):
        piece = search.piece(name, n_back, np.arange(len(search.panel)), float("inf"))
        search.take(piece, run_piece(piece))


def _stages(names: Sequence[str]) -> list[list[str]]:
    """Return methods that look at one series at a time together, and each pooled one by itself: its probe is dear."""
    found: list[list[str]] = []
    for name in names:
        is_pooled = METHODS.get(name).about.is_pooled
        if found and not is_pooled and not METHODS.get(found[-1][-1]).about.is_pooled:
            found[-1].append(name)
        else:
            found.append([name])
    return found


def _run_all(search: _Search, stages: Sequence[Sequence[str]]) -> None:
    for stage in stages:
        _run(search, stage)


def _run(search: _Search, names: Sequence[str]) -> None:
    """Foretell what methods cost, and let those work that fit into the time, the cheapest first."""
    if search.run.deadline.passed:
        search.outcome |= dict.fromkeys(names, ("no time", _NOTHING_LEFT))
        return
    for name in names:
        about = search.method(name).about
        if about.like in search.foretold:
            search.foretold[name] = about.times * search.foretold[about.like]
        elif about.like:
            search.outcome[name] = ("no time", f"not even {about.like} was tried")
    probed = [name for name in names if name not in search.foretold and not search.method(name).about.like]
    _probe(search, [name for name in probed if not _would_be_late(search, name)])
    order = sorted((name for name in names if name in search.foretold), key=search.foretold.__getitem__)
    for piece, answer in search.executor.run(run_piece, _pieces(search, order)):
        search.take(piece, answer)
        search.run.progress(*_progress(search, order))


def _is_too_late(search: _Search, name: str) -> bool:
    """Return whether there is no time to load what a method needs; the ledger then says so."""
    absent = to_load(search.method(name).about)
    is_late = search.run.deadline.left() < LOADED * search.pace() * sum(absent.values())
    if is_late:
        search.outcome[name] = ("no time", f"loading {', '.join(absent)} takes about {sum(absent.values()):.0f} s")
    return is_late


def to_load(about: About) -> dict[str, float]:
    """Return which of the libraries that a method needs are not loaded, with the processor seconds that it takes."""
    return {one: seconds for one, seconds in LIBRARIES.items() if one in about.needs and one not in sys.modules}


def _would_be_late(search: _Search, name: str) -> bool:
    """Return whether even one lesson of a method would not end in time; the ledger then says so.

    Of a pooled or free method a lesson is one for each origin; of another one it is the longest series.
    """
    about = search.method(name).about
    if about.guess is None:
        return False
    is_whole = about.is_pooled or name in FREE
    panel = search.panel if is_whole else search.panel.rows(np.array([search.panel.lengths.argmax()]))
    workers = 1 if name in FREE else search.executor.workers
    n_rounds = -(-(1 + len(search.backs)) // workers) if is_whole else 1  # lessons one after the other
    seconds, left = search.pace() * n_rounds * about.guess(panel, search.horizon), search.left(name)
    if seconds <= left:
        return False
    search.outcome[name] = ("no time", f"takes about {seconds:.1f} s, and {left:.1f} s were left")
    return True


def _suits_some(name: str, panel: Panel, horizon: int) -> bool:
    return bool(METHODS.get(name).about.suits(panel, horizon).any())


def _probe(search: _Search, names: Sequence[str]) -> None:
    """Ask each method about a few series, and foretell what all would cost."""
    panel = search.panel
    longest_first = np.argsort(-panel.lengths, kind="stable")
    few = longest_first[evenly(len(panel), _N_PROBED)]
    n_back = search.backs[0] if search.backs else 0

    def pieces() -> Iterator[Piece]:
        for name in names:
            left = search.left(name)
            if left <= 0:
                return
            rows = np.arange(len(panel)) if search.method(name).about.is_pooled else few
            yield search.piece(name, n_back, rows, left)

    n_steps = float(panel.lengths.sum()) / max(1.0, float(panel.lengths[few].sum()))
    for piece, answer in search.executor.run(run_piece, pieces()):
        if isinstance(answer, Failure):
            search.outcome[piece.method] = ("failed", answer.reason)
            continue
        search.loading[piece.method] = answer.loading
        if _took_all(search, piece):
            search.outcome[piece.method] = ("no time", f"{len(piece.rows)} series took more than {piece.seconds:.0f} s")
            continue
        is_pooled = search.method(piece.method).about.is_pooled
        per_origin = answer.seconds * (1.0 if is_pooled else n_steps)
        search.foretold[piece.method] = per_origin * (1 + len(search.backs))
        if is_pooled:
            search.take(piece, answer)


def _took_all(search: _Search, piece: Piece) -> bool:
    """Return whether the probe of a guest has used up its share of the time: it may have been cut short."""
    rest = piece.seconds * (1 - _GUEST_SHARE)  # what its share is worth once all of it is gone
    return search.is_guest(piece.method) and search.left(piece.method) <= rest < float("inf")


def _pieces(search: _Search, order: Sequence[str]) -> Iterator[Piece]:
    """Give the pieces of each method that fits into what is left, the cheapest method first."""
    promised = 0.0
    began = time.monotonic()
    for name in order:
        left = search.left(name)
        spent = sum(search.spent.get(one, 0.0) for one in order)
        waiting = max(0.0, promised - spent)
        slowdown = _slowdown(search, spent, time.monotonic() - began)
        needed = slowdown * (waiting + _MARGIN * search.foretold[name]) / search.executor.workers
        if search.executor.workers > 1:  # the others have to load it, too
            needed += slowdown * search.loading.get(name, 0.0)
        if needed > left:
            reason = f"would take {needed:.1f} s of the {left:.1f} s that were left"
            search.outcome[name] = ("no time", reason)
            continue
        promised += search.foretold[name]
        search.outcome[name] = ("no time", "was not finished")
        for n_back in (0, *search.backs):
            if n_back in search.forecasts.get(name, {}):
                continue
            for rows in _blocks(search, name):
                left = search.left(name)
                if left <= 0:
                    return
                yield search.piece(name, n_back, rows, left)


def _slowdown(search: _Search, spent: float, wall: float) -> float:
    """Return how much longer than processor time things take here, from what was done so far."""
    return min(4.0, max(1.0, wall * search.executor.workers / spent)) if spent > 1.0 else 1.0


def _blocks(search: _Search, name: str) -> list[Array]:
    everything, about = np.arange(len(search.panel)), search.method(name).about
    if about.is_pooled:
        return [everything]
    if about.guess is not None:  # what goes together may change the last digit of an answer: let no clock decide it
        per_origin = about.guess(search.panel, search.horizon)
    else:
        per_origin = search.foretold[name] / (1 + len(search.backs))
    n_blocks = max(1, min(len(everything), round(per_origin / _BLOCK_SECONDS)))
    return np.array_split(everything, n_blocks)


def _progress(search: _Search, order: Sequence[str]) -> tuple[float, float, str]:
    total = sum(cost for name, cost in search.foretold.items() if name in search.outcome)
    done = min(total, sum(search.spent.get(name, 0.0) for name in order))
    return round(done, 1), max(round(total, 1), 0.1), "methods, in processor seconds:"


def _gathered(search: _Search, wanted: Sequence[str]) -> Backtest:
    """Return what is complete; a method counts for a series only where it has forecast its future."""
    kept = [name for name in wanted if search.outcome.get(name, ("",))[0] == "used"]
    n_series, horizon = len(search.panel), search.horizon
    past = np.full((len(kept), max(1, len(search.backs)), n_series, horizon), np.nan)
    future = np.empty((len(kept), n_series, horizon))
    for place, name in enumerate(kept):
        whole = search.forecasts.pop(name)  # of very many series two copies are too much
        future[place] = whole[0]
        for origin, n_back in enumerate(search.backs):
            past[place, origin] = np.where(np.isnan(whole[0]), np.nan, whole[n_back])
    ledger = tuple(
        Cost(
            name,
            search.foretold.get(name, 0.0),
            search.spent.get(name, 0.0) + search.loading.get(name, 0.0),
            *search.outcome.get(name, ("not suited", "")),
        )
        for name in wanted
    )
    return Backtest(tuple(kept), past, future, search.truth(), ledger, search.start)
