"""Columns that know the answer: recorded after it, or made from it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from mantic.core.lazy import need
from mantic.core.run import Run
from mantic.core.schema import Kind, Schema
from mantic.core.table import Array, Layout, Table, Target
from mantic.features.encode import Encoder


@dataclass(frozen=True)
class Leak:
    """A column that should not be there when a prediction is needed.

    Parameters
    ----------
    column : its name.
    why : one sentence on what gave it away.
    score_with, score_without : the metric with the column and without it; None where not measured.
    """

    column: str
    why: str
    score_with: float | None = None
    score_without: float | None = None


# Skill of one column alone, 0 (none) to 1 (perfect): AUC turned to 2 AUC - 1 for classes, R2 for numbers.
_SURE = {True: 0.96, False: 0.93}
_NAMED = {True: 0.90, False: 0.85}
_TELLING = re.compile(
    r"(paid|payment|balance|outcome|result|status|ended?_|_end|closed|refund|recover|settle|cancel|discharg|charged?_?off|"
    r"resolution|final|actual|after|post_)",
    re.IGNORECASE,
)
_COLLAPSE = 0.25  # of the skill of all columns together, lost when one column goes
_STRONG = 0.90
_MOST_ROWS = 6_000
_MOST_COLUMNS = 60
_MOST_LEAKS = 10

Score = Callable[[Array, Array], float]


def find_leaks(frame: pl.DataFrame, target: Target, schema: Schema, *, score: Score, run: Run) -> tuple[Leak, ...]:
    """Name the columns that predict the target too well to be true.

    Parameters
    ----------
    frame, target : rows for learning only, aligned; at most 6,000 are used.
    score : (truth, guess) -> the user's metric, for the scores with and without.
    run : its seed and deadline; what is found when time is up is returned.

    Notes
    -----
    A column is named if it alone is nearly perfect on rows not learned from, if it alone is strong and its name sounds
    like something recorded later, or if the skill of all columns collapses without it. Named columns are taken out and
    the rest is examined again, so that one leak does not hide another.
    """
    n_rows = len(target)
    if n_rows < 50:
        return ()
    pick = np.random.default_rng(run.seed).permutation(n_rows)[:_MOST_ROWS]
    learn, judge = pick[: len(pick) // 2], pick[len(pick) // 2 :]
    short = [replace(one, kind=Kind.ID) if one.kind == Kind.TEXT else one for one in schema.columns]  # texts are slow
    encoder = Encoder(Schema(tuple(short)), Layout.TREES, seed=run.seed)
    half = _Half(encoder.fit_transform(frame[learn], target.rows(learn)), target.rows(learn))
    other = _Half(encoder.transform(frame[judge]), target.rows(judge))
    return _Hunt(half, other, schema.names, score, run).go()


@dataclass(frozen=True)
class _Half:
    table: Table
    target: Target


@dataclass(frozen=True)
class _Hunt:
    learn: _Half
    judge: _Half
    names: tuple[str, ...]
    score: Score
    run: Run

    def go(self) -> tuple[Leak, ...]:
        columns = sorted({int(place) for place in self.learn.table.origin})
        first_guess, gain = self._fit(columns)
        with_all = self.score(self.judge.target.values, first_guess)
        found: dict[int, str] = {}
        while len(found) < _MOST_LEAKS and not self.run.deadline.passed:
            rest = [column for column in columns if column not in found]
            fresh = self._alone(rest, gain) or self._ablated(rest, gain)
            if not fresh:
                break
            found |= fresh
            if len(found) < len(columns):
                gain = self._fit([column for column in columns if column not in found])[1]
            else:
                break
        if not found:
            return ()
        rest = [column for column in columns if column not in found]
        without = self.score(self.judge.target.values, self._fit(rest)[0]) if rest else None
        return tuple(Leak(self.names[column], why, with_all, without) for column, why in found.items())

    def _alone(self, columns: list[int], gain: dict[int, float]) -> dict[int, str]:
        found = {}
        is_classes = self.learn.target.is_classes
        for column in sorted(columns, key=lambda one: -gain.get(one, 0.0))[:_MOST_COLUMNS]:
            if self.run.deadline.passed:
                break
            skill = self._skill(self._fit([column])[0])
            telling = _TELLING.search(self.names[column])
            said = f"AUC {(skill + 1) / 2:.3f}" if is_classes else f"R2 {skill:.3f}"
            if skill >= _SURE[is_classes]:
                found[column] = f"this column alone predicts the target nearly perfectly ({said})"
            elif telling and skill >= _NAMED[is_classes]:
                found[column] = (
                    f"this column alone predicts the target very well ({said}), and its name ('{telling[0]}') "
                    "sounds like something that is recorded later"
                )
        return found

    def _ablated(self, columns: list[int], gain: dict[int, float]) -> dict[int, str]:
        if len(columns) < 6 or self.learn.target.is_classes:
            return {}
        full = self._skill(self._fit(columns)[0])
        if full < _STRONG:
            return {}
        for column in sorted(columns, key=lambda one: -gain.get(one, 0.0))[:3]:
            if self.run.deadline.passed:
                break
            left = self._skill(self._fit([one for one in columns if one != column])[0])
            if full - left >= _COLLAPSE:
                return {
                    column: f"with this column all others explain {full:.0%} of the target, without it only "
                    f"{left:.0%}: it seems to be computed from the target"
                }
        return {}

    def _fit(self, columns: list[int]) -> tuple[Array, dict[int, float]]:
        """Return the guess for the judging half from these columns alone, and how much each was used."""
        lightgbm = need("lightgbm", why="the search for leaking columns")
        keep = np.flatnonzero(np.isin(self.learn.table.origin, columns))
        categorical = [
            int(np.searchsorted(keep, one)) for one in self.learn.table.categorical if one in set(keep.tolist())
        ]
        target = self.learn.target
        params = _objective(target) | {"seed": self.run.seed, "num_threads": self.run.threads}
        rows = lightgbm.Dataset(
            self.learn.table.numbers[:, keep], label=target.values, categorical_feature=categorical or "auto",
            params={"verbose": -1, "max_bin": 255, "min_data_in_bin": 3},
        )  # fmt: skip
        trees = lightgbm.train(params, rows, num_boost_round=40)
        used = trees.feature_importance("gain")
        gain: dict[int, float] = {}
        for place, amount in zip(keep, used, strict=True):
            column = int(self.learn.table.origin[place])
            gain[column] = gain.get(column, 0.0) + float(amount)
        guess = trees.predict(self.judge.table.numbers[:, keep], num_threads=self.run.threads)
        return (np.column_stack([1 - guess, guess]) if target.n_classes == 2 else guess), gain

    def _skill(self, guess: Array) -> float:
        truth = self.judge.target.values
        if not self.judge.target.is_classes:
            spread = float(((truth - truth.mean()) ** 2).sum())
            return 1 - float(((truth - guess) ** 2).sum()) / spread if spread else 0.0
        metrics = need("sklearn.metrics", why="the search for leaking columns")
        areas = [
            metrics.roc_auc_score(truth == code, guess[:, code])
            for code in range(1 if guess.shape[1] == 2 else 0, guess.shape[1])
            if 0 < (truth == code).sum() < len(truth)
        ]
        return 2 * float(np.mean(areas)) - 1 if areas else 0.0


def _objective(target: Target) -> dict[str, Any]:
    task: dict[str, Any] = {"objective": "regression"}
    if target.n_classes == 2:
        task = {"objective": "binary"}
    elif target.is_classes:
        task = {"objective": "multiclass", "num_class": target.n_classes}
    return task | {
        "learning_rate": 0.15, "num_leaves": 15, "min_data_in_leaf": 10, "verbose": -1, "deterministic": True,
        "force_row_wise": True,
    }  # fmt: skip
