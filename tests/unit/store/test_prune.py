"""Old predictions go when they are asked to, and nothing else; nobody waits for it."""

import threading

import pytest

from mantic.store import prune as module
from mantic.store.engine import FILE
from mantic.store.predictions import Prediction
from mantic.store.value import before

DAY = 86_400.0


def answered(store, n, *, days, name="churn", text="x"):
    at = before(days * DAY)
    rows = [Prediction(name, 1, {"tenure": place, "text": text}, {"prediction": "yes"}, at=at) for place in range(n)]
    return store.predictions.append(rows)


def test_what_is_older_goes_and_what_is_younger_stays(store, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    answered(store, 20, days=100)
    answered(store, 3, days=91, name="rent")
    young = answered(store, 5, days=89)

    pieces = list(store.prune(90, keeps_outcomes=False))

    assert sum(pieces) == 23
    assert max(pieces) == 7
    assert [one.id for one in store.predictions.find("churn")] == sorted(young)
    assert store.predictions.count("rent") == 0


def test_outcomes_go_with_their_predictions_or_keep_them(store):
    first, second = answered(store, 2, days=100)
    store.outcomes.add({first: "yes", "of somebody else": "no"})

    assert sum(store.prune(90, keeps_outcomes=True)) == 1
    assert store.predictions.get(first) is not None
    assert store.predictions.get(second) is None

    assert sum(store.prune(90, keeps_outcomes=False)) == 1
    assert store.outcomes.of([first, "of somebody else"]) == {"of somebody else": "no"}


def test_the_audit_says_who_wanted_it_and_how_many_went(store):
    answered(store, 4, days=100)

    list(store.prune(90, keeps_outcomes=False, by="ada"))
    list(store.prune(90, keeps_outcomes=False, by="ada"))  # nothing to do: nothing to tell

    after, wanted = store.audit.list("predictions")
    assert (wanted.action, wanted.by, wanted.detail["keeps_outcomes"]) == ("prune", "ada", False)
    assert (after.action, after.detail) == ("pruned", {"n_rows": 4})


def test_what_somebody_else_has_removed_meanwhile_is_not_counted(store, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 5)
    answered(store, 12, days=100)
    usual = module._remove

    def other_first(connection, ids):
        monkeypatch.setattr(module, "_remove", usual)
        usual(connection, ids[:3])
        return usual(connection, ids)

    monkeypatch.setattr(module, "_remove", other_first)

    assert sum(store.prune(90, keeps_outcomes=False, by="ada")) == 9
    assert store.audit.list("predictions")[0].detail["n_rows"] == 9


def test_it_can_be_left_at_any_moment_and_taken_up_again(store, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 5)
    answered(store, 12, days=100)

    assert next(store.prune(90, keeps_outcomes=False)) == 5
    assert store.predictions.count("churn") == 7
    assert sum(store.prune(90, keeps_outcomes=False)) == 7


def test_somebody_can_write_between_two_pieces(store, place, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 5)
    answered(store, 12, days=100)
    pieces = store.prune(90, keeps_outcomes=False)
    next(pieces)

    with place.open() as other:
        writer = threading.Thread(target=answered, args=(other, 3), kwargs={"days": 1})
        writer.start()
        writer.join(10)

        assert not writer.is_alive()
    assert sum(pieces) == 7
    assert store.predictions.count("churn") == 3


def test_the_file_of_a_store_in_a_folder_becomes_smaller(folder_place):
    with folder_place.open() as store:
        answered(store, 3_000, days=100, text="x" * 1_000)
    file = store.address.folder / FILE
    full = file.stat().st_size

    with folder_place.open() as store:
        list(store.prune(90, keeps_outcomes=False))
        free = store.free_bytes

    assert free == 0
    assert file.stat().st_size < 0.2 * full


def test_a_file_that_cannot_become_smaller_says_how_much_is_free(folder_place, monkeypatch):
    monkeypatch.setattr("mantic.store.engine._PRAGMAS", ("PRAGMA journal_mode=WAL",))  # as it was made before
    with folder_place.open() as store:
        answered(store, 1_000, days=100, text="x" * 1_000)
        list(store.prune(90, keeps_outcomes=False))

        assert store.free_bytes > 500_000


def test_no_days_at_all_are_refused():
    from mantic.core.errors import SettingsError
    from mantic.core.stretch import days_of

    for words in ("0d", "", "90m", "-3d", "9999999w", "36501"):
        with pytest.raises(SettingsError, match="no days"):
            days_of(words)
