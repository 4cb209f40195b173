"""How large a series' errors should be, by how much it moves and by what it was missed by before."""

from collections.abc import Sequence

import numpy as np

from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.search.series.loss import over_steps

_NOISE = 1e-12  # of a series' level: below it are no changes, but the rounding of numbers
_LATEST = 8  # changes that tell how a series moves now
_SHRUNK = 4.0  # changes that all until then count as beside these
_YOUNG = 8.0  # changes that all of a series, also later ones, count as: few changes say little
_LEAST_LEVEL = 4  # values that tell how large a series is
_RIDGE = 100.0  # series by which other sizes must prove that they say more than the change over a season
_FARTHEST = 6.0  # of errors in logarithms from the usual: a perfect forecast must not hide all others
_OWN = 4.0  # origins that weigh as much as what a series' sizes say, where that cannot be told from the past
_TELLING = 20.0  # series that tell it as surely as it is held to be known


def sizes(panel: Panel, backs: Sequence[int]) -> Array:
    """Return logarithms of how large a series is, in several ways, as it was so many steps before its end.

    First the mean absolute change over a season, then the same of the latest steps, both from step to step, and last
    how large its values are.

    Returns
    -------
    Shape (n_backs, n_series, n_sizes), finite.
    """
    level = np.add.reduceat(np.abs(panel.values), panel.bounds[:-1]) / panel.lengths
    level = np.where(level > 0, level, 1.0)
    own = np.maximum(panel.scale(1), _NOISE * level)  # in units of it: what is added up must not drown the smallest
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    ends = panel.bounds[1:] - np.array(backs)[:, None]
    found: list[Array] = []
    usual = np.ones(ends.shape)
    for lag in dict.fromkeys((1, panel.season)):
        change = np.abs(panel.values[lag:] - panel.values[:-lag])
        change[owner[lag:] != owner[:-lag]] = 0.0  # from one series to the next: as large as they lie apart
        change /= own[owner[lag:]]
        first = panel.bounds[:-1] + lag
        added = np.concatenate([np.zeros(1 + len(owner) - len(change)), np.cumsum(change)])
        whole, n_whole = _means(added, first, ends)
        all_of_it, _ = _means(added, first, panel.bounds[1:])
        whole = (whole * n_whole + all_of_it * _YOUNG) / (n_whole + _YOUNG)
        usual = whole = np.where(whole > 0, whole, usual)
        latest, n_latest = _means(added, np.maximum(first, ends - _LATEST), ends)
        found = [whole, (latest * n_latest + whole * _SHRUNK) / (n_latest + _SHRUNK), *found]
    added = np.concatenate([[0.0], np.cumsum(np.abs(panel.values) / level[owner])])
    latest, _ = _means(added, np.maximum(panel.bounds[:-1], ends - max(_LEAST_LEVEL, panel.season)), ends)
    found.append(np.where(latest > 0, latest, 1.0) * level / own)
    return np.asarray(np.log(np.stack(found, axis=-1) * own[:, None]))


def _means(added: Array, first: Array, ends: Array) -> tuple[Array, Array]:
    """Return means over spans of what was added up, and how long these are; 0 of empty ones."""
    length = np.maximum(0, ends - first)
    is_there = length > 0
    total = added[np.where(is_there, ends, 0)] - added[np.where(is_there, first, 0)]
    return total / np.maximum(1, length), length


def expected(known: Array, missed: Array) -> tuple[Array, Array]:
    """Return logarithms of the mean absolute error that sizes tell, and by how much more a series was missed.

    An error is as large as the change over a season, or as other sizes as far as many series show it (ridge regression
    of logarithms over all of them).

    Parameters
    ----------
    known : what `sizes` says at the origins and, last, where the forecast starts; shape (n_origins + 1, n_series,
        n_sizes).
    missed : shape (n_origins, n_series, horizon), with NaN.

    Returns
    -------
    Shapes (n_origins + 1, n_series) and (n_origins, n_series), the latter NaN where nothing was observed.
    """
    own = over_steps(np.abs(missed))
    middle = known[..., 0]
    more = known - middle[..., None]
    is_known = np.isfinite(own) & (own > 0)
    if not is_known.any():
        return middle, np.full(own.shape, np.nan)
    away = np.log(np.where(is_known, own, 1.0)) - middle[:-1]
    usual = np.median(away[is_known])
    away = np.clip(away, usual - _FARTHEST, usual + _FARTHEST)
    seen, target = more[:-1][is_known], away[is_known]
    centre = seen.mean(axis=0)
    square = (seen - centre).T @ (seen - centre) / len(own) + _RIDGE * np.eye(known.shape[-1])
    share = np.linalg.solve(square, (seen - centre).T @ (target - target.mean()) / len(own))
    told = middle + target.mean() + (more - centre) @ share
    return told, np.where(is_known, away + middle[:-1] - told[:-1], np.nan)


def moved(over: Array) -> Array:
    """Return by how much the past of each series moves what sizes say, in logarithms; shape (n_series,).

    The more origins there were, the more of its own mean; the less, the more errors differ from origin to origin than
    from series to series (empirical Bayes).

    Parameters
    ----------
    over : how much more than expected a series was missed by, in logarithms, shape (n_origins, n_series), with NaN.
    """
    is_there = np.isfinite(over)
    n_own = is_there.sum(axis=0)
    own = np.where(is_there, over, 0.0).sum(axis=0) / np.maximum(1, n_own)
    return np.asarray(own * n_own / (n_own + _own_weight(over, own, n_own)))


def _own_weight(over: Array, own: Array, n_own: Array) -> float:
    """Return how many origins weigh as much as what sizes say: the variance within series by that between them."""
    several = n_own > 1
    n_series = int(several.sum())
    if n_series < 2:
        return _OWN
    within = float(np.nansum((over - own)[:, several] ** 2)) / float((n_own[several] - 1).sum())
    between = float(own[several].var()) - within * float((1 / n_own[several]).mean())
    found = np.clip(within / max(between, 1e-9), _OWN / 8, _OWN * 8)
    trust = n_series / (n_series + _TELLING)
    return float(_OWN ** (1 - trust) * found**trust)
