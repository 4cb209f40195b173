"""How much speaks against "nothing has moved", in a form that may be looked at again and again.

Every four weeks of a quarter a bet of its own begins against the ranks of `online_ranks` being uniform; what the bets
are worth together is an e-detector. While nothing moves it reaches a limit c on average no earlier than after c times
four weeks, however often it is looked at: c says how rare false alarms are. Columns are judged together by the
e-values' form of Benjamini and Hochberg: whatever it rejects, the mean over all columns has reached the limit, so the
promise is one for the whole model.

Sources: Vovk et al. (2003) for the martingales; Fedorova et al. (2012), Plug-in Martingales for Testing Exchangeability
On-line; Shin, Ramdas and Rinaldo (2023), E-detectors: a Nonparametric Framework for Sequential Change Detection; Wang
and Ramdas (2022), False Discovery Rate Control with E-values.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mantic.core.table import Array

WEEKS_APART = 4  # of the beginnings of two bets
N_BINS = 100
_LEARNED = ((4, 8.0), (10, 4.0))  # bets that learn where ranks gather: cells, and rows' worth of doubt in each
_ENDS = (
    (0.03, 0.04),
    (0.08, 0.05),
    (0.2, 0.06),
    (0.45, 0.07),
)  # so much of the ranks holds so much more than it should
_SPIKES = (0.03, 0.12)  # a share of the ranks that gathers at one place: a new value, a new gap


@dataclass(frozen=True)
class Evidence:
    """What a stream says against its reference.

    Parameters
    ----------
    value : of the e-detector by the last row; 1 for each bet says nothing.
    peak : the largest value at any row so far.
    lately : the bet on the rows since the last whole week began, alone; below 1 they look like the reference.
    n_rows, n_lately : rows in all, and of those.
    """

    value: float
    peak: float
    lately: float
    n_rows: int
    n_lately: int


def moved(ranks: Array, week: Array, n_weeks: int) -> Evidence:
    """Bet on any departure from uniform ranks.

    Parameters
    ----------
    ranks : of the rows in their order, shape (n,).
    week : the week of each, 0 to n_weeks - 1, not falling; shape (n,).

    >>> chance = np.random.default_rng(0)
    >>> calm = moved(chance.random(300), np.zeros(300, dtype=int), 1)
    >>> alarming = moved(chance.random(300) ** 2, np.zeros(300, dtype=int), 1)
    >>> calm.value < 10, alarming.value > 1000
    (True, True)
    """
    place = np.minimum((ranks * N_BINS).astype(np.int64), N_BINS - 1)
    counts = np.bincount(week * N_BINS + place, minlength=n_weeks * N_BINS).reshape(n_weeks, N_BINS)
    since = counts[::-1].cumsum(axis=0)[::-1]  # of the rows from each week on
    bets = _log_bets(since)
    last = max(0, n_weeks - 2)
    value = float(np.exp(np.minimum(np.logaddexp.reduce(bets[::WEEKS_APART]), _LARGEST)))
    lately = float(np.exp(min(bets[last], _LARGEST)))
    return Evidence(value, value, lately, len(ranks), int(since[last].sum()))


def worse(ranks: Array, week: Array, n_weeks: int) -> Evidence:
    """Bet on ranks near 0 being too many: losses that grow, when the largest loss has rank 0.

    Parameters
    ----------
    ranks, week : as for `moved`.

    >>> chance = np.random.default_rng(0)
    >>> worse(chance.random(500) ** 1.3, np.zeros(500, dtype=int), 1).peak > 100
    True
    """
    steps = np.stack([np.where(ranks < q, np.log((q + d) / q), np.log((1 - q - d) / (1 - q))) for q, d in _ENDS])
    last = max(0, n_weeks - 2)
    recent = float(_mean(np.where(week >= last, steps, 0.0).sum(axis=1)))
    lately = float(np.exp(min(recent, _LARGEST)))
    total = np.zeros(len(ranks))
    for start in range(0, n_weeks, WEEKS_APART):
        path = _mean(np.where(week >= start, steps, 0.0).cumsum(axis=1))
        total += np.where(week >= start, np.exp(np.minimum(path, _LARGEST)), 0.0)
    value, peak = (float(total[-1]), float(total.max())) if len(total) else (1.0, 1.0)
    return Evidence(value, peak, lately, len(ranks), int((week >= last).sum()))


def alarms(found: Mapping[str, Evidence], limit: float) -> set[str]:
    """Return those that moved, so that false alarms come on average at most once in `limit` times four weeks.

    >>> one = Evidence(1000.0, 1000.0, 1000.0, 500, 500)
    >>> alarms({"a": one, "b": Evidence(1.0, 1.0, 1.0, 500, 500)}, 100.0)
    {'a'}
    """
    ranked = sorted(found, key=lambda name: -found[name].value)
    kept = 0
    for place, name in enumerate(ranked, 1):
        if found[name].value >= limit * len(ranked) / place:
            kept = place
    return set(ranked[:kept])


_LARGEST = 600.0  # of a logarithm that is to become a float


def _log_bets(counts: Array) -> Array:
    """Return the logarithm of the bet on each row of counts, shape (n, N_BINS); the mean of three families."""
    families = [_learned(counts), _mean(np.stack(_ends(counts))), _spikes(counts)]
    return _mean(np.stack(families))


def _mean(logs: Array) -> Array:
    """Return the logarithm of the mean over the first axis."""
    return np.asarray(np.logaddexp.reduce(logs, axis=0) - np.log(len(logs)))


def _learned(counts: Array) -> Array:
    """Bet on what the rows so far have shown: the marginal likelihood of a Dirichlet prior against equal cells."""
    from scipy.special import gammaln

    logs = []
    for n_cells, doubt in _LEARNED:
        edges = (np.arange(n_cells) * N_BINS) // n_cells
        cells = np.add.reduceat(counts, edges, axis=1)
        n = cells.sum(axis=1)
        shape = gammaln(doubt * n_cells) - gammaln(doubt * n_cells + n)
        logs.append(n * np.log(n_cells) + shape + (gammaln(doubt + cells) - gammaln(doubt)).sum(axis=1))
    return _mean(np.stack(logs))


def _ends(counts: Array) -> list[Array]:
    """Bet on low or on high ranks being too many."""
    n = counts.sum(axis=1)
    logs = []
    for q, more in _ENDS:
        width = round(q * N_BINS)
        for inside in (counts[:, :width].sum(axis=1), counts[:, -width:].sum(axis=1)):
            logs.append(inside * np.log((q + more) / q) + (n - inside) * np.log((1 - q - more) / (1 - q)))
    return logs


def _spikes(counts: Array) -> Array:
    """Bet on one cell of all holding a share more than it should."""
    n = counts.sum(axis=1, keepdims=True)
    logs = [counts * np.log(1 - share + share * N_BINS) + (n - counts) * np.log(1 - share) for share in _SPIKES]
    return _mean(np.concatenate(logs, axis=1).T)
