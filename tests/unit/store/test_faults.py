"""Disks that are full, folders that cannot be written, and calls that are cut short: nothing is ever half kept."""

import errno
import os
import random
import subprocess
import sys
import threading

import pytest
from sqlalchemy import text

from mantic.core.errors import StoreError
from mantic.store.predictions import Prediction

_LIMITED = """
import resource, signal, sys
from mantic.core.errors import StoreError
from mantic.store.store import open_store

folder, file, limit = sys.argv[1:]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open_store(folder) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    kept = 0
    try:
        while kept < 10_000:
            store.models.register(file, "churn", note="x" * 2000)
            kept += 1
    except StoreError as error:
        print(error.what)
print(kept)
"""


def _register_until_a_file_may_not_grow(folder, file, limit):
    words = [sys.executable, "-c", _LIMITED, folder, file, limit]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True, env=os.environ)
    what, kept = done.stdout.splitlines()
    return what, int(kept)


def test_a_model_that_does_not_fit_on_the_disk_is_no_version(folder_place, model):
    folder_place.open().close()

    what, kept = _register_until_a_file_may_not_grow(folder_place.url, model(1, n_bytes=300_000), 200_000)

    assert what.startswith("a model cannot be kept: File too large")
    assert kept == 0
    with folder_place.open() as store:
        assert store.models.list() == []
        assert store.verify().faults == ()
        assert store.models.register(model(2)).number == 1  # with room again, it goes on


def test_when_the_database_may_not_grow_the_call_fails_and_all_before_it_stay(folder_place, model):
    folder_place.open().close()

    what, kept = _register_until_a_file_may_not_grow(folder_place.url, model(1), 400_000)

    assert "disk" in what
    assert kept > 10
    with folder_place.open() as store:
        assert [one.number for one in store.models.list()] == list(range(kept, 0, -1))
        assert len(store.audit.list(limit=1000)) == kept + 1
        assert store.verify().faults == ()
        assert store.models.register(model(2)).number == kept + 1


def test_a_full_database_refuses_a_batch_as_a_whole_and_goes_on_when_there_is_room(folder_place):
    with folder_place.open() as store:
        with store.database.reading() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 60")
        store.predictions.append([Prediction("churn", None, {}, {}, id="first")])

        with pytest.raises(StoreError, match="disk is full"):
            store.predictions.append([Prediction("churn", None, {"x": "y" * 500}, {}) for _ in range(1000)])

        assert [one.id for one in store.predictions.find("churn")] == ["first"]
        with store.database.reading() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        store.predictions.append([Prediction("churn", None, {}, {}, id="second")])
        assert len(store.predictions.find("churn")) == 2


def test_a_model_whose_bytes_cannot_be_kept_is_no_version(store, model):
    class Broken:
        def __getattr__(self, name):
            return getattr(store.blobs, name)

        def put(self, sha256, file):
            raise StoreError("the disk is full")

    store.models._blobs = Broken()

    with pytest.raises(StoreError, match="disk is full"):
        store.models.register(model(1))

    assert store.models.list() == []
    assert store.audit.list() == []


def test_what_fails_in_the_middle_of_a_move_leaves_alias_and_audit_as_they_were(store, model):
    for mark in range(2):
        store.models.register(model(mark))
    before = store.audit.list(), store.models.aliases(), store.models.moves("churn")
    with store.database.writing() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO hidden"))

    with pytest.raises(StoreError):
        store.models.promote("churn/2")
    with pytest.raises(StoreError):
        store.models.register(model(2))

    with store.database.writing() as connection:
        connection.execute(text("ALTER TABLE hidden RENAME TO audit"))
    assert (store.audit.list(), store.models.aliases(), store.models.moves("churn")) == before
    assert len(store.models.list()) == 2


def test_who_waits_too_long_for_another_writer_is_told(store, place, model):
    impatience = {"sqlite": "PRAGMA busy_timeout=200", "postgresql": "SET lock_timeout TO 200"}
    holds, done = threading.Event(), threading.Event()

    def hold():
        with store.database.moving():
            holds.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    with place.open() as other:
        with other.database.reading() as connection:
            connection.exec_driver_sql(impatience[connection.dialect.name])
            connection.commit()
        thread.start()
        holds.wait(30)
        try:
            with pytest.raises(StoreError, match="keeps the store busy"):
                other.models.register(model(1))
        finally:
            done.set()
            thread.join()


def test_readers_see_one_moment_while_others_write(store, model):
    store.models.register(model(1))

    with store.database.reading() as connection:
        count = text("SELECT count(*) FROM version")
        first = connection.execute(count).scalar()
        store.models.register(model(2))
        second = connection.execute(count).scalar()

    assert (first, second) == (1, 1)
    assert len(store.models.list()) == 2


def test_a_disk_that_reports_an_error_leaves_no_version_and_no_half_of_a_model(store, model, monkeypatch):
    file = model(1)

    def broken(handle):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StoreError, match="Input/output error"):
        store.models.register(file)
    monkeypatch.undo()

    assert store.models.list() == []
    assert list(store.blobs.listed()) == []


def test_a_file_that_changes_while_it_is_kept_is_no_version(store, model, monkeypatch):
    file = model(1)
    put = store.blobs.put

    def slow(sha256, path):
        put(sha256, path)
        model(2)

    monkeypatch.setattr(store.blobs, "put", slow)

    with pytest.raises(StoreError, match="changed while it was being kept"):
        store.models.register(file)

    assert store.models.list() == []


def test_the_moves_of_three_who_promote_at_once_are_one_chain(store, place, model):
    for mark in range(4):
        store.models.register(model(mark))

    def promote(seed):
        choice = random.Random(seed)
        with place.open() as mine:
            for _ in range(15):
                mine.models.promote(f"churn/{choice.randint(1, 4)}", by=str(seed))

    threads = [threading.Thread(target=promote, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    moves = store.models.moves("churn")
    assert len(moves) == 1 + 3 * 15
    assert [move.before for move in moves[1:]] == [move.after for move in moves[:-1]]
    assert store.models.get("churn").number == moves[-1].after
    assert [deed.detail["after"] for deed in reversed(store.audit.list("churn", limit=45))] == [
        move.after for move in moves[1:]
    ]


def test_what_is_kept_again_while_another_sweeps_is_never_swept_away(store, place, model):
    store.models.register(model(0), "other")  # so that there is always a champion of another name
    file, done, faults = model(1), threading.Event(), []

    def sweep():
        with place.open() as mine:
            while not done.is_set():
                mine.sweep(grace=0.0)

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        for _ in range(25):
            kept = store.models.register(file)
            faults += store.verify().faults
            store.models.remove_alias("churn", "champion")
            store.models.delete(str(kept))
    finally:
        done.set()
        thread.join()

    assert faults == []
