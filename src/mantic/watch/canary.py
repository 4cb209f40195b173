"""Champion and canary side by side: what they answered since a moment, and how it turned out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mantic.core.table import Array
from mantic.report.numbers import say_range
from mantic.watch.asked import guess_of
from mantic.watch.judged import coder, value_of

if TYPE_CHECKING:
    from mantic.store.outcomes import Judged
    from mantic.store.predictions import Prediction
    from mantic.store.store import Store

FEW_ROWS = 30  # of either: below, nothing is compared
_MOST_ROWS = 2_000  # answers of each version that are looked at
_MOST_KNOWN = 10_000  # and outcomes
_LIMIT = 2 * _MOST_KNOWN  # of one reading; what is drawn by chance stays far below it
_MOST_CLASSES = 5
_WIDE = 1.96  # standard errors of a 95 % interval


@dataclass(frozen=True)
class Measure:
    """One figure of both versions.

    Parameters
    ----------
    what : in words.
    champion, canary : in `unit`; "share" is 0 to 1.
    low, high : within which canary less champion lies, at 95 %, if rows are independent of each other, as those of
        many callers are: a caller who names himself has one version only, and the log does not say whose a row was.
    """

    what: str
    champion: float
    canary: float
    low: float
    high: float
    unit: str = ""

    @property
    def may_be_chance(self) -> bool:
        """Whether the two may well be alike."""
        return self.low <= 0 <= self.high

    @property
    def apart(self) -> str:
        """Return canary less champion as a range in words."""
        if self.unit == "share":
            return say_range(round(100 * self.low, 1), round(100 * self.high, 1), "points")
        return say_range(self.low, self.high, self.unit)


@dataclass(frozen=True)
class Beside:
    """Champion and canary since a moment.

    Parameters
    ----------
    n_rows, n_known : of champion and canary: rows answered, and those of them whose outcome is known.
    measures : what they answered, then how it turned out; empty where rows are few.
    """

    n_rows: tuple[int, int]
    n_known: tuple[int, int]
    measures: tuple[Measure, ...]


def beside(store: "Store", name: str, *, champion: int, canary: int, since: str) -> Beside:
    """Compare what two versions answered since a moment.

    Callers are parted by chance, not rows: both versions see rows alike where callers are many.
    Of many rows a share is drawn evenly over all of that time: what is compared is of the same days.
    """
    about: list[dict[str, Any]] = [{"number": one, "since": since} for one in (champion, canary)]
    n_rows = [store.predictions.count(name, **one) for one in about]
    n_known = [store.outcomes.count(name, **one) for one in about]
    answers = [
        store.predictions.thinned(name, _MOST_ROWS / max(1, n), limit=_LIMIT, **one)
        for one, n in zip(about, n_rows, strict=True)
    ]
    judged = [
        store.outcomes.judged(name, share=_MOST_KNOWN / max(1, n), limit=_LIMIT, **one)
        for one, n in zip(about, n_known, strict=True)
    ]
    measures: list[Measure] = []
    if min(map(len, answers)) >= FEW_ROWS:
        measures += _of_answers(answers)
    if min(map(len, judged)) >= FEW_ROWS:
        measures += _of_outcomes(judged)
    return Beside((n_rows[0], n_rows[1]), (n_known[0], n_known[1]), tuple(measures))


def _of_answers(answers: "Sequence[Sequence[Prediction]]") -> list[Measure]:
    """Return the mean of numbers; of classes the share of answers that say each, the commonest first."""
    said = [[one.answer.get("prediction") for one in some] for some in answers]
    names, code = _classes(answers)
    if not names:
        return _means("the mean answer", [_numbers(some) for some in said])
    codes = [[place for place in map(code, some) if place is not None] for some in said]
    sizes = [len(some) for some in codes]
    if min(sizes) < FEW_ROWS:
        return []
    counts = np.array([np.bincount(some, minlength=len(names)) for some in codes])
    often = (counts / np.array(sizes)[:, None]).sum(axis=0)  # a few rows of the canary weigh as much as many
    commonest = [int(place) for place in np.argsort(-often, kind="stable")[:_MOST_CLASSES] if often[place]]
    shown = [1] if len(names) == 2 else commonest
    shares = [_share(f"answers '{names[place]}'", counts[:, place].tolist(), sizes) for place in shown]
    return shares + _probabilities(answers)


def _probabilities(answers: "Sequence[Sequence[Prediction]]") -> list[Measure]:
    """Return the mean probability of one of two classes: where all answers are alike it still tells versions apart."""
    names, code = _classes(answers)
    labels = [_labels(some) for some in answers]
    if [len(one) for one in (names, *labels)] != [2, 2, 2]:
        return []
    second = [[label for label in one if code(label) == 1] for one in labels]
    given = [guess_of(one, [row.answer for row in some])[:, 0] for one, some in zip(second, answers, strict=True)]
    return _means(f"the mean probability of '{names[1]}'", [one[np.isfinite(one)] for one in given], unit="share")


def _of_outcomes(judged: "Sequence[Sequence[Judged]]") -> list[Measure]:
    """Return how often classes were right, or how far numbers were off on average, where the truth is known."""
    names, code = _classes([[one.prediction for one in some] for some in judged])
    pairs = [[(one.truth, one.prediction.answer.get("prediction")) for one in some] for some in judged]
    if not names:
        off = [[_off(truth, said) for truth, said in some] for some in pairs]
        return _means("mean absolute error, where the outcome is known", [_numbers(some) for some in off])
    right = [[code(truth) == code(said) for truth, said in some if code(truth) is not None] for some in pairs]
    sizes = [len(one) for one in right]
    what = "answers that were right, where the outcome is known"
    return [_share(what, [sum(one) for one in right], sizes)] if min(sizes) >= FEW_ROWS else []


def _off(truth: Any, said: Any) -> float | None:
    known, guess = value_of(truth), value_of(said)
    return None if known is None or guess is None else abs(known - guess)


def _classes(answers: "Sequence[Sequence[Prediction]]") -> tuple[tuple[str, ...], "Callable[[Any], int | None]"]:
    """Return the classes that either version knows, and what gives an answer or an outcome its place among them.

    What one version calls 1 and the other, which learned from measured numbers, 1.0 is one class.
    """
    first, second = (_labels(some) for some in answers)
    names, known = list(first), coder(first)
    places = {label: place for place, label in enumerate(first)}
    for label in (one for one in second if one not in places):
        number = value_of(label)
        twin = None if number is None or not first else known(number)
        if twin is None or first[twin] in second:
            twin = len(names)
            names.append(label)
        places[label] = twin
    spelled, place_of = coder(tuple(places)), tuple(places.values())

    def code(said: Any) -> int | None:
        found = spelled(said)
        return None if found is None else place_of[found]

    return tuple(names), code


def _labels(answers: "Sequence[Prediction]") -> tuple[str, ...]:
    """Return the classes that a version speaks of; none of numbers."""
    return tuple(next((one.answer["probability"] for one in answers if "probability" in one.answer), ()))


def _numbers(values: Sequence[Any]) -> Array:
    return np.array([number for number in map(value_of, values) if number is not None], dtype=float)


def _share(what: str, hits: Sequence[int], sizes: Sequence[int]) -> Measure:
    """Return two shares, and an interval of their difference that holds for rare and common things alike.

    Source: Agresti and Caffo (2000), Simple and Effective Confidence Intervals for Proportions and Differences of
    Proportions.
    """
    first, second = ((hit + 1) / (size + 2) for hit, size in zip(hits, sizes, strict=True))
    spread = _WIDE * np.sqrt(first * (1 - first) / (sizes[0] + 2) + second * (1 - second) / (sizes[1] + 2))
    middle = second - first
    shares = [hit / size for hit, size in zip(hits, sizes, strict=True)]
    return Measure(what, shares[0], shares[1], float(middle - spread), float(middle + spread), "share")


def _means(what: str, values: Sequence[Array], unit: str = "") -> list[Measure]:
    """Return two means with Welch's interval of their difference; nothing where too few are numbers."""
    if min(map(len, values)) < FEW_ROWS:
        return []
    first, second = (float(one.mean()) for one in values)
    spread = _WIDE * float(np.sqrt(sum(one.var(ddof=1) / len(one) for one in values)))
    return [Measure(what, first, second, second - first - spread, second - first + spread, unit)]
