"""Rows that take some columns from a row that is explained and the others from a usual one, and what a model says."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
import polars as pl

from mantic.core.lazy import need
from mantic.core.model import Model
from mantic.core.table import Array, Table
from mantic.features.encode import Encoder
from mantic.features.piece import Role
from mantic.search.blend import Blend
from mantic.search.margin import to_guess

_ROWS_AT_ONCE = 20_000  # rows that the model is asked for in one call


class Pool:
    """Aligned rows that mixed rows take their values from; each encoder sees them once."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self._tables: dict[int, tuple[Encoder, Table]] = {}  # an encoder is kept, so that no other gets its id

    def table(self, encoder: Encoder) -> Table:
        """Return the rows as an encoder makes them."""
        if id(encoder) not in self._tables:
            self._tables[id(encoder)] = encoder, encoder.transform(self.frame)
        return self._tables[id(encoder)][1]


@dataclass(frozen=True)
class Mixture:
    """Which values a mixed row is made of.

    Parameters
    ----------
    pool : where values are taken from.
    own, other : per mixed row the places in the pool; int, shape (n_mixed,).
    from_own : whether a column comes from `own`, else from `other`; bool, shape (n_mixed, n_columns of the schema).
    """

    pool: Pool
    own: Array
    other: Array
    from_own: Array

    def __len__(self) -> int:
        """Return the number of mixed rows."""
        return len(self.own)

    def part(self, places: Any) -> Self:
        """Return some of the mixed rows."""
        return replace(self, own=self.own[places], other=self.other[places], from_own=self.from_own[places])

    def distinct(self) -> tuple[Self, Array]:
        """Return the mixed rows that differ, and which of them each one is: most models are asked by the row."""
        lists = [series.to_list() for series in self.pool.frame]
        known = [{value: place for place, value in enumerate(values)} for values in lists]
        first = np.array([[of[value] for value in values] for of, values in zip(known, lists, strict=True)]).T
        same = first[self.own] == first[self.other]
        mask = self.from_own | same
        whole, none = mask.all(axis=1), (~self.from_own | same).all(axis=1)
        own, other = np.where(none, self.other, self.own), np.where(whole, self.own, self.other)
        bits = np.packbits(mask | none[:, None], axis=1)
        key = np.ascontiguousarray(np.column_stack([own, other]).astype(np.int64)).view(np.uint8)
        rows = np.ascontiguousarray(np.column_stack([key.reshape(len(own), -1), bits]))
        _, kept, which = np.unique(rows.view(f"V{rows.shape[1]}").ravel(), return_index=True, return_inverse=True)
        return self.part(kept), which

    def frame(self) -> pl.DataFrame:
        """Return the mixed rows."""
        return pl.DataFrame(
            [
                series.gather(np.where(self.from_own[:, place], self.own, self.other))
                for place, series in enumerate(self.pool.frame)
            ]
        )

    def table(self, encoder: Encoder) -> Table:
        """Return what `encoder.transform(self.frame())` does, in a part of the time.

        The pool is encoded, not each mixed row: an encoded column depends on nothing but the columns that it is made
        of. One that is made of two, the days between two dates, is encoded again where these come from two rows.
        """
        pool, frame = self.pool.table(encoder), self.pool.frame
        place = np.where(self.from_own, self.own[:, None], self.other[:, None])
        numbers = pool.numbers[place[:, pool.origin], np.arange(pool.numbers.shape[1])]
        words = None if pool.words is None else _words(pool, place)
        for column, (one, other) in _made_of_two(encoder).items():
            crossed = np.flatnonzero(self.from_own[:, one] != self.from_own[:, other])
            if len(crossed):
                pairs, which = np.unique(place[crossed][:, [one, other]], axis=0, return_inverse=True)
                again = frame[pairs[:, 0]].with_columns(frame.to_series(other).gather(pairs[:, 1]))
                numbers[crossed, column] = encoder.transform(again).numbers[which.ravel(), column]
        return replace(pool, numbers=numbers, words=words)


def margins_of(model: Model, mixture: Mixture) -> Array:
    """Return the margin of each mixed row, shape (n_mixed, n_outputs)."""
    asked, which = mixture.distinct()
    steps = range(0, len(asked), _ROWS_AT_ONCE)
    return np.concatenate([_margins(model, asked.part(slice(at, at + _ROWS_AT_ONCE))) for at in steps])[which]


def answers_of(model: Model, mixture: Mixture) -> Array:
    """Return what `predict` says of the mixed rows, of each one anew."""
    if isinstance(model, Blend):
        return to_guess(_margins(model, mixture), model.n_classes)
    return model.predict(mixture.frame())


def _margins(model: Model, mixture: Mixture) -> Array:
    if isinstance(model, Blend):
        return model.margin_by(mixture.table, len(mixture))
    return model.margin(mixture.frame())


def _words(pool: Table, place: Array) -> Any:
    """Return the words of mixed rows: those of each source column from the row that it comes from."""
    assert pool.words is not None
    assert pool.word_origin is not None
    sparse: Any = need("scipy.sparse", why="columns of text")
    starts = [0, *(np.flatnonzero(np.diff(pool.word_origin)) + 1), len(pool.word_origin)]
    runs = [slice(start, end) for start, end in pairwise(starts) if end > start]
    parts = [pool.words[:, run][place[:, pool.word_origin[run.start]]] for run in runs]
    return sparse.hstack(parts, format="csr") if parts else pool.words[place[:, 0]]


def _made_of_two(encoder: Encoder) -> dict[int, tuple[int, int]]:
    """Return the encoded columns that depend on two columns of the schema, and these."""
    measured = [piece for piece in encoder.pieces_ if piece.role is Role.NUMBER for _ in piece.names]
    if encoder.scale_ is not None:  # behind the numbers: which of them were missing
        measured += [measured[place] for place in encoder.scale_.flagged]
    others = [getattr(piece, "other", None) for piece in measured]
    return {
        place: (piece.column, other)
        for place, (piece, other) in enumerate(zip(measured, others, strict=True))
        if other is not None
    }
