"""A usable model within a moment: what is kept when time runs out before anything better is ready."""

from dataclasses import replace

import numpy as np

from mantic.core.executor import Held
from mantic.core.lazy import need
from mantic.core.learner import LEARNERS, Params
from mantic.core.schema import Kind, Schema
from mantic.core.table import Array, Target
from mantic.search.blend import Blend
from mantic.search.blend import Part as Weighed
from mantic.search.calibrate import NONE
from mantic.search.conformal import Conformal
from mantic.search.margin import to_margin
from mantic.search.plan import Request
from mantic.search.refit import corrected
from mantic.search.split import Fold
from mantic.search.trial import Candidate, Material, Part, TrialJob, forget, run_trial

_MOST_ROWS = 10_000
_MOST_ROWS_WITH_TEXT = 2_000
_QUICK: dict[str, Params] = {"boosting": {"rounds": 60, "learning_rate": 0.1, "num_leaves": 15}}


def dummy(request: Request, rows: Array) -> Blend:
    """Return the model that always says the same: class shares, or the mean, of these rows.

    Its answer is also the best possible under log loss and squared error without looking at any column.
    """
    target = request.material.target.rows(rows)
    guess = constant(target, 1)
    base = to_margin(guess, floor=1e-9)[0]
    repeated = np.repeat(guess, len(rows), axis=0)
    conformal = Conformal.of(repeated, target.values, n_classes=target.n_classes)
    return Blend(request.material.schema, target.n_classes, (), NONE, conformal, base)


def constant(target: Target, n_rows: int) -> Array:
    """Return the dummy's answer, learned from a target, for so many rows."""
    if not target.is_classes:
        return np.full(n_rows, float(target.values.mean()))
    shares = np.bincount(target.values.astype(np.int64), minlength=target.n_classes) / len(target)
    return np.tile(shares, (n_rows, 1))


def prepare(request: Request) -> None:
    """Import what the quick model needs."""
    for package in LEARNERS.get(_choose(request)).needs:
        need(package, why="the first model")


def quick(request: Request, part: Part, *, seconds: float) -> Blend:
    """Fit one fast learner on a sample of a part's rows, here and now; corrected on rows that it has not seen."""
    learn, judge = _sample(request, part)
    small = Part(learn, judge, ((learn, judge),))
    material = Material(
        _without_text(request.material.schema), request.material.frame, request.material.target, (small,)
    )
    name = _choose(request)
    params = _QUICK.get(name, {}) | request.fixed.get(name, {})
    job = TrialJob(Candidate(name, params, 0), 0, (0,), request.seed, seconds, Held(material), keep=True)
    try:
        result = run_trial(job)
    finally:
        forget()
    member = result.members[0]
    margin = to_margin(result.guess, floor=member.floor)
    bare = corrected(request, result.rows, margin)
    return Blend(bare.schema, bare.n_classes, (Weighed(member, 1.0),), bare.scaling, bare.conformal, bare.base)


def _without_text(schema: Schema) -> Schema:
    """Pass texts over, unless there is nothing else: reading them takes longer than a moment."""
    rest = [column for column in schema.columns if column.is_used and column.kind != Kind.TEXT]
    if not rest:
        return schema
    return Schema(tuple(replace(one, kind=Kind.ID) if one.kind == Kind.TEXT else one for one in schema.columns))


def _choose(request: Request) -> str:
    allowed = request.learners or ("boosting",)
    able = [name for name in allowed if request.task in LEARNERS.get(name).tasks]
    return "boosting" if "boosting" in able else able[0]


def _sample(request: Request, part: Part) -> Fold:
    has_text = any(column.kind == Kind.TEXT for column in _without_text(request.material.schema).columns)
    most = _MOST_ROWS_WITH_TEXT if has_text else _MOST_ROWS
    learn, judge = part.folds[-1] if part.folds else (part.rows, part.held_out)
    chance = np.random.default_rng(request.seed)
    if len(learn) > most:
        learn = np.sort(chance.choice(learn, most, replace=False))
    if len(judge) > most:
        judge = np.sort(chance.choice(judge, most, replace=False))
    return learn, judge
