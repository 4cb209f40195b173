"""Series that add up: which sums are formed of them, and the sums themselves as series."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from mantic.core.errors import SchemaError, SettingsError
from mantic.core.panel import Panel, spans
from mantic.core.table import Array
from mantic.features.series.assemble import most_steps
from mantic.features.series.demand import demand_classes
from mantic.features.series.finding import N_EXAMPLES, Finding
from mantic.features.series.prepare import Prepared
from mantic.features.series.repair import filled
from mantic.report.numbers import amount

EVERY = "all"  # in place of names: every column that tells series apart
TOTAL = "total"
_MOST_COLUMNS = 6  # whose combinations are formed: 64 levels
_MOST_NODES = 20_000  # sums and series together


@dataclass(frozen=True)
class Hierarchy:
    """Which series add up to what.

    Sums and series are nodes. Those of a level stand together, the most general level first; the last level is that of
    the series themselves.

    Parameters
    ----------
    levels : name of each level: the columns by which it is told apart.
    owner : int64, shape (n_levels, n_bottom): the node for which each series counts at each level.
    """

    levels: tuple[str, ...]
    owner: Array

    @property
    def n_bottom(self) -> int:
        """Return how many series there are that are no sums."""
        return int(self.owner.shape[1])

    @property
    def n_nodes(self) -> int:
        """Return how many sums and series there are."""
        return int(self.owner[-1, -1]) + 1

    @property
    def n_sums(self) -> int:
        """Return how many nodes are sums: the first ones."""
        return self.n_nodes - self.n_bottom

    @property
    def level(self) -> Array:
        """Return the level of each node, shape (n_nodes,)."""
        found = np.empty(self.n_nodes, dtype=np.int64)
        for place, own in enumerate(self.owner):
            found[own] = place
        return found

    @cached_property
    def matrix(self) -> Any:
        """Return which series count for which nodes, sparse, shape (n_nodes, n_bottom)."""
        from scipy import sparse  # takes as long to load as everything else here

        columns = np.tile(np.arange(self.n_bottom), len(self.owner))
        ones = np.ones(len(columns))
        return sparse.csr_array((ones, (self.owner.ravel(), columns)), shape=(self.n_nodes, self.n_bottom))

    def sums(self, bottom: Array) -> Array:
        """Return all nodes from the series, shape (..., n_nodes, n_steps) from (..., n_bottom, n_steps)."""
        flat = np.moveaxis(bottom, -2, 0)
        found = self.matrix @ flat.reshape(len(flat), -1)
        return np.moveaxis(found.reshape(self.n_nodes, *flat.shape[1:]), 0, -2)


def gather(prepared: Prepared, columns: Sequence[str]) -> tuple[Prepared, Hierarchy]:
    """Return series together with the sums that columns call for, and which is which.

    Every set of the columns is a level, unless another one cuts the series in the same way. Before a series begins it
    counts as 0; one that ends early is carried to the common end by its last season, as a step without a row is.

    Parameters
    ----------
    columns : some of those that tell series apart, or `EVERY` alone.

    Raises
    ------
    SettingsError : if there are too many columns or sums. SchemaError : if a series has no name in one of them.
    """
    ids = prepared.ids
    chosen = list(ids.columns) if tuple(columns) == (EVERY,) and EVERY not in ids.columns else list(columns)
    if len(chosen) > _MOST_COLUMNS or not chosen:
        raise SettingsError(
            f"a hierarchy of {len(chosen)} columns", where="hierarchy", fix=f"name 1 to {_MOST_COLUMNS} columns"
        )
    gaps = [name for name in ids.columns if (ids[name] == "").any()]
    if gaps:
        raise SchemaError(
            f"{', '.join(gaps)}: empty in some rows, which stands for a sum in a hierarchy", where="the table",
            fix="give these rows a name, or leave them out",
        )  # fmt: skip
    hierarchy, table = _levels(ids, chosen)
    if hierarchy.n_nodes > _MOST_NODES:
        raise SettingsError(
            f"{hierarchy.n_nodes:,} series and sums", where="hierarchy",
            fix=f"name columns that lead to {_MOST_NODES:,} at most",
        )  # fmt: skip
    n_sums = hierarchy.n_sums
    text = f"{n_sums:,} sums were formed over {', '.join(chosen)}: forecasts of all levels add up"
    told = replace(prepared, findings=(*prepared.findings, Finding("hierarchy", text, n_series=n_sums)))
    return gathered(told, hierarchy, table), hierarchy


def gathered(prepared: Prepared, hierarchy: Hierarchy, ids: pl.DataFrame) -> Prepared:
    """Return series together with the sums of a hierarchy that is known, whose nodes have these ids."""
    _check_size(prepared.panel, hierarchy)
    carried, findings = _carried(prepared)
    panel = _summed(carried, hierarchy)
    names = tuple(node_name(row) for row in ids.rows())
    return Prepared(panel, ids, names, (*prepared.findings, *findings), demand_classes(panel))


def node_name(row: Sequence[str]) -> str:
    """Return a text for a node: what it is told apart by.

    >>> node_name(("ACT", "", "Holiday")), node_name(("", ""))
    ('ACT / Holiday', 'total')
    """
    return " / ".join(part for part in row if part) or TOTAL


def _levels(ids: pl.DataFrame, columns: Sequence[str]) -> tuple[Hierarchy, pl.DataFrame]:
    """Return the levels, and one row per node; empty texts stand where it is a sum over a column."""
    everything = np.arange(ids.height)
    cuts: dict[bytes, tuple[tuple[str, ...], Array]] = {}
    for size in range(len(columns) + 1):
        for some in combinations([name for name in ids.columns if name in columns], size):
            number = (
                everything * 0 if not some else ids.select(pl.struct(some).rank("dense") - 1).to_series().to_numpy()
            )
            own = _in_order(number)
            cuts[own.tobytes()] = (() if own.max() == 0 else some, own)  # of equal cuts the one with most columns
    cuts.pop(everything.tobytes(), None)
    ordered = sorted(cuts.values(), key=lambda one: int(one[1].max()))
    owner, tables, start = [], [], 0
    for some, own in [*ordered, (tuple(ids.columns), everything)]:
        owner.append(own + start)
        start += int(own.max()) + 1
        first = np.unique(own, return_index=True)[1]
        tables.append(
            ids[first].select(pl.col(name) if name in some else pl.lit("").alias(name) for name in ids.columns)
        )
    names = (*(" / ".join(some) or TOTAL for some, _ in ordered), " / ".join(ids.columns))
    return Hierarchy(names, np.stack(owner)), pl.concat(tables)


def _in_order(number: Array) -> Array:
    """Return groups numbered in the order in which they are met first, int64."""
    _, first, found = np.unique(number, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[found]


def _check_size(panel: Panel, hierarchy: Hierarchy) -> None:
    """Refuse sums that would be nearly all of steps after a series' end, and fill the memory."""
    n_steps = int(panel.last.max() - (panel.last - panel.lengths).min())
    n_values, together = len(panel.values), n_steps * (len(panel) + hierarchy.n_nodes)
    if together > most_steps(n_values):
        raise SchemaError(
            f"{len(panel):,} series, carried on to their common end, and their sums would have {together:,} steps for "
            f"{n_values:,} of their own", where="the table",
            fix="look for a moment that lies far from the others, or leave out series that ended long ago",
        )  # fmt: skip


def _carried(prepared: Prepared) -> tuple[Prepared, list[Finding]]:
    """Return series that all end at the same step."""
    panel = prepared.panel
    late = panel.last.max() - panel.last
    if not late.any():
        return prepared, []
    values, truth, known = [], [], []
    for place, n_more in enumerate(late):
        span = slice(panel.bounds[place], panel.bounds[place + 1])
        values.append(filled(np.concatenate([panel.values[span], np.full(n_more, np.nan)])[None], panel.season)[0])
        truth.append(np.concatenate([panel.truth[span], np.full(n_more, np.nan)]))
        known.append(np.concatenate([panel.known[span], np.repeat(panel.known[span][-1:], n_more, axis=0)]))
    bounds = np.concatenate([[0], np.cumsum(panel.lengths + late)]).astype(np.int64)
    longer = replace(
        panel, values=np.concatenate(values), truth=np.concatenate(truth), known=np.concatenate(known), bounds=bounds,
        last=np.full_like(panel.last, panel.last.max()),
    )  # fmt: skip
    short = np.flatnonzero(late)
    what = amount(len(short), "series that ends early was", "series that end early were")
    text = f"{what} carried to the common end by the last season, for the sums"
    examples = tuple(prepared.names[one] for one in short[:N_EXAMPLES])
    finding = Finding("carried_on", text, int(late.sum()), len(short), examples, is_repair=True)
    return replace(prepared, panel=longer), [finding]


def _summed(prepared: Prepared, hierarchy: Hierarchy) -> Panel:
    """Return the panel of all nodes; a sum begins with the first series that counts for it."""
    panel = prepared.panel
    longest = int(panel.lengths.max())
    values, truth = panel.recent(longest), panel.recent_truth(longest)
    is_before = np.isnan(values)
    nodes = hierarchy.sums(np.where(is_before, 0.0, values))
    seen = hierarchy.sums(np.where(is_before, 0.0, truth))
    lengths = np.zeros(hierarchy.n_nodes, dtype=np.int64)
    for own in hierarchy.owner:
        np.maximum.at(lengths, own, panel.lengths)
    place = spans(longest - lengths, lengths)
    row = np.repeat(np.arange(hierarchy.n_nodes), lengths)
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return replace(
        panel, values=nodes[row, place], truth=seen[row, place], bounds=bounds,
        last=np.full(hierarchy.n_nodes, panel.last[0]), known=np.empty((len(row), 0)), n_sums=hierarchy.n_sums,
    )  # fmt: skip
