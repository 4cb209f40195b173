import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from mantic.core.errors import MissingExtraError, SettingsError, StoreError
from mantic.store import migration, opening
from mantic.store.address import masked, where
from mantic.store.database import Database
from mantic.store.engine import FILE
from mantic.store.restore import restore
from mantic.store.store import open_store
from mantic.store.tables import METADATA, REVISION


def test_the_tables_that_the_steps_make_are_those_of_the_code(store):
    with store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, METADATA)

    assert differences == []
    assert ScriptDirectory(migration._STEPS).get_heads() == [REVISION]


def test_a_store_is_for_its_owner_only(folder_place, model, tmp_path):
    with folder_place.open() as store:
        store.models.register(model(1))

        modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "store").rglob("*")}

    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700
    assert len(modes) > 3
    assert set(modes.values()) == {0}


def test_a_store_of_a_newer_mantic_is_refused_and_left_as_it_is(place):
    with place.open() as store, store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreError, match="newer mantic") as caught:
        place.open()

    assert caught.value.fix == "pip install --upgrade mantic"


_NEXT_STEP = f"""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9000", "{REVISION}"


def upgrade():
    op.add_column("alert", sa.Column("colour", sa.Text()))
    op.execute("UPDATE alert SET colour = 'red'")
"""


@pytest.fixture
def tomorrow(tmp_path, monkeypatch):
    """Return a function after which the code is that of a later mantic, which knows one more step."""

    def come(step=_NEXT_STEP):
        steps = tmp_path / "steps"
        shutil.copytree(migration._STEPS, steps)
        (steps / "versions" / "tomorrow.py").write_text(step)
        monkeypatch.setattr(migration, "_STEPS", steps)
        for module in (migration, opening):
            monkeypatch.setattr(module, "REVISION", "9000")

    return come


def _colours(store):
    with store.database.reading() as connection:
        return list(connection.execute(text("SELECT colour FROM alert")).scalars())


def test_an_older_store_is_brought_up_to_date_when_it_is_opened(place, tomorrow, model, tmp_path):
    with place.open() as store:
        store.models.register(model(1))
        store.alerts.add("note", "old", "from yesterday")
    tomorrow()

    with place.open() as store:
        assert _colours(store) == ["red"]
        assert store.models.get("churn").number == 1
    place.open().close()

    copies = list((tmp_path / "store").glob(f"before-{REVISION}-*.sqlite"))
    assert len(copies) == (0 if place.blobs else 1)  # a server's owner copies it by his own means
    for copy in copies:
        with sqlite3.connect(copy) as kept:
            assert kept.execute("SELECT name, number FROM version").fetchall() == [("churn", 1)]
        kept.close()


def test_a_step_that_fails_leaves_the_store_as_it_was(place, tomorrow, model, monkeypatch):
    with place.open() as store:
        store.models.register(model(1))
        store.alerts.add("note", "old", "from yesterday")
    tomorrow(_NEXT_STEP + '    op.execute("SELECT nothing FROM nowhere")\n')

    with pytest.raises(StoreError):
        place.open()
    monkeypatch.undo()

    with place.open() as store:
        assert store.models.get("churn").number == 1
        with pytest.raises(StoreError):
            _colours(store)


def test_a_backup_from_before_a_step_is_restored_and_brought_up_to_date(place, tomorrow, model, tmp_path):
    with open_store(tmp_path / "old") as store:
        store.models.register(model(1))
        store.alerts.add("note", "old", "from yesterday")
        made = store.back_up(tmp_path / "old.backup")
    tomorrow()

    restore(made.path, place.url, blobs=place.blobs)

    with place.open() as store:
        assert _colours(store) == ["red"]
        assert store.models.get("churn").number == 1


def test_an_empty_database_beside_models_is_no_new_store(folder_place, tmp_path, model):
    with folder_place.open() as store:
        store.models.register(model(1))
    for path in (tmp_path / "store").glob(f"{FILE}*"):
        path.unlink()

    with pytest.raises(StoreError, match="cut off or replaced") as caught:
        folder_place.open()

    assert "mantic restore" in caught.value.fix


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
def test_a_database_that_was_cut_off_is_said_and_never_taken_for_a_whole_one(folder_place, tmp_path, model, share):
    with folder_place.open() as store:
        for mark in range(20):
            store.models.register(model(mark), note="x" * 3000)
    file = tmp_path / "store" / FILE
    with file.open("r+b") as stream:
        stream.truncate(int(file.stat().st_size * share))

    try:
        with folder_place.open() as store:
            said = store.verify().faults
    except StoreError as error:
        said = (error.what,)

    assert any("damaged" in one or "database: " in one for one in said)


def test_what_is_no_database_is_said(tmp_path):
    (tmp_path / FILE).write_bytes(b"this is a text" * 100)

    with pytest.raises(StoreError, match="damaged"):
        open_store(tmp_path)


def test_a_database_of_something_else_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("CREATE TABLE mine (a)")
    other.close()

    with pytest.raises(StoreError, match="something else"):
        open_store(tmp_path)


def test_a_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="cannot be made here"):
        open_store(tmp_path / "file")


def test_a_server_that_does_not_answer_is_said_without_the_password(tmp_path):
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        open_store("postgresql://me:secret@127.0.0.1:1/db", blobs=tmp_path)

    assert "secret" not in str(caught.value)
    assert caught.value.where == "postgresql://me:***@127.0.0.1:1/db"


@pytest.mark.parametrize(
    ("url", "blobs", "what"),
    [
        ("postgresql://host/db", "", "a place for its models too"),
        ("mysql://host/db", "", "cannot lie at mysql://"),
        ("postgresql://host/db?schema=a;b", "/x", "no name of a schema"),
        ("postgresql://host:port/db", "/x", "no address of a database"),
    ],
)
def test_where_no_store_can_lie_is_said(url, blobs, what):
    with pytest.raises(SettingsError, match=what):
        open_store(url, blobs=blobs)


def test_nothing_said_is_the_folder_of_this_users_data(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert where().folder == tmp_path / "mantic"
    assert where().blobs == str(tmp_path / "mantic" / "blobs")


def test_a_password_is_shown_nowhere():
    assert masked("postgresql://u:p@h:5/d?password=x&a=b") == "postgresql://u:***@h:5/d?password=***&a=b"
    assert masked("what is ://this?a=b") == "what is ://this?a=b"


@pytest.mark.parametrize("password", ["ab/cd", "a?b", "a#b", "a:b", "a@b", "a[b", "]", "a b", "a\nb", "p%2Fq", ""])
def test_a_password_of_any_signs_is_shown_nowhere(password):
    shown = masked(f"postgresql://me:{password}@host:5432/db")

    assert shown == "postgresql://me:***@host:5432/db"


@pytest.mark.parametrize("url", ["postgresql://me@host:5432/db", "postgresql://[::1]:5432/db", "s3://models/a@b:c"])
def test_an_address_without_a_password_is_shown_as_it_is(url):
    assert masked(url) == url


def test_a_password_that_no_address_can_hold_is_said_and_not_shown():
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        open_store("postgresql://me:a[b@host/db", blobs="/tmp/blobs")

    assert "a[b" not in str(caught.value)
    assert "%5B" in caught.value.fix


@pytest.mark.parametrize("name", ["a?b", "a%20b", "a#b", "a b"])
def test_a_folder_may_be_called_as_one_likes(tmp_path, name):
    with open_store(tmp_path / name / "store") as store:
        store.audit.note("look", "store", by="ada")

    assert [path.name for path in tmp_path.iterdir()] == [name]
    with open_store(tmp_path / name / "store") as store:
        assert len(store.audit.list()) == 1


def test_a_server_may_be_reached_by_a_socket_of_this_machine(tmp_path):
    address = where("postgresql:///mantic?host=/tmp", str(tmp_path))

    assert str(address) == "postgresql:///mantic?host=/tmp"
    assert Database(address).engine.url.query == {"host": "/tmp"}
    assert Database(address).engine.url.database == "mantic"


def test_blobs_elsewhere_need_their_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)

    with pytest.raises(MissingExtraError, match="s3fs") as caught:
        open_store(tmp_path / "store", blobs="s3://bucket/models")

    assert "mantic[s3]" in caught.value.fix


def _open_and_register(url, blobs, file):
    with open_store(url, blobs=blobs) as store:
        store.models.register(file)


def test_many_processes_may_open_a_new_store_at_once(place, model):
    context = multiprocessing.get_context("spawn")
    file = model(1)
    processes = [context.Process(target=_open_and_register, args=(place.url, place.blobs, str(file))) for _ in range(4)]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 4
    with place.open() as store:
        assert [one.number for one in store.models.list()] == [4, 3, 2, 1]


def test_opening_loads_no_alembic_when_the_tables_are_up_to_date(folder_place):
    folder_place.open().close()
    code = f"""
import sys
from mantic.store.restore import restore
from mantic.store.store import open_store
open_store({folder_place.url!r}).close()
print(*(name for name in ("alembic", "polars", "numpy", "cryptography", "fsspec") if name in sys.modules))
"""

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)

    assert done.stdout.split() == []
