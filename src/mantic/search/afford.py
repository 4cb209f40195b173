"""Which of the chosen candidates there is time to fit again on all rows."""

from mantic.core.budget import Deadline
from mantic.search.plan import FIT_OVERHEAD, Scored, Search
from mantic.search.refit import Recipe, Refit, recipe, to_refit

_SAFETY = 0.9  # of the time left
_MOST_TURNS = 4  # each chooses weights anew, which takes time too


def affordable(search: Search, recipes: list[Recipe], deadline: Deadline) -> tuple[list[Recipe], frozenset[Refit]]:
    """Return recipes whose members can be fitted again in time, and what is to be fitted.

    Where the time is short, and one fold was all there was time for, the judged model is the one that is kept: a model
    of all rows would be better than what is said of it, on some tables by more than the interval. Where it is shorter
    still, the dearest candidate is left out and the weights are chosen anew, until the rest can be done.
    """
    if len(search.request.searched) > 1:  # many small fits: choosing anew for each part would take longer than they do
        return recipes, frozenset(to_refit(search, recipes))
    left_out: frozenset[int] = frozenset()
    for _ in range(_MOST_TURNS):
        jobs = to_refit(search, recipes)
        if _is_in_time(search, jobs, deadline):
            return recipes, frozenset(jobs)
        for fewer_jobs in _without_all_rows(search, jobs) if search.one_fold else ():
            if _is_in_time(search, fewer_jobs, deadline):
                return recipes, frozenset(fewer_jobs)
        left_out |= _too_dear(search, recipes, deadline)
        rest = frozenset(one.candidate.number for one in search.eligible) - left_out
        fewer = [recipe(search, own.part, only=rest) for own in recipes]
        if any(own is None for own in fewer):
            break
        recipes = [own for own in fewer if own is not None]
    return recipes, frozenset(to_refit(search, recipes))


def _without_all_rows(search: Search, jobs: list[Refit]) -> tuple[list[Refit], list[Refit]]:
    """Return the jobs of what is judged and of earlier periods, and of what is judged alone."""
    parts = search.request.material.parts
    return [job for job in jobs if len(parts[job[1]].held_out)], [job for job in jobs if parts[job[1]].folds]


def _too_dear(search: Search, recipes: list[Recipe], deadline: Deadline) -> set[int]:
    """Return the dearest members, as many as must go for the others to be done in time; one at least."""
    own = recipes[-1]
    dear = sorted(own.chosen, key=lambda one: -_seconds(search, one, own.part))
    jobs = to_refit(search, recipes)
    gone: set[int] = set()
    for one in dear:
        gone.add(one.candidate.number)
        if _is_in_time(search, [job for job in jobs if job[0] not in gone], deadline):
            break
    return gone


def _is_in_time(search: Search, jobs: list[Refit], deadline: Deadline) -> bool:
    by_number = {one.candidate.number: one for one in search.scored}
    seconds = [_seconds(search, by_number[number], part) for number, part in jobs]
    needed = max(sum(seconds) / search.executor.workers, max(seconds, default=0.0))
    return needed <= _SAFETY * deadline.left()


def _seconds(search: Search, one: Scored, part: int) -> float:
    """Return how long it takes to fit a candidate on all rows of a part."""
    guide, parts = search.request.searched[-1], search.request.material.parts
    source = part if part in one.results else guide
    folds = parts[source].folds
    n_done = 1 if search.one_fold else len(folds)
    growth = len(parts[part].rows) / max(1, len(folds[-1][0]))
    return one.results[source].fit_seconds / n_done * growth + FIT_OVERHEAD
