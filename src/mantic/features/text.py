"""Texts: weighted word and character n-grams, and their few main directions."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from mantic.core.lazy import need
from mantic.core.table import Array
from mantic.features.cut import CUTS
from mantic.features.piece import Role, Training

_ROWS_TO_LEARN = 20_000  # texts from which the vocabulary is learned
_SPARE, _POWERS = 10, 4  # directions more than are kept, and turns, to find those that are kept
_SHORT = 120  # mean length up to which characters are counted too; long texts have words enough


@dataclass(frozen=True)
class Grams:
    """A vocabulary of n-grams of one kind with its weights (TF-IDF, sublinear, rows of length 1)."""

    kind: str
    terms: tuple[str, ...]
    weights: Array

    def __post_init__(self) -> None:
        """Refuse weights that are not one for each term: what is read from a file may be anything."""
        if self.weights.shape != (len(self.terms),) or self.weights.dtype.kind != "f":
            raise ValueError("the terms of a text have not one weight each")

    @classmethod
    def learn(cls, kind: str, texts: Sequence[str], n_terms: int) -> Self:
        """Return the commonest `n_terms` n-grams that at least two texts hold (one, where texts are few)."""
        cut, least = CUTS[kind], 1 if len(texts) < 50 else 2
        n_times, n_texts_with = Counter[str](), Counter[str]()
        for text in texts:
            grams = cut(text)
            n_times.update(grams)
            n_texts_with.update(set(grams))
        terms = sorted(term for term, n_texts in n_texts_with.items() if n_texts >= least)
        if len(terms) > n_terms:
            order = (-np.array([n_times[term] for term in terms])).argsort()
            terms = [terms[place] for place in np.sort(order[:n_terms])]
        weights = np.log((1 + len(texts)) / (1 + np.array([n_texts_with[term] for term in terms]))) + 1
        return cls(kind, tuple(terms), weights)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms)}

    def encode(self, texts: Sequence[str]) -> Any:
        """Return CSR, shape (n_texts, n_terms)."""
        sparse = need("scipy.sparse", why="columns of text")
        if not self.terms:
            return sparse.csr_matrix((len(texts), 0))
        known, cut = self._places, CUTS[self.kind]
        places, n_times, ends = array("i"), array("d"), array("q", [0])  # compact: texts may be many
        for text in texts:
            counts = Counter(filter(known.__contains__, cut(text)))
            for place, term in sorted((known[term], term) for term in counts):
                places.append(place)
                n_times.append(counts[term])
            ends.append(len(places))
        found = sparse.csr_matrix(tuple(map(np.asarray, (n_times, places, ends))), shape=(len(texts), len(self.terms)))
        found.data = (1 + np.log(found.data)) * self.weights[found.indices]
        lengths = np.sqrt(np.asarray(found.multiply(found).sum(axis=1)).ravel())
        found.data /= np.repeat(np.where(lengths > 0, lengths, 1.0), np.diff(found.indptr))
        return found


@dataclass(frozen=True)
class Words:
    """A text as sparse TF-IDF of words (1-2) and, for short texts, of letters (3-5)."""

    role: ClassVar[Role] = Role.WORD
    n_terms: ClassVar[int] = 20_000
    column: int
    names: tuple[str, ...]
    words: Grams
    letters: Grams

    @classmethod
    def fit(cls, frame: pl.DataFrame, column: int, training: Training) -> tuple[Self, Any]:
        """Return the piece and the sparse block of these rows."""
        piece = cls.learn(frame, column, n_terms=cls.n_terms)
        return piece, piece.encode(frame)

    @classmethod
    def learn(cls, frame: pl.DataFrame, column: int, *, n_terms: int) -> Self:
        """Return the piece with at most `n_terms` terms of each kind."""
        series = frame.to_series(column).fill_null("")
        texts = series.gather_every(max(1, len(series) // _ROWS_TO_LEARN)).to_list()
        is_short = float(np.mean(series.str.len_chars().to_numpy() if len(series) else [0])) <= _SHORT
        words = Grams.learn("words", texts, n_terms)
        letters = Grams.learn("letters", texts if is_short else [], n_terms)
        name = frame.columns[column]
        names = tuple(f"{name}: {term}" for grams in (words, letters) for term in grams.terms)
        return cls(column, names, words, letters)

    def encode(self, frame: pl.DataFrame) -> Any:
        """Return CSR, shape (n_rows, n_terms)."""
        return self.encode_texts(frame.to_series(self.column).fill_null("").to_list())

    def encode_texts(self, texts: Sequence[str]) -> Any:
        """Return CSR, shape (n_texts, n_terms)."""
        sparse = need("scipy.sparse", why="columns of text")
        return sparse.hstack([self.words.encode(texts), self.letters.encode(texts)], format="csr")


@dataclass(frozen=True)
class Directions:
    """A text as its main directions among n-grams (latent semantic analysis), and its length in words and letters.

    Source: Deerwester et al. (1990), Indexing by latent semantic analysis.
    """

    role: ClassVar[Role] = Role.NUMBER
    n_terms: ClassVar[int] = 5_000
    n_directions: ClassVar[int] = 64
    column: int
    names: tuple[str, ...]
    grams: Words
    directions: Array

    @classmethod
    def fit(cls, frame: pl.DataFrame, column: int, training: Training) -> tuple[Self, Array]:
        """Return the piece and the dense block of these rows."""
        grams = Words.learn(frame, column, n_terms=cls.n_terms)
        series = frame.to_series(column).fill_null("")
        texts = series.unique(maintain_order=True)[:_ROWS_TO_LEARN].to_list()
        directions = _main_directions(grams.encode_texts(texts), cls.n_directions, training.seed)
        name = frame.columns[column]
        names = tuple(f"direction {one + 1} of {name}" for one in range(directions.shape[1]))
        piece = cls(column, (*names, f"words in {name}", f"letters in {name}"), grams, directions)
        return piece, piece.encode(frame)

    def encode(self, frame: pl.DataFrame) -> Array:
        """Return shape (n_rows, n_directions + 2); each different text is encoded once."""
        series = frame.to_series(self.column).fill_null("")
        unique = series.unique(maintain_order=True)
        places = series.cast(pl.Enum(unique)).to_physical().to_numpy()
        along = np.asarray(self.grams.encode_texts(unique.to_list()) @ self.directions, dtype=np.float64)
        letters = unique.str.len_chars().to_numpy()
        words = unique.str.count_matches(" ", literal=True).to_numpy() + (letters > 0)
        encoded: Array = np.column_stack([along, words, letters])[places].astype(np.float64)
        return encoded


@dataclass(frozen=True)
class Spellings(Directions):
    """A category of many look-alike levels (names, codes) as a few directions among its n-grams."""

    n_terms: ClassVar[int] = 2_000
    n_directions: ClassVar[int] = 8


def _main_directions(found: Any, n_directions: int, seed: int) -> Array:
    """Return the right singular vectors, shape (n_terms, n_directions); fewer where there are fewer.

    Source: Halko, Martinsson and Tropp (2011), Finding Structure with Randomness.
    """
    n_kept = min(n_directions, found.shape[0] - 1, found.shape[1] - 1)
    if n_kept < 1 or found.nnz == 0:
        return np.empty((found.shape[1], 0), dtype=np.float32)
    basis = np.random.default_rng(seed).normal(size=(found.shape[1], n_kept + _SPARE))
    for _ in range(_POWERS):
        basis = np.linalg.qr(np.asarray(found.T @ (found @ basis)))[0]
    seen = found.T @ np.linalg.qr(np.asarray(found @ basis))[0]
    directions = np.linalg.svd(np.asarray(seen), full_matrices=False)[0][:, :n_kept]
    signs = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])
    return np.ascontiguousarray(directions * signs, dtype=np.float32)
