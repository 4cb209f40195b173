"""One piece of a backtest: the only code that a worker runs."""

import time
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from mantic.core.budget import Deadline
from mantic.core.method import METHODS, Method
from mantic.core.panel import Panel
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.search.series.cut import cut_back


@dataclass(frozen=True)
class Piece:
    """Forecasts of one method for some series at one origin.

    Parameters
    ----------
    panel : handle on the whole panel.
    method : its name.
    n_back : steps between the origin and each series' end; 0 is the future.
    rows : positions of the series, in the whole panel.
    horizon : steps to forecast.
    least : steps that a series must have had by then.
    seed, threads : as in a run.
    seconds : how long it may take.
    guest : the method itself, where the user has brought it along; else it is looked up by its name.
    """

    panel: Any
    method: str
    n_back: int
    rows: Array
    horizon: int
    least: int
    seed: int
    threads: int
    seconds: float
    guest: Method | None = None


@dataclass(frozen=True)
class Answer:
    """What a piece gives.

    Parameters
    ----------
    forecast : float64, shape (n_rows, horizon); NaN where the method has no answer.
    seconds : of processor time, without what the first import took.
    loading : processor seconds until a method was ready that says how long that takes.
    """

    forecast: Array
    seconds: float
    loading: float = 0.0


def run_piece(piece: Piece) -> Answer:
    """Learn and forecast; what was after the origin is not looked at."""
    method = piece.guest or METHODS.get(piece.method)
    if "statsforecast" in method.about.needs:  # what a library's first import takes must not look like a slow method
        import_module("mantic.search.series.warm")
    before = time.process_time()
    if method.about.ready is not None:
        method.about.ready()
    loading = time.process_time() - before
    panel: Panel = piece.panel.open()
    cut, there = cut_back(panel.rows(piece.rows), piece.n_back, least=piece.least, horizon=piece.horizon)
    found = np.full((len(piece.rows), piece.horizon), np.nan)
    started = time.process_time()
    if len(there):
        suits = method.about.suits(cut, piece.horizon)
        if suits.any():
            chosen = cut.rows(suits)
            run = Run(piece.seed, piece.threads, Deadline.after(piece.seconds))
            found[there[suits]] = method.learn(chosen, piece.horizon, run).forecast(chosen, piece.horizon, run)
    if panel.is_floored:
        found = np.maximum(found, 0.0)
    found[~np.isfinite(found).all(axis=1)] = np.nan
    return Answer(found, time.process_time() - started, loading)
