"""Which models answer programs: deployed, tried out, moved, withdrawn and taken back."""

import pytest

from mantic.core.errors import AbsentError, StoreError
from mantic.store.deployments import ChangedError, Deployment
from mantic.store.restore import restore
from mantic.store.value import now


@pytest.fixture
def kept(store, model):
    """Return a store with churn/1 (the champion), churn/2 and churn/3."""
    for mark in (1, 2, 3):
        store.models.register(model(mark))
    return store


def stands(store):
    found = store.deployments.get("churn")
    return found.is_deployed, found.champion, found.canary, found.share


def test_a_model_is_deployed_by_its_name_and_by_whom_is_known(kept):
    change = kept.deployments.put("churn", by="ada")

    assert not change.before.is_deployed
    assert change.after == kept.deployments.get("churn") == kept.deployments.list()[0]
    assert (change.after.champion, change.after.by, change.after.canary) == (1, "ada", None)
    assert kept.audit.list("churn")[0].action == "deploy"


def test_deploying_a_version_lets_it_answer_and_again_changes_nothing(kept):
    kept.deployments.put("churn", by="ada")

    kept.deployments.put("churn/2", by="bob")
    again = kept.deployments.put("churn/2", by="eve")

    assert stands(kept) == (True, 2, None, 0.0)
    assert again.before == again.after
    assert again.after.by == "ada"


def test_what_is_not_there_cannot_be_deployed(kept):
    for words in ("chrun", "churn/9"):
        with pytest.raises(AbsentError):
            kept.deployments.put(words)

    assert kept.deployments.list() == []


def test_a_withdrawn_model_keeps_its_champion_and_its_canary_ends(kept):
    kept.deployments.put("churn")
    kept.deployments.canary("churn/2", 0.2)

    change = kept.deployments.remove("churn", by="ada")

    assert kept.deployments.list() == []
    assert kept.models.aliases("churn") == {"churn": {"champion": 1}}
    assert (change.before.canary, change.after) == (2, Deployment("churn", 1, None))
    assert kept.audit.list("churn")[0].action == "withdraw"
    with pytest.raises(AbsentError, match="not deployed"):
        kept.deployments.remove("churn")


def test_a_canary_is_the_challenger_with_a_share(kept):
    kept.deployments.put("churn")

    kept.deployments.canary("churn/2", 0.2)
    kept.deployments.canary("churn/2", 0.5)

    assert stands(kept) == (True, 1, 2, 0.5)
    assert kept.models.get("churn@challenger").number == 2
    with pytest.raises(StoreError, match="challenger"):
        kept.models.delete("churn/2")

    kept.deployments.end_canary("churn")

    assert stands(kept) == (True, 1, None, 0.0)
    assert kept.models.aliases("churn") == {"churn": {"champion": 1}}


def test_a_canary_has_its_share_since_the_last_thing_that_parted_callers_anew(kept):
    def since():
        return kept.deployments.canary_since("churn")

    kept.deployments.put("churn")
    kept.models.promote("churn/2", "challenger")
    alone, moments = since(), [now()]

    for do in (
        lambda: kept.deployments.canary("churn/2", 0.1),  # the challenger that it was already
        lambda: kept.deployments.canary("churn/2", 0.5),
        lambda: kept.deployments.undo(kept.deployments.canary("churn/2", 0.2)),
        lambda: kept.deployments.undo(kept.deployments.end_canary("churn")),
        lambda: kept.deployments.undo(kept.deployments.remove("churn")),
        lambda: kept.models.promote("churn/3", "challenger"),
    ):
        do()
        moments.append(since())

    assert alone is None
    assert moments == sorted(set(moments))
    kept.deployments.end_canary("churn")
    assert since() is None


def test_a_champion_that_is_promoted_again_ends_no_trial(kept):
    kept.deployments.put("churn")
    kept.deployments.canary("churn/2", 0.2)
    champion = kept.deployments.promote("churn/1").after

    kept.models.promote("churn/1")

    assert (champion.canary, champion.share) == (2, 0.2)
    assert kept.deployments.promote("churn/1").before == champion


def test_a_share_that_a_canary_has_already_is_no_deed(kept):
    kept.deployments.put("churn")
    kept.deployments.canary("churn/2", 0.2)
    since, deeds = kept.deployments.canary_since("churn"), kept.audit.list()

    again = kept.deployments.canary("churn/2", 0.2)

    assert again.before == again.after == kept.deployments.get("churn")
    assert kept.deployments.canary_since("churn") == since
    assert kept.audit.list() == deeds


@pytest.mark.parametrize(
    ("words", "share", "what"),
    [("churn/2", 0.0, "share"), ("churn/2", 1.5, "share"), ("churn/2", float("nan"), "share"),
     ("churn/1", 0.1, "already"),
     ("churn/9", 0.1, "no churn/9")],
)  # fmt: skip
def test_a_canary_that_makes_no_sense_changes_nothing(kept, words, share, what):
    kept.deployments.put("churn")

    with pytest.raises(StoreError, match=what):
        kept.deployments.canary(words, share)

    assert stands(kept) == (True, 1, None, 0.0)
    with pytest.raises(StoreError, match="no canary"):
        kept.deployments.end_canary("churn")


def test_only_a_deployed_model_has_a_canary(kept):
    with pytest.raises(AbsentError, match="mantic models deploy") as caught:
        kept.deployments.canary("churn/2", 0.1)

    assert caught.value.what == "'churn' is not deployed"
    assert kept.models.aliases("churn") == {"churn": {"champion": 1}}


def test_a_canary_ends_with_every_move_of_the_champion(kept):
    kept.deployments.put("churn")
    for move in (
        lambda: kept.models.promote("churn@challenger"),
        lambda: kept.models.rollback("churn"),
        lambda: kept.models.remove_alias("churn", "challenger"),
    ):
        kept.deployments.canary("churn/2" if kept.deployments.get("churn").champion != 2 else "churn/3", 0.2)
        move()

        found = kept.deployments.get("churn")
        assert (found.canary, found.share, found.challenger) == (None, 0.0, None)

    kept.models.promote("churn/2", "challenger")

    assert stands(kept)[2:] == (None, 0.0)  # an alias of one's own is no canary


def test_everything_can_be_undone(kept):
    kept.deployments.put("churn")
    kept.deployments.canary("churn/3", 0.25)
    for do in (
        lambda: kept.deployments.promote("churn/2"),
        lambda: kept.deployments.end_canary("churn"),
        lambda: kept.deployments.canary("churn/2", 0.5),
        lambda: kept.deployments.remove("churn"),
        lambda: kept.deployments.put("churn/3"),
    ):
        change = do()
        assert change.before != change.after

        back = kept.deployments.undo(change, by="ada")

        assert back.after == change.before
        assert stands(kept) == (True, 1, 3, 0.25)
    assert kept.audit.list("churn")[0].action == "undo"
    assert kept.audit.list("churn")[0].by == "ada"


def test_a_rollback_and_its_undo_keep_the_way_back(kept):
    kept.deployments.put("churn/2")
    kept.deployments.promote("churn/3")

    change = kept.deployments.rollback("churn")
    assert change.after.champion == 2
    kept.deployments.undo(change)
    assert kept.deployments.get("churn").champion == 3

    assert [kept.deployments.rollback("churn").after.champion for _ in range(2)] == [2, 1]


def test_undoing_a_promotion_leaves_no_way_forth(kept):
    kept.deployments.put("churn")
    kept.deployments.undo(kept.deployments.promote("churn/2"))

    with pytest.raises(StoreError, match="nowhere before"):
        kept.deployments.rollback("churn")


def test_what_somebody_else_changed_since_is_not_undone(kept):
    change = kept.deployments.put("churn")
    kept.deployments.promote("churn/2")

    with pytest.raises(ChangedError) as caught:
        kept.deployments.undo(change)

    assert caught.value.status == 409
    assert stands(kept) == (True, 2, None, 0.0)


def test_a_version_that_is_gone_does_not_come_back_by_an_undo(kept):
    kept.deployments.put("churn")
    change = kept.deployments.promote("churn/2")
    kept.models.delete("churn/1")

    with pytest.raises(AbsentError):
        kept.deployments.undo(change)

    assert stands(kept) == (True, 2, None, 0.0)


def test_deployments_are_in_a_backup(kept, tmp_path, place):
    kept.deployments.put("churn")
    kept.deployments.canary("churn/2", 0.2)
    made = kept.back_up(tmp_path / "one.backup")

    restore(made.path, str(tmp_path / "again"))

    from mantic.store.store import open_store

    with open_store(tmp_path / "again") as again:
        assert again.deployments.list() == kept.deployments.list()
        assert again.verify().faults == ()
