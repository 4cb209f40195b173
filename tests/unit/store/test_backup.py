import hashlib
import json
import os
import time
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest

from mantic.core.errors import StoreError
from mantic.store.engine import FILE
from mantic.store.predictions import Prediction
from mantic.store.restore import restore
from mantic.store.store import open_store
from mantic.store.verify import verify_backup


@pytest.fixture
def filled(store, model):
    """Return a store with something of every kind in it."""
    for mark in range(3):
        store.models.register(model(mark), note="ünïcode\nand a second line")
    store.models.promote("churn/2")
    store.models.delete("churn/3")
    run = store.runs.start("churn", "fit", {"rows": 3})
    store.runs.append(run, [("measured", {"score": 0.5}), ("warned", {"text": "few"})])
    store.datasets.add("abc", "churn.csv", shape=(3, 2))
    store.predictions.append([Prediction("churn", 2, {"a": 1}, {"yes": 0.5}, id="p1")])
    store.outcomes.add({"p1": "yes"})
    store.alerts.add("warning", "drift", "it moved", name="churn")
    return store


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request, tmp_path):
    """Return a second empty place, of either kind."""
    if request.param == "sqlite":
        return {"url": tmp_path / "other" / "store", "blobs": ""}
    server = request.getfixturevalue("postgresql")
    return {"url": f"{server.url}?schema=other_{uuid4().hex}", "blobs": tmp_path / "b2"}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("at", 10**30, "cannot be kept"), ("at", "\ud800", "cannot be kept"), ("truth", "{", "cannot be read")],
)
def test_a_row_that_no_store_holds_is_refused_and_leaves_nothing(filled, tmp_path, name, value, says):
    path = filled.back_up(tmp_path / "all.backup").path
    changed = _with_outcome(path, {name: value}, tmp_path / "changed.backup")

    with pytest.raises(StoreError, match=says):
        restore(changed, tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    "facts", [{"members": {"rows/run.jsonl": 7}}, {"n_rows": 3}, {"revision": ""}, {"n_rows": {"run": "x"}}]
)
def test_a_manifest_that_is_none_is_refused(filled, tmp_path, facts):
    path = filled.back_up(tmp_path / "all.backup").path
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(tmp_path / "changed.backup", "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            changed.writestr(name, json.dumps(json.loads(content) | facts) if name == "manifest.json" else content)

    with pytest.raises(StoreError, match="damaged"):
        restore(tmp_path / "changed.backup", tmp_path / "again")


def _with_outcome(path, facts, into):
    """Write a backup again with other facts in its outcome, which the manifest vouches for."""
    name = "rows/outcome.jsonl"
    with zipfile.ZipFile(path) as archive:
        members = {one: archive.read(one) for one in archive.namelist()}
    row = json.loads(members[name])
    members[name] = json.dumps(row | facts).encode() + b"\n"
    about = json.loads(members["manifest.json"])
    about["members"][name] = {"sha256": hashlib.sha256(members[name]).hexdigest(), "size": len(members[name])}
    members["manifest.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(into, "w") as archive:
        for one, content in members.items():
            archive.writestr(one, content)
    return into


def _everything(store):
    return (
        store.models.list(), store.models.aliases(), store.models.moves("churn"), store.runs.list(),
        [store.runs.events(run.id) for run in store.runs.list()], store.datasets.list(),
        store.predictions.find("churn"), store.outcomes.judged("churn"), store.alerts.list(),
    )  # fmt: skip


def test_a_backup_of_either_database_is_restored_into_either(filled, other, tmp_path):
    made = filled.back_up(tmp_path / "all.backup")

    restore(made.path, other["url"], blobs=other["blobs"], by="ada")

    with open_store(other["url"], blobs=other["blobs"]) as again:
        assert _everything(again) == _everything(filled)
        assert again.verify().faults == ()
        deeds = again.audit.list()
        assert (deeds[0].action, deeds[0].by) == ("restore", "ada")
        assert deeds[1:] == filled.audit.list()


def test_what_was_restored_goes_on_counting(filled, other, model, tmp_path):
    made = filled.back_up(tmp_path / "all.backup")
    restore(made.path, other["url"], blobs=other["blobs"])

    with open_store(other["url"], blobs=other["blobs"]) as again:
        assert again.models.register(model(9)).number == 4  # 3 was deleted
        assert again.models.rollback("churn").after == 1
        assert again.alerts.add("note", "x", "more") == 2


def test_a_backup_says_what_is_in_it_and_is_for_its_owner_only(filled, tmp_path):
    made = filled.back_up(tmp_path / "all.backup")

    assert made.n_blobs == 2  # the third model was deleted
    assert made.n_bytes == made.path.stat().st_size
    assert made.path.stat().st_mode & 0o077 == 0
    assert verify_backup(made.path).n_rows == made.n_rows > 10


def test_a_damaged_blob_stops_a_backup_and_the_old_one_stays(filled, tmp_path):
    filled.back_up(tmp_path / "all.backup")
    before = (tmp_path / "all.backup").read_bytes()
    blob = filled.blobs._path(filled.models.get("churn").sha256)
    blob.write_bytes(b"x")

    with pytest.raises(StoreError, match="damaged"):
        filled.back_up(tmp_path / "all.backup")

    assert (tmp_path / "all.backup").read_bytes() == before
    assert not list(tmp_path.glob(".all*"))


def test_only_an_empty_place_is_restored_into(filled, place, tmp_path):
    made = filled.back_up(tmp_path / "all.backup")
    before = _everything(filled)

    with pytest.raises(StoreError, match="something here already"):
        restore(made.path, place.url, blobs=place.blobs)

    assert _everything(filled) == before


def test_an_empty_folder_that_is_a_mount_point_is_filled(filled, tmp_path, monkeypatch):
    made = filled.back_up(tmp_path / "all.backup")
    volume = tmp_path / "volume"
    volume.mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path == volume)
    inode = volume.stat().st_ino

    restore(made.path, volume)

    assert volume.stat().st_ino == inode  # it was not replaced, which a mount point refuses
    assert {path.name for path in volume.iterdir()} == {"blobs", FILE}
    with open_store(volume) as again:
        assert again.verify().faults == ()
        assert again.models.list() == filled.models.list()


def test_a_restore_that_came_to_no_end_is_begun_again_where_its_models_lie_already(filled, tmp_path, monkeypatch):
    made = filled.back_up(tmp_path / "all.backup")
    monkeypatch.setattr("mantic.store.restore._insert", _gone)
    with pytest.raises(StoreError, match="the network went"):
        restore(made.path, tmp_path / "again", blobs=tmp_path / "b4")
    monkeypatch.undo()

    restore(made.path, tmp_path / "again", blobs=tmp_path / "b4")

    with open_store(tmp_path / "again", blobs=tmp_path / "b4") as again:
        assert again.verify().faults == ()
    with pytest.raises(StoreError, match="something here already"):
        restore(made.path, tmp_path / "third", blobs=tmp_path / "b4")


def _gone(*_):
    raise StoreError("the network went", where="here", fix="try again")


@pytest.mark.parametrize("blobs", ["{}/shared", "memory://{}"])
def test_of_two_stores_in_one_place_for_models_only_one_keeps_and_sweeps(model, tmp_path, blobs):
    shared = blobs.format(tmp_path)
    with open_store(tmp_path / "a", blobs=shared) as one, open_store(tmp_path / "b", blobs=shared) as other:
        one.models.register(model(1))

        with pytest.raises(StoreError, match="another store's"):
            other.models.register(model(2))
        with pytest.raises(StoreError, match="another store's"):
            other.sweep(grace=0)

        assert other.models.list() == []
        assert one.verify().faults == ()
        assert one.models.register(model(3)).number == 2


def test_an_empty_store_on_a_server_is_an_empty_place(filled, postgresql, tmp_path):
    made = filled.back_up(tmp_path / "all.backup")
    url, blobs = f"{postgresql.url}?schema=empty_{uuid4().hex}", tmp_path / "b3"
    open_store(url, blobs=blobs).close()

    restore(made.path, url, blobs=blobs)

    with open_store(url, blobs=blobs) as again:
        assert again.models.get("churn").number == 2


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_changed_backup_is_refused_and_leaves_nothing(filled, other, tmp_path, where):
    made = filled.back_up(tmp_path / "all.backup")
    content = bytearray(made.path.read_bytes())
    with zipfile.ZipFile(made.path) as archive:  # a byte within a member, not in the zip's own words
        info = next(one for one in archive.infolist() if one.filename.startswith("blobs/"))
    content[info.header_offset + 30 + len(info.filename) + int(where * info.compress_size)] ^= 1
    made.path.write_bytes(content)

    with pytest.raises(StoreError, match=info.filename):
        restore(made.path, other["url"], blobs=other["blobs"])

    assert verify_backup(made.path).faults
    assert not (tmp_path / "other" / "store").exists()
    assert not [*(tmp_path / "other").glob(".*")]


def test_a_backup_that_was_cut_off_is_no_backup(filled, tmp_path):
    made = filled.back_up(tmp_path / "all.backup")
    content = made.path.read_bytes()
    last_model_ends = content.rindex(b"PK\x05\x06", 0, -22) + 22  # a model in it is a zip with a manifest too

    for n_bytes in (0, len(content) // 3, last_model_ends, len(content) - 5):
        made.path.write_bytes(content[:n_bytes])
        with pytest.raises(StoreError, match="no backup"):
            restore(made.path, tmp_path / "new")

    assert not (tmp_path / "new").exists()


def test_a_backup_of_a_newer_mantic_is_refused(filled, tmp_path):
    made = filled.back_up(tmp_path / "all.backup")
    newer = tmp_path / "newer.backup"
    with zipfile.ZipFile(made.path) as old, zipfile.ZipFile(newer, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, text.replace(b'"revision": "0', b'"revision": "9') if "manifest" in name else text)

    with pytest.raises(StoreError, match="newer mantic"):
        restore(newer, tmp_path / "new")


def test_a_backup_that_is_not_there_is_said(tmp_path):
    with pytest.raises(StoreError, match="no such backup"):
        restore(tmp_path / "nothing.backup", tmp_path / "new")


def test_a_whole_store_has_no_faults(filled):
    found = filled.verify()

    assert found.faults == ()
    assert (found.n_blobs, len(found.garbage)) == (2, 1)
    assert found.n_rows > 15


def test_every_fault_is_named(filled, model):
    filled.models.register(model(7), "other")
    filled.models.register(model(8), "third")
    churn, other = (filled.blobs._path(filled.models.get(name).sha256) for name in ("churn", "other"))
    churn.write_bytes(b"short")
    other.unlink()
    with filled.database.writing() as connection:
        connection.exec_driver_sql("UPDATE run SET facts = '{'")
        connection.exec_driver_sql("UPDATE version SET deleted = 'now' WHERE name = 'third'")

    text = "\n".join(filled.verify().faults)

    assert "churn/2: its content has another length" in text
    assert "churn/2: the content of a kept model is damaged" in text
    assert "other/1: the content of a kept model is gone" in text
    assert "'facts' cannot be read" in text
    assert "third@champion points to third/1, which is not there" in text


def test_what_nothing_points_at_is_swept_after_its_time_and_nothing_else(filled):
    assert filled.sweep() == 0  # deleted a moment ago: someone may still read it

    assert filled.sweep(grace=0) == 1

    assert filled.sweep(grace=0) == 0
    assert filled.verify().faults == ()
    assert filled.verify().garbage == ()


def test_a_file_that_somebody_else_put_there_stops_no_sweep(filled):
    odd = filled.blobs._path(filled.models.get("churn").sha256).with_name(".DS_Store")
    odd.write_bytes(b"x")
    os.utime(odd, (1, 1))

    assert filled.sweep(grace=0) == 1
    assert odd.exists()


def test_what_a_killed_writer_left_is_swept_too(filled):
    kept = filled.models.get("churn").sha256
    torn = filled.blobs._path(kept).with_name(f".{kept}.x7d_a1")
    torn.write_bytes(b"half")

    filled.sweep(grace=0)
    was_there = torn.exists()  # its writer may be at work
    os.utime(torn, (time.time() - 7200,) * 2)
    filled.sweep(grace=0)

    assert (was_there, torn.exists()) == (True, False)
    assert filled.verify().faults == ()
