"""From a frame to the numeric table that a learner wants, fitted on training rows only."""

from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from mantic.core.errors import ArtifactError
from mantic.core.fold import fold_of_rows
from mantic.core.lazy import need
from mantic.core.parts import read_parts, write_parts
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Array, Layout, Table, Target
from mantic.features.category import FEW_LEVELS, Codes, Flags, SparseLevels, TargetMeans
from mantic.features.dates import DateCycles, DateParts, DaysBetween
from mantic.features.number import Number, Scale
from mantic.features.piece import Piece, Role, Training, assemble, dismantle, is_equal
from mantic.features.text import Directions, Spellings, Words

_N_FOLDS = 5
_GAPS = 10  # pairs of date columns at most
_LOOK_ALIKE = 8.0  # mean length from which the spelling of a level may tell something
_MANY_SPELLINGS = 100  # levels; fewer are told apart well enough by what the target was
_PIECES: dict[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        Number,
        Codes,
        Flags,
        TargetMeans,
        SparseLevels,
        DateParts,
        DateCycles,
        DaysBetween,
        Words,
        Directions,
        Spellings,
    )
}
_OF_KIND: dict[tuple[Kind, Layout], tuple[type[Any], ...]] = {
    (Kind.NUMBER, Layout.TREES): (Number,),
    (Kind.NUMBER, Layout.DENSE): (Number,),
    (Kind.NUMBER, Layout.SPARSE): (Number,),
    (Kind.BOOLEAN, Layout.TREES): (Number,),
    (Kind.BOOLEAN, Layout.DENSE): (Flags,),
    (Kind.BOOLEAN, Layout.SPARSE): (Flags,),
    (Kind.DATE, Layout.TREES): (DateParts,),
    (Kind.DATE, Layout.DENSE): (DateCycles,),
    (Kind.DATE, Layout.SPARSE): (DateCycles,),
    (Kind.TEXT, Layout.TREES): (Directions,),
    (Kind.TEXT, Layout.DENSE): (Directions,),
    (Kind.TEXT, Layout.SPARSE): (Words,),
}
_FEW: dict[Layout, tuple[type[Any], ...]] = {Layout.TREES: (Codes,), Layout.DENSE: (Flags,), Layout.SPARSE: (Flags,)}
_MANY: dict[Layout, tuple[type[Any], ...]] = {
    Layout.TREES: (TargetMeans,),
    Layout.DENSE: (TargetMeans,),
    Layout.SPARSE: (TargetMeans, SparseLevels),
}


class Encoder:
    """Encode aligned frames (`Schema.align`) for learners of one layout.

    Parameters
    ----------
    schema : columns that are no feature (`Column.is_used`) are passed over.
    layout : what the learner wants.
    seed : for folds and for the directions of texts.

    >>> from mantic.core.schema import Column, Kind, Schema
    >>> schema = Schema((Column("age", Kind.NUMBER), Column("plan", Kind.CATEGORY)))
    >>> frame = pl.DataFrame({"age": [41.0, None], "plan": ["a", "b"]})
    >>> table = Encoder(schema, Layout.TREES).fit_transform(frame, Target(np.array([0, 1]), 2))
    >>> table.numbers.tolist(), table.names, table.categorical
    ([[41.0, 0.0], [nan, 1.0]], ('age', 'plan'), (1,))
    """

    def __init__(self, schema: Schema, layout: Layout, *, seed: int = 0) -> None:
        self.schema = schema
        self.layout = layout
        self.seed = seed
        self.pieces_: list[Piece] = []
        self.scale_: Scale | None = None

    def fit_transform(self, frame: pl.DataFrame, target: Target) -> Table:
        """Fit on these rows and return their table; encodings that look at the target are out of fold.

        A row's own label never enters its own row, so the table may be learned from; `transform` of these rows differs.
        """
        n_folds = max(1, min(_N_FOLDS, len(target)))
        training = Training(target, fold_of_rows(target, n_folds, seed=self.seed), self.seed)
        fitted = [
            cls.fit(frame, index, training)
            for index, column in enumerate(self.schema.columns)
            if column.is_used
            for cls in _plan(column, frame.to_series(index), self.layout)
        ]
        gaps = [(piece, piece.encode(frame)) for piece in _gaps(self.schema, frame)]
        self.pieces_ = [piece for piece, _ in fitted + gaps]
        blocks = [block for _, block in fitted + gaps]
        if self.layout is not Layout.TREES:
            self.scale_ = Scale.fit(self._dense(blocks, Role.NUMBER, frame.height))
        return self._table(blocks, frame.height)

    def transform(self, frame: pl.DataFrame) -> Table:
        """Return the table of new rows; what was learned comes from all training rows."""
        return self._table([piece.encode(frame) for piece in self.pieces_], frame.height)

    def is_same(self, other: "Encoder") -> bool:
        """Whether another encoder makes the same table of every frame."""
        if self is other:
            return True
        mine, others = [*self.pieces_, self.scale_], [*other.pieces_, other.scale_]
        return self.layout is other.layout and len(mine) == len(others) and all(map(is_equal, mine, others))

    def save(self, folder: Path) -> None:
        """Write `encoder.json` and `encoder.npz` into the folder: pure data."""
        arrays: dict[str, Array] = {}
        facts: dict[str, Any] = {"schema": self.schema.to_json(), "layout": str(self.layout), "seed": self.seed}
        facts["pieces"] = [
            [type(piece).__name__, dismantle(piece, arrays, str(place))] for place, piece in enumerate(self.pieces_)
        ]
        if self.scale_ is not None:
            dismantle(self.scale_, arrays, "scale")
        write_parts(Path(folder), "encoder", facts, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote; runs no code from the files.

        Raises
        ------
        ArtifactError : if the files are absent, damaged, or name what this version does not know.
        """
        facts, arrays = read_parts(Path(folder), "encoder")
        try:
            if any(np.isnan(array).any() for array in arrays.values()):
                raise ValueError("what it learned holds no number")
            encoder = cls(Schema.from_json(facts["schema"]), Layout(facts["layout"]), seed=facts["seed"])
            encoder.pieces_ = [
                assemble(_PIECES[name], fields, arrays, str(place))
                for place, (name, fields) in enumerate(facts["pieces"])
            ]
            if encoder.layout is not Layout.TREES:
                encoder.scale_ = assemble(Scale, {}, arrays, "scale")
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"the encoder of a saved model cannot be read: {error!r}",
                where=str(folder),
                fix="update mantic, or fit and save the model anew",
            ) from error
        return encoder

    def _of(self, role: Role) -> list[int]:
        return [place for place, piece in enumerate(self.pieces_) if piece.role is role and piece.names]

    def _dense(self, blocks: list[Any], role: Role, n_rows: int) -> Array:
        parts = [blocks[place] for place in self._of(role)]
        return np.column_stack(parts) if parts else np.empty((n_rows, 0))

    def _labels(self, role: Role) -> list[tuple[str, int]]:
        return [(name, self.pieces_[place].column) for place in self._of(role) for name in self.pieces_[place].names]

    def _table(self, blocks: list[Any], n_rows: int) -> Table:
        numbers, labels = self._dense(blocks, Role.NUMBER, n_rows), self._labels(Role.NUMBER)
        parts = [numbers]
        categorical: tuple[int, ...] = ()
        if self.scale_ is not None:
            parts = list(self.scale_.apply(numbers))
            labels += [(f"{labels[place][0]} is missing", labels[place][1]) for place in self.scale_.flagged]
        for role in (Role.CODE, Role.FLAG):
            codes = self._dense(blocks, role, n_rows)
            if role is Role.CODE:
                categorical = tuple(range(len(labels), len(labels) + codes.shape[1]))
            parts, labels = [*parts, codes], labels + self._labels(role)
        if not labels:  # nothing to learn from: one constant, so that every learner has a column
            parts, labels = [np.zeros((n_rows, 1))], [("nothing", 0)]
        words, word_origin = self._words(blocks)
        return Table(
            numbers=np.ascontiguousarray(np.column_stack(parts)),
            names=tuple(name for name, _ in labels),
            origin=np.array([column for _, column in labels], dtype=np.int64),
            categorical=categorical,
            words=words,
            word_origin=word_origin,
        )

    def _words(self, blocks: list[Any]) -> tuple[Any, Array | None]:
        places = self._of(Role.WORD)
        if not places:
            return None, None
        sparse = need("scipy.sparse", why="columns of text")
        origin = np.repeat(
            [self.pieces_[place].column for place in places], [blocks[place].shape[1] for place in places]
        )
        return sparse.hstack([blocks[place] for place in places], format="csr"), origin


def _plan(column: Column, series: pl.Series, layout: Layout) -> tuple[type[Any], ...]:
    """Return the pieces that a column becomes; what it holds in these rows decides where its kind does not."""
    if column.kind is Kind.CATEGORY:
        levels = series.drop_nulls().unique()
        if len(levels) <= FEW_LEVELS:
            return _FEW[layout]
        is_spelt = len(levels) >= _MANY_SPELLINGS and float(levels.str.len_chars().mean()) >= _LOOK_ALIKE  # type: ignore[arg-type]
        is_spelt = is_spelt and layout is not Layout.SPARSE
        return (*_MANY[layout], Spellings) if is_spelt else _MANY[layout]
    pieces = _OF_KIND[column.kind, layout]
    if column.kind is Kind.TEXT and series.n_unique() <= len(series) // 2:  # texts that repeat are names
        return (*pieces, TargetMeans)
    return pieces


def _gaps(schema: Schema, frame: pl.DataFrame) -> list[DaysBetween]:
    dates = [index for index, column in enumerate(schema.columns) if column.kind is Kind.DATE]
    pairs = [(late, early) for place, late in enumerate(dates) for early in dates[:place]]
    return [DaysBetween.of(frame, late, early) for late, early in pairs[:_GAPS]]
