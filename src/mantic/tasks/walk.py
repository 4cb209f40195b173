"""The walk of a fit: divide, look for leaks, search, refit, judge."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from mantic.core.budget import Deadline, Pace
from mantic.core.executor import LATE, Executor, Here, Processes
from mantic.core.interrupt import CtrlC, watch_ctrl_c
from mantic.core.learner import LEARNERS, Params
from mantic.core.metric import Metric
from mantic.core.registry import plugins
from mantic.core.run import Run, Started
from mantic.core.table import Array
from mantic.features.leaks.leak import Leak, find_leaks
from mantic.features.leaks.sample import Place
from mantic.features.leaks.split_hint import hint
from mantic.search.afford import affordable
from mantic.search.again import held_to, record_of
from mantic.search.blend import Blend
from mantic.search.blend import Part as Weighed
from mantic.search.calibrate import NONE
from mantic.search.plan import Request, Search, silent
from mantic.search.quick import FIRST, ONLY, dummy, prepare, quick
from mantic.search.record import Record
from mantic.search.refit import REFIT, Fits, Recipe, Said, assemble, in_periods, recipe, refit, settle, with_judged
from mantic.search.slim import slim
from mantic.search.split import by_time
from mantic.search.trial import Material, Part, forget
from mantic.search.worth import is_worth_it
from mantic.tasks.about import about
from mantic.tasks.door import Given
from mantic.tasks.haste import Haste
from mantic.tasks.parts import Division, divide
from mantic.tasks.standing import Doubt, tell_baseline
from mantic.tasks.wishes import Wishes

_SMALL_CELLS = 30_000  # rows x columns: below, starting processes costs more than it brings
_QUICK_LEAST = 0.5  # seconds for a first model, even where imports have spent the whole budget
_QUICK_SHARE, _ONLY_SHARE, _QUICK_MOST = 0.25, 0.5, 3.0  # of the time left; more of it where hardly a search follows
_GUIDING_SHARE = 0.2  # of the rows of an earlier period choose and correct its quick model
_LEAKS_LEAST, _LEAKS_SHARE, _LEAKS_MOST = 1.0, 0.1, 6.0  # seconds that must be left, and what may be taken of them
_AFTER_INTERRUPT = 10.0  # seconds that Ctrl-C still allows for refit and report


@dataclass
class Walked:
    """What a fit ends with: the model to keep, and everything that is known about it."""

    model: Blend
    given: Given
    division: Division
    search: Search | None
    recipe: Recipe | None
    judged: Array  # positions of held-out rows
    guess: Array
    baseline_guess: Array
    linear_guess: Array | None
    leaks: tuple[Leak, ...]
    judges: list[tuple[Array, Blend]] = field(
        default_factory=list
    )  # held-out rows, and the model that had not seen them
    answers: list[Array] = field(default_factory=list)  # of each judge, on its held-out rows
    slowdown: float = 1.0  # how much longer things take here than on an idle machine
    earlier: tuple[float, ...] = ()  # scores of the same recipe in earlier periods, the latest first
    used: list[Recipe] = field(default_factory=list)  # what judges and kept model are made by; empty for quick models
    record: Record | None = None  # of the search, if judges and kept model come from it


@dataclass
class _Sought:
    """What a walk has at any moment, so that it can end there."""

    given: Given
    division: Division
    request: Request
    reserve: float  # seconds of the deadline that are kept for judging and the report
    started: float
    pace: Pace
    haste: Haste
    executor: Executor = field(default_factory=Here)
    quick_learners: tuple[str, ...] = ()
    first: dict[int, Blend] = field(default_factory=dict)  # quick models by part; all judged parts have one, or none
    search: Search | None = None
    gave_way: bool = False  # whether what was found is no better than the first models
    interrupted: bool = False
    leaks: tuple[Leak, ...] = ()
    slowdown: float = 1.0


def walk(given: Given, wishes: Wishes, run: Run, *, pace: Pace) -> Walked:
    """Fit on the given rows within the run's deadline; whatever happens, there is a model at the end.

    Parameters
    ----------
    pace : since the fit was asked for.
    """
    started = time.monotonic()
    division = divide(given, seed=wishes.seed, run=run)
    material = Material(given.schema, given.frame, given.target, division.parts)
    haste = Haste(run.deadline.left(), pace.slowdown())
    reserve = haste.reserve
    request = Request(
        material, wishes.metric, wishes.budget, run.deadline.earlier(reserve), learners=wishes.learners,
        fixed=wishes.fixed, seed=wishes.seed,
    )  # fmt: skip
    if run.journal is not None:
        run.journal.begin(about(given, wishes))
        if n_done := run.journal.n_done:
            text = f"goes on from an earlier sitting of {run.journal.spent:.0f} s with {n_done} finished fits"
            run.warn("resumed", text)
    baselines = {number: dummy(request, division.parts[number].rows) for number in range(len(division.parts))}
    sought = _Sought(given, division, request, reserve, started, pace, haste)
    with watch_ctrl_c() as ctrl_c, ExitStack() as opened:
        opened.callback(forget)
        if ctrl_c.ended(lambda: _begin(sought, opened, wishes, run)):
            _interrupt(sought, run)
            sought.executor.close()
            until = Deadline.after(min(_AFTER_INTERRUPT, run.deadline.left()))
        else:
            until = run.deadline.earlier(sought.reserve)
        if sought.interrupted and sought.search is not None:
            sought.search.go_home()
        run.tell(Started("fitting the best again, on more rows"))
        recipes, fits = _finish(sought, until, ctrl_c, wishes.again, run=run)
    search, fallback = sought.search, sought.first or baselines
    if search is not None and wishes.budget.row_seconds is not None:
        recipes = [slim(search, own, fits, seconds=wishes.budget.row_seconds) for own in recipes]
    run.tell(Started("judging on rows that nothing has seen"))
    models = _models(division, recipes, fits, fallback)
    references = _references(search, division, fits)
    judged = np.concatenate([division.parts[number].held_out for number in division.judged])
    used = [] if models is fallback else recipes
    if models is fallback:
        what = "this is a first, quick model" if sought.first else "this always says the same"
        run.warn("no_search", f"{_why_none(sought)}: {what}")
    earlier = {number: _model_of(number, used, fits, fallback) for number in division.rehearsals}
    rehearsed = _rehearsed(given, division, earlier)
    judges = [
        (division.parts[number].held_out, in_periods(models[number], given.target, rehearsed))
        for number in division.judged
    ]
    answers = [model.predict(given.frame[rows]) for rows, model in judges]
    said = [(rows, answer) for (rows, _), answer in zip(judges, answers, strict=True)]
    return Walked(
        model=_recalibrated(_kept(models, division), used, given, judged=said, earlier=rehearsed),
        given=given, division=division, search=search,
        recipe=recipes[-1] if recipes else None,
        judged=judged, guess=np.concatenate(answers),
        baseline_guess=_answers([(division.parts[n].held_out, baselines[n]) for n in division.judged], given),
        linear_guess=None if references is None else _answers(references, given),
        leaks=sought.leaks, judges=judges, answers=answers, used=used, slowdown=sought.slowdown,
        record=record_of(search, used, fits, before=wishes.again) if used and search is not None else None,
        earlier=_earlier(given, rehearsed, wishes.metric),
    )  # fmt: skip


def _interrupt(sought: _Sought, run: Run) -> None:
    """Put down that somebody wished an end, and say so once."""
    if not sought.interrupted:
        run.warn("interrupted", "stopped early at your wish: this is the best so far")
    sought.interrupted = True


def _why_none(sought: _Sought) -> str:
    """Return why a search brought no model."""
    if sought.interrupted:
        return "it was stopped before a search found better"
    if sought.gave_way and sought.search is not None:
        return f"none of the {len(sought.search.eligible)} that were tried in this time is clearly better"
    if sought.search is not None and (reason := _first_failure(sought.search)):
        return f"what was tried failed ({reason})"
    return "there was too little time for a search"


def _first_failure(search: Search) -> str:
    """Return what failed where nothing is left, in the trials or in fitting again; empty if only time was short."""
    failed = [(one, why) for one, why in search.failed if not search.eligible or why.startswith(REFIT)]
    reasons = [f"{one.learner}: {why.removeprefix(REFIT)}" for one, why in failed if not why.endswith(LATE.reason)]
    return reasons[0].splitlines()[0] if reasons else ""


def _begin(sought: _Sought, opened: ExitStack, wishes: Wishes, run: Run) -> None:
    """Load what first models need, open the executor, and seek; from here on a press keeps at least the baseline."""
    if run.listeners:
        tell_baseline(sought.request, run)
    # not in the time that says how fast the machine is
    sought.quick_learners = prepare(sought.request, seconds=sought.haste.first_load)
    haste = replace(sought.haste, left=run.deadline.left())
    sought.executor = opened.enter_context(_executor(sought.given, wishes, run, haste))
    _seek(sought, run, wishes.again)


def _seek(sought: _Sought, run: Run, again: Record | None) -> None:
    """Fit first models, look for leaks, and search until the deadline; each is put down as soon as it is known."""
    run.tell(Started("fitting a first model"))
    before = time.monotonic()
    is_hasty = isinstance(sought.executor, Here) and not _is_small(sought.given, run.deadline.left())
    learners = {name: (ONLY if is_hasty else FIRST).get(name, {}) for name in sought.quick_learners}
    sought.first = _first_models(sought, learners, share=_ONLY_SHARE if is_hasty else _QUICK_SHARE)
    if sought.first:
        score = _first_score(sought.request, sought.division, sought.first)
        run.measure("first_model", score, seconds=time.monotonic() - sought.started)
    quick_seconds = time.monotonic() - before
    run.tell(Started("looking for columns that know the answer"))
    sought.slowdown = sought.pace.slowdown()
    sought.leaks = _leaks(sought, run)
    sought.slowdown = sought.pace.slowdown()
    sought.reserve = Haste(run.deadline.left(), sought.slowdown).reserve
    within = run.deadline.earlier(sought.reserve)
    sought.request = replace(sought.request, deadline=within, quick_seconds=quick_seconds, slowdown=sought.slowdown)
    doubt = Doubt(sought.request, sought.given.groups) if run.listeners else silent
    sought.search = Search(sought.request, sought.executor, run, about=doubt)
    run.tell(Started("searching"))
    if again is None:
        sought.search.go()
    else:
        sought.search.repeat(again)


@contextmanager
def _executor(given: Given, wishes: Wishes, run: Run, haste: Haste) -> Iterator[Executor]:
    """Choose where trials run: here when the table or the time is small, else a process for each core."""
    names = wishes.learners or ()
    at_home = any(LEARNERS.get(name).__module__ == "__main__" for name in names)  # no other process can import it
    n_workers = haste.workers(max(1, haste.n_cores // run.threads))
    if _is_small(given, haste.left) or at_home or not n_workers:
        yield Here()
        return
    workers = Processes(n_workers, threads=run.threads, plugins=plugins(), warm=("mantic.search.warm",))
    try:
        yield workers
    finally:
        workers.close()


def _is_small(given: Given, seconds: float) -> bool:
    """Return whether starting processes would cost more than it brings; with a clock, each second of it counts."""
    most = _SMALL_CELLS if seconds == float("inf") else _SMALL_CELLS / 10
    return given.frame.height * max(1, given.frame.width) <= most


def _first_models(sought: _Sought, learners: dict[str, Params], *, share: float) -> dict[int, Blend]:
    """Fit a quick model for every part, so that stopping at any moment leaves something better than the baseline.

    All are of the same learners: where there is no time for all of these, the last alone must do. Earlier periods come
    last, as far as time allows.
    """
    request, division = sought.request, sought.division
    left = request.deadline.left()
    if left == float("inf"):
        return {}
    until = Deadline.after(max(_QUICK_LEAST, min(_QUICK_MOST, share * left)))
    last = (len(division.parts) - 1,) if division.parts[-1].folds else ()
    needed, found = (*division.judged, *last), dict[int, Blend]()
    numbers = (*needed, *division.rehearsals)
    for place, number in enumerate(numbers):
        if number in division.rehearsals and until.passed:
            break
        if request.deadline.passed:
            return {}  # a quick model is only usable if each judged part has one of its own
        seconds, before = max(0.05, until.left() / (len(numbers) - place)), time.monotonic()
        model = quick(request, _guided(sought, number), learners, seconds=seconds)
        if place == 0 and (time.monotonic() - before) * (len(needed) - 1) > until.left():
            learners = dict([*learners.items()][-1:])
            model = quick(request, _guided(sought, number), learners, seconds=seconds)
        if model is not None:
            found[number] = model
        elif number in needed:
            return {}
    return found


def _guided(sought: _Sought, number: int) -> Part:
    """Return a part with inner folds; an earlier period gets one, in which the latest rows judge."""
    part, moment = sought.division.parts[number], sought.given.moment
    if part.folds or moment is None:
        return part
    learn, judge = by_time(moment[part.rows], share=_GUIDING_SHARE)
    return replace(part, folds=((part.rows[learn], part.rows[judge]),))


def _first_score(request: Request, division: Division, models: dict[int, Blend]) -> float:
    first = division.judged[0]
    rows = division.parts[first].held_out[:2000]
    return request.metric(request.material.target.values[rows], models[first].predict(request.material.frame[rows]))


def _leaks(sought: _Sought, run: Run) -> tuple[Leak, ...]:
    left, given, division = run.deadline.left(), sought.given, sought.division
    loads = Haste(left, sought.slowdown).allows(LEARNERS.get("boosting").needs, share=_LEAKS_SHARE)
    if left < _LEAKS_LEAST * sought.slowdown or not loads:
        run.warn("leaks_not_sought", "there was no time to look for columns that know the answer")
        return ()
    limit = Deadline() if left == float("inf") else Deadline.after(min(_LEAKS_MOST, _LEAKS_SHARE * left))
    rows = division.parts[division.judged[0]].rows  # with a time column these are the past
    place = Place(np.arange(given.frame.height), given.moment, given.groups).rows(rows)
    frame, target, within = given.frame[rows], given.target.rows(rows), run.until(limit)
    leaks = find_leaks(frame, target, given.schema, place=place, score=sought.request.metric, run=within)
    hint(frame, target, given.schema, place=place, leaking={one.column for one in leaks}, run=within)
    return leaks


def _finish(
    sought: _Sought, deadline: Deadline, ctrl_c: CtrlC, again: Record | None, *, run: Run
) -> tuple[list[Recipe], Fits]:
    """Choose, and fit again on all rows; no recipe where the first models are better than what could be done.

    A search that is repeated ends with the models that it ended with before. A press leaves what is fitted by then.
    """
    search = sought.search
    if search is None or not search.eligible:
        return [], {}
    recipes = [own for part in search.request.searched if (own := recipe(search, part)) is not None]
    fits: Fits = {}
    if not recipes or _gives_way(sought, recipes, again):
        return [], {}
    if again is None:
        recipes, only = affordable(search, recipes, deadline)
    else:
        only = frozenset(again.refitted)
    is_pressed = ctrl_c.ended(lambda: refit(search, recipes, fits, deadline=deadline, only=only))
    if is_pressed:
        _interrupt(sought, run)
    settled = [settle(search, own, fits) for own in recipes]
    if again is not None and not is_pressed:
        return held_to(again, search, settled), fits
    is_new = any(one is not own for one, own in zip(settled, recipes, strict=True))
    return [] if is_new and _gives_way(sought, settled, again) else settled, fits


def _gives_way(sought: _Sought, recipes: list[Recipe], again: Record | None) -> bool:
    """Return whether the first models are clearly better; a search that is repeated never gives way."""
    sought.gave_way = again is None and not is_worth_it(sought.request, recipes, sought.first)
    return sought.gave_way


def _models(division: Division, recipes: list[Recipe], fits: Fits, fallback: dict[int, Blend]) -> dict[int, Blend]:
    """Return a model per part: all from the search or all from the fallback, so that what is judged is what is kept."""
    by_part = {own.part: own for own in recipes}
    models: dict[int, Blend] = {}
    for number in division.judged:
        own = by_part.get(number)
        if own is None or (model := assemble(own, number, fits)) is None:
            return fallback
        models[number] = model
    last = len(division.parts) - 1
    if last not in by_part and division.parts[last].folds:
        return fallback
    model = assemble(recipes[-1], last, fits)
    if model is not None:
        models[last] = model
    elif division.parts[last].folds:  # nested: the judges are smaller models of other recipes
        return fallback
    return models


def _model_of(part: int, used: list[Recipe], fits: Fits, fallback: dict[int, Blend]) -> Blend | None:
    """Return what the recipe, or else the quick learners, made of an earlier period, if there was time for it."""
    return assemble(used[-1], part, fits) if used else fallback.get(part)


def _rehearsed(given: Given, division: Division, models: Mapping[int, Blend | None]) -> list[Said]:
    """Return what models said in earlier periods, learning from what came before each; those that were finished."""
    said = []
    for number, model in models.items():
        if model is not None:
            rows = division.parts[number].held_out
            said.append((rows, model.predict(given.frame[rows])))
    return said


def _earlier(given: Given, rehearsed: list[Said], metric: Metric) -> tuple[float, ...]:
    """Return how the recipe did in earlier periods."""
    scores = [metric(given.target.values[rows], guess) for rows, guess in rehearsed]
    return tuple(score for score in scores if np.isfinite(score))


def _kept(models: dict[int, Blend], division: Division) -> Blend:
    """Return the model of all rows, or of the locked part if there was no time for that."""
    return models.get(len(division.parts) - 1, models[division.judged[0]])


def _recalibrated(model: Blend, used: list[Recipe], given: Given, *, judged: list[Said], earlier: list[Said]) -> Blend:
    """Return the kept model with the errors on the judged rows too, where one part alone was searched and judged.

    Nested, every row has given its error in the search of all rows already.
    """
    if len(used) != 1 or len(judged) != 1:
        return model
    kept = with_judged(model, used[0], judged[0], given.target)
    return kept if given.moment is None else in_periods(kept, given.target, [*judged, *earlier])


def _references(search: Search | None, division: Division, fits: Fits) -> list[tuple[Array, Blend]] | None:
    reference = search.reference if search is not None else None
    if search is None or reference is None:
        return None
    found = []
    for number in division.judged:
        member = fits.get((reference.candidate.number, number))
        if member is None:
            return None
        material = search.request.material
        n_outputs = material.target.n_classes if material.target.n_classes > 2 else 1
        bare = dummy(search.request, division.parts[number].rows)
        blend = replace(bare, parts=(Weighed(member, 1.0),), scaling=NONE, base=np.zeros(n_outputs))
        found.append((division.parts[number].held_out, blend))
    return found


def _answers(judges: list[tuple[Array, Blend]], given: Given) -> Array:
    return np.concatenate([model.predict(given.frame[rows]) for rows, model in judges])
