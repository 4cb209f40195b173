"""From scored candidates to the models that are judged and the one that is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mantic.core.budget import Deadline
from mantic.core.executor import LATE
from mantic.core.table import Array, Target
from mantic.search.blend import Blend, Part
from mantic.search.calibrate import fit_scaling, temperature
from mantic.search.conformal import Conformal
from mantic.search.ensemble import MOST_MEMBERS, greedy
from mantic.search.margin import to_guess
from mantic.search.member import Member, margin_by
from mantic.search.plan import Request, Scored, Search
from mantic.search.trial import WHOLE, Candidate, TrialJob, TrialResult, run_trial

_MOST_ENTRIES = 25
REFIT = "refit: "  # before the reason of what failed there
_LEAST_IN_PERIOD = 100  # errors, for a period that stands by itself

Said = tuple[Array, Array]  # rows, and answers of a model that had not seen them


@dataclass(frozen=True)
class Recipe:
    """What to blend in one part: candidates with weights and confidence factors, and the corrections found there."""

    part: int
    chosen: tuple[Scored, ...]
    weights: tuple[float, ...]
    scales: tuple[float, ...]
    model: Blend  # without members

    def out_of_fold(self) -> tuple[Array, Array]:
        """Return rows and calibrated answers of the blend, each by members that had not seen the row."""
        parts = [
            weight * scale * margin_by(one.candidate.learner, result.guess)
            for one, weight, scale in zip(self.chosen, self.weights, self.scales, strict=True)
            for result in [one.results[self.part]]
        ]
        margin = self.model.scaling.apply(np.sum(parts, axis=0) / sum(self.weights))
        return self.chosen[0].results[self.part].rows, to_guess(margin, self.model.n_classes)


def recipe(search: Search, part: int, *, only: frozenset[int] | None = None) -> Recipe | None:
    """Choose members and weights by the out-of-fold predictions of one part alone.

    Candidates that were cut by the clock and not kept are passed over: there would be no time to fit them again.

    Parameters
    ----------
    only : numbers of the candidates to choose from; all by default. None is returned when there are none.
    """
    request = search.request
    able = [
        one
        for one in search.eligible
        if (only is None or one.candidate.number in only)
        and (one.results[part].members or not one.results[part].is_cut)
    ]
    if not able:
        return None
    scored = sorted(able, key=lambda one: one.loss)[:_MOST_ENTRIES]
    n_classes = request.material.target.n_classes
    rows = scored[0].results[part].rows
    truth = request.material.target.values[rows]
    margins = [margin_by(one.candidate.learner, one.results[part].guess) for one in scored]
    scales = [temperature(margin, truth, n_classes) for margin in margins]
    cooled = [margin * scale for margin, scale in zip(margins, scales, strict=True)]
    weights = greedy(cooled, lambda margin: request.metric.loss(truth, to_guess(margin, n_classes)), most=MOST_MEMBERS)
    blended = sum(weight * margin for weight, margin in zip(weights, cooled, strict=True))
    kept = [place for place in np.argsort(-weights, kind="stable") if weights[place] > 0]
    return Recipe(
        part,
        tuple(scored[place] for place in kept),
        tuple(float(weights[place]) for place in kept),
        tuple(scales[place] for place in kept),
        corrected(request, rows, np.asarray(blended)),
    )


def corrected(request: Request, rows: Array, margin: Array) -> Blend:
    """Return a model without members that holds the calibration and the conformal errors of these predictions."""
    target = request.material.target
    truth = target.values[rows]
    scaling = fit_scaling(margin, truth, target.n_classes, seed=request.seed)
    guess = to_guess(scaling.apply(margin), target.n_classes)
    conformal = Conformal.of(guess, truth, n_classes=target.n_classes)
    base = np.zeros(margin.shape[1])
    return Blend(request.material.schema, target.n_classes, (), scaling, conformal, base)


Refit = tuple[int, int]  # candidate number, part: to be fitted on all rows of the part
Fits = dict[Refit, Member]


def refit(
    search: Search, recipes: list[Recipe], fits: Fits, *, deadline: Deadline, only: frozenset[Refit] | None = None
) -> None:
    """Fit every chosen candidate on all rows of its part, judged parts first, then the plain reference, then all rows.

    Parts without folds of their own (all rows) use the last recipe. What is not done by the deadline is left out.

    Parameters
    ----------
    fits : grows as they finish, so that what is done by then is there whatever ends this.
    only : (candidate number, part) to fit; all by default.
    """
    wanted = [one for one in to_refit(search, recipes) if only is None or one in only]
    for job, result in search.executor.run(run_trial, _refit_jobs(search, wanted, deadline)):
        if isinstance(result, TrialResult) and not result.is_cut:
            fits[job.candidate.number, job.part] = result.members[0]
        elif isinstance(result, TrialResult):  # half a model is not what was judged
            search.failed.append((job.candidate, REFIT + LATE.reason))
        else:
            search.failed.append((job.candidate, REFIT + result.reason))


def to_refit(search: Search, recipes: list[Recipe]) -> list[Refit]:
    """Return what `refit` fits, in its order: the longest first within judged parts, references and all rows."""
    parts = search.request.material.parts
    wanted: list[tuple[Scored, int]] = [(one, own.part) for own in recipes for one in _longest_first(own)]
    judged = [number for number, part in enumerate(parts) if len(part.held_out) and not part.is_rehearsal]
    if (reference := search.reference) is not None:
        wanted += [(reference, number) for number in judged]
    unfolded = sorted((n for n, part in enumerate(parts) if not part.folds), key=lambda n: parts[n].is_rehearsal)
    wanted += [(one, number) for number in unfolded for one in _longest_first(recipes[-1])]
    return list(dict.fromkeys((one.candidate.number, number) for one, number in wanted))


def _longest_first(own: Recipe) -> list[Scored]:
    return sorted(own.chosen, key=lambda one: -one.results[own.part].fit_seconds)


def _refit_jobs(search: Search, wanted: list[Refit], deadline: Deadline) -> Iterator[TrialJob]:
    for one, number in wanted:
        scored = next(each for each in search.scored if each.candidate.number == one)
        if deadline.left() <= 0:
            return
        source = scored.results.get(number) or scored.results[search.request.searched[-1]]
        params = scored.candidate.params | source.found
        candidate = Candidate(scored.candidate.learner, params, scored.candidate.number)
        yield search.job(candidate, number, (WHOLE,), seconds=deadline.left(), keep=True)


def settle(search: Search, own: Recipe, fits: Fits) -> Recipe:
    """Return the recipe, or one made only of what could be fitted again where something could not."""
    done = frozenset(number for number, part in fits if part == own.part)
    if all(one.candidate.number in done for one in own.chosen):
        return own
    return recipe(search, own.part, only=done) or own


def assemble(own: Recipe, part: int, fits: Fits) -> Blend | None:
    """Return the recipe's blend for a part: refitted members, else those kept from the search; None if there are none.

    Members of one part are all refitted or all kept: a mix would not be what was measured.
    """
    refitted = [fits.get((one.candidate.number, part)) for one in own.chosen]
    if part == own.part and any(member is None for member in refitted):
        kept = [one.results[part].members for one in own.chosen]
        refitted = [members[0] if members else None for members in kept]
    if any(member is None for member in refitted) and part != own.part:
        return None
    alive = [
        (member, weight, scale)
        for member, weight, scale in zip(refitted, own.weights, own.scales, strict=True)
        if member is not None
    ]
    if not alive:
        return None
    total = sum(weight for _, weight, _ in alive)
    parts = tuple(Part(member, weight / total, scale) for member, weight, scale in alive)
    bare = own.model
    return Blend(bare.schema, bare.n_classes, parts, bare.scaling, bare.conformal, bare.base)


def with_judged(model: Blend, own: Recipe, judged: Said, target: Target) -> Blend:
    """Return the kept model with what its recipe said about the rows that judged it among its conformal errors.

    Those errors are of members that learned from more rows than inside the search, and nothing was chosen by them.
    """
    rows, guess = (np.concatenate(pair) for pair in zip(judged, own.out_of_fold(), strict=True))
    return replace(model, conformal=Conformal.of(guess, target.values[rows], n_classes=target.n_classes))


def in_periods(model: Blend, target: Target, periods: Sequence[Said]) -> Blend:
    """Return the model with the errors of periods that stand by themselves; those with few rows are passed over."""
    apart = tuple(
        Conformal.of(guess, target.values[rows], n_classes=target.n_classes)
        for rows, guess in periods
        if len(rows) >= _LEAST_IN_PERIOD
    )
    return replace(model, conformal=replace(model.conformal, periods=apart))
