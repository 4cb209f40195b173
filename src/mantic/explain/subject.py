"""A fitted model with what is known around it: what reasons are asked of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from mantic.core.errors import SchemaError, SettingsError
from mantic.core.model import Importance, Model
from mantic.core.table import Array
from mantic.report.numbers import say

Label = str | int | float | bool

_N_DRAWS = 200
COUNT = "\0count"  # name of a column of counts: no user's column is called so


@dataclass(frozen=True)
class Subject:
    """A model and rows that stand for what it was learned from.

    Parameters
    ----------
    model, target : what answers, and the name of what it predicts.
    background : aligned rows of the training table.
    classes : labels of the class codes; empty for a regression.
    positive : of two classes, the code of the one that is looked for.
    truth : the true code or value of each background row; empty when it was not kept.
    held_out : what a model that had not seen the row answered it, shape (n_rows, n_classes) or (n_rows,); NaN where
        there is no such answer, empty when none was kept.
    importance : of the columns over all rows; may be empty.
    """

    model: Model
    target: str
    background: pl.DataFrame
    classes: tuple[Label, ...] = ()
    positive: int = 1
    truth: Array = field(default_factory=lambda: np.empty(0))
    held_out: Array = field(default_factory=lambda: np.empty(0))
    importance: tuple[Importance, ...] = ()

    def __post_init__(self) -> None:
        if self.background.is_empty():
            raise SchemaError(
                "there are no background rows", where="explain", fix="give some rows of the training table"
            )

    def code_of(self, label: Any) -> int:
        """Return the code of a class, by its label or by how it is written.

        Raises
        ------
        SettingsError : lists the classes.
        """
        known = [str(one) for one in self.classes]
        if str(label) not in known:
            raise SettingsError(
                f"'{label}' is no class of '{self.target}'", where="explain", fix=f"classes are: {', '.join(known)}"
            )
        return known.index(str(label))

    def answer(self, guess: Array) -> Label:
        """Return the class or the value that one row's guess amounts to."""
        return self.classes[int(guess.argmax())] if self.classes else float(guess)

    def told(self, guess: Array) -> str:
        """Return one row's guess in words: the likeliest class with its probability, or the value."""
        if not self.classes:
            return short(float(guess))
        best = int(guess.argmax())
        return f"{named(self.classes[best])} ({say(float(guess[best]), 'share')})"

    def usable(self, column: str) -> None:
        """Check that the model can depend on a column.

        Raises
        ------
        SchemaError : if there is none of this name, or the model does not use it.
        """
        if not self.model.schema[column].is_used:
            raise SchemaError(
                f"the model does not use '{column}'", where="explain", fix="choose a column that it learned from"
            )


def weightings(n_rows: int, *, seed: int) -> Array:
    """Return 201 weightings of rows: all alike, then 200 draws of a Bayesian bootstrap; shape (201, n_rows).

    Source: Rubin (1981), The Bayesian Bootstrap.

    >>> weightings(3, seed=0).shape
    (201, 3)
    """
    draws = np.random.default_rng(seed).standard_exponential((_N_DRAWS, n_rows))
    return np.vstack([np.ones((1, n_rows)), draws])


def ends(draws: Array) -> Array:
    """Return where 95 % of the draws (axis 0) lie: low and high, axis 0."""
    return np.asarray(np.quantile(draws, [0.025, 0.975], axis=0))


def answers(model: Model, frame: pl.DataFrame) -> Array:
    """Return what the model predicts as columns: probabilities of the classes, or one of values."""
    guess = model.predict(frame)
    return guess if guess.ndim == 2 else guess[:, None]


def named(label: Label) -> str:
    """Write a class: texts in quotes.

    >>> named("yes"), named(2)
    ("'yes'", '2')
    """
    return f"'{label}'" if isinstance(label, str) else str(label)


def short(value: float) -> str:
    """Write a value to three figures.

    >>> short(1234.567), short(float("nan"))
    ('1,230', '–')
    """
    return say(float(f"{value:.3g}")) if np.isfinite(value) else say(None)


def joined(parts: Sequence[str]) -> str:
    """Join words with commas and a last 'and'.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
