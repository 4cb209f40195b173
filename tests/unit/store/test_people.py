import json
import re
import sqlite3
import threading
import time
import zipfile

import argon2
import pytest
from sqlalchemy import text

from mantic.core.errors import StoreError
from mantic.store import migration, password
from mantic.store.address import where
from mantic.store.engine import FILE
from mantic.store.opening import make_folder, mark
from mantic.store.person import MAX_NAME, PersonError
from mantic.store.restore import restore
from mantic.store.store import Store, open_store

GOOD, OTHER = "slow tide, old boat", "green lamp by the door"
HOUR, WEEK = 3600.0, 7 * 86_400.0


@pytest.fixture
def ada(store):
    """Return an admin with a password."""
    return store.people.set_password(store.people.add("Ada", "admin", by="test").id, GOOD, by="test")


def _rows(store, statement):
    with store.database.reading() as connection:
        return connection.execute(text(statement)).all()


def _age(store, column, seconds):
    """Let all sittings be so much older in one respect."""
    with store.database.writing() as connection:
        then = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() - seconds))
        connection.execute(text(f"UPDATE sitting SET {column} = '{then}'"))


# ------------------------------------------------------------------------------------------------------------- people


def test_a_person_comes_in_by_a_link_and_then_by_a_password_whatever_the_capitals(store):
    eve = store.people.add(" Eve  Moneypenny ", "editor", by="Ada")
    link = store.people.invite(eve.id, by="Ada")

    done = store.people.accept(link, GOOD)

    assert (done.name, done.role, done.has_password, done.invited_until) == ("Eve Moneypenny", "editor", True, None)
    assert store.people.check("EVE moneypenny", GOOD) == done
    assert store.people.check("Eve Moneypenny", OTHER) is None
    assert store.people.check("nobody", GOOD) is None


def test_a_link_is_good_once_and_a_later_one_ends_an_earlier_one(store, ada):
    eve = store.people.add("Eve", "viewer")
    first, second = store.people.invite(eve.id), store.people.invite(eve.id)

    assert store.people.invited(first) is None
    assert store.people.invited(second).name == "Eve"
    store.people.accept(second, GOOD)

    assert store.people.invited(second) is None
    with pytest.raises(PersonError, match="used before"):
        store.people.accept(second, OTHER)
    assert store.people.check("eve", OTHER) is None


def test_a_link_ends_with_its_time_and_with_its_person(store, ada):
    eve, bob = store.people.add("Eve", "viewer"), store.people.add("Bob", "viewer")
    late, gone = store.people.invite(eve.id, seconds=-1), store.people.invite(bob.id)
    store.people.disable(bob.id)

    for link in (late, gone):
        with pytest.raises(PersonError, match="too old"):
            store.people.accept(link, GOOD)


def test_a_password_that_is_not_good_enough_leaves_the_link_open(store, ada):
    link = store.people.invite(store.people.add("Eve", "viewer").id)

    with pytest.raises(PersonError, match="5 characters; 12 are needed"):
        store.people.accept(link, "short")

    assert store.people.accept(link, GOOD).has_password


@pytest.mark.parametrize("name", ["ada", "ADA", " Ada ", "\uff21da"])  # the last with a wide A
def test_nobody_is_called_as_another_is(store, ada, name):
    with pytest.raises(PersonError, match="there is a 'Ada' already"):
        store.people.add(name, "viewer")


@pytest.mark.parametrize("name", ["", "  ", "...", "x" * (MAX_NAME + 1), "a\x00b"])
def test_what_nobody_can_be_called_is_said(store, name):
    with pytest.raises(StoreError):
        store.people.add(name, "viewer")

    assert store.people.list() == []


def test_a_role_that_there_is_not_is_said(store, ada):
    with pytest.raises(PersonError, match="there is no role 'root'") as caught:
        store.people.add("Eve", "root")
    assert caught.value.fix == "known are: viewer, editor, operator, admin"
    with pytest.raises(PersonError, match="there is no role"):
        store.people.set_role(ada.id, "root")


def test_one_admin_always_stays(store, ada):
    for change in (
        lambda: store.people.set_role(ada.id, "operator"),
        lambda: store.people.disable(ada.id),
    ):
        with pytest.raises(PersonError, match="Ada is the last admin"):
            change()
    assert store.people.get(ada.id).is_admin

    second = store.people.add("Eve", "admin")
    store.people.disable(second.id)
    with pytest.raises(PersonError, match="last admin"):  # one who is disabled does not count
        store.people.set_role(ada.id, "viewer")

    store.people.enable(second.id)
    assert store.people.set_role(ada.id, "viewer").role == "admin"  # as they were
    assert store.people.get(ada.id).role == "viewer"


def test_two_admins_who_remove_each_other_at_once_leave_one(place):
    with place.open() as store:
        both = [store.people.add(name, "admin") for name in ("Ada", "Eve")]
    start, refused = threading.Barrier(2), []

    def remove(person):
        with place.open() as mine:
            start.wait()
            try:
                mine.people.disable(person.id)
            except PersonError as error:
                refused.append(error)

    threads = [threading.Thread(target=remove, args=(one,)) for one in both]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    with place.open() as store:
        assert sum(one.is_admin for one in store.people.list()) == 1
    assert len(refused) == 1


def test_who_is_disabled_comes_in_no_more_until_enabled(store, ada):
    eve = store.people.set_password(store.people.add("Eve", "viewer").id, OTHER)
    secret = store.sittings.start(eve, seconds=WEEK)

    store.people.disable(eve.id)

    assert store.people.check("Eve", OTHER) is None
    assert store.sittings.find(secret, idle=HOUR) is None
    with pytest.raises(PersonError, match="may not sign in"):
        store.sittings.start(eve, seconds=WEEK)
    with pytest.raises(PersonError, match="disabled"):
        store.people.invite(eve.id)
    store.people.enable(eve.id)
    assert store.people.check("Eve", OTHER) is not None
    assert store.sittings.find(secret, idle=HOUR) is None


def test_whoever_holds_the_files_is_an_admin(store, ada):
    assert store.people.owner("ada") == store.people.get(ada.id)
    owner = store.people.owner("root")
    assert (owner.role, owner.has_password) == ("admin", False)
    store.people.set_role(owner.id, "viewer")
    store.people.disable(owner.id)

    assert store.people.owner("root").is_admin
    assert store.audit.list("person root")[0].action == "own"


def test_who_comes_from_elsewhere_needs_a_password_or_a_subject(store):
    owner = store.people.owner("root")
    eve = store.people.set_password(store.people.add("Eve", "viewer").id, GOOD)
    ada = store.people.add("Ada", "admin", subject="https://id.example ada")

    assert [one.can_enter for one in (owner, eve, ada)] == [False, True, True]
    assert store.people.of_subject("https://id.example ada") == ada
    assert store.people.of_subject("ada") is None


def test_the_first_admin_is_made_once(store):
    owner = store.people.owner("root")
    with pytest.raises(PersonError, match="12 are needed"):
        store.people.found("root", "short")

    first = store.people.found("Root", GOOD)  # whoever holds the files may take that name

    assert first.id == owner.id
    assert store.people.check("root", GOOD) == first
    with pytest.raises(PersonError, match="an admin already"):
        store.people.found("Eve", OTHER)


def test_the_first_admin_cannot_take_the_name_of_who_has_a_password(store):
    store.people.set_password(store.people.add("Eve", "viewer").id, GOOD)

    with pytest.raises(PersonError, match="there is a 'Eve' already"):
        store.people.found("eve", OTHER)

    assert store.people.check("eve", GOOD) is not None
    assert store.people.found("Ada", OTHER).is_admin


def test_a_person_that_is_not_there_is_said(store):
    for change in (store.people.get, store.people.enable, store.people.invite):
        with pytest.raises(PersonError, match="no such person"):
            change("none")


# ---------------------------------------------------------------------------------------------------------- passwords


def test_a_password_is_kept_as_argon2id_with_the_parameters_of_rfc_9106(store, ada):
    (kept,) = _rows(store, "SELECT password FROM person")

    assert re.fullmatch(r"\$argon2id\$v=19\$m=65536,t=3,p=4\$[^$]{22}\$[^$]{43}", kept.password)


def test_a_hash_of_other_parameters_is_renewed_when_its_password_is_said(store, ada):
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD)
    with store.database.writing() as connection:
        connection.execute(text(f"UPDATE person SET password = '{weak}'"))

    assert store.people.check("Ada", OTHER) is None
    assert _rows(store, "SELECT password FROM person") == [(weak,)]
    assert store.people.check("Ada", GOOD) is not None

    (kept,) = _rows(store, "SELECT password FROM person")
    assert "m=65536,t=3" in kept.password
    assert store.people.check("Ada", GOOD) is not None


def test_a_damaged_hash_lets_nobody_in(store, ada):
    with store.database.writing() as connection:
        connection.execute(text("UPDATE person SET password = 'x'"))

    assert store.people.check("Ada", GOOD) is None
    assert store.people.check("Ada", "x") is None


def test_two_keyboards_that_spell_a_letter_in_two_ways_are_one_password(store, ada):
    store.people.set_password(ada.id, "caf\u00e9 by the river")

    assert store.people.check("Ada", "cafe\u0301 by the river") is not None


def test_an_unknown_name_a_wrong_password_and_none_take_the_same_work(store, ada, monkeypatch):
    store.people.add("Eve", "viewer")
    verified = []
    real = argon2.PasswordHasher.verify

    def verify(self, kept, said):
        verified.append(kept.rsplit("$", 2)[0])
        return real(self, kept, said)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)
    for name in ("Ada", "Eve", "nobody"):
        assert store.people.check(name, OTHER) is None

    assert len(verified) == 3
    assert len(set(verified)) == 1  # the same parameters


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("short", "5 characters"),
        ("aaaaaaaaaaaaaaaa", "simple row"),
        ("123456789012345", "simple row"),
        ("abcdefghijklmnop", "simple row"),
        ("Password123456!", "tried first"),
        ("P@ssw0rd-2026", "tried first"),
        ("qwertyuiop[]2026", "tried first"),
        ("correct horse battery staple", "tried first"),
        ("moneypenny2026", "little more than the name"),
        ("x" * 2000, "2,000 characters"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused_with_the_reason(said, why):
    assert any(why in reason for reason in password.reasons_against(said, "Moneypenny"))


@pytest.mark.parametrize("said", [GOOD, OTHER, "Xk7#vQ2!pLw9", "дом у старой реки", "四つの言葉を並べた長い合言葉です"])
def test_a_password_of_some_words_or_of_chance_is_good(said):
    assert password.reasons_against(said, "Ada") == []


# ----------------------------------------------------------------------------------------------------------- sittings


def test_a_sitting_is_known_by_its_secret_and_only_the_hash_is_kept(store, ada):
    secret = store.sittings.start(ada, seconds=WEEK, agent="Firefox\x1b[31m" + "x" * 500)

    sitting, who = store.sittings.find(secret, idle=HOUR)

    assert who == ada
    assert sitting.agent.startswith("Firefox[31mxxx")
    assert len(sitting.agent) <= 200
    assert store.sittings.find(secret + "x", idle=HOUR) is None
    assert store.sittings.find(sitting.id, idle=HOUR) is None  # the hash itself opens nothing
    assert secret not in str(_rows(store, "SELECT * FROM sitting"))


def test_a_sitting_ends_when_nobody_is_there_and_at_its_end_whatever_happens(store, ada):
    secret = store.sittings.start(ada, seconds=WEEK)
    assert store.sittings.find(secret, idle=HOUR) is not None

    _age(store, "seen", HOUR + 60)
    assert store.sittings.find(secret, idle=HOUR) is None
    assert store.sittings.find(secret, idle=2 * HOUR) is not None  # and that was a visit
    assert store.sittings.find(secret, idle=HOUR) is not None

    _age(store, "expires", 1)
    assert store.sittings.find(secret, idle=HOUR) is None
    store.sittings.start(ada, seconds=WEEK)
    assert len(_rows(store, "SELECT * FROM sitting")) == 1  # the ended one is gone


def test_a_request_writes_down_that_somebody_was_seen_once_a_minute(store, ada):
    secret = store.sittings.start(ada, seconds=WEEK)
    first, _ = store.sittings.find(secret, idle=HOUR)
    again, _ = store.sittings.find(secret, idle=HOUR)
    assert again.seen == first.seen

    _age(store, "seen", 90)
    store.sittings.find(secret, idle=HOUR)

    assert store.sittings.find(secret, idle=HOUR)[0].seen > first.seen


def test_signing_out_ends_one_sitting_and_everywhere_ends_all(store, ada):
    eve = store.people.add("Eve", "viewer")
    one, two, hers = (store.sittings.start(who, seconds=WEEK) for who in (ada, ada, eve))

    store.sittings.end(one)
    store.sittings.end(one)
    assert [store.sittings.find(secret, idle=HOUR) is None for secret in (one, two, hers)] == [True, False, False]

    assert store.sittings.end_all(ada, by="Eve") == 1
    assert [one.person for one in store.sittings.list()] == [eve.id]
    assert store.sittings.list(ada) == []


def test_a_new_role_counts_at_once_and_a_new_password_ends_all_sittings(store, ada):
    eve = store.people.add("Eve", "viewer")
    secret = store.sittings.start(eve, seconds=WEEK)

    store.people.set_role(eve.id, "operator")
    assert store.sittings.find(secret, idle=HOUR)[1].role == "operator"

    store.people.set_password(eve.id, GOOD)
    assert store.sittings.find(secret, idle=HOUR) is None


# ---------------------------------------------------------------------------------------------- audit, backup, steps


def test_every_change_is_in_the_audit_and_no_secret_is(store):
    ada = store.people.add("Ada", "admin", by="setup")
    first = store.people.invite(ada.id, by="setup")
    store.people.accept(first, GOOD)
    eve = store.people.add("Eve", "viewer", by="Ada")
    second = store.people.invite(eve.id, by="Ada")
    store.people.set_role(eve.id, "editor", by="Ada")
    store.people.set_password(eve.id, OTHER, by="Ada")
    secrets = [store.sittings.start(eve, seconds=WEEK, agent="Firefox") for _ in range(2)]
    store.sittings.end(secrets[0])
    store.sittings.end_all(eve, by="Ada")
    store.people.disable(eve.id, by="Ada")
    store.people.enable(eve.id, by="Ada")

    deeds = store.audit.list()[::-1]

    assert [(deed.action, deed.subject, deed.by) for deed in deeds] == [
        ("add", "person Ada", "setup"), ("invite", "person Ada", "setup"), ("password", "person Ada", "Ada"),
        ("add", "person Eve", "Ada"), ("invite", "person Eve", "Ada"), ("role", "person Eve", "Ada"),
        ("password", "person Eve", "Ada"), ("sign in", "person Eve", "Eve"), ("sign in", "person Eve", "Eve"),
        ("sign out", "person Eve", "Eve"), ("sign out everywhere", "person Eve", "Ada"),
        ("disable", "person Eve", "Ada"), ("enable", "person Eve", "Ada"),
    ]  # fmt: skip
    assert deeds[5].detail == {"before": "viewer", "role": "editor"}
    hashes = [row.password for row in _rows(store, "SELECT password FROM person")]
    written = str(deeds)
    assert not any(secret in written for secret in (GOOD, OTHER, first, second, *secrets, *hashes))


def test_a_change_that_is_refused_is_not_in_the_audit(store, ada):
    before = store.audit.list()

    with pytest.raises(PersonError):
        store.people.disable(ada.id)

    assert store.audit.list() == before


def test_a_backup_holds_people_and_no_sittings(store, ada, tmp_path):
    store.people.add("Eve", "viewer")
    secret = store.sittings.start(ada, seconds=WEEK)
    made = store.back_up(tmp_path / "all.backup")

    restore(made.path, tmp_path / "again")

    with open_store(tmp_path / "again") as again:
        assert again.people.list() == store.people.list()
        assert again.people.check("Ada", GOOD) == ada
        assert again.sittings.find(secret, idle=HOUR) is None
        assert again.verify().faults == ()
        assert again.verify().n_rows == made.n_rows + 2  # the deed of restoring, and the id of a store of its own


def test_verify_counts_people_and_sittings(store, ada):
    before = store.verify()

    store.sittings.start(ada, seconds=WEEK)  # and its deed

    after = store.verify()
    assert (before.faults, after.faults) == ((), ())
    assert after.n_rows == before.n_rows + 2


def test_a_store_of_the_first_step_is_brought_up_to_date_and_keeps_all(place, model, tmp_path):
    address = where(place.url, place.blobs)
    if address.folder is not None:
        make_folder(address.folder)
    with Store(address) as old:
        with old.database.writing() as connection:
            migration.upgrade(connection)
            mark(connection)
        old.models.register(model(1), note="from before")
        old.blobs.claim("")
        old.runs.append(old.runs.start("churn", "fit", {"rows": 3}), [("measured", {"score": 0.5})])
        old.alerts.add("note", "old", "from yesterday")
        with old.database.writing() as connection:  # as mantic was before it knew people and deployments
            for name in ("sitting", "person", "deployment", "store"):
                connection.execute(text(f"DROP TABLE {name}"))
            if address.folder is None:
                connection.execute(text("DROP TRIGGER audit_no_truncate ON audit"))
            connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        kept = (old.models.list(), old.models.moves("churn"), old.runs.list(), old.alerts.list(), old.audit.list())

    with place.open() as store:
        now = (
            store.models.list(),
            store.models.moves("churn"),
            store.runs.list(),
            store.alerts.list(),
            store.audit.list(),
        )
        assert now == kept
        assert store.people.list() == []
        assert store.blobs.owner()
        store.people.owner("root")
        assert store.verify().faults == ()
    if address.folder is not None:
        (copy,) = address.folder.glob("before-0001-*.sqlite")
        with sqlite3.connect(copy) as before:
            assert before.execute("SELECT count(*) FROM version").fetchall() == [(1,)]
        before.close()
        assert (address.folder / FILE).stat().st_mode & 0o077 == 0


def test_a_backup_of_the_first_step_is_restored_with_the_new_tables(tmp_path, model):
    address = where(str(tmp_path / "old"))
    make_folder(address.folder)
    with Store(address) as old:
        with old.database.writing() as connection:
            migration.upgrade(connection)
            mark(connection)
        old.models.register(model(1))
        made = old.back_up(tmp_path / "new.backup")
    before = _as_first_step(made.path, tmp_path / "old.backup")

    restore(before, tmp_path / "again")

    with open_store(tmp_path / "again") as again:
        assert again.models.get("churn").number == 1
        assert again.people.owner("root").is_admin


def _as_first_step(path, into):
    """Write a backup again as it was before there were people."""
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(into, "w") as old:
        about = json.loads(archive.read("manifest.json")) | {"revision": "0001"}
        known = [name for name in archive.namelist() if not re.search("person|deployment|manifest", name)]
        about["members"] = {name: about["members"][name] for name in known}
        about["n_rows"] = {table: n for table, n in about["n_rows"].items() if f"rows/{table}.jsonl" in known}
        for name in known:
            old.writestr(name, archive.read(name))
        old.writestr("manifest.json", json.dumps(about))
    return into


def test_signing_in_takes_turns_so_that_it_cannot_take_all_memory(store, ada, monkeypatch):
    monkeypatch.setattr(password, "_PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(password, "_AT_ONCE", threading.BoundedSemaphore(1))
    assert password._AT_ONCE.acquire()

    with pytest.raises(StoreError, match="too many sign in") as caught:
        store.people.check("Ada", GOOD)

    assert caught.value.status == 503
