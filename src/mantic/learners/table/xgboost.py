"""Gradient-boosted trees by XGBoost."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.learner import Choice, Params, Range, Space, complete, learner
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array, Layout, Table, Target
from mantic.learners.table._classes import Classes, has_time_again, hold_out
from mantic.learners.table._outputs import Outputs
from mantic.learners.table._packed import read_packed, refusal, write_packed
from mantic.learners.table._xgboost_file import check_model

_WHY = "the xgboost learner"
_ROWS_TO_STOP = 300  # with fewer, rows are too dear to be held out: a fixed number of rounds
_FEW_ROUNDS = 100
_PATIENCE = 50
_FILE = "trees.ubj.z"
_FIXED = {"tree_method": "hist", "verbosity": 0, "max_cached_hist_node": 16}  # more is hundreds of MB, no faster
_VALUES = {"max_depth": 9, "min_child_weight": 2.0, "subsample": 0.7, "colsample_bylevel": 1.0, "reg_lambda": 0.0}


@learner(
    "xgboost",
    tasks=("classify", "regress"),
    layout=Layout.TREES,
    needs=("xgboost",),
    good_for="tables of mixed columns; another voice beside boosting",
    costs="some seconds per 10,000 rows; grows until held-out rows no longer gain or the deadline passes",
)
class XGBoost:
    """Boosted trees by XGBoost, stopped by held-out rows, then fitted again on all rows when time allows.

    What is not given is near XGB-TD, tuned on many tables: as it is for values (depth 9, 2 rows in a leaf, no penalty),
    and for classes with a penalty and a lower rate, for its first rounds went too far where a class is rare.
    Sources: Chen and Guestrin (2016), XGBoost: A Scalable Tree Boosting System; Holzmueller et al. (2024), Better by
    Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data.
    """

    def space(self) -> Space:
        """Return the parameters, named as in XGBoost; `max_leaves` counts only where `grow_policy` is lossguide."""
        return {
            "rounds": Range(20, 3000, default=1000, log=True),
            "stopping": Choice(("holdout", "none")),
            "learning_rate": Range(0.005, 0.3, default=0.05, log=True),
            "max_depth": Range(2, 12, default=6),
            "min_child_weight": Range(1e-6, 50.0, default=0.1, log=True),
            "subsample": Range(0.4, 1.0, default=0.65),
            "colsample_bylevel": Range(0.3, 1.0, default=0.9),
            "colsample_bynode": Range(0.3, 1.0, default=1.0),
            "reg_lambda": Range(0.0, 20.0, default=1.0),
            "reg_alpha": Range(0.0, 10.0, default=0.0),
            "max_bin": Range(31, 511, default=256),
            "max_cat_to_onehot": Range(1, 40, default=4),
            "grow_policy": Choice(("depthwise", "lossguide")),
            "max_leaves": Range(4, 256, default=32, log=True),
        }

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Boost round by round until held-out rows no longer gain, `rounds` are reached or the deadline passes."""
        full = complete("xgboost", self.space(), params if target.is_classes else _VALUES | params)
        rounds, stopping = full.pop("rounds"), full.pop("stopping")
        if full["grow_policy"] == "depthwise":
            full["max_leaves"] = 0
        self.trees_, self.rounds_found_ = None, rounds
        if Classes.of(target).is_one:
            self.outputs_ = Outputs.flat(target)
            return self
        self.outputs_ = Outputs.of(target)
        labels = self.outputs_.labels(target)
        options = full | _FIXED | _objective(self.outputs_) | {"seed": run.seed, "nthread": run.threads}
        if stopping == "none" or len(target) < _ROWS_TO_STOP:
            n_rounds = rounds if stopping == "none" else min(rounds, _FEW_ROUNDS)
            grown, self.rounds_found_ = _boosted(_rows(table, labels), None, n_rounds, options=options, run=run)
        else:
            learned, judged = hold_out(target, seed=run.seed)
            before = run.deadline.left()
            judge = _rows(table.rows(judged), labels[judged])
            rows = _rows(table.rows(learned), labels[learned])
            grown, self.rounds_found_ = _boosted(rows, judge, rounds, options=options, run=run)
            if has_time_again(run, left_before=before):
                grown, _ = _boosted(_rows(table, labels), None, self.rounds_found_, options=options, run=run)
        self.trees_ = _restored(grown[: self.rounds_found_].save_raw("ubj"))
        return self

    @property
    def found_(self) -> Params:
        """Return the parameters with which a fit on other rows of the same table needs no held-out rows."""
        return {"rounds": self.rounds_found_, "stopping": "none"}

    def predict(self, table: Table) -> Array:
        """Return probabilities or values."""
        return self.outputs_.answer(self._raw(table))

    def contributions(self, table: Table) -> Array:
        """Return exact TreeSHAP values by XGBoost; see `Explains`. What its float32 rounds off is put to the base."""
        if self.trees_ is None:
            return self.outputs_.parts(np.zeros((table.n_rows, table.numbers.shape[1] + 1, 1)))
        parts = self.trees_.predict(_rows(table, None), pred_contribs=True)
        parts = parts.reshape(table.n_rows, self.outputs_.n_raw, -1).transpose(0, 2, 1).astype(np.float64)
        parts[:, -1] += self._raw(table) - parts.sum(axis=1)
        return self.outputs_.parts(parts)

    def _raw(self, table: Table) -> Array:
        if self.trees_ is None:
            return np.zeros((table.n_rows, self.outputs_.n_raw))
        raw = self.trees_.inplace_predict(table.numbers, predict_type="margin", validate_features=False)
        return np.asarray(raw, dtype=np.float64).reshape(table.n_rows, -1)

    def save(self, folder: Path) -> None:
        """Write XGBoost's own binary JSON, from which loading runs no code."""
        facts = {"outputs": self.outputs_.facts(), "rounds": self.rounds_found_, "has_trees": self.trees_ is not None}
        write_parts(folder, "xgboost", facts, {})
        if self.trees_ is not None:
            write_packed(folder / _FILE, self.trees_.save_raw("ubj"))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        error_of_xgboost = need("xgboost.core", why=_WHY).XGBoostError
        facts, _ = read_parts(folder, "xgboost")
        restored = cls()
        restored.outputs_, restored.rounds_found_ = Outputs.from_facts(facts["outputs"]), facts["rounds"]
        restored.trees_ = None
        try:
            if facts["has_trees"]:
                content = read_packed(folder / _FILE)
                check_model(content)
                restored.trees_ = _restored(content)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, error_of_xgboost) as error:
            raise refusal(folder / _FILE, str(error)) from error
        return restored


def _objective(outputs: Outputs) -> Params:
    if outputs.n_classes == 0:
        return {"objective": "reg:squarederror", "eval_metric": "rmse"}
    if outputs.n_raw == 1:
        return {"objective": "binary:logistic", "eval_metric": "logloss"}
    return {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": outputs.n_raw}


def _rows(table: Table, labels: Array | None) -> Any:
    kinds = ["c" if place in table.categorical else "q" for place in range(table.numbers.shape[1])]
    matrix = need("xgboost", why=_WHY).DMatrix
    return matrix(table.numbers, label=labels, feature_types=kinds, enable_categorical=True, nthread=1)


def _boosted(rows: Any, judge: Any, rounds: int, *, options: Params, run: Run) -> tuple[Any, int]:
    """Return the booster and how many of its rounds are best: all where there are no rows to judge by. One at least."""
    booster = need("xgboost", why=_WHY).Booster(options, [rows] if judge is None else [rows, judge])
    best, best_round, done = float("inf"), 0, 0
    while done < rounds and not (done and run.deadline.passed):
        booster.update(rows, done)
        done += 1
        if judge is None:
            continue
        now = float(booster.eval(judge, "judge", done).rpartition(":")[2])
        if now < best:
            best, best_round = now, done
        elif done - best_round > _PATIENCE:
            break
    return booster, best_round or done


def _restored(content: bytearray) -> Any:
    """Return the booster that was saved; it answers with one thread."""
    booster = need("xgboost", why=_WHY).Booster({"nthread": 1})
    booster.load_model(content)
    return booster
