"""What a learner sees: a numeric table, and the target as numbers."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Layout(StrEnum):
    """The shape in which a learner wants its columns.

    TREES: raw numbers with NaN for missing, categories as integer codes, texts as a few dense components.
    DENSE: everything scaled and filled, few categories one-hot, texts as a few dense components.
    SPARSE: as DENSE, but texts as sparse TF-IDF words beside the numbers.
    """

    TREES = "trees"
    DENSE = "dense"
    SPARSE = "sparse"


@dataclass(frozen=True)
class Table:
    """An encoded frame: what `features/encode.py` makes of a frame and a Schema.

    Parameters
    ----------
    numbers : float64, shape (n_rows, n_numbers).
    names : what each of the numbers is, for people; length n_numbers.
    origin : index of the user's column (position in the Schema) behind each number; int, shape (n_numbers,).
    categorical : positions in `numbers` that hold category codes 0, 1, ... (NaN is missing or unknown).
    words : sparse TF-IDF (scipy CSR, shape (n_rows, n_words)) for Layout.SPARSE, or None.
    word_origin : index of the user's column behind each word; int, shape (n_words,).
    """

    numbers: Array
    names: tuple[str, ...]
    origin: Array
    categorical: tuple[int, ...] = ()
    words: Any | None = None
    word_origin: Array | None = None

    @property
    def n_rows(self) -> int:
        """Return the number of rows."""
        return int(self.numbers.shape[0])

    def rows(self, index: Array) -> "Table":
        """Return the table of these rows (positions or a mask)."""
        return replace(self, numbers=self.numbers[index], words=None if self.words is None else self.words[index])

    def matrix(self) -> Any:
        """Return numbers and words side by side: a dense array, or CSR when there are words."""
        if self.words is None:
            return self.numbers
        from scipy import sparse

        return sparse.hstack([sparse.csr_matrix(self.numbers), self.words], format="csr")

    def matrix_origin(self) -> Array:
        """Return the user's column behind each column of `matrix()`."""
        if self.word_origin is None:
            return self.origin
        return np.concatenate([self.origin, self.word_origin])


@dataclass(frozen=True)
class EncodedRow:
    """One row of a table: what `features/row.py` makes of one dictionary.

    Parameters
    ----------
    numbers : float64, shape (n_numbers,), as in a `Table`.
    places, values : which words it holds (whole numbers) and their weights, or None when the table has no words.
    n_words : how many words the table has.
    """

    numbers: Array
    places: Array | None = None
    values: Array | None = None
    n_words: int = 0

    def dense(self) -> Array:
        """Return numbers and words side by side, shape (n_numbers + n_words,)."""
        if self.places is None:
            return self.numbers
        n_numbers = len(self.numbers)
        whole = np.zeros(n_numbers + self.n_words)
        whole[:n_numbers] = self.numbers
        whole[n_numbers + self.places] = self.values
        return whole


@dataclass(frozen=True)
class Target:
    """What is to be predicted.

    Parameters
    ----------
    values : float64 for a regression; integer codes 0 .. n_classes - 1 for a classification. Shape (n_rows,).
    n_classes : 0 for a regression, 2 or more for a classification.
    """

    values: Array
    n_classes: int = 0

    @property
    def is_classes(self) -> bool:
        """Whether the values are class codes."""
        return self.n_classes > 0

    def rows(self, index: Array) -> "Target":
        """Return the target of these rows."""
        return replace(self, values=self.values[index])

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.values.shape[0])
