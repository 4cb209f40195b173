"""What would have to be different for the answer to be another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from mantic.core.errors import SettingsError
from mantic.explain.subject import Label, Subject, joined, named, short
from mantic.explain.variants import Limits, Search, Wish
from mantic.explain.words import Value, plain_value, value_in_words
from mantic.report.blocks import Block, Grid, Group, Report, Text

_FAR = 0.5  # strangeness from which a way is called unlike any row that is known


@dataclass(frozen=True)
class Change:
    """One column that is different."""

    column: str
    before: Value
    after: Value


@dataclass(frozen=True)
class Alternative:
    """One way to the wanted answer.

    Parameters
    ----------
    changes : the columns that are different; all others stay.
    answer, told : what the model says then, asked once more; the same in words.
    distance : sum over the changes, each 0 to 1: the share of known rows between before and after; 1 for a category.
    strangeness : how much further, in the same measure over all columns, it is from its nearest known row than the row
        that is asked about; 0 is as usual as that.
    row : all values, as the model wants them.
    """

    changes: tuple[Change, ...]
    answer: Label
    told: str
    distance: float
    strangeness: float
    row: dict[str, Value]


@dataclass(frozen=True)
class Counterfactuals:
    """Ways to another answer for one row, the nearest first; none when there is none among the variants tried.

    `wanted` says the answer in words, `answer` what the model says now, `n_asked` how many variants it was asked about.
    """

    target: str
    wanted: str
    answer: Label
    found: tuple[Alternative, ...]
    n_asked: int
    sentence: str

    def to_facts(self) -> dict[str, Any]:
        """Return plain JSON values."""
        found = [
            {
                "changes": [
                    {"column": one.column, "before": plain_value(one.before), "after": plain_value(one.after)}
                    for one in way.changes
                ],
                "prediction": way.answer,
                "distance": way.distance,
                "strangeness": way.strangeness,
                "row": {name: plain_value(value) for name, value in way.row.items()},
            }
            for way in self.found
        ]
        return {
            "target": self.target,
            "wanted": self.wanted,
            "prediction": self.answer,
            "found": found,
            "n_asked": self.n_asked,
            "sentence": self.sentence,
        }

    def group(self) -> Group:
        """Return the sentence and each way as a table."""
        found: list[Block] = [Text(self.sentence)]
        for number, way in enumerate(self.found, start=1):
            cells = tuple((one.column, value_in_words(one.before), value_in_words(one.after)) for one in way.changes)
            note = "No known row is much like this." if way.strangeness > _FAR else ""
            found.append(Grid(("column", "now", "then"), cells, title=f"Way {number}: {way.told}", note=note))
        note = "This is what the model would say, not what the world would do."
        return Group(f"What would make it {self.wanted}", tuple(found), note=note)

    def to_report(self) -> Report:
        """Return the ways as a page."""
        return Report(f"What would make it {self.wanted}", (self.group(),), facts=self.to_facts())

    def _repr_html_(self) -> str:
        """Return the page for a notebook cell."""
        return self.to_report()._repr_html_()


def counterfactuals_of(
    subject: Subject, row: pl.DataFrame, wanted: Any = None, *, limits: Limits | None = None, most: int = 3
) -> Counterfactuals:
    """Find near, sparse, plausible and different ways to a wanted answer.

    Values come from background rows, whole combinations from those that the model answers as wanted. Texts stay as
    they are. Each way is asked of the model once more before it is returned; there is no chance in the search.

    Parameters
    ----------
    row : one row, aligned.
    wanted : a class, or (low, high) for a number, either end None. When absent: the other one of two classes.
    limits : columns that may not change, or in one direction only.
    most : how many ways at most.

    Raises
    ------
    SettingsError : if `wanted` or a column of the limits is unknown or makes no sense.

    Source: Wachter, Mittelstadt, Russell (2018); Mothilal, Sharma, Tan (2020), DiCE; Dandl et al. (2020), MOC.
    """
    limits = limits or Limits()
    limits.check(subject.model.schema)
    guess = subject.model.predict(row)[0]
    wish = _wish(subject, wanted, subject.answer(guess))
    told = _wanted_in_words(wish, subject)
    if wish.is_met(subject.model.predict(row))[0]:
        what = f"It is {told} already: the model says {subject.told(guess)}."
        return Counterfactuals(subject.target, told, subject.answer(guess), (), 1, what)
    search = Search(subject, row, wish, limits)
    rows, distances, strangeness = search.best(most)
    found = []
    if rows.height:
        guesses = subject.model.predict(rows)
        for at, is_met in enumerate(wish.is_met(guesses)):
            if is_met:
                values = rows.row(at, named=True)
                answer, words = subject.answer(guesses[at]), subject.told(guesses[at])
                changes = _changes(row.row(0, named=True), values)
                found.append(Alternative(changes, answer, words, distances[at], strangeness[at], values))
    what = _sentence(found, told, now=subject.told(guess), search=search)
    return Counterfactuals(subject.target, told, subject.answer(guess), tuple(found), search.n_asked, what)


def _wish(subject: Subject, wanted: Any, now: Label) -> Wish:
    if subject.classes:
        if wanted is None and len(subject.classes) == 2:
            wanted = next(label for label in subject.classes if label != now)
        if wanted is None:
            known = ", ".join(str(one) for one in subject.classes)
            raise SettingsError("no class is wanted", where="wanted", fix=f"name one of: {known}")
        return Wish(code=subject.code_of(wanted))
    is_pair = isinstance(wanted, Sequence) and not isinstance(wanted, str) and len(wanted) == 2
    if not is_pair or all(end is None for end in wanted):
        raise SettingsError(
            f"{wanted!r} is no range of '{subject.target}'",
            where="wanted",
            fix="give (low, high); None leaves an end open",
        )
    low, high = (end if end is None else float(end) for end in wanted)
    wish = Wish(low=float("-inf") if low is None else low, high=float("inf") if high is None else high)
    if wish.low > wish.high:
        raise SettingsError(f"{wanted!r} runs backwards", where="wanted", fix="give the lower end first")
    return wish


def _wanted_in_words(wish: Wish, subject: Subject) -> str:
    if wish.code is not None:
        return named(subject.classes[wish.code])
    if wish.low == float("-inf"):
        return f"{short(wish.high)} or less"
    return f"{short(wish.low)} or more" if wish.high == float("inf") else f"{short(wish.low)} to {short(wish.high)}"


def _changes(before: dict[str, Value], after: dict[str, Value]) -> tuple[Change, ...]:
    return tuple(Change(name, before[name], value) for name, value in after.items() if value != before[name])


def _sentence(found: Sequence[Alternative], told: str, *, now: str, search: Search) -> str:
    if not search.names:
        return f"It is {now}. There is no column that may change to another value, so no way to {told} was sought."
    if not found:
        return (
            f"It is {now}. No way to {told} was found among {search.n_asked:,} variants that change at most "
            f"{search.most_changes} columns to values which were seen before; that proves none impossible."
        )
    first = [
        f"'{one.column}' were {value_in_words(one.after)} instead of {value_in_words(one.before)}"
        for one in found[0].changes
    ]
    others = f" {len(found) - 1} other ways are listed." if len(found) > 2 else ""
    others = " One other way is listed." if len(found) == 2 else others
    return f"It is {now}. It would be {found[0].told} if {joined(first)}.{others}"
