"""What a walk found out, in the form that a report is made from."""

import shlex
import sys
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from mantic.core.budget import Deadline
from mantic.core.executor import Failure, attempt
from mantic.core.learner import LEARNERS, Params
from mantic.core.metric import METRICS
from mantic.core.model import Importance
from mantic.core.registry import plugins
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.evaluate.blocks_decision import valued_again
from mantic.evaluate.drift import Drift, find_drift
from mantic.evaluate.findings import Conformal, Findings, TrialRow
from mantic.evaluate.fit_report import evaluate_report
from mantic.explain.importance import Judged, importance
from mantic.explain.rules import LEAST_ROWS as LEAST_FOR_RULES
from mantic.explain.rules import rules_of
from mantic.explain.subject import Subject
from mantic.report.blocks import Block, Report
from mantic.search.row import row_plan
from mantic.search.slim import row_seconds
from mantic.search.trial import Candidate
from mantic.tasks.background import Background
from mantic.tasks.clusters import judged_together
from mantic.tasks.decide import with_section
from mantic.tasks.target import positive_among
from mantic.tasks.walk import Walked
from mantic.tasks.wishes import Wishes

if TYPE_CHECKING:
    import polars as pl

    from mantic.tasks.base import Estimator

LEVEL = 0.9
_DRIFT_SECONDS = {True: 0.6, False: 4.0}  # with fewer left, drift is not measured; True: where it is to be expected
_PROBED = 100  # rows, to know how fast the model answers
_RULES_SECONDS, _RULES_SHARE = 0.6, 0.4  # what learning rules costs; of the time left
_TREES_SECONDS = 1.5  # to import scikit-learn's trees, where nothing else has
_LATENCY_LEAST = 0.6  # seconds that must be left to measure the time for one row
_REPORT_SECONDS = 1.5  # kept from the importance for the report itself, or a third of what is left


def findings_of(
    walked: Walked, wishes: Wishes, run: Run, *, started: float, asked: dict[str, Any], kept: Background
) -> Findings:
    """Collect everything about a fit; the importance of columns takes what time can be spared."""
    given, division = walked.given, walked.division
    for leak in walked.leaks:
        run.warn("leak", f"'{leak.column}' seems to know the answer: {leak.why}", column=leak.column)
    latency = _latency(walked, wishes, run)
    truth = given.target.values[walked.judged]
    is_apart = given.moment is not None or given.groups is not None
    drift = _drift(walked, run, least_seconds=_DRIFT_SECONDS[is_apart])  # before what takes all the time that is left
    command, script = _again(asked, given.column.name, is_classes=given.target.is_classes, dropped=run.dropped)
    found = Findings(
        task="classify" if given.target.is_classes else "regress",
        target=given.column.name,
        metric=METRICS.get(wishes.metric.name),
        schema=given.schema,
        frame=given.frame[walked.judged],
        truth=truth,
        guess=walked.guess,
        baseline_guess=walked.baseline_guess,
        baseline_name=_baseline_name(given.classes, given.target.values),
        linear_guess=None if _is_linear(walked) else walked.linear_guess,
        classes=tuple(str(label) for label in given.classes.tolist()),
        clusters=judged_together(given, walked.judged),
        split=f"{division.sentence[0].upper()}{division.sentence[1:]}.{_told(walked.earlier, wishes.metric.name)}",
        earlier=walked.earlier,
        n_rows=given.frame.height,
        n_train=given.frame.height if len(division.judged) > 1 else len(division.parts[division.judged[0]].rows),
        trials=_trials(walked),
        rules=_rules(walked, kept, run),
        importance=_importance(walked, wishes, run),
        warnings=tuple(run.warnings),
        leaks=walked.leaks,
        drift=drift,
        is_apart=is_apart,
        conformal=_promise(walked, truth),
        seconds=monotonic() - started,
        latency_ms=None if latency is None else 1000 * latency,
        long_way=() if latency is None else row_plan(walked.model).fallback,
        command=command,
        script=script,
    )
    return _positive_last(found, given.positive)


def _latency(walked: Walked, wishes: Wishes, run: Run) -> float | None:
    """Return the seconds that the kept model takes for one row, if there is time to measure it; warn if too many."""
    allowed = wishes.budget.row_seconds
    if allowed is None and run.deadline.left() < _LATENCY_LEAST * walked.slowdown:
        return None
    latency = row_seconds(walked.model, walked.given.frame, seed=wishes.seed)
    if allowed is not None and latency > allowed:
        run.warn(
            "slow_rows",
            f"one row takes {1000 * latency:.2f} ms, though {1000 * allowed:g} ms were allowed: "
            "it is the fastest that was found",
        )
    return latency


def _told(earlier: tuple[float, ...], metric: str) -> str:
    if not earlier:
        return ""
    scores = ", ".join(f"{score:.4g}" for score in earlier)
    return f" In periods of the same length before it, the latest first, the same recipe had {metric} {scores}."


def _positive_last(findings: Findings, positive: int) -> Findings:
    """Return findings whose second class is the positive one: that is what metrics and pictures take it for."""
    if not findings.is_binary or positive == 1:
        return findings
    linear = findings.linear_guess
    return replace(
        findings,
        truth=1 - findings.truth,
        guess=findings.guess[:, ::-1],
        baseline_guess=findings.baseline_guess[:, ::-1],
        linear_guess=None if linear is None else linear[:, ::-1],
        classes=findings.classes[::-1],
    )


def evaluation_of(
    estimator: "Estimator", frame: "pl.DataFrame", truth: Array, run: Run, *, clusters: Array | None
) -> Report:
    """Score a fitted model on new rows; the baseline says what was commonest, or the mean, when it was fitted.

    Parameters
    ----------
    clusters : which rows belong together; None where each stands for itself.
    """
    model = estimator.model_
    guess = model.predict(frame)
    facts = estimator.report_.facts
    is_classes = model.n_classes > 0
    known = estimator.background_answers_
    before = known["truth"].to_numpy() if known.width else truth  # files of long ago do not say
    base = _shares(before, model.n_classes) if is_classes else np.array(before.mean())
    conformal: Conformal | None
    if is_classes:
        inside = model.conformal.sets(guess, level=LEVEL)
        conformal = Conformal(
            LEVEL, float(inside[np.arange(len(truth)), truth].mean()), float(inside.sum(axis=1).mean())
        )
    else:
        conformal = _interval_promise(model.conformal.interval(guess, level=LEVEL), truth)
    findings = Findings(
        task=estimator.task.name,
        target=estimator.target_.name,
        metric=METRICS.get(facts["metric"]),
        schema=estimator.schema_,
        frame=frame,
        truth=truth,
        guess=guess,
        baseline_guess=np.broadcast_to(base, guess.shape),
        baseline_name=_baseline_name(estimator.classes_ if is_classes else np.empty(0), before),
        classes=tuple(str(label) for label in estimator.classes_.tolist()) if is_classes else (),
        clusters=clusters,
        warnings=tuple(run.warnings),
        conformal=conformal,
        drift=None if estimator.roles_[1] else find_drift(estimator.background_, frame, estimator.schema_, run=run),
        is_apart=True,
    )
    report = evaluate_report(_positive_last(findings, positive_among(findings.classes, facts)), run)
    if estimator.decision_ is None:
        return report
    return with_section(report, valued_again(estimator.decision_, truth, guess, clusters=clusters, seed=run.seed))


def _shares(codes: Array, n_classes: int) -> Array:
    """Return the share of each class; one that was not seen is not impossible (Jeffreys' prior)."""
    return np.asarray((np.bincount(codes.astype(np.int64), minlength=n_classes) + 0.5) / (len(codes) + 0.5 * n_classes))


def _baseline_name(classes: Array, values: Array) -> str:
    if not len(classes):
        return "always saying the average"
    label = classes[np.bincount(values.astype(np.int64)).argmax()].item()
    return f"always saying {label!r}"


def _is_linear(walked: Walked) -> bool:
    own = walked.recipe
    return own is not None and all(one.candidate.learner == "linear" for one in own.chosen)


def _trials(walked: Walked) -> tuple[TrialRow, ...]:
    if walked.search is None:
        return ()
    weights: dict[int, float] = {}
    if walked.recipe is not None and len(walked.model.parts) == len(walked.recipe.chosen):
        weights = {one.candidate.number: w for one, w in zip(walked.recipe.chosen, walked.recipe.weights, strict=True)}
    rows = []
    for one in walked.search.scored:
        weight = weights.get(one.candidate.number, 0.0)
        rows.append(TrialRow(one.candidate.learner, _own(one.candidate), one.score, one.seconds, weight))
    left = [
        TrialRow(
            one.learner, _own(one), float("nan"), walked.search.race.seconds(one), note="added nothing on one fold"
        )
        for one in walked.search.race.left
    ]
    failed = [
        TrialRow(candidate.learner, candidate.params, float("nan"), 0.0, note=reason)
        for candidate, reason in walked.search.failed
    ]
    return (*rows, *failed, *left)


def _own(candidate: Candidate) -> Params:
    """Return the parameters that are not the learner's defaults."""
    space = LEARNERS.get(candidate.learner)().space()
    return {key: value for key, value in candidate.params.items() if key not in space or space[key].default != value}


def _importance(walked: Walked, wishes: Wishes, run: Run) -> tuple[Importance, ...]:
    """Measure it on rows that the judging models have not seen."""
    left = run.deadline.left()
    limit = run.deadline if left == float("inf") else Deadline.after(left - min(_REPORT_SECONDS, left / 3))
    given = walked.given
    judged = [Judged(model, given.frame[rows], given.target.values[rows]) for rows, model in walked.judges]
    return importance(judged, metric=wishes.metric, run=run.until(limit))


def _rules(walked: Walked, kept: Background, run: Run) -> tuple[Block, ...]:
    """Return the model in a few rules, where there are rows and time for it."""
    if kept.frame.height < LEAST_FOR_RULES or not walked.model.parts:
        return ()
    began = monotonic()
    walked.model.predict(kept.frame[:_PROBED])
    cost = (monotonic() - began) * kept.frame.height / _PROBED + _RULES_SECONDS
    cost += 0.0 if "sklearn.tree" in sys.modules else _TREES_SECONDS
    if cost * walked.slowdown > _RULES_SHARE * run.deadline.left():
        return ()
    subject = Subject(
        walked.model, walked.given.column.name, kept.frame, classes=tuple(walked.given.classes.tolist()),
        truth=kept.truth, held_out=kept.held_out(walked.model.n_classes),
    )  # fmt: skip
    rules = attempt(lambda one: rules_of(one, seed=run.seed), subject)
    if isinstance(rules, Failure):  # they must not cost the model
        run.warn("part_failed", f"there are no rules that imitate the model: {rules.reason}")
        return ()
    return tuple(rules.group().blocks)


def _promise(walked: Walked, truth: Array) -> Conformal | None:
    said = [(model.conformal, guess) for (_, model), guess in zip(walked.judges, walked.answers, strict=True)]
    if walked.model.n_classes:
        inside = np.concatenate([known.sets(guess, level=LEVEL) for known, guess in said])
        return Conformal(LEVEL, float(inside[np.arange(len(truth)), truth].mean()), float(inside.sum(axis=1).mean()))
    ends = np.concatenate([known.interval(guess, level=LEVEL) for known, guess in said])
    return _interval_promise(ends, truth)


def _drift(walked: Walked, run: Run, *, least_seconds: float) -> Drift | None:
    """Hold the first judged part against the rows that its model learned from; passed over in haste.

    Whole groups lie on one side: that tells the sides apart, and says nothing about what is to come.
    """
    if run.deadline.left() < least_seconds * walked.slowdown or walked.given.groups is not None:
        return None
    given, part = walked.given, walked.division.parts[walked.division.judged[0]]
    return find_drift(given.frame[part.rows], given.frame[part.held_out], given.schema, run=run)


def _interval_promise(ends: Array, truth: Array) -> Conformal | None:
    if not np.isfinite(ends).all():
        return None
    covered = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    return Conformal(LEVEL, float(covered.mean()), float(np.median(ends[:, 1] - ends[:, 0])))


def _again(asked: dict[str, Any], target: str, *, is_classes: bool, dropped: tuple[str, ...]) -> tuple[str, str]:
    """Return the shell command and the Python lines that repeat this fit."""
    task, type_name = ("classify", "Classifier") if is_classes else ("regress", "Regressor")
    words = ["mantic", "fit", "DATA", "--target", target, "--task", task]
    words += ["--budget", str(asked["budget"]), "--seed", str(asked["seed"])]
    for path in plugins():
        words += ["--plugin", str(path)]
    for name in dropped:
        words += ["--drop", name]
    if asked["metric"]:
        words += ["--metric", asked["metric"]]
    for name in asked["learners"] or ():
        words += ["--learner", name]
    if asked.get("positive") is not None:
        words += ["--positive", str(asked["positive"])]
    for key, value in (asked["params"] or {}).items():
        words += ["--set", f"{key}={value}"]
    roles: dict[str, Any] = {key: asked[key] for key in ("time", "group") if asked.get(key) is not None}
    for key, name in roles.items():
        words += [f"--{key}", name]
    for column, kind in asked.get("kinds", {}).items():
        words += ["--kind", f"{column}={kind}"]
    if asked.get("kinds"):
        roles["kinds"] = asked["kinds"]
    columns = ("time", "group", "kinds")
    given = ", ".join(f"{key}={value!r}" for key, value in asked.items() if value is not None and key not in columns)
    fitted = "".join(f", {key}={name!r}" for key, name in roles.items())
    frame = f"frame.drop({list(dropped)!r})" if dropped else "frame"
    script = f"import mantic\n\nmodel = mantic.{type_name}({given}).fit({frame}, {target!r}{fitted})"
    return shlex.join(words), script
