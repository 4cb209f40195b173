"""Naive Bayes: each column votes on its own, by what it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.learner import Params, Range, RowAnswer, Space, complete, learner
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array, EncodedRow, Layout, Table, Target
from mantic.learners.table._chance_row import shares_of
from mantic.learners.table._classes import hold_out, loss

_LEAST_VARIANCE = 1e-3  # numbers come scaled to variance 1
_UNSEEN = -30.0


@learner(
    "naive_bayes",
    tasks=("classify",),
    layout=Layout.SPARSE,
    needs=("scipy",),
    good_for="a first answer within milliseconds, few rows, texts with many classes",
    costs="almost nothing; counts the same evidence twice where columns say the same",
)
class NaiveBayes:
    """A mix per column: normal for numbers, categorical for levels, multinomial for words; then one temper for all.

    The temper divides the votes so that probabilities fit rows held out: columns that repeat each other would shout.
    Source: Hand and Yu (2001), Idiot's Bayes: Not So Stupid After All?
    """

    def space(self) -> Space:
        """Return `alpha`: how many rows (words) every level (word) is thought to have had before counting."""
        return {"alpha": Range(0.01, 10.0, default=1.0, log=True)}

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Count; one pass, so there is nothing to stop."""
        alpha = complete("naive_bayes", self.space(), params)["alpha"]
        learned, judged = hold_out(target, seed=run.seed)
        counted = _Counts.of(table.rows(learned), target.rows(learned), alpha)
        self.temper_ = _best_temper(counted, table.rows(judged), target.rows(judged))
        self.counts_ = _Counts.of(table, target, alpha)
        return self

    def predict(self, table: Table) -> Array:
        """Return probabilities."""
        return self.counts_.chances(table, self.temper_)

    def for_rows(self) -> RowAnswer:
        """Return the votes for one row, with all that does not hang on the row counted beforehand."""
        counts, temper = self.counts_, self.temper_
        measured, levels = np.flatnonzero(~counts.is_level), np.flatnonzero(counts.is_level)
        precision = 1 / counts.variance
        slope = counts.mean * precision
        base = -0.5 * ((counts.mean * slope).sum(axis=1) + np.log(counts.variance).sum(axis=1))
        words = np.ascontiguousarray(counts.word_log.T)

        def answer(row: EncodedRow) -> Array:
            value = row.numbers[measured]
            votes = slope @ value - 0.5 * (precision @ (value * value)) + base + counts.level_log @ row.numbers[levels]
            if row.places is not None and row.values is not None:
                votes += row.values @ words[row.places]
            return shares_of(counts.prior + votes * temper)

        return answer

    def save(self, folder: Path) -> None:
        """Write the counts as numbers."""
        write_parts(folder, "naive_bayes", {"temper": self.temper_}, dict(vars(self.counts_)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        facts, arrays = read_parts(folder, "naive_bayes")
        restored = cls()
        restored.temper_, restored.counts_ = facts["temper"], _Counts(**arrays)
        return restored


@dataclass(frozen=True)
class _Counts:
    """What was counted: log-shares of classes; per class how numbers lie, and what levels and words weigh."""

    prior: Array  # (n_classes,)
    is_level: Array  # (n_numbers,) whether a column holds only 0 and 1
    mean: Array  # (n_classes, n_measured)
    variance: Array
    level_log: Array  # (n_classes, n_levels)
    word_log: Array  # (n_classes, n_words)

    @classmethod
    def of(cls, table: Table, target: Target, alpha: float) -> "_Counts":
        numbers, n_classes = table.numbers, target.n_classes
        member = (target.values[:, None] == np.arange(n_classes)).astype(np.float64)
        n_rows = member.sum(axis=0)
        is_level = ((numbers == 0) | (numbers == 1)).all(axis=0)
        measured, levels = numbers[:, ~is_level], numbers[:, is_level]
        weight = member.T / np.maximum(1.0, n_rows)[:, None]
        mean = weight @ measured
        variance = np.maximum(weight @ measured**2 - mean**2, 0.0)
        pooled = n_rows @ variance / len(target)
        variance = (n_rows[:, None] * variance + pooled) / (n_rows[:, None] + 1) + _LEAST_VARIANCE
        share = levels.mean(axis=0)
        level_chance = (member.T @ levels + alpha * share) / (n_rows[:, None] + alpha)
        words = np.zeros((n_classes, 0))
        if table.words is not None:
            counted = np.asarray((table.words.T @ member).T) + alpha / max(1, table.words.shape[1]) * 10
            words = np.log(counted / counted.sum(axis=1, keepdims=True))
        prior = np.where(n_rows > 0, np.log(np.maximum(n_rows, 1) / len(target)), _UNSEEN)
        return cls(prior, is_level, mean, variance, np.log(np.maximum(level_chance, 1e-12)), words)

    def votes(self, table: Table) -> Array:
        """Return the log-likelihood of each class without the prior, shape (n_rows, n_classes)."""
        measured, levels = table.numbers[:, ~self.is_level], table.numbers[:, self.is_level]
        precision = 1 / self.variance
        squares = (
            measured**2 @ precision.T
            - 2 * measured @ (self.mean * precision).T
            + (self.mean**2 * precision).sum(axis=1)
        )
        votes = -0.5 * (squares + np.log(self.variance).sum(axis=1)) + levels @ self.level_log.T
        if table.words is not None:
            votes += table.words @ self.word_log.T
        return np.asarray(votes)

    def chances(self, table: Table, temper: float) -> Array:
        special: Any = need("scipy.special", why="the naive_bayes learner")
        return np.asarray(special.softmax(self.prior + self.votes(table) * temper, axis=1))


def _best_temper(counts: _Counts, table: Table, target: Target) -> float:
    """Return the factor, up to 2, on the votes that fits these rows best."""
    special: Any = need("scipy.special", why="the naive_bayes learner")
    votes = counts.votes(table)
    path = np.geomspace(0.02, 2.0, 30)
    losses = [loss(target, special.softmax(counts.prior + votes * temper, axis=1)) for temper in path]
    return float(path[int(np.argmin(losses))])
