"""What all estimators share: fit is the walk, predict goes through the Schema, saved files run no code."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from time import monotonic as time_now
from typing import Any, ClassVar, Self

import polars as pl

from mantic.core.budget import Budget, Deadline, Pace
from mantic.core.errors import SettingsError
from mantic.core.interrupt import watch_ctrl_c
from mantic.core.learner import LEARNERS, complete
from mantic.core.metric import METRICS
from mantic.core.run import Run, check_seed
from mantic.core.schema import Column, Schema
from mantic.core.table import Array, Target
from mantic.evaluate.decide import Decision
from mantic.evaluate.unseen import Unseen
from mantic.report.blocks import Report
from mantic.search.blend import Blend
from mantic.search.record import Record
from mantic.search.row import RowPlan, row_plan
from mantic.tasks.door import Given, accept_fit, accept_labelled, accept_predict, moments
from mantic.tasks.sklearn_rules import Parameters, tags
from mantic.tasks.task import Task
from mantic.tasks.wishes import Wishes


class Estimator(Parameters):
    """Base of Classifier and Regressor; not used by itself.

    Fitted attributes: `schema_` (of the features), `target_` (the predicted column), `model_` (a `core.model.Model`),
    `report_`, `run_`, `version_`, `background_` and `background_answers_` (up to 2,000 training rows for reasons, and
    how they turned out), `unseen_` (answers on rows that were not seen, for decisions), `decision_` (None until
    `decide` is called), `record_` (what the search did, for `tasks.replay`), `roles_` (names of the columns for time
    and group), `kinds_` (what was said that columns mean), `n_features_in_`, and `feature_names_in_` where the features
    had names.
    """

    task: ClassVar[Task]
    schema_: Schema
    target_: Column
    model_: Blend
    report_: Report
    run_: Run
    version_: str
    background_: pl.DataFrame
    background_answers_: pl.DataFrame
    unseen_: Unseen | None
    record_: Record | None
    roles_: tuple[str | None, str | None]
    kinds_: dict[str, str]
    decision_: Decision | None
    n_features_in_: int
    feature_names_in_: Array
    classes_: Array
    _row_plan: RowPlan

    def __init__(
        self,
        *,
        budget: str | float = "60s",
        seed: int = 0,
        metric: str | None = None,
        learners: list[str] | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:
        self.budget = budget
        self.seed = seed
        self.metric = metric
        self.learners = learners
        self.params = params

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        time: str | None = None,
        group: str | None = None,
        kinds: Mapping[str, str] | None = None,
        run: Run | None = None,
    ) -> Self:
        """Search for the best model within the budget, judge it on rows that nothing has seen, and keep it.

        Parameters
        ----------
        X : a table of any library (pandas, polars, pyarrow, DuckDB, NumPy), shape (n_rows, n_columns).
        y : name of the target column in X, or the target itself, shape (n_rows,).
        time : name of a column that orders the rows: earlier rows learn, later rows judge.
        group : name of a column whose equal rows stay together; it is no feature.
        kinds : what columns mean, over what is found in them: {"code": "category"}; one of number, category, boolean,
            date, text, image, id (the last two are no features). Columns of an array are called x0, x1, ...
        run : seed, threads, deadline and listeners; made from the parameters when absent.

        Raises
        ------
        SchemaError : if target, columns or rows cannot be learned from; names all faults.
        SettingsError : if a learner, metric, parameter or budget is unknown.
        """
        return self._fit(X, y, self._wishes(), roles=(time, group), kinds=kinds or {}, run=run)

    def predict(self, X: Any) -> Array:
        """Return one answer per row, shape (n_rows,)."""
        raise NotImplementedError

    def save(self, path: str | Path) -> Path:
        """Write the fitted model to one `.mantic` file, atomically; `mantic.load` restores it. Returns the path."""
        from mantic.tasks import saved

        self._check_fitted()
        return saved.save(self, path)

    def evaluate(self, X: Any, y: Any = None, *, run: Run | None = None) -> Report:
        """Score the model on rows with a known target: metrics with intervals against the baseline.

        Parameters
        ----------
        X, y : as in `fit`; y may be left out when X holds the target column under its own name.
        """
        from mantic.tasks.clusters import new_together
        from mantic.tasks.findings import evaluation_of

        self._check_fitted()
        run = run or Run(seed=self.seed)
        taken = accept_labelled(self, X, self.target_.name if y is None else y, run=run)
        frame = self._aligned(taken.features)
        clusters = new_together(self, taken.features, frame, run)
        return evaluation_of(self, frame, self._truth(taken.truth), run, clusters=clusters)

    def explain(self, X: Any, *, run: Run | None = None) -> Any:
        """Say which columns moved each answer, and by how much; contributions add up to the margin.

        Returns
        -------
        An `explain.explanation.Explanation`: per row the prediction and the contributions of the user's columns
        (log-odds for classes, the target's unit for numbers), and the importance of all columns over all rows.
        """
        from mantic.tasks.reasons import explain

        self._check_fitted()
        return explain(self, X, run or Run(seed=self.seed))

    def effect(self, column: str, *, toward: Any = None) -> Any:
        """Return the `explain.effects.Effect` of a column: how the answer moves with it, with intervals.

        Parameters
        ----------
        toward : the class whose probability is meant; the positive one of two when absent.
        """
        from mantic.tasks import reasons

        self._check_fitted()
        return reasons.effect(self, column, toward=toward)

    def interactions(self, *, most: int = 8) -> Any:
        """Return which of the `most` important columns act together, as an `explain.interactions.Interactions`."""
        from mantic.tasks import reasons

        self._check_fitted()
        return reasons.interactions(self, most)

    def counterfactuals(
        self,
        row: Any,
        wanted: Any = None,
        *,
        keep: Sequence[str] = (),
        only_up: Sequence[str] = (),
        only_down: Sequence[str] = (),
    ) -> Any:
        """Return what would have to change: up to three ways, as an `explain.counterfactual.Counterfactuals`.

        Parameters
        ----------
        row : one row.
        wanted : a class (the other one of two when absent), or (low, high) for a number; None leaves an end open.
        keep, only_up, only_down : columns that may not change, or in one direction only.
        """
        from mantic.explain.variants import Limits
        from mantic.tasks import reasons

        limits = Limits(tuple(keep), tuple(only_up), tuple(only_down))
        return reasons.counterfactuals(self, self._aligned(row), wanted, limits)

    def similar(self, row: Any, *, n: int = 5) -> Any:
        """Return the `n` known rows most like one row and how they turned out, as an `explain.neighbours.Similar`."""
        from mantic.tasks import reasons

        return reasons.similar(self, self._aligned(row), n)

    def rules(self) -> Any:
        """Return at most seven rules that imitate the model, and what they give up, as an `explain.rules.Rules`."""
        from mantic.tasks import reasons

        self._check_fitted()
        return reasons.rules(self)

    def serve(self, *, name: str = "model", host: str = "127.0.0.1", port: int = 8000) -> None:
        """Answer predictions over HTTP until stopped; see `mantic serve`."""
        from mantic.serve.run import serve

        self._check_fitted()
        serve({name: self}, host=host, port=port)

    def asgi(self, *, name: str = "model") -> Any:
        """Return an ASGI application that answers as `mantic serve` does, to be mounted in another or run by a server.

        Parameters
        ----------
        name : of the model in the addresses.
        """
        from mantic.serve.app import make_asgi

        self._check_fitted()
        return make_asgi({name: self})

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what this is and what it accepts."""
        return tags(self.task.sklearn_kind)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn whether `fit` or `load` is done."""
        return hasattr(self, "model_")

    def _fit(
        self,
        X: Any,
        y: Any,
        wishes: Wishes,
        *,
        roles: tuple[str | None, str | None],
        kinds: Mapping[str, str],
        run: Run | None,
    ) -> Self:
        started, pace = time_now(), Pace()
        from mantic.evaluate.fit_report import fit_report  # a server answers without what only a fit needs
        from mantic.tasks.background import keep
        from mantic.tasks.decide import unseen_of
        from mantic.tasks.findings import findings_of
        from mantic.tasks.walk import walk

        if run is None:
            run = Run(seed=self.seed, deadline=Deadline.after(wishes.budget.seconds))
        with watch_ctrl_c():  # once there is something to keep, one press never costs it
            given = self._given(X, y, roles=roles, kinds=kinds, run=run)
            if given.positive == 0:
                wishes = replace(wishes, metric=wishes.metric.of_first())
            walked = walk(given, wishes, run, pace=pace)
            self.schema_, self.target_, self.model_ = given.schema, given.column, walked.model
            if given.target.is_classes:
                self.classes_ = given.classes
            kept = keep(walked, seed=self.seed)
            self.background_, self.background_answers_ = kept.frame, kept.answers
            asked = {**self.get_params(deep=False), "time": roles[0], "group": roles[1], "kinds": dict(kinds)}
            findings = findings_of(walked, wishes, run, started=started, asked=asked, kept=kept)
            self.report_ = fit_report(findings, run)
            self.unseen_ = unseen_of(walked, clusters=findings.clusters, time=roles[0], seed=self.seed)
            self.decision_ = None
        self.record_, self.roles_, self.kinds_ = walked.record, roles, dict(kinds)
        self.version_ = "unsaved"
        self.run_ = replace(run, listeners=[], journal=None, _scratch=None)
        return self

    def _wishes(self) -> Wishes:
        check_seed(self.seed)
        metric = METRICS.get(self.metric or self.task.metric)
        if metric.task != self.task.name:
            known = [name for name in METRICS.names() if METRICS.get(name).task == self.task.name]
            raise SettingsError(
                f"the metric '{metric.name}' is not for this task", where="metric", fix=f"known are: {', '.join(known)}"
            )
        names = tuple(self.learners) if self.learners is not None else None
        for name in names or ():
            if self.task.name not in LEARNERS.get(name).tasks:
                raise SettingsError(
                    f"the learner '{name}' cannot {self.task.name}", where="learners", fix="see 'mantic learners'"
                )
        return Wishes(metric, Budget.parse(self.budget), names, _fixed(self.params or {}), self.seed)

    def _given(
        self, X: Any, y: Any, *, roles: tuple[str | None, str | None], kinds: Mapping[str, str], run: Run
    ) -> Given:
        taken = accept_fit(self, X, y, roles=roles, kinds=kinds, run=run)
        frame = taken.schema.align(taken.features)
        target, column, classes = self._learn_target(taken.truth, taken.target)
        groups = taken.others.get("group")
        return Given(
            taken.schema, frame, target, column, classes,
            moment=moments(taken.others["time"], taken.schema[str(roles[0])]) if "time" in taken.others else None,
            groups=None if groups is None else groups.rank("dense").fill_null(0).to_numpy(),
            positive=self._positive(classes, target),
        )  # fmt: skip

    @property
    def row_plan_(self) -> RowPlan:
        """The model compiled for single rows; `row_plan_.fallback` names what could not be, and why."""
        self._check_fitted()
        if getattr(self, "_row_plan", None) is None or self._row_plan.model is not self.model_:
            self._row_plan = row_plan(self.model_)
        return self._row_plan

    def _aligned(self, X: Any) -> pl.DataFrame:
        """Return the features of new rows as the schema stores them."""
        self._check_fitted()
        return accept_predict(self, X, self.schema_)

    def _learn_target(self, truth: Array, name: str) -> tuple[Target, Column, Array]:
        """Return the target as numbers, its column, and the class labels (empty for numbers)."""
        raise NotImplementedError

    def _positive(self, classes: Array, target: Target) -> int:
        """Return the code of the class that precision and recall are about; 1 where that means nothing."""
        return 1

    def _truth(self, truth: Array) -> Array:
        """Return known answers of new rows as codes or numbers."""
        raise NotImplementedError

    def _check_fitted(self) -> None:
        if not hasattr(self, "model_"):
            from mantic.tasks.unfitted import NotFittedError

            raise NotFittedError(
                f"this {type(self).__name__} instance is not fitted yet",
                where="model",
                fix="call fit(frame, target) first",
            )


def _fixed(params: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Sort {"svm.C": 10} by learner, and check each against the learner's own list."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in params.items():
        name, _, parameter = key.partition(".")
        if not parameter:
            raise SettingsError(
                f"'{key}' names no parameter", where="params", fix="write learner.parameter, as in svm.C=10"
            )
        found.setdefault(name, {})[parameter] = value
    for name, given in found.items():
        complete(name, LEARNERS.get(name)().space(), given)
    if "learning_rate" in found.get("boosting", {}):  # what somebody chose is not raised, however little time there is
        found["boosting"].setdefault("hurry", False)
    return found


# How each kind of model is restored from its file: a module with `restore(opened, where)`.
_RESTORERS = {
    "classify": "mantic.tasks.saved",
    "regress": "mantic.tasks.saved",
    "forecast": "mantic.tasks.series_saved",
}


def load(path: str | Path) -> Any:
    """Load a model that `save` or `mantic fit` wrote; no code from the file is run.

    Returns
    -------
    The fitted Classifier, Regressor or Forecaster.

    Raises
    ------
    ArtifactError : if the file is no model, damaged, tampered with or hostile.
    """
    from mantic.core.artifact import open_artifact

    with open_artifact(path, tasks=tuple(_RESTORERS)) as opened:
        return import_module(_RESTORERS[opened.manifest["task"]]).restore(opened, str(path))
