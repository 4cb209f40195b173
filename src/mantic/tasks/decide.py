"""Decide with a fitted model: keep what is needed at the fit, and put the decision into model and report."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mantic.core.errors import SettingsError
from mantic.core.schema import Kind
from mantic.core.table import Array
from mantic.evaluate.blocks_decision import TITLE, decided, section
from mantic.evaluate.capacity import read_capacity
from mantic.evaluate.costs import finds, read_costs
from mantic.evaluate.decide import Decision, Weighed, check_needed
from mantic.evaluate.unseen import Unseen, answers_of
from mantic.report.blocks import Alert, Block, Group, Number, Report
from mantic.tasks.door import Given, filled, plain
from mantic.tasks.target import positive_among
from mantic.tasks.walk import Walked

if TYPE_CHECKING:
    from mantic.tasks.base import Estimator
    from mantic.tasks.classify import Classifier

_DAY = 86_400e6  # microseconds


def unseen_of(walked: Walked, *, clusters: Array | None, time: str | None, seed: int) -> Unseen | None:
    """Return the answers of a fit on rows that were not seen; None for a regression.

    Parameters
    ----------
    clusters : which of the judged rows belong together; None where each stands for itself.
    time : name of the column that orders the rows, if one was given.
    """
    given = walked.given
    n_classes = given.target.n_classes
    if not given.target.is_classes:
        return None
    truth = given.target.values
    searched = [(own.part, truth[rows], guess) for own in walked.used for rows, guess in [own.out_of_fold()]]
    judged = [
        (number, truth[rows], guess)
        for number, (rows, _), guess in zip(walked.division.judged, walked.judges, walked.answers, strict=True)
    ]
    inner, _ = answers_of(searched, n_classes, seed=seed)
    held_out, chosen = answers_of(judged, n_classes, seed=seed)
    groups = None if clusters is None else clusters[chosen].astype(np.int32)
    kept = walked.used[-1].part if walked.used else -1
    return Unseen(inner, held_out, kept, groups, len(walked.judged), _pace(given, time))


def foresee(model: "Estimator", target: pl.Series, *, cost: Any, capacity: Any) -> None:
    """Refuse, before a fit, what could not be decided after it.

    Raises
    ------
    SettingsError : if the target is a number, or its classes do not go with the costs or the capacity.
    """
    if model.task.name != "classify":
        raise SettingsError(
            f"'{target.name}' is predicted as a number, and a decision is about classes",
            where="--cost" if capacity is None else "--capacity",
            fix="use --task classify, or predict whether the number is above a limit that matters",
        )
    known = target.filter(filled(target))
    if known.is_empty():
        return  # the fit itself says so
    values, _, labels = model._learn_target(plain(known), target.name)
    positive = model._positive(labels, values)
    classes = tuple(str(label) for label in labels.tolist())
    _check_capacity(capacity, classes)
    if cost is not None:
        check_needed(read_costs(cost).bind(classes, positive=positive), is_limited=capacity is not None)


def decide(model: "Classifier", cost: Any, *, capacity: Any, unit: str, seed: int) -> Decision:
    """Decide, and put the decision into the model and its report; see `Classifier.decide`."""
    unseen = model.unseen_
    if unseen is None:
        raise SettingsError(
            "this model was saved without the answers that a decision is chosen by", where="decide",
            fix="fit it again with this version of mantic",
        )  # fmt: skip
    if cost is None and capacity is None:
        raise SettingsError(
            "neither costs nor a capacity are given", where="decide",
            fix='say what mistakes cost, as in "fp=1,fn=10", or how many rows can be acted on, as in "5%"',
        )  # fmt: skip
    classes = tuple(str(label) for label in model.classes_.tolist())
    positive = positive_among(classes, model.report_.facts)
    _check_capacity(capacity, classes)
    costs = finds(classes, positive=positive) if cost is None else None
    costs = costs or read_costs(cost).bind(classes, positive=positive, unit=unit)
    wanted = None if capacity is None else read_capacity(capacity)
    bound = None if wanted is None else wanted.bind(n_batch=unseen.n_held_out, pace=unseen.pace)
    weighed = Weighed.of(unseen, costs, capacity=bound, seed=seed)
    found = decided(weighed, target=model.target_.name)
    model.decision_ = found
    model.report_ = with_section(model.report_, found)
    return found


def with_section(report: Report, decision: Decision) -> Report:
    """Return a fit's report with the section of a decision after the scores; an earlier one is replaced."""
    rest: list[Block] = [one for one in report.blocks if not (isinstance(one, Group) and one.title == TITLE)]
    place = next((at for at, block in enumerate(rest) if isinstance(block, Group) and not _is_head(block)), len(rest))
    blocks = (*rest[:place], section(decision), *rest[place:])
    return replace(report, blocks=blocks, facts=report.facts | {"decision": decision.to_facts()})


def _check_capacity(capacity: Any, classes: tuple[str, ...]) -> None:
    if capacity is not None and len(classes) != 2:
        raise SettingsError(
            f"a capacity is for acting on one of two classes, and here are {len(classes)}",
            where=f"capacity {capacity}", fix="leave it out, or predict whether a row is of the class to act on",
        )  # fmt: skip


def _is_head(group: Group) -> bool:
    return all(isinstance(one, Number | Alert) for one in group.blocks)


def _pace(given: Given, time: str | None) -> dict[str, float]:
    """Return rows per day, by the column of time if that holds dates, else by each column of dates."""
    if time is not None and given.moment is not None and given.moment.dtype.kind == "i":
        return {time: _rows_per_day(given.moment)}
    names = [column.name for column in given.schema.columns if column.kind == Kind.DATE]
    return {name: _rows_per_day(given.frame[name].drop_nulls().dt.epoch("us").to_numpy()) for name in names}


def _rows_per_day(moments: Array) -> float:
    return len(moments) / (float(np.ptp(moments)) / _DAY + 1)
