"""The training rows that stay with a model, with their answers: what reasons are told against."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from mantic.core.table import Array
from mantic.tasks.walk import Walked

_MOST_ROWS = 2_000
_LEAST_ROWS = 100
_MOST_BYTES = 2_000_000  # before they are packed: texts may be long


@dataclass(frozen=True)
class Background:
    """Aligned rows, and for each its truth (code or value) and what a model that had not seen it answered.

    Parameters
    ----------
    frame : shape (n_rows, n_columns).
    answers : columns "truth" and "guess 0", "guess 1", ...; guesses are NaN where every model had seen the row.
    """

    frame: pl.DataFrame
    answers: pl.DataFrame

    @property
    def truth(self) -> Array:
        """Return the true codes or values; empty when they were not kept."""
        return self.answers["truth"].to_numpy() if self.answers.width else np.empty(0)

    def held_out(self, n_classes: int) -> Array:
        """Return the answers to rows that were not seen, shape (n_rows, n_classes) or (n_rows,); NaN for the others."""
        if not self.answers.width:
            return np.empty(0)
        guess = self.answers.drop("truth").to_numpy().astype(np.float64)
        return guess if n_classes else guess[:, 0]


def keep(walked: Walked, *, seed: int) -> Background:
    """Choose at most 2,000 rows, fewer when they are long: up to half from those that judged, the others from the rest.

    They stay in the order of the table.
    """
    frame, values = walked.given.frame, walked.given.target.values
    most = _MOST_BYTES * frame.height // max(1, int(frame.estimated_size()))
    most = max(_LEAST_ROWS, min(_MOST_ROWS, most))
    random = np.random.default_rng(seed)
    judged = random.permutation(walked.judged)
    others = random.permutation(np.setdiff1d(np.arange(frame.height), walked.judged))
    n_judged = max(most // 2, most - len(others))
    rows = np.sort(np.concatenate([judged[:n_judged], others[: most - min(n_judged, len(judged))]]))
    held_out = np.full((frame.height, *walked.guess.shape[1:]), np.nan, dtype=np.float32)
    held_out[walked.judged] = walked.guess
    guesses = held_out[rows].reshape(len(rows), -1)
    columns = {f"guess {number}": part for number, part in enumerate(guesses.T)}
    return Background(frame[rows], pl.DataFrame({"truth": values[rows]} | columns))
