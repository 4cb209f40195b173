"""From a search to its record, and from a record to the same models."""

from dataclasses import replace

from mantic.search.plan import Scored, Search
from mantic.search.record import Record
from mantic.search.refit import Fits, Recipe, recipe
from mantic.search.trial import Candidate


def record_of(search: Search, recipes: list[Recipe], fits: Fits) -> Record:
    """Return what the search did, and what its models were made of in the end."""
    scored = sorted(search.scored, key=lambda one: one.candidate.number)
    guide = search.request.searched[-1]
    return Record(
        tuple(_as_tried(one, guide) for one in scored),
        tuple(one.score for one in scored),
        tuple(any(result.is_cut for result in one.results.values()) for one in scored),
        search.one_fold,
        tuple(sorted(fits)),
        tuple((one.candidate.number, own.part) for own in recipes for one in own.chosen),
    )


def _as_tried(one: Scored, guide: int) -> Candidate:
    """Return a candidate with what the clock made of its parameters: without a clock it is the same then."""
    return replace(one.candidate, params=one.candidate.params | one.results[guide].hurried)


def held_to(record: Record, search: Search, recipes: list[Recipe]) -> list[Recipe]:
    """Return the recipes, made only of what the record says, where chance or the clock had left something out."""
    held = []
    for own in recipes:
        kept = record.kept_in(own.part)
        if {one.candidate.number for one in own.chosen} != kept:
            own = recipe(search, own.part, only=kept) or own
        held.append(own)
    return held
