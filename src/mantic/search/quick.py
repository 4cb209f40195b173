"""A usable model within a moment: what is kept when time runs out before anything better is ready."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mantic.core.budget import Deadline
from mantic.core.executor import Held, attempt
from mantic.core.lazy import need_alone
from mantic.core.learner import LEARNERS, Params
from mantic.core.load import load_seconds
from mantic.core.schema import Kind, Schema
from mantic.core.table import Array, Target
from mantic.search.blend import Blend
from mantic.search.blend import Part as Weighed
from mantic.search.calibrate import NONE
from mantic.search.conformal import Conformal
from mantic.search.ensemble import greedy
from mantic.search.margin import to_guess, to_margin
from mantic.search.plan import Request
from mantic.search.refit import corrected
from mantic.search.split import Fold
from mantic.search.trial import Candidate, Material, Part, TrialJob, TrialResult, forget, run_trial

_MOST_ROWS = 10_000
_MOST_ROWS_WITH_TEXT = 2_000
PLAIN = "linear"  # solved in NumPy, it is there before any library is loaded
FIRST: dict[str, Params] = {
    "boosting": {"rounds": 60, "learning_rate": 0.1, "num_leaves": 15},
    PLAIN: {"solver": "plain"},
}
ONLY = FIRST | {"boosting": {"rounds": 400, "learning_rate": 0.1, "num_leaves": 31, "stopping": "once"}}  # no search


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


def prepare(request: Request, *, seconds: float) -> tuple[str, ...]:
    """Load what first models need, and return the learners for them; one that takes longer than `seconds` is left out.

    One is always left: the plain linear model, which needs nothing, where the user allows it.
    """
    able = _able(request)
    quick = [name for name in able if load_seconds(_needs(name)) <= seconds] or able[-1:]
    for package in {package for name in quick for package in _needs(name)}:
        need_alone(package, why="the first model")
    return tuple(quick)


def quick(request: Request, part: Part, learners: Mapping[str, Params], *, seconds: float) -> Blend | None:
    """Fit fast learners on a sample of a part's rows, here and now; blended and corrected on rows they have not seen.

    One that fails is left out; None if all do.

    Parameters
    ----------
    learners : their parameters by name, from `FIRST` or `ONLY`; what the user fixed goes before.
    """
    learn, judge = _sample(request, part)
    small = Part(learn, judge, ((learn, judge),))
    material = Material(
        _without_text(request.material.schema), request.material.frame, request.material.target, (small,)
    )
    deadline = Deadline.after(seconds)
    try:
        results = []
        for number, (name, params) in enumerate(learners.items()):
            candidate = Candidate(name, params | request.fixed.get(name, {}), number)
            job = TrialJob(candidate, 0, (0,), request.seed, deadline.left(), Held(material), keep=True)
            result = attempt(run_trial, job)
            if isinstance(result, TrialResult):
                results.append(result)
    finally:
        forget()
    if not results:
        return None
    members, truth = [one.members[0] for one in results], request.material.target.values[judge]
    margins = [to_margin(one.guess, floor=member.floor) for one, member in zip(results, members, strict=True)]
    n_classes = request.material.target.n_classes
    weights = greedy(margins, lambda margin: request.metric.loss(truth, to_guess(margin, n_classes)), most=len(results))
    bare = corrected(request, judge, np.sum([w * margin for w, margin in zip(weights, margins, strict=True)], axis=0))
    parts = tuple(Weighed(member, float(w)) for member, w in zip(members, weights, strict=True) if w > 0)
    return Blend(bare.schema, bare.n_classes, parts, bare.scaling, bare.conformal, bare.base)


def _without_text(schema: Schema) -> Schema:
    """Pass texts over, unless there is nothing else: reading them takes longer than a moment."""
    rest = [column for column in schema.columns if column.is_used and column.kind != Kind.TEXT]
    if not rest:
        return schema
    return Schema(tuple(replace(one, kind=Kind.ID) if one.kind == Kind.TEXT else one for one in schema.columns))


def _able(request: Request) -> list[str]:
    """Return learners for a first model that the user allows: the quick ones, else the first that is named."""
    allowed = [name for name in request.learners or FIRST if request.task in LEARNERS.get(name).tasks]
    if _reads_text(request) and PLAIN in allowed:
        return [PLAIN]  # others wait for scikit-learn, which finds the main directions of texts for them
    return [name for name in FIRST if name in allowed] or allowed[:1]


def _needs(name: str) -> tuple[str, ...]:
    return () if name == PLAIN else LEARNERS.get(name).needs


def _reads_text(request: Request) -> bool:
    return any(column.kind == Kind.TEXT for column in _without_text(request.material.schema).columns)


def _sample(request: Request, part: Part) -> Fold:
    most = _MOST_ROWS_WITH_TEXT if _reads_text(request) else _MOST_ROWS
    learn, judge = part.folds[-1] if part.folds else (part.rows, part.held_out)
    chance = np.random.default_rng(request.seed)
    if len(learn) > most:
        learn = np.sort(chance.choice(learn, most, replace=False))
    if len(judge) > most:
        judge = np.sort(chance.choice(judge, most, replace=False))
    return learn, judge
