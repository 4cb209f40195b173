import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mantic
from mantic.core.executor import Failure, Here, Processes

pytestmark = pytest.mark.slow


@pytest.fixture
def team():
    workers = Processes(2)
    yield workers
    workers.close()


def test_results_come_from_other_processes(team):
    done = dict(team.run(os.path.basename, [_Path("a/b"), _Path("c/d")]))

    assert sorted(done.values()) == ["b", "d"]


def test_no_process_of_ours_looks_for_modules_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    alone = Processes(1)
    try:
        [(_, found)] = alone.run(eval, [_Path("__import__('sys').path")])
    finally:
        alone.close()
    texts = {file: file.read_text("utf-8") for file in Path(mantic.__file__).parent.rglob("*.py")}

    assert str(tmp_path) not in found
    assert [file for file, text in texts.items() if '[sys.executable, "-m"' in text] == []


class _Path(str):
    """A text that says how long it may take; unpickles as a plain text elsewhere."""

    seconds = 30.0

    def __reduce__(self):
        return str, (str(self),)


class _Seconds(float):
    """A nap that may take a moment only."""

    seconds = 0.2

    def __reduce__(self):
        return float, (float(self),)


def test_a_job_that_is_late_is_killed_and_the_next_one_runs(team):
    started = time.monotonic()

    late = [result for _, result in team.run(time.sleep, [_Seconds(60), _Seconds(60)])]
    after = [result for _, result in team.run(os.path.basename, [_Path("x/y")])]

    assert all(isinstance(result, Failure) and "time limit" in result.reason for result in late)
    assert after == ["y"]
    assert time.monotonic() - started < 30


def test_a_job_may_take_for_ever(team):
    class Patient(_Path):
        seconds = float("inf")

    done = dict(team.run(os.path.basename, [Patient("a/b")]))

    assert list(done.values()) == ["b"]


def test_a_job_that_raises_is_a_failure_with_its_reason(team):
    results = [result for _, result in team.run(os.listdir, [_Path("/no/such/folder")])]

    assert isinstance(results[0], Failure)
    assert "FileNotFoundError" in results[0].reason


def test_a_worker_that_dies_is_a_failure_and_is_replaced(team):
    results = [result for _, result in team.run(os._exit, [_Code(3)])]
    after = [result for _, result in team.run(os.path.basename, [_Path("x/y"), _Path("x/z")])]

    assert "died" in results[0].reason
    assert sorted(after) == ["y", "z"]


class _Code(int):
    seconds = 30.0

    def __reduce__(self):
        return int, (int(self),)


def test_jobs_are_asked_for_only_when_somebody_is_free():
    taken = []

    def jobs():
        for name in ("a", "b"):
            taken.append(name)
            yield _Path(name)

    for job, _ in Here().run(os.path.basename, jobs()):
        assert taken[-1] == job


def test_what_was_shared_is_removed_when_the_parent_is_killed():
    parent = (
        "import os, signal, sys\n"
        "from mantic.core.executor import Processes\n"
        "team = Processes(1)\n"
        "list(team.run(abs, []))\n"
        "print(team.share([1, 2, 3]).path.parent, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, check=False)
    folder = Path(done.stdout.strip())

    until = time.monotonic() + 30
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.1)

    assert done.returncode == -signal.SIGKILL
    assert folder.name.startswith("mantic-share-")
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system in Linux's words")
def test_a_worker_gives_back_what_a_job_has_freed():
    keeps_few_of_many = "__import__('sys').modules.update(few=[bytes(2000) for _ in range(100_000)][::200])"
    resident = "int(open('/proc/self/statm').read().split()[1]) * 4096"
    alone = Processes(1)
    try:
        before, _, after = (
            result for job in (resident, keeps_few_of_many, resident) for _, result in alone.run(eval, [_Path(job)])
        )
    finally:
        alone.close()

    assert after - before < 100_000_000
