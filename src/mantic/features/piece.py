"""A piece: what one column (or a pair) becomes, fitted on training rows, kept as pure data."""

from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import polars as pl

from mantic.core.table import Array, Target


class Role(StrEnum):
    """What a learner should make of a piece's columns."""

    NUMBER = "number"  # measured: scaled and filled for learners that want it
    CODE = "code"  # category codes 0, 1, ...
    FLAG = "flag"  # 0 or 1: never scaled
    WORD = "word"  # sparse


@dataclass(frozen=True)
class Training:
    """The training rows beside the frame: their target, and their folds for out-of-fold encodings."""

    target: Target
    fold: Array
    seed: int

    @property
    def n_folds(self) -> int:
        """Return how many folds there are."""
        return int(self.fold.max()) + 1 if len(self.fold) else 1


class Piece(Protocol):
    """One fitted encoding. Its fields are plain values and arrays, so that it can be kept as data."""

    role: ClassVar[Role]
    column: int
    names: tuple[str, ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, column: int, training: Training) -> tuple[Self, Any]:
        """Return the piece fitted on these rows, and their own block (out of fold where it looks at the target)."""
        ...

    def encode(self, frame: pl.DataFrame) -> Any:
        """Return the block of these rows, shape (n_rows, len(names)); CSR for words."""
        ...


def is_equal(one: Any, other: Any) -> bool:
    """Whether two dataclasses (or values of their fields) hold the same, arrays too."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if is_dataclass(one):
        return all(is_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return bool(one == other)


def dismantle(piece: Any, arrays: dict[str, Array], key: str) -> dict[str, Any]:
    """Return the plain fields of a dataclass, nested ones too, and put its arrays into `arrays` under `key`."""
    facts: dict[str, Any] = {}
    for field in fields(piece):
        value, place = getattr(piece, field.name), f"{key}.{field.name}"
        if isinstance(value, np.ndarray):
            arrays[place] = value
        else:
            facts[field.name] = dismantle(value, arrays, place) if is_dataclass(value) else value
    return facts


def assemble(cls: type[Any], facts: dict[str, Any], arrays: dict[str, Array], key: str) -> Any:
    """Return the dataclass of which `dismantle` took these fields apart."""
    values: dict[str, Any] = {}
    for field in fields(cls):
        place = f"{key}.{field.name}"
        if place in arrays:
            values[field.name] = arrays[place]
        elif isinstance(field.type, type) and is_dataclass(field.type):
            values[field.name] = assemble(field.type, facts[field.name], arrays, place)
        else:
            value = facts[field.name]
            values[field.name] = tuple(value) if isinstance(value, list) else value
    return cls(**values)
