"""What pooled methods see of a curve at each step, and how sure the steps after it are."""

import numpy as np

from mantic.core.curves import Curves
from mantic.core.table import Array

_TINY = 1e-9
_YEARS = 1.2  # that must be known before the place in the year says anything


def shape_of(curves: Curves) -> tuple[Array, list[str]]:
    """Return numbers of each series at each step, shape (n_series, n_steps, n_features), NaN where too little is known.

    Growth over one to four steps, of the series and of all together; how high it stands against what it reached in the
    last year and against its usual height; place in the year.
    """
    logs = curves.logs
    n_series, n_steps = logs.shape
    grown = np.full_like(logs, np.nan)
    grown[:, 1:] = np.diff(logs, axis=1)
    all_logs = _together(curves)
    all_grown = np.diff(all_logs, prepend=np.nan)
    columns = {f"growth {lag}": _back(grown, lag) for lag in range(4)}
    columns |= {f"growth of all {lag}": np.tile(_back(all_grown[None], lag), (n_series, 1)) for lag in range(3)}
    columns["under peak"] = logs - _highest(logs, 52)
    columns["over usual"] = logs - _usual(logs)
    columns["all under peak"] = np.tile(all_logs[None] - _highest(all_logs[None], 52), (n_series, 1))
    columns["over all"] = columns["over usual"] - (all_logs - _usual(all_logs[None])[0])
    angle = 2 * np.pi * curves.phase[:n_steps]
    for turn in (1, 2) if curves.years >= _YEARS else ():
        columns[f"sine {turn}"] = np.tile(np.sin(turn * angle), (n_series, 1))
        columns[f"cosine {turn}"] = np.tile(np.cos(turn * angle), (n_series, 1))
    return np.stack(list(columns.values()), axis=-1), list(columns)


def _together(curves: Curves) -> Array:
    """Return the logarithm of the mean over series of what each is in its own units, shape (n_steps,)."""
    known = ~np.isnan(curves.values)
    raised = np.where(known, curves.values + curves.offset[:, None], 0.0)
    usual = raised.sum(axis=1, keepdims=True) / np.maximum(1, known.sum(axis=1, keepdims=True))
    own = np.where(known, raised / np.maximum(usual, _TINY), 0.0)
    return np.asarray(np.log(np.maximum(own.sum(axis=0), _TINY) / np.maximum(1, known.sum(axis=0))))


def _back(values: Array, lag: int) -> Array:
    found = np.full_like(values, np.nan)
    found[:, lag:] = values[:, : values.shape[1] - lag]
    return found


def _highest(logs: Array, width: int) -> Array:
    filled = np.where(np.isnan(logs), -np.inf, logs)
    found = filled.copy()
    for lag in range(1, min(width, logs.shape[1])):
        found[:, lag:] = np.maximum(found[:, lag:], filled[:, :-lag])
    return found


def _usual(logs: Array) -> Array:
    """Return the running mean of all that was known at each step."""
    known = ~np.isnan(logs)
    total = np.cumsum(np.where(known, logs, 0.0), axis=1)
    return np.asarray(total / np.maximum(1, np.cumsum(known, axis=1)))
