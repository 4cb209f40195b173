"""How much of the target several columns tell together, on rows not learned from."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from mantic.core.lazy import need_alone
from mantic.core.run import Run
from mantic.core.schema import Kind, Schema
from mantic.core.table import Array, Layout, Table, Target
from mantic.features.encode import Encoder
from mantic.features.leaks.alone import Halves, explained, usual_of

_ROUNDS = 40
_MOST_TREES = 200  # of many classes: fewer rounds, or a moment becomes a minute


@dataclass(frozen=True)
class Said:
    """What a set of columns says: a guess for the judging half, the share explained, and the use made of each."""

    guess: Array
    skill: float
    gain: dict[int, float]


@dataclass(frozen=True)
class Together:
    """The rows of both halves, encoded once; any set of columns can then be asked."""

    learn: Table
    judge: Table
    learned: Target
    judged: Target
    run: Run

    @classmethod
    def of(cls, frame: pl.DataFrame, target: Target, schema: Schema, *, halves: Halves, run: Run) -> "Together":
        """Encode aligned rows; texts are passed over, for reading them takes longer than a moment."""
        short = [replace(one, kind=Kind.ID) if one.kind == Kind.TEXT else one for one in schema.columns]
        encoder = Encoder(Schema(tuple(short)), Layout.TREES, seed=run.seed)
        learned, judged = target.rows(halves.learn), target.rows(halves.judge)
        table = encoder.fit_transform(frame[halves.learn], learned)
        return cls(table, encoder.transform(frame[halves.judge]), learned, judged, run)

    def ask(self, columns: list[int]) -> Said:
        """Fit a small boosting on these columns alone."""
        return self.ask_about(self.learned, self.judged, columns)

    def ask_about(self, learned: Target, judged: Target, columns: list[int]) -> Said:
        """Fit a small boosting for another target on the same rows."""
        lightgbm = need_alone("lightgbm", why="the search for leaking columns")
        keep = np.flatnonzero(np.isin(self.learn.origin, columns))
        usual = usual_of(learned)
        if not len(keep):
            guess = np.tile(usual, (len(judged),) + (1,) * usual.ndim)
            return Said(guess.reshape(len(judged), *usual.shape), 0.0, {})
        codes = [place for place, one in enumerate(keep) if one in set(self.learn.categorical)]
        rows = lightgbm.Dataset(
            self.learn.numbers[:, keep], label=learned.values, categorical_feature=codes or "auto",
            params={"verbose": -1, "max_bin": 255, "min_data_in_bin": 3},
        )  # fmt: skip
        params = _objective(learned) | {"seed": self.run.seed, "num_threads": self.run.threads}
        rounds = _ROUNDS if learned.n_classes <= 2 else max(8, min(_ROUNDS, _MOST_TREES // learned.n_classes))
        trees = lightgbm.train(params, rows, num_boost_round=rounds)
        gain: dict[int, float] = {}
        for place, amount in zip(keep, trees.feature_importance("gain"), strict=True):
            column = int(self.learn.origin[place])
            gain[column] = gain.get(column, 0.0) + float(amount)
        guess = trees.predict(self.judge.numbers[:, keep], num_threads=self.run.threads)
        guess = np.column_stack([1 - guess, guess]) if learned.n_classes == 2 else guess
        return Said(guess, explained(judged, guess, usual), gain)


def _objective(target: Target) -> dict[str, Any]:
    task: dict[str, Any] = {"objective": "regression"}
    if target.n_classes == 2:
        task = {"objective": "binary"}
    elif target.is_classes:
        task = {"objective": "multiclass", "num_class": target.n_classes}
    return task | {
        "learning_rate": 0.1 if target.n_classes <= 2 else 0.2, "num_leaves": 15, "min_data_in_leaf": 20,
        "verbose": -1, "deterministic": True, "force_row_wise": True,
    }  # fmt: skip
