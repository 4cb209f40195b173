"""The clerk beside a server: brings the log into the store, and tells when an alias has moved."""

import json
import os
import subprocess
import sys
import time

import pytest

import mantic
from mantic.core.settings import StoreSettings
from mantic.serve.behind import kept_deployed
from mantic.serve.clerk import Clerk
from mantic.serve.follow import Follower, Stand
from mantic.serve.log import PredictionLog
from mantic.serve.problem import UnavailableError, UnknownModelError
from mantic.serve.question import Limits
from mantic.serve.shelf import Shelf
from mantic.serve.sidecar import Kept, Sidecar
from mantic.store.blobs import digest
from mantic.store.predictions import Prediction
from mantic.store.store import open_store
from mantic.store.value import before

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models(churn_like, tmp_path_factory):
    """Return a folder with a store that keeps two versions of one model; the first is the champion."""
    folder = tmp_path_factory.mktemp("kept")
    with open_store(folder / "store") as store:
        for learner in ("linear", "tree"):
            fitted = mantic.Classifier(budget="1 trial", learners=[learner], seed=0).fit(churn_like, "churned")
            store.models.register(fitted.save(folder / f"{learner}.mantic"), "churn")
    return folder


@pytest.fixture
def serving(models):
    """Return a shelf that follows the champion, with its sidecar and log; and what it says."""
    said: list[str] = []
    with open_store(models / "store") as store:
        champion = store.models.get("churn@champion")
    first = mantic.load(models / "linear.mantic")
    log = PredictionLog(models / "log", {("churn", first.version_): champion.number})
    shelf = Shelf({"churn": first})
    kept = Kept(str(models / "store"), "", log, {"churn": "churn@champion"}, {"churn": champion.number}, mantic.load)
    sidecar = Sidecar(kept, shelf, said.append)
    sidecar.start()
    yield shelf, log, said
    sidecar.end()


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_predictions_reach_the_store_while_it_serves(serving, models):
    shelf, log, _ = serving
    served = shelf.place("churn").live
    question = served.read(json.dumps({"rows": [dict.fromkeys(served.schema.names)]}).encode(), Limits())
    answers = served.predictions(question)

    log(served, question, answers)

    with open_store(models / "store") as store:
        until(lambda: store.predictions.get(answers[0]["id"]) is not None)
        assert store.predictions.get(answers[0]["id"]).number == 1


def test_what_no_store_can_keep_is_said_once_and_counted(churn, tmp_path):
    said: list[str] = []
    shelf = Shelf({"my churn": churn()})
    log, served = PredictionLog(tmp_path / "log"), shelf.place("my churn").live
    question = served.read(json.dumps({"rows": [dict.fromkeys(served.schema.names)]}).encode(), Limits())

    with Sidecar(Kept(str(tmp_path / "store"), "", log, {}, {}, mantic.load), shelf, said.append) as sidecar:
        for _ in range(2):
            log(served, question, served.predictions(question))
            until(lambda: said)
        until(lambda: sidecar.counts()["mantic_log_damaged_total"] == 2)

    (line,) = said
    assert "'my churn' cannot be the name of a model" in line


def test_a_server_follows_its_alias_there_and_back(serving, models):
    shelf, _, said = serving
    linear, tree = mantic.load(models / "linear.mantic").version_, mantic.load(models / "tree.mantic").version_
    with open_store(models / "store") as store:
        store.models.promote("churn/2")
        until(lambda: shelf.place("churn").live.version == tree)

        store.models.rollback("churn")
        until(lambda: shelf.place("churn").live.version == linear)

    until(lambda: len(said) == 2)
    assert said == ["churn/2 answers now", "churn/1 answers now"]


def test_a_version_that_cannot_be_served_leaves_the_one_before(serving, models, monkeypatch):
    shelf, _, said = serving
    before = shelf.place("churn").live

    def broken(*_, **__):
        raise RuntimeError("it is broken")

    monkeypatch.setattr(shelf, "put", broken)
    with open_store(models / "store") as store:
        store.models.promote("churn/2")
        until(lambda: said)
        store.models.promote("churn/1")
    until(lambda: len(said) == 2)

    assert "it is broken" in said[0]
    assert shelf.place("churn").live is before


def test_the_clerk_ends_when_its_server_is_gone_and_leaves_no_files(models, tmp_path):
    clerk = subprocess.Popen(
        [sys.executable, "-m", "mantic.serve.clerk"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(tmp_path)},
    )
    wanted = {
        "url": str(models / "store"), "blobs": "", "log": None, "watched": {}, "standing": {}, "deployed": False,
        "keep_days": 0,
    }  # fmt: skip
    assert clerk.stdin is not None
    assert clerk.stdout is not None
    clerk.stdin.write(json.dumps(wanted).encode() + b"\n")
    clerk.stdin.flush()
    assert json.loads(clerk.stdout.readline()) == {"ready": True}

    assert json.loads(clerk.stdout.readline()) == {"looked": True}
    clerk.stdin.close()

    assert clerk.wait(30) == 0
    assert not any(tmp_path.iterdir())
    clerk.stdout.close()


@pytest.fixture
def following(models, tmp_path):
    """Return a store with two versions of `churn` and a shelf that follows what is deployed; and what it says."""
    said: list[str] = []
    with open_store(tmp_path / "store") as store:
        for learner in ("linear", "tree"):
            store.models.register(models / f"{learner}.mantic", "churn")
        shelf = Shelf.opening()
        kept = kept_deployed(StoreSettings(url=str(tmp_path / "store")), mantic.load)
        with Sidecar(kept, shelf, said.append) as sidecar:
            yield store, shelf, sidecar, said


def test_what_is_deployed_comes_to_a_server_that_runs_and_goes_again(following):
    store, shelf, sidecar, said = following
    until(lambda: not shelf.is_opening)
    assert shelf.names == ()

    store.deployments.put("churn")
    until(lambda: sidecar.standing == {"churn": Stand(1)})
    store.deployments.canary("churn/2", 0.25)
    until(lambda: sidecar.standing == {"churn": Stand(1, 2, 0.25)})
    place = shelf.place("churn")
    assert (place.share, {*sidecar.kept.log.numbers.values()}) == (0.25, {1, 2})
    store.deployments.remove("churn")
    until(lambda: shelf.names == ())

    assert said == ["churn/1 answers now", "churn/2 answers 25 % of the callers now", "churn is withdrawn"]


def test_one_name_that_cannot_be_brought_does_not_stop_the_others(following):
    store, shelf, _, said = following
    store.models.register(store.models.export("churn/1", store.address.folder / "a.mantic"), "aaa")
    store.models.register(store.models.export("churn/1", store.address.folder / "z.mantic"), "zzz")
    for path in store.address.folder.rglob(f"{store.models.get('churn/2').sha256}*"):
        path.unlink()

    for words in ("churn/2", "aaa", "zzz"):
        store.deployments.put(words)
    until(lambda: set(shelf.names) == {"aaa", "zzz"} and shelf.faults)
    time.sleep(2.5)  # it is tried again, and said once

    with pytest.raises(UnavailableError):
        shelf.place("churn")
    assert [line for line in said if line.startswith("warning: churn cannot be served")] == [
        line for line in said if line.startswith("warning: ")
    ]
    assert len([line for line in said if line.startswith("warning: ")]) == 1
    store.deployments.remove("churn")
    until(lambda: not shelf.faults)
    with pytest.raises(UnknownModelError):
        shelf.place("churn")


def test_a_clerk_that_dies_is_started_anew_and_loads_nothing_again(following):
    store, shelf, sidecar, said = following
    store.deployments.put("churn")
    until(lambda: sidecar.standing == {"churn": Stand(1)})
    served = shelf.place("churn").live

    sidecar._process.kill()
    until(lambda: any("started anew" in line for line in said))
    store.deployments.canary("churn/2", 0.5)
    until(lambda: sidecar.standing == {"churn": Stand(1, 2, 0.5)})

    assert shelf.place("churn").live is served


def test_predictions_that_are_older_than_is_kept_are_removed_while_it_serves(models):
    old = Prediction("churn", 1, {"tenure": 3}, {"prediction": "yes"}, at=before(40 * 86_400.0))
    new = Prediction("churn", 1, {"tenure": 3}, {"prediction": "yes"})
    with open_store(models / "store") as store:
        store.predictions.append([old, new])
    kept = Kept(str(models / "store"), "", PredictionLog(models / "log"), {}, {}, mantic.load, keep_days=30)

    shelf = Shelf({"churn": mantic.load(models / "linear.mantic")})

    with Sidecar(kept, shelf, print), open_store(models / "store") as store:
        until(lambda: store.predictions.get(old.id) is None)
        until(lambda: store.audit.list("predictions"))

        assert store.predictions.get(new.id) is not None
        assert store.audit.list("predictions")[-1].by == "clerk"


def test_what_deleted_versions_left_goes_once_a_day(tmp_path):
    with open_store(tmp_path / "store") as store:
        clerk = Clerk(store, None, Follower(store, {}, False, {}, tmp_path))
        left = [garbage(store, tmp_path, content) for content in (b"one", b"two")]

        clerk.round()
        left.append(garbage(store, tmp_path, b"three"))
        clerk.round()

        assert [store.blobs.size(one) for one in left] == [None, None, 5]


def garbage(store, folder, content):
    """Put a blob that nothing has pointed at for two hours; return its name."""
    (folder / "content").write_bytes(content)
    name = digest(folder / "content")
    store.blobs.put(name, folder / "content")
    os.utime(store.blobs._path(name), (time.time() - 7200,) * 2)
    return name
