"""Jobs in processes of their own: their turn, their limits, their end, and what a killed server leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import polars as pl
import pytest

import mantic
from mantic.serve.job import DONE, FAILED, RUNNING, WAITING, JobLimits, Wish
from mantic.serve.job_runner import Jobs
from mantic.serve.served import Served

JOB = [sys.executable, "-P", "-m", "mantic.cli.job"]
FOR_EVER = [sys.executable, "-c", "import time; time.sleep(600)"]


def until(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def put(jobs, model, body=b"age\n1\n", **wish):
    """Make a job as the desk does; return its id."""
    upload = jobs.receive("csv")
    (upload.folder / upload.table).write_bytes(body)
    wishes = Wish(**{"format": "csv", "is_for_spreadsheet": False} | wish)
    job = jobs.begin(upload, Served("churn", model), wishes, owner="")
    jobs.forget(upload)
    return job.id


def state(jobs, name):
    job = jobs.kept.read(name)
    return None if job is None else job.state


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def shell(text):
    return [sys.executable, "-c", text]


@pytest.fixture
def run(tmp_path):
    """Return a function that starts jobs of which each is such a command."""
    started = []

    def start(command, **limits):
        jobs = Jobs(tmp_path / "jobs", command, JobLimits(**limits))
        started.append(jobs.__enter__())
        return jobs

    yield start
    for jobs in started:
        jobs.__exit__()


def test_no_more_run_at_once_than_may_and_the_oldest_goes_first(run, churn):
    jobs = run(FOR_EVER, running=2)
    names = [put(jobs, churn()) for _ in range(3)]

    until(lambda: [state(jobs, name) for name in names] == [RUNNING, RUNNING, WAITING])
    jobs.remove(names[0])

    until(lambda: [state(jobs, name) for name in names] == [None, RUNNING, RUNNING])


def test_removing_a_job_ends_its_process(run, churn, tmp_path):
    said = tmp_path / "pid"
    jobs = run(shell(f"import os, time; open({str(said)!r}, 'w').write(str(os.getpid())); time.sleep(600)"))
    name = put(jobs, churn())
    until(lambda: said.exists() and said.read_text())

    jobs.remove(name)

    assert not is_alive(int(said.read_text()))
    assert not list(jobs.folder.iterdir())


@pytest.mark.parametrize(
    ("command", "limits", "said"),
    [
        (FOR_EVER, {"seconds": 0}, "more than 0 seconds"),
        (shell("import os; os.abort()"), {}, "by signal 6"),
        (shell("raise SystemExit(3)"), {}, "with code 3"),
        (shell(f"import os; os.kill(os.getpid(), {int(signal.SIGXCPU)})"), {}, "seconds of each core"),
    ],
)
def test_a_process_that_ends_too_soon_or_never_is_a_failed_job_that_says_so(command, limits, said, run, churn):
    jobs = run(command, **limits)
    name = put(jobs, churn())

    until(lambda: state(jobs, name) == FAILED)

    assert said in jobs.kept.read(name).problem["what"]
    assert "jobs." in jobs.kept.read(name).problem["fix"]
    until(lambda: {path.name for path in (jobs.folder / name).iterdir()} == {"job.json", "lock"})


def test_a_process_sees_nothing_secret_of_the_environment(run, churn, monkeypatch, tmp_path):
    monkeypatch.setenv("MANTIC_STORE_URL", "postgresql://me:secret@host/db")
    said = tmp_path / "said"
    jobs = run(shell(f"import os; open({str(said)!r}, 'w').write(str(dict(os.environ)))"))
    put(jobs, churn())

    until(lambda: said.exists() and said.read_text())

    assert "secret" not in said.read_text()
    assert "TMPDIR" in said.read_text()


def test_a_server_that_stops_leaves_its_jobs_to_the_next_one(run, churn, tmp_path):
    first = Jobs(tmp_path / "jobs", FOR_EVER)
    with first:
        name = put(first, churn())
        until(lambda: state(first, name) == RUNNING)
    assert state(first, name) == WAITING

    second = run(shell("pass"))

    until(lambda: state(second, name) == FAILED)


def test_what_a_killed_server_left_waits_until_its_turn_comes(run, churn, tmp_path):
    left = Jobs(tmp_path / "jobs", FOR_EVER)
    names = [put(left, churn()) for _ in range(2)]
    for name in names:
        left.kept.write(replace(left.kept.read(name), state=RUNNING, n_rows=7))

    jobs = run(FOR_EVER, running=1)

    until(lambda: [state(jobs, name) for name in names] == [RUNNING, WAITING])
    assert jobs.kept.read(names[1]).n_rows == 7


def test_two_servers_with_one_store_do_not_work_on_the_same_job(run, churn):
    jobs = run(FOR_EVER)
    name = put(jobs, churn())
    until(lambda: state(jobs, name) == RUNNING)

    assert jobs.kept.lock(name) is None
    other = run(shell("pass"))
    later = put(other, churn())

    until(lambda: state(other, later) == FAILED)
    assert state(other, name) == RUNNING


def test_a_job_that_another_server_removed_is_stopped(run, churn, tmp_path):
    said = tmp_path / "pid"
    jobs = run(shell(f"import os, time; open({str(said)!r}, 'w').write(str(os.getpid())); time.sleep(600)"))
    name = put(jobs, churn())
    until(lambda: said.exists() and said.read_text())

    Jobs(jobs.folder, FOR_EVER).remove(name)

    until(lambda: not is_alive(int(said.read_text())))
    after = put(jobs, churn())
    until(lambda: state(jobs, after) == RUNNING)


def test_where_no_process_can_be_started_jobs_wait_and_it_is_said(tmp_path, churn):
    told = []
    jobs = Jobs(tmp_path / "jobs", [str(tmp_path / "nothing")], JobLimits(), told.append)
    with jobs:
        name = put(jobs, churn())
        until(lambda: told)

        assert "jobs wait" in told[0]
        assert state(jobs, name) == WAITING
    lock = jobs.kept.lock(name)
    assert lock is not None
    os.close(lock)


def test_what_has_ended_is_removed_after_its_days_and_what_never_began_at_once(tmp_path, churn):
    jobs = Jobs(tmp_path / "jobs", ["true"])
    old, new, waiting = (put(jobs, churn()) for _ in range(3))
    for name, ended in ((old, 1_000.0), (new, 3_000.0)):
        jobs.kept.write(replace(jobs.kept.read(name), state=DONE, ended=ended))
    comes, begun = jobs.receive("csv"), jobs.receive("csv")
    os.close(begun.lock)  # as the system does when a server is killed

    jobs.kept.sweep(before=2_000.0)

    assert {path.name for path in jobs.folder.iterdir()} == {new, waiting, comes.id}
    os.close(comes.lock)


def test_a_job_that_this_version_cannot_read_is_kept_and_one_that_says_more_is_read(tmp_path, churn):
    jobs = Jobs(tmp_path / "jobs", ["true"])
    strange, newer = put(jobs, churn()), put(jobs, churn())
    (jobs.kept.of(strange) / "job.json").write_text("{", "utf-8")
    file = jobs.kept.of(newer) / "job.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"priority": 1}), "utf-8")

    jobs.kept.sweep(before=2_000.0)

    assert {path.name for path in jobs.folder.iterdir()} == {strange, newer}
    assert state(jobs, newer) == WAITING


@pytest.fixture(scope="module")
def model(churn_like, tmp_path_factory):
    fitted = mantic.Classifier(budget="1 trial", learners=["linear"], seed=0).fit(churn_like, "churned")
    return mantic.load(fitted.save(tmp_path_factory.mktemp("model") / "churn.mantic"))


@pytest.mark.slow
def test_two_jobs_at_once_are_both_answered_and_keep_what_is_needed_only(run, model, churn_like):
    jobs = run(JOB, running=2)
    table = churn_like.drop("churned")
    names = [put(jobs, model, part.write_csv().encode()) for part in (table.head(100), table.tail(300))]

    until(lambda: [state(jobs, name) for name in names] == [DONE, DONE])

    parts = [pl.read_csv(jobs.folder / name / "answers.csv") for name in names]
    assert pl.concat(parts)["prediction"].to_list() == [
        *model.predict(table.head(100)).tolist(), *model.predict(table.tail(300)).tolist(),
    ]  # fmt: skip
    needed = {"job.json", "lock", "answers.csv"}
    until(lambda: all({path.name for path in (jobs.folder / name).iterdir()} == needed for name in names))


@pytest.mark.slow
def test_a_job_that_takes_too_much_memory_fails_alone(run, model):
    jobs = run(JOB, memory_bytes=500_000_000)
    name = put(jobs, model, b"a\n" + b"x" * 400_000_000)

    until(lambda: state(jobs, name) == FAILED)

    assert "memory" in jobs.kept.read(name).problem["what"]


@pytest.mark.slow
def test_the_system_ends_a_process_that_takes_more_processor_time_than_it_may():
    text = "from mantic.serve.job_work import take_limits\ntake_limits()\nwhile True: pass"
    with subprocess.Popen(shell(text), stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"memory_bytes": 4000000000, "seconds": 1, "max_rows": 1}\n')
        process.stdin.flush()

        assert process.wait(240) == -signal.SIGXCPU


@pytest.mark.slow
def test_the_process_of_a_job_reaches_neither_the_network_nor_other_programs():
    text = """
import socket, subprocess
from mantic.serve.job_work import close_doors
close_doors()
for act in (lambda: subprocess.run(["true"]), lambda: socket.create_connection(("127.0.0.1", 9))):
    try:
        act()
    except PermissionError as error:
        print(error)
"""
    done = subprocess.run(shell(text), capture_output=True, text=True, check=True)

    refused = ("subprocess.Popen", "socket.connect")
    assert done.stdout.splitlines() == [f"a job may not do this: {what}" for what in refused]


@pytest.mark.slow
def test_the_process_of_a_job_ends_when_its_server_is_gone():
    text = "import time; from mantic.serve.job_work import take_limits; take_limits(); time.sleep(600)"
    with subprocess.Popen(shell(text), stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"memory_bytes": 4000000000, "seconds": 60, "max_rows": 1}\n')
        process.stdin.close()

        assert process.wait(60) == 1
