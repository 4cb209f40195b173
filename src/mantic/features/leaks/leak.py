"""Columns that know the answer: recorded after it, or made from it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from mantic.core.auc import auc
from mantic.core.run import Run
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Array, Target
from mantic.features.leaks.alone import Slots, guess_of, numbers_of, power, usual_of
from mantic.features.leaks.copies import Confidence, Sign, copies, gaps, merged, neighbours
from mantic.features.leaks.pair import Pair, find_pairs
from mantic.features.leaks.sample import Place, Sample
from mantic.features.leaks.telling_names import telling, words_of
from mantic.features.leaks.together import Together
from mantic.report.numbers import say


@dataclass(frozen=True)
class Leak:
    """A column that should not be there when a prediction is needed.

    Parameters
    ----------
    column : its name.
    why : one sentence on what gave it away.
    score_with, score_without : the metric without any named column, and with this one of them put back; None where
        not measured.
    confidence : "sure", "likely" or "look at it".
    """

    column: str
    why: str
    score_with: float | None = None
    score_without: float | None = None
    confidence: Confidence = "likely"


# Shares of the target explained on rows not learned from: R2 of ranks; of the deviance for classes (key True). What a
# column leaves unexplained is held against what all others together leave. On the learning rows of twelve honest tables
# no column left less than 0.7 of that, and those that left least explained less than a half.
_PERFECT = 0.98
_LIKELY = {True: 0.65, False: 0.85}
_STRONG = {True: 0.50, False: 0.75}
_WEAK = 0.25
_LEFT_LIKELY, _LEFT_STRONG, _LEFT_NAMED = 0.30, 0.45, 0.70
_FULL, _COLLAPSE = 0.90, 0.25
_PAIR, _PAIR_AFTER, _PAIR_GAIN = 0.60, 0.50, 0.30
_ORDERED = 0.50
_LATER = 0.95
_FEW_OTHERS = 3
_TRIED = 3
_LEAST_ROWS = 50

Score = Callable[[Array, Array], float]


def find_leaks(
    frame: pl.DataFrame, target: Target, schema: Schema, *, place: Place, score: Score, run: Run
) -> tuple[Leak, ...]:
    """Name the columns that predict the target too well to be true.

    Parameters
    ----------
    frame, target : rows for learning only, aligned; at most 6,000 are used.
    place : where these rows stand in the user's table, in time and in groups.
    score : (truth, guess) -> the user's metric, for the scores with and without.
    run : its seed and deadline; what is found when time is up is returned.

    Notes
    -----
    A column is named if it is a copy of the target (in another unit, rounded, of another row), if its gaps follow the
    target, if it alone explains far more than all other columns together, if the skill of all columns collapses without
    it, if it gives the target together with one other column, or if it belongs with columns that were named. A name
    that sounds recorded later lowers what is asked. Named columns are taken out and the rest is examined again, so that
    one leak does not hide another.
    """
    if len(target) < _LEAST_ROWS or len(np.unique(target.values)) < 2:
        return ()
    sample = Sample.of(frame, target, schema, place=place, seed=run.seed)
    hunt = _Hunt(sample, run)
    beside = neighbours(frame, target, schema.columns, place)
    for sign in (*copies(sample), *merged(sample), *beside, *gaps(sample)):
        hunt.name(sign)
    hunt.go()
    return _scored(hunt, score)


@dataclass
class _Hunt:
    """What was found so far; `found` holds one sign per column, by place."""

    sample: Sample
    run: Run
    found: dict[int, Sign] = field(default_factory=dict)
    alone: dict[int, float] = field(default_factory=dict)
    together: Together | None = None
    pairs: list[Pair] | None = None
    skills: dict[tuple[int, ...], float] = field(default_factory=dict)  # of sets of columns that were asked before

    def name(self, sign: Sign) -> None:
        """Keep the first sign of a column: the surest are sought first."""
        self.found.setdefault(sign.column, sign)

    def go(self) -> None:
        """Look until nothing new is found or time is up."""
        sample = self.sample
        for place in self.used:
            if self.run.deadline.passed:
                return
            slots = Slots.of(sample.frame.to_series(place), self.column(place), sample.halves.learn)
            self.alone[place] = power(slots, sample.even, sample.halves)
        if not self.alone:
            return
        self.together = Together.of(sample.frame, sample.even, sample.schema, halves=sample.halves, run=self.run)
        while self.rest and not self.run.deadline.passed:
            fresh = self._outstanding() or self._joint() or self._ablated(self.together)
            if not fresh:
                break
            for sign in fresh:
                self.name(sign)
        for sign in (*self._late(), *self._kin(), *self._ordered()):
            self.name(sign)

    @property
    def used(self) -> list[int]:
        """Return the places of the columns that a model learns from."""
        return [place for place, column in enumerate(self.sample.schema.columns) if column.is_used]

    @property
    def rest(self) -> list[int]:
        """Return the columns that are used and not named."""
        return [place for place in self.alone if place not in self.found]

    def column(self, place: int) -> Column:
        """Return a column by its place."""
        return self.sample.schema.columns[place]

    def without(self, *places: int) -> float:
        """Return what the columns that are not named explain without these."""
        assert self.together is not None
        asked = tuple(one for one in self.rest if one not in places)
        if asked not in self.skills:
            self.skills[asked] = max(0.0, self.together.ask(list(asked)).skill)
        return self.skills[asked]

    # ------------------------------------------------------------------------------------------ signs that need fits

    def _outstanding(self) -> list[Sign]:
        """Name the columns of which one alone explains far more than all others together."""
        tried = [place for place in sorted(self.rest, key=lambda one: -self.alone[one]) if self.alone[place] >= _WEAK]
        perfect = [place for place in tried if self.alone[place] >= _PERFECT]  # twins do not speak for each other
        found = []
        for place in tried[:_TRIED]:
            if self.run.deadline.passed:
                break
            alone = self.alone[place]
            word = telling(self.column(place).name)
            others = self.without(place, *(perfect if place in perfect else ()))
            left = (1 - alone) / max(1e-9, 1 - others)
            if (confidence := self._how_sure(alone, left, word)) is None:
                continue
            named = f", and its name ('{word}') sounds like something that is recorded later" if word else ""
            found.append(Sign(place, f"{self._told(place, others)}{named}", confidence))
        return found

    def _how_sure(self, alone: float, left: float, word: str) -> Confidence | None:
        """Weigh what a column explains alone, and what it leaves of what the others leave unexplained."""
        is_classes = self.sample.target.is_classes
        if self._is_alone:  # few columns: one may well tell all
            return "likely" if alone >= _PERFECT else None
        if left <= _LEFT_LIKELY and alone >= _LIKELY[is_classes]:
            return "sure" if alone >= _PERFECT else "likely"
        if self._has_text:  # texts were passed over: the others know more than is seen here
            return None
        is_strong = left <= _LEFT_STRONG and alone >= _STRONG[is_classes]
        is_high = left <= _LEFT_NAMED and is_classes and alone >= _STRONG[False]
        return "look at it" if is_strong or is_high or (word and left <= _LEFT_NAMED) else None

    @property
    def _is_alone(self) -> bool:
        return len(self.rest) <= _FEW_OTHERS

    @property
    def _has_text(self) -> bool:
        return any(one.kind is Kind.TEXT for one in self.sample.schema.columns)

    def _told(self, place: int, others: float) -> str:
        """Say how well one column predicts alone, and how well the others do together."""
        sample = self.sample
        alone = self.alone[place]
        if sample.even.n_classes == 2:
            slots = Slots.of(sample.frame.to_series(place), self.column(place), sample.halves.learn)
            learned, judged = (sample.even.rows(half) for half in (sample.halves.learn, sample.halves.judge))
            area = auc(judged.values == 1, guess_of(slots, learned, usual_of(learned), sample.halves)[:, 1])
            said = f"it alone ranks {100 * area:.3g} of 100 pairs rightly and explains {_share(alone)} of the target"
        else:
            said = f"it alone explains {_share(alone)} of the target"
        return f"{said}; all other columns together explain {_share(others)}"

    def _joint(self) -> list[Sign]:
        """Name one column of each pair that determines the target jointly."""
        if self.pairs is None:
            self.pairs = find_pairs(
                self.sample, {one: self.alone[one] for one in self.rest}, least=_PAIR_AFTER, least_gain=_PAIR_GAIN,
                deadline=self.run.deadline,
            )  # fmt: skip
        pairs = [pair for pair in self.pairs if pair.one not in self.found and pair.other not in self.found]
        if not pairs or pairs[0].skill < _PAIR:
            return []
        accused: dict[int, Sign] = {}
        for pair in pairs:
            words = {one: telling(self.column(one).name) for one in (pair.one, pair.other)}
            blamed = [one for one, word in words.items() if word]
            if not blamed and not {pair.one, pair.other} & set(accused):
                blamed = [pair.other]  # what was computed tends to stand behind what it was computed from
            for one in blamed:
                other = pair.other if one == pair.one else pair.one
                first, second = (self.column(which).name for which in (pair.one, pair.other))
                why = (
                    f"'{first}' {pair.word} '{second}' explains {_share(pair.skill)} of the target, and neither does "
                    f"alone: this column or '{self.column(other).name}' seems to be computed from it"
                )
                accused.setdefault(one, Sign(one, why, "likely" if words[one] else "look at it"))
        strong = [one for one in self.rest if self.alone[one] >= _STRONG[True]]  # may leak themselves: no witnesses
        left = (1 - pairs[0].skill) / max(1e-9, 1 - self.without(*accused, *strong))
        return list(accused.values()) if left <= _LEFT_NAMED else []

    def _ablated(self, together: Together) -> list[Sign]:
        """Name a column without which the skill of all columns collapses."""
        if len(self.rest) < 2 * _FEW_OTHERS:
            return []
        said = together.ask(self.rest)
        if said.skill < _FULL:
            return []
        for place in sorted(self.rest, key=lambda one: -said.gain.get(one, 0.0))[:_TRIED]:
            if self.run.deadline.passed:
                break
            left = self.without(place)
            if said.skill - left >= _COLLAPSE:
                why = (
                    f"all columns explain {_share(said.skill)} of the target, and without this one {_share(left)}: it "
                    "seems to be computed from the target"
                )
                return [Sign(place, why, "likely")]
        return []

    # ------------------------------------------------------------------------------------- signs of company and order

    def _late(self) -> list[Sign]:
        """Name dates that lie behind all others and tell something, or whose name does."""
        frame, found = self.sample.frame, []
        dates = [place for place in self.rest if self.column(place).kind is Kind.DATE]
        moments = {place: numbers_of(frame.to_series(place)) for place in dates}
        for place in dates:
            others = [moments[one] for one in dates if one != place]
            if not others:
                continue
            latest = np.fmax.reduce(others)
            known = np.isfinite(moments[place]) & np.isfinite(latest)
            is_later = known.sum() >= _LEAST_ROWS and (moments[place][known] > latest[known]).mean() >= _LATER
            word = telling(self.column(place).name)
            if is_later and word:
                why = f"it lies behind every other date in nearly all rows, and its name ('{word}') sounds like an end"
                found.append(Sign(place, why, "look at it"))
        return found

    def _kin(self) -> list[Sign]:
        """Name the sisters of named columns: the same first word, which sounds recorded later."""
        named = [words_of(self.column(place).name) for place in self.found]
        found = []
        for place in self.rest:
            name = self.column(place).name
            first = (words_of(name) or [""])[0]
            sisters = sum(len(words) > 1 and words[0] == first for words in named)
            if sisters >= 2 and telling(first):
                why = f"its sisters, which begin with '{first}' too, know the answer: it seems to be recorded with them"
                found.append(Sign(place, why, "look at it"))
        return found

    def _ordered(self) -> list[Sign]:
        """Name identifiers by which the rows are sorted as by the target; no model of mantic uses them."""
        found = []
        for place, column in enumerate(self.sample.schema.columns):
            if column.kind is not Kind.ID or self.run.deadline.passed:
                continue
            slots = Slots.of_numbers(_counted(self.sample.frame.to_series(place)), self.sample.halves.learn)
            skill = power(slots, self.sample.even, self.sample.halves)
            if skill >= _ORDERED:
                why = (
                    f"this identifier rises or falls with the target (its order alone explains {_share(skill)}): it "
                    "seems to have been given after the answer was known; mantic does not learn from it"
                )
                found.append(Sign(place, why, "look at it"))
        return found


def _share(explained: float) -> str:
    return say(round(explained, 3), "share")


def _counted(series: pl.Series) -> Array:
    """Return identifiers in their order: by the number in them, else by the alphabet."""
    numbers = series.str.extract(r"(\d+)\D*$").cast(pl.Float64, strict=False)
    if numbers.null_count() <= series.null_count():
        return numbers.to_numpy()
    return series.rank("dense").cast(pl.Float64).to_numpy()


def _scored(hunt: _Hunt, score: Score) -> tuple[Leak, ...]:
    """Measure the metric without the named columns, and with each put back."""
    sample, together = hunt.sample, hunt.together
    signs = list(hunt.found.values())
    if together is None or not signs:
        return tuple(Leak(hunt.column(sign.column).name, sign.why, confidence=sign.confidence) for sign in signs)
    learned, judged = (sample.target.rows(half) for half in (sample.halves.learn, sample.halves.judge))

    def measured(columns: list[int]) -> float | None:
        return (
            None
            if hunt.run.deadline.passed
            else score(judged.values, together.ask_about(learned, judged, columns).guess)
        )

    without = measured(hunt.rest)
    leaks = []
    for sign in signs:
        column = hunt.column(sign.column)
        with_it = without if not column.is_used else measured([*hunt.rest, sign.column])
        leaks.append(Leak(column.name, sign.why, with_it, without, sign.confidence))
    return tuple(leaks)
