"""Champion and canary side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mantic.store.predictions import Prediction
from mantic.store.store import Store
from mantic.watch.canary import FEW_ROWS, Beside, beside

SINCE = "2026-05-10T00:00:00+00:00"
BEFORE, AFTER = "2026-05-09T12:00:00+00:00", "2026-05-12T12:00:00+00:00"


def classes(share: float, n_rows: int) -> list[dict[str, Any]]:
    n_yes = round(share * n_rows)
    return [said("yes" if place < n_yes else "no", 0.8 if place < n_yes else 0.1) for place in range(n_rows)]


def said(answer: str, probability: float) -> dict[str, Any]:
    return {"prediction": answer, "probability": {"no": 1 - probability, "yes": probability}}


def put(store: Store, number: int, answers: Sequence[dict[str, Any]], at: str = AFTER) -> list[str]:
    return store.predictions.append(Prediction("churn", number, {}, one, at=at) for one in answers)


def look(store: Store) -> Beside:
    return beside(store, "churn", champion=1, canary=2, since=SINCE)


def test_shares_and_probabilities_of_classes_are_compared_with_a_range(store: Store) -> None:
    put(store, 1, classes(0.5, 200))
    put(store, 2, classes(0.3, 100))
    put(store, 2, classes(1.0, 500), at=BEFORE)  # it was tried out before, too

    found = look(store)

    assert found.n_rows == (200, 100)
    share, probability = found.measures
    assert (share.what, share.champion, share.canary) == ("answers 'yes'", 0.5, 0.3)
    assert share.low < -0.2 < share.high < 0
    assert not share.may_be_chance
    assert probability.what == "the mean probability of 'yes'"
    assert probability.champion == pytest.approx(0.45)
    assert probability.apart == "-22 to -6 points"


def test_numbers_are_compared_by_their_mean_and_what_is_alike_may_be_chance(store: Store) -> None:
    for number in (1, 2):
        values = np.random.default_rng(number).normal(100, 10, 80)
        put(store, number, [{"prediction": float(value)} for value in values])

    (mean,) = look(store).measures

    assert mean.what == "the mean answer"
    assert mean.champion == pytest.approx(100, abs=4)
    assert mean.may_be_chance


def test_a_range_holds_the_truth_as_often_as_it_says(store: Store) -> None:
    chance, held = np.random.default_rng(0), 0
    for round_ in range(40):
        name = f"round{round_}"
        for number in (1, 2):
            answers = classes(chance.binomial(60, 0.1) / 60, 60)
            store.predictions.append(Prediction(name, number, {}, one, at=AFTER) for one in answers)
        held += beside(store, name, champion=1, canary=2, since=SINCE).measures[0].may_be_chance

    assert held >= 36


def test_outcomes_join_when_they_are_known(store: Store) -> None:
    before = put(store, 2, classes(0.5, 40), at=BEFORE)
    ids = [put(store, number, classes(0.5, 40)) for number in (1, 2)]
    store.outcomes.add(dict.fromkeys(before, "no"))
    store.outcomes.add({one: "yes" if place < 20 else "no" for place, one in enumerate(ids[0])})
    few = look(store)
    store.outcomes.add(dict.fromkeys(ids[1], "yes"))

    found = look(store)

    assert [one.what for one in few.measures] == ["answers 'yes'", "the mean probability of 'yes'"]
    right = found.measures[-1]
    assert found.n_known == (40, 40)
    assert (right.what, right.champion, right.canary) == (
        "answers that were right, where the outcome is known", 1.0, 0.5
    )  # fmt: skip


def test_outcomes_of_numbers_say_how_far_off_they_were(store: Store) -> None:
    for number, off in ((1, 2.0), (2, 5.0)):
        ids = put(store, number, [{"prediction": float(place)} for place in range(50)])
        store.outcomes.add({one: place + off * (1 + place % 2) for place, one in enumerate(ids)})

    error = look(store).measures[-1]

    assert error.what == "mean absolute error, where the outcome is known"
    assert (error.champion, error.canary) == (3.0, 7.5)


def test_outcomes_of_predictions_from_before_the_canary_crowd_out_none(store: Store) -> None:
    for number in (1, 2):
        store.outcomes.add(dict.fromkeys(put(store, number, classes(0.5, 40)), "yes"))
    before = look(store)
    old = put(store, 1, classes(0.5, 10_000), at=BEFORE)
    store.outcomes.add(dict.fromkeys(old, "no"))  # a file that is brought while the canary runs

    assert look(store) == before
    assert before.n_known == (40, 40)
    assert before.measures[-1].what == "answers that were right, where the outcome is known"


def test_of_very_many_outcomes_both_versions_show_the_same_days(store: Store) -> None:
    for number, n_rows in ((1, 12_000), (2, 600)):
        for hour, off in ((1, 1.0), (2, 1.0), (3, 7.0)):  # the third hour was hard for both
            at = f"2026-05-12T0{hour}:00:00+00:00"
            ids = put(store, number, [{"prediction": place * 1.0} for place in range(n_rows // 3)], at=at)
            store.outcomes.add({one: place + off for place, one in enumerate(ids)})

    found = look(store)

    error = found.measures[-1]
    assert found.n_known == (12_000, 600)
    assert error.canary == pytest.approx(3.0)
    assert error.champion == pytest.approx(3.0, abs=0.1)
    assert error.may_be_chance


def test_a_class_that_two_versions_spell_differently_is_one(store: Store) -> None:
    ids = []
    for number, (low, high) in ((1, (0, 1)), (2, (0.0, 1.0))):  # learned from whole numbers, then from measured ones
        chances = [0.8 if place % 2 else 0.1 for place in range(80)]
        answers = [
            {"prediction": high if chance > 0.5 else low, "probability": {str(low): 1 - chance, str(high): chance}}
            for chance in chances
        ]
        ids.append(put(store, number, answers))
    store.outcomes.add({one: place % 2 for some in ids for place, one in enumerate(some)})

    share, probability, right = look(store).measures

    assert (share.what, share.champion, share.canary) == ("answers '1'", 0.5, 0.5)
    assert (probability.champion, probability.canary) == pytest.approx((0.45, 0.45))
    assert (right.champion, right.canary) == (1.0, 1.0)


def test_a_class_that_only_one_version_knows_is_shown_and_its_outcomes_count(store: Store) -> None:
    newer = [{"prediction": one, "probability": {"no": 0.3, "perhaps": 0.4, "yes": 0.3}} for one in ("perhaps", "no")]
    ids = [put(store, 1, classes(0.5, 400)), put(store, 2, newer * 20)]
    for some in ids:
        half = len(some) // 2
        store.outcomes.add(dict.fromkeys(some[:half], "perhaps") | dict.fromkeys(some[half:], "no"))

    *shares, right = look(store).measures

    assert [(one.what, one.champion, one.canary) for one in shares] == [
        ("answers 'no'", 0.5, 0.5), ("answers 'yes'", 0.5, 0.0), ("answers 'perhaps'", 0.0, 0.5)
    ]  # fmt: skip
    assert (right.champion, right.canary) == (0.5, 0.5)


def test_texts_of_digits_that_one_version_tells_apart_stay_apart(store: Store) -> None:
    for number in (1, 2):
        put(store, number, [{"prediction": one, "probability": {"01": 0.4, "1": 0.6}} for one in ("1", "01", "1")] * 20)

    share, probability = look(store).measures

    assert (share.what, share.champion, share.canary) == ("answers '1'", 2 / 3, 2 / 3)
    assert (probability.champion, probability.canary) == pytest.approx((0.6, 0.6))


def test_few_rows_are_not_compared(store: Store) -> None:
    put(store, 1, classes(0.5, 500))
    put(store, 2, classes(1.0, FEW_ROWS - 1))

    assert look(store).measures == ()
