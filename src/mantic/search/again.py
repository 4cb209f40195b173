"""From a search to its record, and from a record to the same models."""

from mantic.search.plan import Search
from mantic.search.record import Record
from mantic.search.refit import Fits, Recipe, recipe


def record_of(search: Search, recipes: list[Recipe], fits: Fits, *, before: Record | None = None) -> Record:
    """Return what the search did, and what its models were made of in the end.

    Parameters
    ----------
    before : the record that it repeated: there learners did not hurry, they were told how they had gone.
    """
    scored = sorted(search.scored, key=lambda one: one.candidate.number)
    each = ((one.candidate.number, part, result) for one in scored for part, result in one.results.items())
    hurried = {(number, part): result.hurried for number, part, result in each if result.hurried}
    return Record(
        tuple(one.candidate for one in scored),
        tuple(one.score for one in scored),
        tuple(any(result.is_cut for result in one.results.values()) for one in scored),
        search.one_fold,
        tuple(sorted(fits)),
        tuple((one.candidate.number, own.part) for own in recipes for one in own.chosen),
        hurried if before is None else before.hurried,
    )


def held_to(record: Record, search: Search, recipes: list[Recipe]) -> list[Recipe]:
    """Return the recipes, made only of what the record says, where chance or the clock had left something out."""
    held = []
    for own in recipes:
        kept = record.kept_in(own.part)
        if {one.candidate.number for one in own.chosen} != kept:
            own = recipe(search, own.part, only=kept) or own
        held.append(own)
    return held
