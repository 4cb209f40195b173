"""What was said about rows that the answering model had not seen: kept with a model, so that it can be judged anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mantic.core.parts import read_parts, write_parts
from mantic.core.table import Array

MOST_ROWS = 8_000  # of each kind; more would make files large and intervals hardly narrower
_MOST_CELLS = 400_000  # of probabilities: fewer rows where there are very many classes
_NAME = "unseen"


@dataclass(frozen=True)
class Answers:
    """Probabilities for rows with a known class.

    Parameters
    ----------
    truth : class codes; int32, shape (n,).
    guess : probabilities; float32, shape (n, n_classes).
    part : which part of the fit's rows the answering model belongs to; int16, shape (n,).
    """

    truth: Array
    guess: Array
    part: Array

    def of(self, part: int) -> "Answers":
        """Return the answers of one part."""
        mine = self.part == part
        return Answers(self.truth[mine], self.guess[mine], self.part[mine])

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.truth.shape[0])


@dataclass(frozen=True)
class Unseen:
    """Two tables of answers: one to choose by, one to judge what was chosen.

    Parameters
    ----------
    inner : out-of-fold answers of the search. Empty when the model did not come from a search.
    held_out : answers on the rows that were locked away from the search of their part.
    kept : the part of `inner` by which the kept model chooses; -1 when `inner` is empty.
    clusters : which held-out rows belong together; int32, or None when rows are independent.
    n_held_out : how many rows were held out before they were thinned to `MOST_ROWS`.
    pace : rows per day by column of dates.
    """

    inner: Answers
    held_out: Answers
    kept: int
    clusters: Array | None = None
    n_held_out: int = 0
    pace: Mapping[str, float] = field(default_factory=dict)

    @property
    def n_classes(self) -> int:
        """Return the number of classes."""
        return int(self.held_out.guess.shape[1])

    def save(self, folder: Path) -> None:
        """Write it as plain numbers."""
        facts = {"kept": self.kept, "n_held_out": self.n_held_out, "pace": dict(self.pace)}
        arrays = {
            f"{name}_{kind}": getattr(answers, kind)
            for name, answers in (("inner", self.inner), ("held_out", self.held_out))
            for kind in ("truth", "guess", "part")
        }
        write_parts(folder, _NAME, facts, arrays | ({} if self.clusters is None else {"clusters": self.clusters}))

    @classmethod
    def load(cls, folder: Path, n_classes: int) -> "Unseen | None":
        """Restore what `save` wrote; None where an older file has none.

        Raises
        ------
        ArtifactError, KeyError, ValueError : if the numbers are absent or do not fit together.
        """
        if not (folder / f"{_NAME}.json").exists():
            return None
        facts, arrays = read_parts(folder, _NAME)
        tables = []
        for name in ("inner", "held_out"):
            truth, guess, part = (arrays[f"{name}_{kind}"] for kind in ("truth", "guess", "part"))
            if guess.shape != (len(truth), n_classes) or part.shape != truth.shape or truth.dtype.kind != "i":
                raise ValueError(f"the shapes of '{name}' differ")
            if len(truth) and (truth.min() < 0 or truth.max() >= n_classes or not np.isfinite(guess).all()):
                raise ValueError(f"'{name}' holds classes or probabilities that cannot be")
            tables.append(Answers(truth, guess, part))
        clusters = arrays.get("clusters")
        if clusters is not None and clusters.shape != tables[1].truth.shape:
            raise ValueError("the shape of 'clusters' differs")
        pace = {str(name): float(rate) for name, rate in dict(facts["pace"]).items()}
        return cls(tables[0], tables[1], int(facts["kept"]), clusters, int(facts["n_held_out"]), pace)


def answers_of(parts: list[tuple[int, Array, Array]], n_classes: int, *, seed: int) -> tuple[Answers, Array]:
    """Join the answers of several parts; each gives the same number of rows at most, chosen by chance.

    Parameters
    ----------
    parts : number, truth (n,) and probabilities (n, n_classes) of each.

    Returns
    -------
    The answers, and which of the given rows (counted over all parts) they are.

    >>> rows = np.zeros(3, dtype=int), np.full((3, 2), 0.5)
    >>> len(answers_of([(0, *rows), (1, *rows)], 2, seed=0)[0])
    6
    """
    most = max(1, min(MOST_ROWS, _MOST_CELLS // n_classes) // max(1, len(parts)))
    random = np.random.default_rng(seed)
    kept, start = [], 0
    for _, truth, _ in parts:
        rows = np.arange(len(truth))
        kept.append(start + (rows if len(rows) <= most else np.sort(random.choice(rows, most, replace=False))))
        start += len(truth)
    chosen = np.concatenate([np.empty(0, dtype=np.int64), *kept])
    truth = np.concatenate([np.empty(0, dtype=np.int64), *(one for _, one, _ in parts)])
    guess = np.concatenate([np.empty((0, n_classes)), *(one for _, _, one in parts)])
    number = np.concatenate([np.empty(0, dtype=np.int64), *(np.full(len(one), part) for part, one, _ in parts)])
    answers = Answers(truth[chosen].astype(np.int32), guess[chosen].astype(np.float32), number[chosen].astype(np.int16))
    return answers, chosen
