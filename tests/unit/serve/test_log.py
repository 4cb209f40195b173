"""The prediction log: what was answered is put down before it is sent, and comes into the store once."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from mantic.core.errors import StoreError
from mantic.serve import log as room
from mantic.serve.log import PredictionLog
from mantic.serve.log_reader import LogReader
from mantic.serve.question import Limits, Question
from mantic.serve.served import Served
from mantic.store.store import open_store
from mantic.store.value import MAX_JSON

ROW = {"age": 30, "plan": "basic", "since": "2023-05-01", "is_member": True, "customer": "c7"}


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def served(churn):
    return Served("churn", churn())


def ask(log, served, *rows):
    """Answer rows as a server does; return the answers."""
    question = served.read(json.dumps({"rows": list(rows)}).encode(), Limits())
    answers = served.predictions(question)
    log(served, question, answers)
    return answers


def test_an_answer_gets_an_id_by_which_it_is_found_with_its_row(tmp_path, store, served):
    log = PredictionLog(tmp_path / "log", {("churn", served.version): 3})
    (answer,) = ask(log, served, ROW)

    LogReader(tmp_path / "log", server=os.getpid()).bring(store)

    kept = store.predictions.get(answer["id"])
    assert (kept.name, kept.number) == ("churn", 3)
    assert kept.row == {
        "age": 30.0,
        "plan": "basic",
        "since": "2023-05-01T00:00:00",
        "is_member": True,
        "customer": "c7",
    }
    assert kept.answer == {key: answer[key] for key in ("prediction", "probability")} | {"version": served.version}


def test_a_row_of_a_table_is_kept_as_one_by_itself_and_a_moment_without_a_year_too(tmp_path, store, served):
    log = PredictionLog(tmp_path / "log")
    one, *_ = ask(log, served, *[ROW] * 20)
    frame = served.schema.align([ROW, ROW])
    odd = frame.with_columns(since=pl.Series([2**62, None]).cast(pl.Datetime("us")))
    far = served.predictions(Question(odd))
    log(served, Question(odd), far)

    LogReader(tmp_path / "log", server=os.getpid()).bring(store)

    assert store.predictions.get(one["id"]).row["since"] == "2023-05-01T00:00:00"
    assert [store.predictions.get(answer["id"]).row["since"] for answer in far] == [2**62, None]


def test_ids_sort_as_the_answers_came(tmp_path, served):
    log = PredictionLog(tmp_path / "log")
    ids = []
    for _ in range(5):
        ids += [answer["id"] for answer in ask(log, served, ROW, ROW)]
        time.sleep(0.002)

    assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)
    assert len(set(ids)) == 10


def test_what_is_brought_twice_is_kept_once(tmp_path, store, served):
    log = PredictionLog(tmp_path / "log")
    ask(log, served, ROW, ROW)

    assert LogReader(tmp_path / "log", server=os.getpid()).bring(store) == 2
    ask(log, served, ROW)

    assert LogReader(tmp_path / "log", server=os.getpid()).bring(store) == 1
    assert len(store.predictions.find("churn")) == 3


def test_a_file_that_is_let_go_is_brought_away_and_removed(tmp_path, store, served):
    log, reader = PredictionLog(tmp_path / "log"), LogReader(tmp_path / "log", server=os.getpid())
    ask(log, served, ROW)
    reader.bring(store)
    assert len(list((tmp_path / "log").iterdir())) == 1

    ask(log, served, ROW)
    log.close()

    assert reader.bring(store) == 1
    assert list((tmp_path / "log").iterdir()) == []


def test_a_large_file_is_followed_by_another(tmp_path, store, served, monkeypatch):
    monkeypatch.setattr(room, "_ROTATE_BYTES", 1_000)
    log = PredictionLog(tmp_path / "log")
    for _ in range(30):
        ask(log, served, ROW)

    assert len(list((tmp_path / "log").iterdir())) > 3
    assert LogReader(tmp_path / "log", server=os.getpid()).bring(store) == 30
    assert len(list((tmp_path / "log").iterdir())) == 1


def test_a_line_that_is_cut_off_waits_and_a_damaged_one_is_counted(tmp_path, store, served):
    log, reader = PredictionLog(tmp_path / "log"), LogReader(tmp_path / "log", server=os.getpid())
    ask(log, served, ROW)
    (path,) = (tmp_path / "log").iterdir()
    with path.open("ab") as file:
        file.write(b'["rows", nonsense\n["rows", 1.0, ["a')

    assert reader.bring(store) == 1
    assert reader.n_damaged == 1

    with path.open("ab") as file:
        file.write(b'"], [[1, null, null, null, null]], [{}]]\n')
    assert reader.bring(store) == 1
    assert store.predictions.get("a").row["age"] == 1


def test_a_row_that_no_store_can_keep_is_counted_and_stops_nothing_behind_it(tmp_path, store, served):
    log, reader = PredictionLog(tmp_path / "log"), LogReader(tmp_path / "log", server=os.getpid())
    long, short = ask(log, served, ROW | {"plan": "x" * (MAX_JSON + 1)}, ROW)
    ask(log, Served("my churn", served.model), ROW)
    (last,) = ask(log, served, ROW)
    log.close()

    assert reader.bring(store) == 2
    assert reader.n_damaged == 2
    assert "'my churn' cannot be the name" in reader.why
    assert [store.predictions.get(one["id"]) is None for one in (long, short, last)] == [True, False, False]
    assert list((tmp_path / "log").iterdir()) == []


def test_what_the_database_cannot_keep_now_is_read_again_as_it_was(tmp_path, store, served, monkeypatch):
    log, reader = PredictionLog(tmp_path / "log"), LogReader(tmp_path / "log", server=os.getpid())
    other = Served("other", served.model)
    ask(log, served, ROW)
    reader.bring(store)
    ask(log, served, ROW)
    ask(log, other, ROW)
    with monkeypatch.context() as patch:
        patch.setattr(store.predictions, "absorb", _busy)
        with pytest.raises(StoreError):
            reader.bring(store)

    assert reader.bring(store) == 2
    assert [len(store.predictions.find(name)) for name in ("churn", "other")] == [2, 1]


def _busy(_):
    raise StoreError("another process keeps the store busy", where="store", fix="try again")


def test_what_cannot_be_put_down_is_counted_and_answered_all_the_same(tmp_path, served, monkeypatch):
    log = PredictionLog(tmp_path / "log")
    monkeypatch.setattr(room, "_MOST_BYTES", -1)

    (answer,) = ask(log, served, ROW)

    assert answer["prediction"] == "yes"
    assert log.n_lost == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_loses_rows_and_says_so_until_there_is_room(tmp_path, store, served):
    log = PredictionLog(tmp_path / "log")
    ask(log, served, ROW)
    full = os.open("/dev/full", os.O_WRONLY)
    kept, log._file = log._file, full

    ask(log, served, ROW, ROW)
    os.close(kept)
    (answer,) = ask(log, served, ROW)

    assert log.n_lost == 2
    LogReader(tmp_path / "log", server=os.getpid()).bring(store)
    assert store.predictions.get(answer["id"]) is not None
    assert len(store.predictions.find("churn")) == 2


def test_a_reader_that_looks_while_a_file_is_being_made_takes_nothing_away(tmp_path, store, served, monkeypatch):
    log, reader = PredictionLog(tmp_path / "log"), LogReader(tmp_path / "log", server=os.getpid())
    usual = fcntl.flock

    def look_first(*words):
        monkeypatch.setattr(fcntl, "flock", usual)
        reader.bring(store)
        return usual(*words)

    monkeypatch.setattr(fcntl, "flock", look_first)
    (answer,) = ask(log, served, ROW)
    log.close()

    assert reader.bring(store) == 1
    assert store.predictions.get(answer["id"]) is not None
    assert list((tmp_path / "log").iterdir()) == []


def test_files_of_another_server_are_left_to_its_clerk_until_it_is_gone(tmp_path, store, served):
    log = PredictionLog(tmp_path / "log")
    ask(log, served, ROW)
    other = LogReader(tmp_path / "log", server=1)

    assert other.bring(store) == 0

    log.close()
    assert other.bring(store) == 1


def test_two_readers_may_bring_the_same_file_away(tmp_path, store, served, monkeypatch):
    log = PredictionLog(tmp_path / "log")
    ask(log, served, ROW, ROW)
    log.close()
    one, other = (LogReader(tmp_path / "log", server=number) for number in (1, 2))
    usual = store.predictions.absorb

    def other_first(rows):
        monkeypatch.setattr(store.predictions, "absorb", usual)
        other.bring(store)
        return usual(rows)

    monkeypatch.setattr(store.predictions, "absorb", other_first)

    assert one.bring(store) == 0
    assert len(store.predictions.find("churn")) == 2
    assert list((tmp_path / "log").iterdir()) == []


KILLED = """
import sys, time
sys.path[:0] = {path!r}
from mantic.serve.log import PredictionLog
from mantic.serve.question import Question
from mantic.core.schema import Column, Kind, Schema
from types import SimpleNamespace
from pathlib import Path
served = SimpleNamespace(name="churn", version="1", schema=Schema((Column("x", Kind.NUMBER),)))
log = PredictionLog(Path(sys.argv[1]))
while True:
    answers = [dict(prediction=1.0)]
    log(served, Question(None, (), ([1.0],)), answers)
    print(answers[0]["id"], flush=True)
"""


@pytest.mark.slow
def test_what_was_answered_before_a_kill_is_kept(tmp_path, store):
    script = KILLED.format(path=[path for path in sys.path if path])
    for moment in (0.05, 0.1, 0.15):
        writer = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(moment)
        os.kill(writer.pid, signal.SIGKILL)
        told = [first.strip(), *(line.strip() for line in writer.stdout if line.endswith("\n"))]
        writer.stdout.close()
        writer.wait()
        reader = LogReader(tmp_path / "log", server=os.getpid())
        while reader.bring(store):
            pass

        assert len(told) > 1
        assert [one for one in told if store.predictions.get(one) is None] == []
        assert list((tmp_path / "log").iterdir()) == []


def test_a_full_disk_leaves_no_trail_of_empty_files(tmp_path, store, served, monkeypatch):
    log = PredictionLog(tmp_path / "log")
    ask(log, served, ROW)
    with monkeypatch.context() as patch:
        patch.setattr(room.os, "write", _no_space)
        for _ in range(5):
            ask(log, served, ROW)
    (answer,) = ask(log, served, ROW)

    assert log.n_lost == 5
    assert len(list((tmp_path / "log").iterdir())) == 1
    LogReader(tmp_path / "log", server=os.getpid()).bring(store)
    assert store.predictions.get(answer["id"]) is not None


def _no_space(*_):
    raise OSError(28, "No space left on device")
