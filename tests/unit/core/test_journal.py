"""A journal keeps what is finished, refuses what it is not, and is held by one process at a time."""

import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from mantic.core.errors import ArtifactError, SettingsError, StoreError
from mantic.core.journal import Journal

KILLED = """
import os, sys, numpy as np
from mantic.core.journal import Journal
journal = Journal(sys.argv[1])
journal.begin({"seed": 0})
for number in range(3):
    journal.add({"trial": number}, {"guess": np.full(4, number)})
os.kill(os.getpid(), 9)
"""


def test_what_was_added_before_a_kill_is_there(tmp_path):
    path = tmp_path / "a.journal"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, timeout=60)

    with Journal(path) as journal:
        journal.begin({"seed": 0})
        assert [one.facts["trial"] for one in journal.done()] == [0, 1, 2]
        np.testing.assert_array_equal(journal.done()[2].arrays["guess"], np.full(4, 2))
        assert journal.spent > 0


def test_another_question_does_not_go_on(tmp_path):
    with Journal(tmp_path / "a.journal") as journal:
        journal.begin({"seed": 0, "metric": "rmse"})
        journal.add({"trial": 0})
    with Journal(tmp_path / "a.journal") as journal, pytest.raises(SettingsError, match="seed was 0, now 1"):
        journal.begin({"seed": 1, "metric": "rmse"})


def test_what_is_discarded_is_gone(tmp_path):
    with Journal(tmp_path / "a.journal") as journal:
        journal.begin({"seed": 0})
        journal.add({"trial": 0})
    with Journal(tmp_path / "a.journal") as journal:
        journal.discard()
        journal.begin({"seed": 1})
        assert not journal.done()


def test_an_empty_journal_leaves_no_file(tmp_path):
    with Journal(tmp_path / "a.journal") as journal:
        journal.begin({"seed": 0})
    assert not list(tmp_path.iterdir())


def test_one_process_at_a_time(tmp_path):
    with Journal(tmp_path / "a.journal") as journal:
        journal.begin({"seed": 0})
        with pytest.raises(StoreError, match="another process"):
            Journal(tmp_path / "a.journal")


def test_a_file_of_something_else_is_left_alone(tmp_path):
    text, other = tmp_path / "a.journal", tmp_path / "b.journal"
    text.write_text("dear diary, " * 100)
    with sqlite3.connect(other) as base:
        base.execute("CREATE TABLE users (name TEXT)")
    base.close()
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(ArtifactError):
            Journal(path)
        assert path.read_bytes() == before


def test_pickles_in_a_journal_are_not_opened(tmp_path):
    path = tmp_path / "a.journal"
    with Journal(path) as journal:
        journal.begin({"seed": 0})
        journal.add({"trial": 0}, {"guess": np.zeros(2)})
    hostile = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "x.npz", guess=hostile)
    base = sqlite3.connect(path)
    base.execute("UPDATE done SET arrays = ?", ((tmp_path / "x.npz").read_bytes(),))
    base.commit()
    base.close()
    with Journal(path) as journal, pytest.raises(ArtifactError, match="damaged"):
        journal.done()
