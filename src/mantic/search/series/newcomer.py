"""Series that were not there when the model was fitted: what their kin do, in their own size, and wide."""

from dataclasses import replace

import numpy as np
import polars as pl

from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.search.series.foretold import Foretold

_MOST_KIN = 200
_LEAST_KIN = 3
_WIDE = 4.0  # values of its own from which a newcomer's intervals are no longer twice as wide
_GRID = np.concatenate([[0.005, 0.01], np.linspace(0.025, 0.975, 39), [0.99, 0.995]])


def kin(ids: pl.DataFrame, own: tuple[str, ...], *, least: int = 1) -> Array:
    """Return the places of series that share most columns with one that is new; all of them where none shares any.

    Parameters
    ----------
    least : how many are wanted at least; then those that share fewer columns are kin too.

    >>> ids = pl.DataFrame({"store": ["A", "A", "B"], "item": ["tea", "milk", "tea"]})
    >>> kin(ids, ("C", "tea")).tolist()
    [0, 2]
    """
    n_same = np.zeros(len(ids), dtype=np.int64)
    for column, value in zip(ids.iter_columns(), own, strict=True):
        n_same += (column == value).to_numpy().astype(np.int64)
    enough = np.sort(n_same)[::-1][: min(least, len(n_same))]
    found = np.flatnonzero(n_same >= enough[-1])
    return found[np.unique(np.linspace(0, len(found) - 1, min(len(found), _MOST_KIN)).astype(np.int64))]


def unheard(told: Foretold, own: tuple[str, ...], moments: Array, levels: Array) -> tuple[Array, Array]:
    """Return mean and quantiles of a series of which nothing is known: any of its kin may be like it.

    Parameters
    ----------
    own : what tells the series apart.
    moments : steps of the calendar, shape (n_moments,).

    Returns
    -------
    Shapes (n_moments,) and (n_moments, n_levels). The quantiles are those of all kin together, so that they are as wide
    as kin differ.
    """
    few = told.some(kin(told.ids, own))
    quantiles = few.quantiles(_GRID)
    step = np.clip(moments[None, :] - few.panel.last[:, None] - 1, 0, few.horizon - 1)
    rows = np.arange(len(step))[:, None]
    together = np.moveaxis(quantiles[rows, step], 1, 0).reshape(len(moments), -1)
    return few.forecast[rows, step].mean(axis=0), np.quantile(together, levels, axis=1).T


def adopted(told: Foretold, panel: Panel, ids: pl.DataFrame) -> Foretold:
    """Return weights, widths and all else in the order of series that have grown in number.

    Newcomers weigh methods as their kin do on average, and miss by as much in units of their size, or twice as much
    where they have hardly begun. What was foretold of series that were there stays; newcomers' waits for `settled`.
    """
    place = told.places(ids)
    is_new = place < 0
    if not is_new.any() and not told.young.any():
        return told
    of_kin = {row: _elders(told, ids.row(row)) for row in np.flatnonzero(is_new).tolist()}
    grown = told.some(np.array([of_kin[row][0] if is_new[row] else own for row, own in enumerate(place)]))
    weights, width, cycle = grown.mixture.weights.copy(), grown.spread.width.copy(), grown.spread.cycle.copy()
    young = np.where(is_new, True, grown.young)
    usual, size = told.spread.width / _size(told.panel), _size(panel)
    for row in np.flatnonzero(young).tolist():
        elders = of_kin[row] if is_new[row] else _elders(told, ids.row(row))
        n_own = panel.lengths[row]
        width[row] = size[row] * np.median(usual[elders]) * (1 + _WIDE / (_WIDE + n_own - 1))
        if is_new[row]:
            weights[row] = told.mixture.weights[elders].mean(axis=0)
            cycle[row] = 1.0
    return replace(
        grown, mixture=replace(grown.mixture, weights=weights), young=young,
        spread=replace(grown.spread, width=width, cycle=cycle),
    )  # fmt: skip


def settled(told: Foretold) -> Foretold:
    """Return the forecast in which newcomers that have not seen two cycles go as their kin do, in their own size.

    Parameters
    ----------
    told : forecast anew, with newcomers among the series.
    """
    forecast, panel = told.forecast.copy(), told.panel
    for row in np.flatnonzero(told.young & (panel.lengths < 2 * panel.season)).tolist():
        if told.rare is not None and told.rare.has_means and told.rare.is_rare[row]:
            continue
        shape = _shape(told, row, _elders(told, told.ids.row(row)))
        if shape is not None:
            forecast[row] = panel.one(row).mean() * shape
    return replace(told, forecast=forecast)


def _size(panel: Panel) -> Array:
    """Return the mean absolute value of each series, above 0; shape (n_series,)."""
    return np.asarray(np.maximum(np.add.reduceat(np.abs(panel.values), panel.bounds[:-1]) / panel.lengths, 1e-9))


def _elders(told: Foretold, own: tuple[str, ...]) -> Array:
    """Return the kin that were there when the model was fitted."""
    places = np.flatnonzero(~told.young)
    return places[kin(told.ids[places], own, least=_LEAST_KIN)]


def _shape(told: Foretold, row: int, elders: Array) -> Array | None:
    """Return the steps to come as shares of the mean over the steps that a newcomer has seen, the middle of its kin."""
    panel = told.panel
    n_seen, last = int(panel.lengths[row]), panel.last[row]
    ahead = panel.last[elders] - last  # steps that a relative has seen beyond the newcomer's end
    lasting = elders[(ahead >= 0) & (panel.lengths[elders] - ahead >= n_seen)]
    ahead, found = panel.last[lasting] - last, []
    for one, beyond in zip(lasting.tolist(), ahead, strict=True):
        whole = np.concatenate([panel.one(one), told.forecast[one]])
        now = int(panel.lengths[one] - beyond)
        level = whole[now - n_seen : now].mean()
        if level > 0:
            found.append(whole[now : now + told.horizon] / level)
    return np.median(found, axis=0) if len(found) >= _LEAST_KIN else None
