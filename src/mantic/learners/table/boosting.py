"""Gradient-boosted trees by LightGBM."""

from pathlib import Path
from time import monotonic
from typing import Any, Self

import numpy as np

from mantic.core.errors import ArtifactError, SettingsError
from mantic.core.lazy import need_alone
from mantic.core.learner import Choice, Params, Range, RowAnswer, Space, complete, learner
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array, EncodedRow, Layout, Table, Target
from mantic.learners.table._chance_row import chance_of, shares_of
from mantic.learners.table._classes import has_time_again, hold_out
from mantic.learners.table._lightgbm_row import raw_of_row
from mantic.learners.table._lightgbm_text import MOST_LEAVES, check_text
from mantic.learners.table._link import Link, Log, Straight, link_of
from mantic.learners.table._outputs import answer as answer_of

_WHY = "the boosting learner"
_ROWS_TO_STOP = 300  # with fewer, rows are too dear to be held out: a fixed number of rounds
_FEW_ROUNDS = 100
_PATIENCE = 40
_JUDGE_EVERY = 2  # rounds
_TASTE = 6  # rounds that tell what one takes
_WORTH = 6.0  # rounds times learning rate: with less, most is not learned yet
_MOST_RATE = 0.3
_WITHIN = {"once": 0.9, "holdout": 0.4}  # of the time; the second is fitted twice
_FIXED = {
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
    "bagging_freq": 1,
    "feature_pre_filter": False,
}


@learner(
    "boosting",
    tasks=("classify", "regress"),
    layout=Layout.TREES,
    needs=("lightgbm",),
    good_for="most tables of mixed columns; usually the most exact single learner",
    costs="some seconds per 10,000 rows; grows until held-out rows no longer gain or the deadline passes",
)
class Boosting:
    """Boosted trees by LightGBM, stopped by held-out rows, then fitted again on all rows when time allows.

    Where there is no time for as many rounds as the learning rate asks for, it is raised, and `hurried_` says so; not
    with `hurry=False`.
    `rounds_found_` is how many rounds were best. With `stopping="once"` it is not fitted again on all rows; with
    `stopping="none"` exactly `rounds` are used and no rows are held out. With `objective="poisson"` a regression learns
    the logarithm of the mean, so that effects multiply; the target must not be below 0.
    Source: Ke et al. (2017), LightGBM: A Highly Efficient Gradient Boosting Decision Tree.
    """

    def space(self) -> Space:
        """Return the parameters, named as in LightGBM."""
        return {
            "rounds": Range(20, 3000, default=1500, log=True),
            "stopping": Choice(("holdout", "once", "none")),
            "learning_rate": Range(0.01, 0.3, default=0.05, log=True),
            "num_leaves": Range(4, 256, default=31, log=True, most=MOST_LEAVES),
            "min_data_in_leaf": Range(1, 200, default=20, log=True),
            "feature_fraction": Range(0.3, 1.0, default=0.8),
            "bagging_fraction": Range(0.4, 1.0, default=0.8),
            "lambda_l2": Range(0.0, 20.0, default=1.0),
            "lambda_l1": Range(0.0, 10.0, default=0.0),
            "max_bin": Range(31, 511, default=255),
            "extra_trees": Choice((False, True)),
            "min_sum_hessian_in_leaf": Range(1e-7, 10.0, default=1e-3, log=True),
            "cat_smooth": Range(0.0, 100.0, default=10.0),
            "cat_l2": Range(0.0, 20.0, default=10.0),
            "max_cat_to_onehot": Range(1, 40, default=4),
            "min_data_per_group": Range(5, 200, default=100, log=True),
            "objective": Choice(("l2", "poisson")),
            "hurry": Choice((True, False)),
        }

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Boost round by round until held-out rows no longer gain, `rounds` are reached or the deadline passes."""
        full = complete("boosting", self.space(), params)
        rounds, stopping, objective = full.pop("rounds"), full.pop("stopping"), full.pop("objective")
        within = _WITHIN[stopping] if full.pop("hurry") and stopping != "none" else 0.0
        if "min_data_in_leaf" not in params:
            full["min_data_in_leaf"] = max(1, min(20, len(target) // 20))
        self.n_classes_ = target.n_classes
        self.hurried_: Params = {}
        self.link_ = _link(target, objective)
        labels = self.link_.labels(target.values)
        options = full | _FIXED | _objective(target, objective) | {"seed": run.seed, "num_threads": run.threads}
        if stopping == "none" or len(target) < _ROWS_TO_STOP:
            n_rounds = rounds if stopping == "none" else min(rounds, _FEW_ROUNDS)
            self.trees_ = _boosted(_dataset(table, labels, options), None, n_rounds, options=options, run=run)
            self.rounds_found_ = self.trees_.current_iteration()
            return self
        learned, judged = hold_out(target, seed=run.seed)
        before = run.deadline.left()
        rows = _dataset(table.rows(learned), labels[learned], options)
        judge = rows.create_valid(table.numbers[judged], label=labels[judged], params=options)
        self.trees_ = _boosted(rows, judge, rounds, options=options, run=run, within=within)
        self.rounds_found_ = max(1, self.trees_.best_iteration)
        if self.trees_.params["learning_rate"] != options["learning_rate"]:
            self.hurried_ = {"learning_rate": self.trees_.params["learning_rate"]}
            options |= self.hurried_
        if stopping == "once":
            return self
        if has_time_again(run, left_before=before):
            self.trees_ = _boosted(_dataset(table, labels, options), None, self.rounds_found_, options=options, run=run)
        return self

    @property
    def found_(self) -> Params:
        """Return the parameters with which a fit on other rows of the same table needs no held-out rows."""
        return {"rounds": self.rounds_found_, "stopping": "none"} | self.hurried_

    def predict(self, table: Table) -> Array:
        """Return probabilities or values."""
        raw = self.trees_.predict(table.numbers, raw_score=True, num_iteration=self.rounds_found_, num_threads=1)
        margin = np.asarray(raw, dtype=np.float64).reshape(table.n_rows, -1)
        return answer_of(self.link_.values(margin), self.n_classes_)

    def for_rows(self) -> RowAnswer:
        """Return LightGBM's own fast path for single rows."""
        raw_of, n_classes = raw_of_row(self.trees_, self.rounds_found_), self.n_classes_
        values = self.link_.values

        def answer(row: EncodedRow) -> Array:
            raw = raw_of(row.numbers)
            if n_classes == 0:
                return values(raw)
            return chance_of(float(raw[0])) if n_classes == 2 else shares_of(raw)

        return answer

    def contributions(self, table: Table) -> Array:
        """Return exact TreeSHAP values by LightGBM; see `Explains`."""
        options = {"num_threads": 1}
        parts = self.trees_.predict(table.numbers, pred_contrib=True, num_iteration=self.rounds_found_, **options)
        n_outputs = max(1, self.n_classes_) if self.n_classes_ != 2 else 1
        parts = np.asarray(parts, dtype=np.float64).reshape(table.n_rows, n_outputs, -1).transpose(0, 2, 1).copy()
        return self.link_.parts(parts)

    def save(self, folder: Path) -> None:
        """Write LightGBM's own text, from which loading runs no code."""
        facts = {"n_classes": self.n_classes_, "rounds": self.rounds_found_} | self.link_.facts()
        write_parts(folder, "boosting", facts, {})
        (folder / "trees.txt").write_text(
            self.trees_.model_to_string(num_iteration=self.rounds_found_), encoding="utf-8"
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        lightgbm = need_alone("lightgbm", why=_WHY)
        facts, _ = read_parts(folder, "boosting")
        restored = cls()
        restored.n_classes_, restored.rounds_found_ = facts["n_classes"], facts["rounds"]
        restored.link_ = link_of(facts)
        try:
            text = (folder / "trees.txt").read_text(encoding="utf-8")
            check_text(text)
            restored.trees_ = lightgbm.Booster(model_str=text)
        except (OSError, ValueError, KeyError, lightgbm.basic.LightGBMError) as error:
            raise ArtifactError(
                f"the trees of a saved model cannot be read: {error}",
                where=str(folder),
                fix="fit and save the model anew",
            ) from error
        return restored


def _objective(target: Target, wanted: str) -> Params:
    if not target.is_classes:
        return {"objective": wanted, "metric": "l2"}
    if target.n_classes == 2:
        return {"objective": "binary", "metric": "binary_logloss"}
    return {"objective": "multiclass", "metric": "multi_logloss", "num_class": target.n_classes}


def _link(target: Target, objective: str) -> Link:
    if target.is_classes:
        return Straight()
    if objective == "l2":
        return Straight.of(target)
    if float(target.values.min()) < 0:
        raise SettingsError(
            "the target has values below 0", where="objective", fix="use the objective l2, or predict another number"
        )
    return Log.of(target)


def _dataset(table: Table, labels: Array, options: Params) -> Any:
    lightgbm = need_alone("lightgbm", why=_WHY)
    names = [f"c{place}" for place in range(table.numbers.shape[1])]
    codes = list(table.categorical) or "auto"
    return lightgbm.Dataset(table.numbers, label=labels, feature_name=names, categorical_feature=codes, params=options)


def _boosted(rows: Any, judge: Any, rounds: int, *, options: Params, run: Run, within: float = 0.0) -> Any:
    """Return the booster; `best_iteration` is set when there are rows to judge by. One round at least.

    Parameters
    ----------
    within : share of the time left in which it should end: if its first rounds take too long for that, it begins anew
        with a higher learning rate. 0 leaves the rate as it is.
    """
    booster = need_alone("lightgbm", why=_WHY).Booster(params=options, train_set=rows)
    best, best_round = float("inf"), 0
    if judge is not None:
        booster.add_valid(judge, "judge")
    began = monotonic()  # the rows have been put into bins by then: that is done once, not in every round
    for done in range(1, rounds + 1):
        is_finished = booster.update()
        if judge is not None and (done % _JUDGE_EVERY == 0 or done == 1):
            now = booster.eval_valid()[0][2]
            if now < best:
                best, best_round = now, done
        is_late = judge is not None and done - best_round > _PATIENCE
        if is_finished or is_late or run.deadline.passed:
            break
        if done == _TASTE and within:
            n_affordable = within * run.deadline.left() / max(1e-9, (monotonic() - began) / _TASTE)
            faster = _rate_for(options["learning_rate"], rounds, n_affordable)
            if faster != options["learning_rate"]:
                return _boosted(rows, judge, rounds, options=options | {"learning_rate": faster}, run=run)
    booster.best_iteration = best_round or booster.current_iteration()
    return booster


def _rate_for(rate: float, rounds: int, n_affordable: float) -> float:
    """Return the learning rate, or a higher one where too few rounds can be afforded for it.

    >>> _rate_for(0.02, 1500, 5000.0), _rate_for(0.02, 1500, 100.0), _rate_for(0.02, 1500, 10.0)
    (0.02, 0.06, 0.3)
    """
    if n_affordable >= min(rounds, _WORTH / rate):
        return rate
    return max(rate, min(_MOST_RATE, _WORTH / max(1.0, n_affordable)))
