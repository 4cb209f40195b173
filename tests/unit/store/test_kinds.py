"""Runs, data sets, predictions, outcomes, alerts: each kind does what its name says, on both databases."""

import threading
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy.exc import SQLAlchemyError

from mantic.core.errors import StoreError
from mantic.store.predictions import Prediction, packed


def test_a_run_is_followed_while_it_is_told(store):
    run = store.runs.start("churn", "fit", {"budget": "60s"})
    store.runs.append(run, [("measured", {"score": 0.5}), ("warned", {"text": "few rows"})])
    seen = store.runs.events(run)
    store.runs.append(run, [("measured", {"score": np.float32(0.25)})])

    more = store.runs.events(run, after=seen[-1].number)

    assert [(event.number, event.kind) for event in (*seen, *more)] == [(1, "measured"), (2, "warned"), (3, "measured")]
    assert more[0].facts == {"score": 0.25}
    assert store.runs.get(run).state == "running"


def test_a_finished_run_says_how_it_ended_and_takes_no_more(store):
    run = store.runs.start("churn", "fit", {"budget": "60s"})

    ended = store.runs.finish(run, "failed", {"why": "no rows"})

    assert (ended.state, ended.facts) == ("failed", {"why": "no rows"})
    assert ended.started <= (ended.ended or "")
    with pytest.raises(StoreError, match="has ended"):
        store.runs.append(run, [("measured", {})])
    with pytest.raises(StoreError, match="has ended"):
        store.runs.finish(run)


def test_a_run_ends_well_or_not_and_in_no_other_way(store):
    run = store.runs.start("churn", "fit")

    with pytest.raises(StoreError, match="cannot end as 'running'"):
        store.runs.finish(run, "running")
    assert store.runs.finish(run).facts == {}


def test_a_run_that_is_not_there_is_said(store):
    for call in (store.runs.get, store.runs.finish, lambda run: store.runs.append(run, [])):
        with pytest.raises(StoreError, match="no run 'nosuch'"):
            call("nosuch")


def test_the_latest_runs_come_first(store):
    ids = [store.runs.start(f"run {place}", "fit") for place in range(3)]

    assert [run.id for run in store.runs.list(limit=2)] == ids[:0:-1]


def test_two_who_tell_one_run_never_take_one_number(store, place):
    run = store.runs.start("churn", "fit")

    def tell():
        with place.open() as mine:
            for step in range(10):
                mine.runs.append(run, [("measured", {"step": step})])

    threads = [threading.Thread(target=tell) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [event.number for event in store.runs.events(run)] == list(range(1, 31))


def test_a_data_set_stays_as_it_was_first_seen(store):
    first = store.datasets.add("abc", "june.csv", shape=(10, 3), n_bytes=99, facts={"from": "shop"})

    again = store.datasets.add("abc", "copy of june.csv")

    assert again == first == store.datasets.get("abc")
    assert (first.n_rows, first.n_columns, first.facts) == (10, 3, {"from": "shop"})
    assert store.datasets.get("nosuch") is None
    assert store.datasets.list() == [first]


def test_a_data_set_without_a_fingerprint_is_refused(store):
    with pytest.raises(StoreError, match="fingerprint is empty"):
        store.datasets.add("", "june.csv")


def _rows(n, *, name="churn", number=None, at=""):
    return [Prediction(name, number, {"x": place}, {"prediction": "yes"}, at=at) for place in range(n)]


def test_predictions_are_found_by_id_model_version_and_time(store):
    old = Prediction("churn", 1, {"x": 1, "when": datetime(2026, 1, 2, tzinfo=UTC)}, {"yes": 0.5}, at="2026-01-01")
    new = Prediction("churn", 2, {"x": 2}, {"yes": 0.75}, at="2026-02-01T10:00:00+02:00")
    store.predictions.append([new, old, *_rows(1, name="rent")])

    assert store.predictions.get(old.id).row == {"x": 1, "when": "2026-01-02T00:00:00+00:00"}
    assert store.predictions.get("nosuch") is None
    assert [one.id for one in store.predictions.find("churn")] == [old.id, new.id]
    assert [one.id for one in store.predictions.find("churn", number=2)] == [new.id]
    assert [one.id for one in store.predictions.find("churn", since="2026-01-02")] == [new.id]
    assert [one.id for one in store.predictions.find("churn", until="2026-02-01T08:00:00Z")] == [old.id]
    assert [one.id for one in store.predictions.find("churn", until="2026-02-01T08:00:01Z")] == [old.id, new.id]


def test_reading_is_bounded_and_can_go_on(store):
    moments = [f"2026-01-01T00:00:{place // 7:02d}" for place in range(20)]  # several share a moment
    ids = store.predictions.append(
        Prediction("churn", None, {}, {}, id=f"p{place:02d}", at=at) for place, at in enumerate(moments)
    )

    read = store.predictions.find("churn", limit=6)
    while more := store.predictions.find("churn", after=read[-1], limit=6):
        assert len(more) <= 6
        read += more

    assert [one.id for one in read] == ids


def test_of_a_batch_with_an_id_that_is_taken_nothing_is_kept(store):
    (taken,) = store.predictions.append(_rows(1))

    with pytest.raises(StoreError, match="there already"):
        store.predictions.append([*_rows(3), Prediction("churn", None, {}, {}, id=taken)])
    with pytest.raises(StoreError, match="same id"):
        store.predictions.append([Prediction("churn", None, {}, {}, id="a")] * 2)

    assert len(store.predictions.find("churn")) == 1


def test_a_large_batch_is_kept_as_a_whole(store):
    ids = store.predictions.append(_rows(2500))

    assert len(set(ids)) == 2500
    assert len(store.predictions.find("churn")) == 2500


def test_an_empty_batch_is_no_error(store):
    assert store.predictions.append([]) == []
    assert store.outcomes.add({}) == 0


def test_what_is_no_plain_value_is_refused_and_what_is_not_finite_becomes_null(store):
    with pytest.raises(StoreError, match="cannot be kept as JSON"):
        store.predictions.append([Prediction("churn", None, {"x": object()}, {})])

    (kept,) = store.predictions.append([Prediction("churn", None, {"x": np.float64("nan")}, {"y": [float("inf")]})])

    assert store.predictions.get(kept).row == {"x": None}
    assert store.predictions.get(kept).answer == {"y": [None]}


def test_a_label_that_comes_late_meets_its_prediction(store):
    ids = store.predictions.append(_rows(3))
    store.predictions.append(_rows(1, name="rent"))

    store.outcomes.add({ids[0]: "yes", ids[2]: "no"}, by="ada")

    found = {one.prediction.id: (one.truth, one.by) for one in store.outcomes.judged("churn")}
    assert found == {ids[0]: ("yes", "ada"), ids[2]: ("no", "ada")}
    assert store.outcomes.judged("rent") == []


def test_a_label_may_come_first_and_a_later_word_replaces_it(store):
    store.outcomes.add({"p1": "no"})
    store.predictions.append([Prediction("churn", 1, {}, {}, id="p1")])
    store.outcomes.add({"p1": "yes"})

    judged = store.outcomes.judged("churn")

    assert [one.truth for one in judged] == ["yes"]
    assert store.outcomes.judged("churn", number=2) == []


def test_outcomes_are_found_and_counted_by_when_their_predictions_were_made(store):
    days = [f"2026-05-{day:02d}T12:00:00+00:00" for day in range(1, 5)]
    ids = store.predictions.append(Prediction("churn", number, {}, {}, at=at) for at in days for number in (1, 2))
    store.outcomes.add(dict.fromkeys(ids[:6], "yes"))  # long after all of them

    found = store.outcomes.judged("churn", number=2, since="2026-05-02T12:00:00+00:00")

    assert [one.prediction.id for one in found] == [ids[3], ids[5]]
    assert store.outcomes.count("churn", number=2, since="2026-05-02T12:00:00+00:00") == 2
    assert store.outcomes.count("churn") == 6
    assert store.outcomes.count("churn", since="2999-01-01") == 0
    assert store.outcomes.judged("churn", since="2999-01-01") == []


def test_an_outcome_that_is_said_again_keeps_its_moment_and_a_new_word_has_its_own(store, monkeypatch):
    ids = store.predictions.append(_rows(1200))
    monkeypatch.setattr("mantic.store.outcomes.now", lambda: "2024-03-01T00:00:00.000000Z")
    store.outcomes.add(dict.fromkeys(ids[:1100], "yes"))
    monkeypatch.setattr("mantic.store.outcomes.now", lambda: "2024-03-08T00:00:00.000000Z")

    n_kept = store.outcomes.add(dict.fromkeys(ids, "yes") | {ids[0]: "no"})

    assert n_kept == 1200
    assert store.outcomes.n_arrived("churn", until="2024-03-02") == 1099
    assert store.outcomes.n_arrived("churn", since="2024-03-02") == 101
    assert store.outcomes.of(ids[:2]) == {ids[0]: "no", ids[1]: "yes"}


def test_a_share_of_the_outcomes_is_drawn_from_first_to_last(store):
    store.outcomes.add(dict.fromkeys(store.predictions.append(_rows(2000)), "yes"))

    some = store.outcomes.judged("churn", share=0.25)
    arrived = store.outcomes.arrived("churn", share=0.25)

    assert 400 < len(some) < 600
    assert [one.prediction for one in some] == store.predictions.thinned("churn", 0.25)
    assert [one.prediction for one in arrived] == [one.prediction for one in some]
    assert store.outcomes.n_arrived("churn") == 2000
    assert store.outcomes.n_arrived("churn", since="2999-01-01") == 0


def test_an_alert_is_open_until_someone_closes_it(store):
    first = store.alerts.add("warning", "drift", "'plan' moved", name="churn", facts={"psi": 0.3})
    second = store.alerts.add("stop", "score", "it guesses", name="churn")

    store.alerts.close(first, by="ada")

    assert [alert.id for alert in store.alerts.open()] == [second]
    assert [(alert.id, alert.closed is None) for alert in store.alerts.list()] == [(second, True), (first, False)]
    assert store.alerts.list()[1].facts == {"psi": 0.3}
    assert (store.audit.list()[0].by, store.audit.list()[0].action) == ("ada", "close")
    with pytest.raises(StoreError, match="no open alert"):
        store.alerts.close(first)


def test_an_alert_has_a_known_level(store):
    with pytest.raises(StoreError, match="no level 'red'"):
        store.alerts.add("red", "drift", "it moved")


@pytest.mark.parametrize("text", ["nul \x00", "half \ud800", "bell \x07", "x" * 10_001])
def test_text_that_a_database_cannot_hold_is_refused_before_it_gets_there(store, text):
    with pytest.raises(StoreError, match="cannot be kept"):
        store.alerts.add("note", "code", text)

    assert store.alerts.list() == []


@pytest.mark.parametrize("text", ["naïve 😀 漢字", "two\nlines\tand a tab", "'; DROP TABLE alert; --"])
def test_any_other_text_comes_back_as_it_was(store, text):
    store.alerts.add("note", "code", text, facts={text: [text, "\x00\ud800"]})

    assert store.alerts.list()[0].text == text
    assert store.alerts.list()[0].facts == {text: [text, "\x00\ud800"]}


def test_a_moment_that_is_none_is_refused(store):
    with pytest.raises(StoreError, match="'soon' is no moment"):
        store.predictions.find("churn", since="soon")


def test_a_run_is_found_by_the_beginning_of_its_id(store):
    one, other = (store.runs.start("churn", "fit") for _ in range(2))

    assert store.runs.find(one[:12]).id == one
    with pytest.raises(StoreError, match="several runs"):
        store.runs.find(_common(one, other))
    for nothing in ("", "zz", "%", "_" * 32):
        with pytest.raises(StoreError, match=r"there is no run|several"):
            store.runs.find(nothing)


def _common(one, other):
    """Return how both begin, or nothing where they differ at once: that is refused too."""
    return next((one[:place] for place in range(len(one), 0, -1) if other.startswith(one[:place])), "")


def test_a_run_may_be_put_down_after_it_began(store):
    run = store.runs.start("churn", "fit", at="2026-05-01T10:00:00")

    assert store.runs.get(run).started.startswith("2026-05-01T10:00:00")


def test_rows_are_counted_by_hour_day_and_version(store):
    moments = ("2026-05-01T10:05", "2026-05-01T10:55", "2026-05-01T11:00", "2026-05-02T00:00")
    store.predictions.append(Prediction("churn", 1 + (at > "2026-05-01T10:30"), {}, {}, at=at) for at in moments)

    hours = store.predictions.counts("churn", by="hour", until="2026-05-02")
    days = store.predictions.counts("churn")

    assert [(one.at, one.number, one.n_rows) for one in hours] == [
        ("2026-05-01T10", 1, 1),
        ("2026-05-01T10", 2, 1),
        ("2026-05-01T11", 2, 1),
    ]
    assert [(one.at, one.number, one.n_rows) for one in days] == [
        ("2026-05-01", 1, 1),
        ("2026-05-01", 2, 2),
        ("2026-05-02", 2, 1),
    ]
    assert store.predictions.count("churn", number=2, since="2026-05-01T11:00") == 2
    with pytest.raises(StoreError, match="not counted by 'week'"):
        store.predictions.counts("churn", by="week")


def test_a_share_of_the_rows_is_drawn_by_chance_and_is_the_same_again(store):
    store.predictions.append(_rows(2000))

    some = store.predictions.thinned("churn", 0.25)

    assert 400 < len(some) < 600
    assert store.predictions.thinned("churn", 0.25) == some
    assert {one.id for one in some} < {one.id for one in store.predictions.thinned("churn", 0.5)}
    assert len(store.predictions.thinned("churn", 1.0, limit=1500)) == 1500
    assert len(store.predictions.thinned("churn", 0.99999)) > 1950  # nearly all are not few


def test_outcomes_are_read_in_the_order_in_which_they_became_known(store):
    first, _, third = store.predictions.append(_rows(3))
    for one in (third, first):
        store.outcomes.add({one: "yes"})
    between = store.outcomes.arrived("churn")[1].at

    assert [one.prediction.id for one in store.outcomes.arrived("churn")] == [third, first]
    assert [one.prediction.id for one in store.outcomes.arrived("churn", until=between)] == [third]
    assert [one.prediction.id for one in store.outcomes.arrived("churn", since=between)] == [first]
    assert store.outcomes.arrived("churn", number=99) == []


def test_whether_an_alert_was_useful_is_kept_with_who_says_so_and_can_be_taken_back(store):
    alert = store.alerts.add("warning", "drift", "'plan' moved", name="churn", facts={"effect": 0.3})

    store.alerts.answer(alert, "yes", by="ada")
    said = store.alerts.get(alert)
    store.alerts.answer(alert, "", by="eve")

    assert (said.useful, said.facts["useful"]["by"], said.facts["effect"]) == ("yes", "ada", 0.3)
    assert store.alerts.get(alert).facts == {"effect": 0.3}
    assert [(one.by, one.detail["useful"]) for one in store.audit.list(f"alert {alert}")] == [
        ("eve", ""),
        ("ada", "yes"),
    ]
    with pytest.raises(StoreError, match="'perhaps' is no answer"):
        store.alerts.answer(alert, "perhaps")
    with pytest.raises(StoreError, match="no alert"):
        store.alerts.get(alert + 1)


def test_a_closed_alert_is_opened_again(store):
    alert = store.alerts.add("note", "drift", "'plan' moved", name="churn")
    store.alerts.close(alert)

    store.alerts.reopen(alert, by="ada")

    assert [one.id for one in store.alerts.open()] == [alert]
    assert [one.id for one in store.alerts.find("churn")] == [alert]
    assert store.alerts.find("rent") == []
    with pytest.raises(StoreError, match="no closed alert"):
        store.alerts.reopen(alert)


def test_two_who_bring_the_same_answers_at_once_in_any_order_keep_each_once(store, place):
    packs = [packed(Prediction("churn", 1, {"age": age}, {"prediction": "yes"})) for age in range(3_000)]
    counts, faults = [], []

    def bring(into, some):
        try:
            counts.append(into.predictions.absorb(some))
        except StoreError as error:
            faults.append(error)

    with place.open() as other:
        threads = [threading.Thread(target=bring, args=pair) for pair in ((store, packs), (other, packs[::-1]))]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    assert faults == []
    assert sum(counts) == store.predictions.count("churn") == 3_000
    assert store.predictions.absorb(packs[:2]) == store.predictions.absorb([]) == 0


def test_a_deadlock_is_no_damage(store):
    said = store.database.complaint(SQLAlchemyError("deadlock detected"))

    assert said.fix == "try again"
