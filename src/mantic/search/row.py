"""A blend compiled for one row: from a dictionary to the answer without a frame."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from mantic.core.cast_row import OddError, caster
from mantic.core.lazy import need
from mantic.core.learner import AnswersRows, RowAnswer
from mantic.core.schema import STORED, Schema
from mantic.core.table import Array, EncodedRow, Table
from mantic.features.encode import Encoder
from mantic.features.row import UnknownPieceError, Values, row_encoder
from mantic.learners.table._chance_row import chance_of, shares_of
from mantic.search.blend import Blend
from mantic.search.margin import to_margin
from mantic.search.member import Member

_Margin = Callable[[EncodedRow], Array | float]  # of two classes a plain number: NumPy takes longer than the sum


@dataclass(frozen=True)
class _Group:
    """Members that are fed by the same encoder: the row is encoded once, and each adds its share to the margin."""

    encoder: Encoder
    encode: Callable[[Values], EncodedRow]
    members: list[tuple[float, _Margin]] = field(default_factory=list)  # weight, and what to weigh


class RowPlan:
    """Answers for one row at a time as `Blend.predict` does, to 1e-6; made by `row_plan`. Threads may share it.

    Attributes
    ----------
    model : the blend that was compiled.
    fallback : what could not be compiled and goes the long way of a frame, and why; empty when all is fast.
    """

    def __init__(self, model: Blend) -> None:
        self.model = model
        self._cast = [(column.name, caster(column)) for column in model.schema.columns]
        found: list[str] = []
        self._groups, self._slow = _compiled(model, found)
        self.fallback = tuple(found)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let copies and other processes compile anew: prepared calls belong to one process."""
        return row_plan, (self.model,)

    @property
    def is_fast(self) -> bool:
        """Whether no part needs a frame."""
        return not self._slow

    def predict(self, row: Mapping[str, Any], *, where: str = "the table") -> Array:
        """Return probabilities, shape (n_classes,), or the value, shape (1,).

        Raises
        ------
        SchemaError : as `Schema.align` of this one row, in the same words.
        """
        return self.answer(self.values(row, where=where))

    def values(self, row: Mapping[str, Any], *, where: str = "the table") -> list[Any]:
        """Return the values of a row, cast, in the order of the schema."""
        try:
            return [cast(row[name]) for name, cast in self._cast]
        except (KeyError, TypeError, OddError):
            return _stored(self.model.schema.align([row], where=where))

    def frame(self, values: Sequence[Any]) -> pl.DataFrame:
        """Return cast values as `Schema.align` would have stored them; columns that no model looks at are empty."""
        return _frame(values, self.model.schema)

    def answer(self, values: Sequence[Any]) -> Array:
        """Return the answer for a row that was cast."""
        model = self.model
        if not model.parts:
            return _guess(model.base.copy(), model.n_classes)
        margin: Array | float = 0.0
        for group in self._groups:
            row = group.encode(values)
            for weight, margin_of in group.members:
                margin = margin + weight * margin_of(row)
        if self._slow:
            frame = _frame(values, model.schema)
            for weight, slow in self._slow:
                margin = margin + weight * slow.margin(frame)[0]
        scaling = model.scaling
        return _guess(margin * scaling.slope + scaling.shift, model.n_classes)


def row_plan(model: Blend) -> RowPlan:
    """Compile a blend for single rows."""
    return RowPlan(model)


_Slow = list[tuple[float, Member]]


def _compiled(model: Blend, fallback: list[str]) -> tuple[list[_Group], _Slow]:
    """Return the members grouped by encoder, and those that need a frame; says in `fallback` why."""
    groups: list[_Group] = []
    slow: _Slow = []
    for part in model.parts:
        weight, member = part.weight * part.scale, part.member
        group = next((one for one in groups if one.encoder.is_same(member.encoder)), None)
        if group is None:
            try:
                group = _Group(member.encoder, row_encoder(member.encoder))
            except UnknownPieceError as error:
                fallback.append(f"{member.learner.name}: {error}")
                slow.append((weight, member))
                continue
            groups.append(group)
        if not isinstance(member.learner, AnswersRows):
            fallback.append(f"{member.learner.name}: this learner has no form for one row")
        answer = _answer_of(member, model.schema)
        group.members.append((weight, _margin_of(answer, member.floor)))
    return groups, slow


def _answer_of(member: Member, schema: Schema) -> RowAnswer:
    """Return the learner's form for one row, or its `predict` of a table that has one row."""
    learner = member.learner
    if isinstance(learner, AnswersRows):
        return learner.for_rows()
    about = member.encoder.transform(_frame([None] * len(schema), schema))
    return lambda row: np.atleast_1d(learner.predict(_table(row, about))[0])


def _table(row: EncodedRow, about: Table) -> Table:
    if row.places is None:
        return replace(about, numbers=row.numbers[None])
    sparse: Any = need("scipy.sparse", why="columns of text")
    words = sparse.csr_matrix((row.values, (np.zeros(len(row.places), dtype=np.intp), row.places)), (1, row.n_words))
    return replace(about, numbers=row.numbers[None], words=words)


def _margin_of(answer: RowAnswer, floor: float) -> _Margin:
    """Return what `to_margin` makes of an answer, without its detours for many rows."""

    def margin(row: EncodedRow) -> Array | float:
        guess = answer(row)
        if len(guess) == 1:
            return guess
        if len(guess) == 2:
            least = floor / 2
            return math.log(max(guess[1], least)) - math.log(max(guess[0], least))
        return np.asarray(to_margin(guess[None], floor=floor)[0])

    return margin


def _guess(margin: Array | float, n_classes: int) -> Array:
    """Return what `to_guess` makes of the margin of one row."""
    if n_classes == 2:
        return chance_of(margin if isinstance(margin, float) else float(margin[0]))
    found = np.asarray(margin)
    return found if n_classes == 0 else shares_of(found)


def _stored(frame: pl.DataFrame) -> list[Any]:
    """Return the values of an aligned frame of one row as `core/cast_row.py` stores them."""
    found = []
    for series in frame.get_columns():
        value = series.to_physical()[0]
        found.append(math.nan if value is None and series.dtype == pl.Float64 else value)
    return found


def _frame(values: Sequence[Any], schema: Schema) -> pl.DataFrame:
    """Return an aligned frame of one row from its cast values."""
    made = {}
    for column, value in zip(schema.columns, values, strict=True):
        empty = isinstance(value, float) and math.isnan(value)
        series = pl.Series(column.name, [None if empty else value])
        made[column.name] = series.cast(STORED[column.kind])
    return pl.DataFrame(made)
