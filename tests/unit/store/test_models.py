import threading
from dataclasses import fields

import pytest

from mantic.core import artifact
from mantic.core.errors import ArtifactError, StoreError
from mantic.store.store import open_store
from mantic.store.tables import VERSION
from mantic.store.version import Version


def test_the_first_version_of_a_name_becomes_the_champion_and_later_ones_do_not(store, model):
    first = store.models.register(model(1))
    second = store.models.register(model(2))

    assert (str(first), str(second)) == ("churn/1", "churn/2")
    assert store.models.get("churn") == store.models.get("churn@champion") == first
    assert store.models.get("churn/2") == second


def test_a_version_says_what_its_file_says(store, model):
    file = model(1)

    kept = store.models.register(file, "risk", note="first try", fingerprint="abc", by="ada")

    assert (kept.name, kept.task, kept.target, kept.metric) == ("risk", "classify", "churned", "log_loss")
    assert (kept.score, kept.interval, kept.note, kept.by) == (0.31, (0.25, 0.4), "first try", "ada")
    assert kept.n_bytes == file.stat().st_size
    assert store.models.get("risk") == kept


def test_the_columns_of_the_table_are_the_fields_of_a_version():
    assert [column.name for column in VERSION.c] == [field.name for field in fields(Version)]


def test_something_that_can_save_itself_is_kept_under_a_name(store, model):
    class Fitted:
        def save(self, path):
            path.write_bytes(model(1).read_bytes())
            return path

    assert str(store.models.register(Fitted(), "own")) == "own/1"
    with pytest.raises(StoreError, match="needs a name"):
        store.models.register(Fitted())


def test_what_is_no_model_is_refused_and_leaves_nothing(store, tmp_path):
    (tmp_path / "evil.mantic").write_bytes(b"PK\x03\x04 and then nothing")

    with pytest.raises(ArtifactError):
        store.models.register(tmp_path / "evil.mantic")

    assert store.models.list() == []
    assert list(store.blobs.listed()) == []


def test_versions_are_listed_by_name_newest_first(store, model):
    for name in ("b", "a", "b"):
        store.models.register(model(name), name)

    assert [str(one) for one in store.models.list()] == ["a/1", "b/2", "b/1"]
    assert [str(one) for one in store.models.list("b")] == ["b/2", "b/1"]


def test_a_promoted_version_is_what_the_name_means_from_then_on(store, model):
    for mark in range(3):
        store.models.register(model(mark))

    move = store.models.promote("churn/3")
    store.models.promote("churn/2", "challenger")

    assert (move.before, move.after) == (1, 3)
    assert store.models.get("churn").number == 3
    assert store.models.aliases() == {"churn": {"champion": 3, "challenger": 2}}


def test_an_alias_can_be_promoted_to_where_another_one_stands(store, model):
    for mark in range(2):
        store.models.register(model(mark))
    store.models.promote("churn/2", "challenger")

    store.models.promote("churn@challenger")

    assert store.models.get("churn").number == 2


def test_a_rollback_goes_back_step_by_step_and_never_forth(store, model):
    for mark in range(4):
        store.models.register(model(mark))
    for number in (2, 3):
        store.models.promote(f"churn/{number}")

    steps = [store.models.rollback("churn").after for _ in range(2)]
    store.models.promote("churn/4")
    steps.append(store.models.rollback("churn").after)

    assert steps == [2, 1, 1]
    with pytest.raises(StoreError, match="stood nowhere before"):
        store.models.rollback("churn")


def test_a_rollback_leaves_out_what_was_deleted_since(store, model):
    for mark in range(3):
        store.models.register(model(mark))
    store.models.promote("churn/2")
    store.models.promote("churn/3")
    store.models.delete("churn/2")

    assert store.models.rollback("churn").after == 1


def test_a_rollback_of_what_was_never_there_says_so(store):
    with pytest.raises(StoreError, match="there is no 'nosuch@champion'"):
        store.models.rollback("nosuch")


def test_a_deleted_version_is_gone_and_its_number_is_never_given_again(store, model):
    for mark in range(2):
        store.models.register(model(mark))

    store.models.delete("churn/2")

    assert [str(one) for one in store.models.list()] == ["churn/1"]
    with pytest.raises(StoreError, match="there is no churn/2"):
        store.models.get("churn/2")
    assert store.models.register(model(9)).number == 3


def test_a_version_with_an_alias_cannot_be_deleted(store, model):
    store.models.register(model(1))
    store.models.promote("churn/1", "challenger")

    with pytest.raises(StoreError, match="the challenger and the champion"):
        store.models.delete("churn/1")

    store.models.remove_alias("churn", "challenger")
    store.models.remove_alias("churn", "champion")
    assert store.models.delete("churn/1").number == 1
    assert store.models.list() == []


def test_every_move_and_deletion_is_in_the_audit_with_who_did_it(store, model):
    for mark in range(2):
        store.models.register(model(mark), by="ada")
    store.models.promote("churn/2", by="bob")
    store.models.rollback("churn", by="cyd")
    store.models.delete("churn/2", by="dan")

    deeds = [(deed.by, deed.action) for deed in reversed(store.audit.list("churn"))]

    assert deeds == [
        ("ada", "register"), ("ada", "promote"), ("ada", "register"), ("bob", "promote"), ("cyd", "rollback"),
        ("dan", "delete"),
    ]  # fmt: skip
    assert store.audit.list("churn")[1].detail == {"alias": "champion", "before": 2, "after": 1}


def test_the_audit_can_be_read_on_from_where_one_stopped(store, model):
    for mark in range(3):
        store.models.register(model(mark))

    newest = store.audit.list(limit=2)
    rest = store.audit.list(before=newest[-1].id)

    ids = [deed.id for deed in (*newest, *rest)]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 4


@pytest.mark.parametrize("statement", ["UPDATE audit SET by = 'nobody'", "DELETE FROM audit"])
def test_nobody_changes_the_audit(store, model, statement):
    store.models.register(model(1))

    with pytest.raises(StoreError, match="only grows"), store.database.writing() as connection:
        connection.exec_driver_sql(statement)

    assert len(store.audit.list()) == 2


def test_nobody_empties_the_audit_of_a_server_by_another_word(postgresql, tmp_path):
    with open_store(f"{postgresql.url}?schema=emptied", blobs=tmp_path) as store:
        store.audit.note("look", "store", by="ada")

        with pytest.raises(StoreError, match="only grows"), store.database.writing() as connection:
            connection.exec_driver_sql("TRUNCATE audit")

        assert len(store.audit.list()) == 1


def test_an_unknown_model_gets_the_nearest_and_an_unknown_version_those_that_are_there(store, model):
    store.models.register(model(1))

    with pytest.raises(StoreError) as name:
        store.models.get("chrun")
    with pytest.raises(StoreError) as number:
        store.models.get("churn/7")
    with pytest.raises(StoreError) as alias:
        store.models.get("churn@challenger")

    assert "did you mean 'churn'?" in name.value.fix
    assert "there: 1; aliases: champion" in number.value.fix
    assert "no churn@challenger" in alias.value.what


def test_the_very_bytes_come_out_again(store, model, tmp_path):
    before = model(1).read_bytes()
    store.models.register(model(1))

    written = store.models.export("churn", tmp_path / "out.mantic")

    assert written.read_bytes() == before
    with store.models.file("churn/1") as file:
        assert file.read_bytes() == before


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing(store, model, tmp_path):
    store.models.register(model(1))

    with pytest.raises(StoreError, match="cannot be written"):
        store.models.export("churn", tmp_path / "nowhere" / "out.mantic")


def test_damaged_content_is_never_handed_out(store, model, tmp_path):
    kept = store.models.register(model(1))
    blob = store.blobs._path(kept.sha256)
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")

    with pytest.raises(StoreError, match="damaged"):
        store.models.export("churn", tmp_path / "out.mantic")
    assert not (tmp_path / "out.mantic").exists()

    blob.unlink()
    with pytest.raises(StoreError, match="gone"), store.models.file("churn"):
        pass


def test_the_same_content_is_kept_once(store, model):
    for _ in range(3):
        store.models.register(model(1))

    assert len(list(store.blobs.listed())) == 1


def test_what_two_open_at_once_both_write_is_all_there(place, model):
    files = [model(mark, name=f"m{mark}") for mark in range(2)]
    faults = []

    def work(file):
        try:
            with place.open() as mine:
                for _ in range(8):
                    mine.models.register(file, "churn")
        except Exception as error:
            faults.append(error)
            raise

    threads = [threading.Thread(target=work, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not faults
    with place.open() as store:
        assert [one.number for one in store.models.list("churn")] == list(range(16, 0, -1))


def test_a_model_whose_target_has_an_odd_name_is_kept_all_the_same(store, tmp_path):
    (tmp_path / "parts").mkdir()
    manifest = {"task": "classify", "target": [{"name": "a\x00b\n\u2028c"}]}
    file = artifact.write(tmp_path / "odd.mantic", manifest=manifest, folder=tmp_path / "parts", report='{"facts": 1}')

    kept = store.models.register(file)

    assert (kept.target, kept.metric, kept.score) == ("a?b??c", "", None)


@pytest.mark.parametrize("what", ["note", "by", "fingerprint"])
def test_words_that_a_database_cannot_hold_are_refused(store, model, what):
    with pytest.raises(StoreError, match="cannot be kept"):
        store.models.register(model(1), **{what: "nul \x00"})

    assert store.models.list() == []
