"""Which pairs of columns act together, and how strongly: Friedman's H, with intervals."""

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from mantic.core.table import Array
from mantic.explain.mixture import Mixture, Pool, margins_of
from mantic.explain.subject import Subject, ends, short, weightings
from mantic.report.blocks import Grid, Group, Report, Text
from mantic.report.numbers import say, say_range

_MOST_ASKED = 80_000  # answers: for each column and each pair, each row is put into each other one
_MOST_ROWS = 100
_FAINT = 1e-6  # of what two columns do together: below, rounding only
_SHOWN = 15


@dataclass(frozen=True)
class Pair:
    """How two columns act together.

    Parameters
    ----------
    columns : the two.
    strength, low, high : Friedman's H, the share (0 to 1, of the standard deviation) of what the two do together that
        is beyond what each does alone, with a 95 % interval over rows.
    size : the same in the unit of the margin.
    """

    columns: tuple[str, str]
    strength: float
    low: float
    high: float
    size: float


@dataclass(frozen=True)
class Interactions:
    """Pairs of columns, the one that moves the answer most by acting together first.

    Parameters
    ----------
    target, unit : what is predicted, and the unit of the sizes: the target's own, or of margins (log-odds).
    pairs : all pairs of `columns`, the ones that were looked at.
    n_rows : rows that each value was put into.
    sentence : the same in words.
    """

    target: str
    unit: str
    columns: tuple[str, ...]
    pairs: tuple[Pair, ...]
    n_rows: int
    sentence: str

    def to_facts(self) -> dict[str, Any]:
        """Return plain JSON values."""
        facts = asdict(self)
        pairs = [{**asdict(one), "columns": list(one.columns)} for one in self.pairs]
        return {**facts, "columns": list(self.columns), "pairs": pairs}

    def group(self) -> Group:
        """Return the sentence and the strongest pairs in figures."""
        cells = tuple(
            (*one.columns, say(one.strength, "share"), say_range(one.low, one.high, "share"), short(one.size))
            for one in self.pairs[:_SHOWN]
        )
        note = (
            f"By Friedman's H over {self.n_rows} rows; sizes are in {self.unit}. The interval is over rows of this "
            "model. Columns that go together in the table are torn apart here: such rows may not exist."
        )
        heads = ("column", "and", "strength", "95 % interval", "size")
        return Group("Columns that act together", (Text(self.sentence), Grid(heads, cells, note=note)))

    def to_report(self) -> Report:
        """Return the pairs as a page."""
        return Report(f"Which columns act together on {self.target}", (self.group(),), facts=self.to_facts())

    def _repr_html_(self) -> str:
        """Return the page for a notebook cell."""
        return self.to_report()._repr_html_()


def interactions_of(subject: Subject, *, most: int = 8, seed: int = 0) -> Interactions:
    """Say which pairs of columns act together, on the scale on which contributions add up.

    Two columns act together where what they do jointly is not the sum of what each does alone. Effects are partial
    dependences over at most 100 background rows; a model that is a sum over its columns has strengths of exactly 0.

    Parameters
    ----------
    most : only pairs among so many of the most important columns; 8 are 28 pairs over 47 rows, more have fewer rows.

    Returns
    -------
    The Interactions, sorted by size: H alone is large too where two columns hardly do anything.

    Source: Friedman and Popescu (2008), Predictive Learning via Rule Ensembles, section 8.1.

    >>> import polars as pl
    >>> from mantic.core.schema import Column, Kind, Schema
    >>> class Product:
    ...     schema, n_classes = Schema((Column("a", Kind.NUMBER), Column("b", Kind.NUMBER))), 0
    ...
    ...     def margin(self, frame):
    ...         return (frame["a"] * frame["b"]).to_numpy()[:, None]
    >>> rows = pl.DataFrame({"a": [-1.0, -1.0, 1.0, 1.0], "b": [-1.0, 1.0, -1.0, 1.0]})
    >>> interactions_of(Subject(Product(), "price", rows)).pairs[0].strength
    1.0
    """
    names = _most_important(subject, most)
    n_sets = max(1, len(names) * (len(names) + 1) // 2)
    n_rows = min(_MOST_ROWS, int((_MOST_ASKED / n_sets) ** 0.5), subject.background.height)
    places = np.random.default_rng(seed).choice(subject.background.height, n_rows, replace=False)
    pool = Pool(subject.background[np.sort(places)])
    weights = weightings(n_rows, seed=seed)
    weights /= weights.sum(axis=1, keepdims=True)
    alone = {name: _dependence(subject, pool, (name,), weights) for name in names}
    floor = _FAINT * float(np.sqrt(np.square(subject.model.margin(pool.frame)).sum(axis=1).mean()))
    found = []
    for one, other in combinations(names, 2):
        both = _dependence(subject, pool, (one, other), weights)
        size = _size(both - alone[one] - alone[other], weights)
        strength = np.where(size > floor, size / np.maximum(_size(both, weights), floor), 0.0)
        low, high = ends(strength[1:])
        known = float(strength[0])
        size_now = float(size[0]) if known else 0.0
        found.append(Pair((one, other), known, min(known, float(low)), max(known, float(high)), size_now))
    found.sort(key=lambda pair: -pair.size)
    unit = "log-odds" if subject.classes else subject.target
    told = _sentence(found, subject)
    return Interactions(subject.target, unit, names, tuple(found), n_rows, told)


def _most_important(subject: Subject, most: int) -> tuple[str, ...]:
    """Return the used columns, the most important first; those whose importance is not known last."""
    place = {one.column: number for number, one in enumerate(subject.importance)}
    used = [column.name for column in subject.model.schema.columns if column.is_used]
    return tuple(sorted(used, key=lambda name: place.get(name, len(place)))[:most])


def _dependence(subject: Subject, pool: Pool, names: tuple[str, ...], weights: Array) -> Array:
    """Return the centred partial dependence on some columns at each row; shape (n_draws, n_rows, n_outputs)."""
    n_rows, columns = pool.frame.height, pool.frame.columns
    from_own = np.zeros((n_rows * n_rows, len(columns)), dtype=bool)
    from_own[:, [columns.index(name) for name in names]] = True
    every = np.arange(n_rows)
    margins = margins_of(subject.model, Mixture(pool, np.repeat(every, n_rows), np.tile(every, n_rows), from_own))
    means = np.einsum("db,ibo->dio", weights, margins.reshape(n_rows, n_rows, -1))
    return np.asarray(means - np.einsum("di,dio->do", weights, means)[:, None])


def _size(effect: Array, weights: Array) -> Array:
    """Return the root of the mean square of an effect; shape (n_draws,)."""
    return np.asarray(np.sqrt(np.einsum("di,dio->d", weights, effect**2)))


def _sentence(pairs: list[Pair], subject: Subject) -> str:
    if not pairs:
        return "There are no two columns that could act together."
    first = pairs[0]
    if first.strength == 0:
        return f"No two columns act together on '{subject.target}': each moves it the same way whatever the others are."
    one, other = first.columns
    unit = "log-odds" if subject.classes else f"of '{subject.target}'"
    return (
        f"'{one}' and '{other}' act together most: {say(first.strength, 'share')} "
        f"({say_range(first.low, first.high, 'share')}) of what they do together is beyond what each does alone, "
        f"{short(first.size)} {unit}."
    )
