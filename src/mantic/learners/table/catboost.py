"""Gradient-boosted symmetric trees by CatBoost."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.learner import Choice, Params, Range, Space, complete, learner
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array, Layout, Table, Target
from mantic.learners.table._catboost_file import check_model
from mantic.learners.table._classes import Classes, has_time_again, hold_out
from mantic.learners.table._outputs import Outputs
from mantic.learners.table._packed import read_packed, refusal, write_packed

_WHY = "the catboost learner"
_ROWS_TO_STOP = 300  # with fewer, rows are too dear to be held out: a fixed number of rounds
_FEW_ROUNDS = 100
_PATIENCE = 50
_FILE = "trees.cbm.z"
_FIXED = {
    "boosting_type": "Plain",  # ordered boosting costs several times as much
    "bootstrap_type": "Bernoulli",
    "logging_level": "Silent",
    "allow_writing_files": False,
    "allow_const_label": True,
}
_VALUES = {"depth": 6, "learning_rate": 0.07, "l2_leaf_reg": 2.0, "random_strength": 1.0, "one_hot_max_size": 10}


@learner(
    "catboost",
    tasks=("classify", "regress"),
    layout=Layout.TREES,
    needs=("catboost",),
    good_for="tables with many categories, and few rows: symmetric trees hardly overfit",
    costs="the slowest of the boosted trees, most of all with many classes; stops as they do",
)
class CatBoost:
    """Boosted symmetric trees by CatBoost, stopped by held-out rows, then fitted again on all rows when time allows.

    Where `border_count` is not given, it follows from the rows, 32 to 254. Other shapes of trees are not offered:
    CatBoost 1.2's contributions do not add up for them.
    What is not given is CatBoost-TD for classes; for values, where its deep trees are slow, depth 6 with a penalty.
    Sources: Prokhorenkova et al. (2018), CatBoost: unbiased boosting with categorical features; Holzmueller et al.
    (2024), Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data; Salinas and Erickson (2024),
    TabRepo, for the values.
    """

    def space(self) -> Space:
        """Return the parameters, named as in CatBoost."""
        return {
            "rounds": Range(20, 3000, default=1000, log=True),
            "stopping": Choice(("holdout", "none")),
            "learning_rate": Range(0.005, 0.3, default=0.08, log=True),
            "depth": Range(2, 10, default=7),
            "l2_leaf_reg": Range(1e-6, 20.0, default=1e-5, log=True),
            "subsample": Range(0.4, 1.0, default=0.9),
            "random_strength": Range(0.0, 4.0, default=0.8),
            "one_hot_max_size": Range(2, 32, default=15),
            "max_ctr_complexity": Range(1, 5, default=4),
            "leaf_estimation_iterations": Range(1, 20, default=1, log=True),
            "border_count": Range(31, 254, default=254),
        }

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Boost round by round until held-out rows no longer gain, `rounds` are reached or the deadline passes."""
        full = complete("catboost", self.space(), params if target.is_classes else _VALUES | params)
        rounds, stopping = full.pop("rounds"), full.pop("stopping")
        if "border_count" not in params:  # the time of a round goes with borders and leaves, hardly with few rows
            full["border_count"] = min(254, max(32, len(target) // 8))
        self.trees_, self.rounds_found_ = None, rounds
        if not Classes.of(target).is_one:
            self.outputs_ = Outputs.of(target)
            options = full | _FIXED | {"random_seed": run.seed, "thread_count": run.threads}
            options["loss_function"] = _loss(self.outputs_)
            if stopping == "none" or len(target) < _ROWS_TO_STOP:
                n_rounds = rounds if stopping == "none" else min(rounds, _FEW_ROUNDS)
                self.trees_ = self._boosted(table, target, options | {"iterations": n_rounds}, run=run)
            else:
                self.trees_ = self._stopped(table, target, options | {"iterations": rounds}, run)
        if self.trees_ is None:
            self.outputs_ = Outputs.flat(target)
        return self

    def _stopped(self, table: Table, target: Target, options: Params, run: Run) -> Any:
        learned, judged = hold_out(target, seed=run.seed)
        before = run.deadline.left()
        judge = _pool(table.rows(judged), self.outputs_.labels(target)[judged])
        trees = self._boosted(table.rows(learned), target.rows(learned), options, run=run, judge=judge)
        if trees is None or not has_time_again(run, left_before=before):
            return trees
        return self._boosted(table, target, options | {"iterations": self.rounds_found_}, run=run)

    def _boosted(self, table: Table, target: Target, options: Params, *, run: Run, judge: Any = None) -> Any:
        """Return the model, and note how many rounds it has; None where no column varies."""
        catboost = need("catboost", why=_WHY)
        watch = {} if judge is None else {"eval_set": judge, "early_stopping_rounds": _PATIENCE, "use_best_model": True}
        model = catboost.CatBoost(options)
        try:
            model.fit(_pool(table, self.outputs_.labels(target)), callbacks=[_Clock(run)], **watch)
        except catboost.CatBoostError as error:
            if "constant or ignored" not in str(error):
                raise
            return None
        self.rounds_found_ = max(1, model.tree_count_)
        return model

    @property
    def found_(self) -> Params:
        """Return the parameters with which a fit on other rows of the same table needs no held-out rows."""
        return {"rounds": self.rounds_found_, "stopping": "none"}

    def predict(self, table: Table) -> Array:
        """Return probabilities or values."""
        if self.trees_ is None:
            return self.outputs_.answer(np.zeros((table.n_rows, 1)))
        raw = self.trees_.predict(_pool(table, None), prediction_type="RawFormulaVal", thread_count=1)
        return self.outputs_.answer(np.asarray(raw, dtype=np.float64).reshape(table.n_rows, -1))

    def contributions(self, table: Table) -> Array:
        """Return exact TreeSHAP values by CatBoost; see `Explains`."""
        n_columns = table.numbers.shape[1]
        if self.trees_ is None:
            return self.outputs_.parts(np.zeros((table.n_rows, n_columns + 1, 1)))
        parts = self.trees_.get_feature_importance(_pool(table, None), type="ShapValues", thread_count=1)
        parts = parts.reshape(table.n_rows, self.outputs_.n_raw, n_columns + 1).transpose(0, 2, 1)
        order = np.argsort([*_numeric(table), *table.categorical, n_columns])  # CatBoost has the numbers first
        return self.outputs_.parts(parts[:, order])

    def save(self, folder: Path) -> None:
        """Write CatBoost's own binary format, from which loading runs no code."""
        facts = {"outputs": self.outputs_.facts(), "rounds": self.rounds_found_, "has_trees": self.trees_ is not None}
        write_parts(folder, "catboost", facts, {})
        if self.trees_ is not None:
            plain = folder / "trees.cbm"
            self.trees_.save_model(str(plain), format="cbm")
            write_packed(folder / _FILE, plain.read_bytes())
            plain.unlink()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        catboost = need("catboost", why=_WHY)
        facts, _ = read_parts(folder, "catboost")
        restored = cls()
        restored.outputs_, restored.rounds_found_ = Outputs.from_facts(facts["outputs"]), facts["rounds"]
        restored.trees_ = None
        try:
            if facts["has_trees"]:
                content = bytes(read_packed(folder / _FILE))
                check_model(content, n_raw=restored.outputs_.n_raw)
                restored.trees_ = catboost.CatBoost().load_model(blob=content)
        except (ValueError, catboost.CatBoostError) as error:
            raise refusal(folder / _FILE, str(error)) from error
        return restored


class _Clock:
    """Asked by CatBoost after each round whether to go on."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def after_iteration(self, _: Any) -> bool:
        """Return whether there is time for another round."""
        return not self.run.deadline.passed


def _loss(outputs: Outputs) -> str:
    if outputs.n_classes == 0:
        return "RMSE"
    return "Logloss" if outputs.n_raw == 1 else "MultiClass"


def _numeric(table: Table) -> list[int]:
    return [place for place in range(table.numbers.shape[1]) if place not in table.categorical]


def _pool(table: Table, labels: Array | None) -> Any:
    """Return the rows as CatBoost wants them: numbers as float32, category codes as words."""
    catboost = need("catboost", why=_WHY)
    numbers = table.numbers[:, _numeric(table)].astype(np.float32)
    data = {"num_feature_data": numbers} if numbers.shape[1] else {}
    if table.categorical:
        codes = table.numbers[:, list(table.categorical)]
        codes = np.where(np.isnan(codes), -1, codes).astype(np.int64) + 1
        words = np.array([str(code).encode() for code in range(int(codes.max(initial=0)) + 1)], dtype=object)
        data["cat_feature_data"] = words[codes]
    return catboost.Pool(catboost.FeaturesData(**data), label=labels)
