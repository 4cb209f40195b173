"""A training: begun by a click, followed live, stopped, and taken up again after any kill."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from starlette.testclient import TestClient

from mantic.core.process import is_there
from mantic.core.settings import Settings
from mantic.studio.draft import READY, Question
from mantic.studio.role import Role
from mantic.studio.studio import Studio, open_studio
from mantic.studio.training import ENDED, WAITING, WORKING, TrainingFolder

SECONDS = 150


def wait(until: Callable[[], object], what: str) -> None:
    last = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < last, f"not within {SECONDS} s: {what}"
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    folder = TrainingFolder(tmp_path / "store" / "trainings")
    for one in folder.going():
        process = folder.process(one.run)
        if is_there(process):
            with suppress(ProcessLookupError):
                os.kill(int(process["pid"]), signal.SIGKILL)


def draft_of(studio: Studio, frame: pl.DataFrame, **question: str) -> str:
    """Put down data that were read, and a question about them."""
    draft = studio.drafts.make("churn", "data.csv", "ada")
    folder = studio.drafts.of(draft.id)
    frame.write_csv(folder / "data.csv")
    frame.write_ipc(folder / "table.arrow", compression="uncompressed")
    from mantic.features.profile import profile

    (folder / "profile.json").write_text(profile(frame).to_json())
    studio.drafts.write(draft)
    studio.drafts.change(draft.id, state=READY, question=Question(target="churned", **question))
    return draft.id


@pytest.fixture
def draft(studio: Studio, churn_like: pl.DataFrame) -> str:
    return draft_of(studio, churn_like.drop("customer", "note"), budget="40s")


def begin(client: TestClient, draft: str) -> str:
    reply = client.post(f"/drafts/{draft}/train", data={})
    assert reply.status_code == 303, reply.text
    return str(reply.headers["location"].rpartition("/")[2])


def n_measured(studio: Studio, run: str) -> int:
    runs = studio.store.runs
    return sum(one.kind == "measured" for one in runs.events(run)) if runs.knows(run) else 0


def state(studio: Studio, run: str) -> str:
    return studio.trainer.folder.state(run)


def test_a_training_is_followed_stopped_and_ends_in_a_report(studio: Studio, client: TestClient, draft: str) -> None:
    run = begin(client, draft)
    first = client.get(f"/runs/{run}").text
    wait(lambda: n_measured(studio, run) >= 4, "candidates")

    page = client.get(f"/runs/{run}").text
    client.post(f"/runs/{run}/stop", data={})
    client.post(f"/runs/{run}/stop", data={})  # a second press must not throw the best away
    wait(lambda: state(studio, run) == ENDED, "the end")

    done = client.get(f"/runs/{run}").text
    kept = studio.store.runs.get(run)
    assert "Starts in a moment" in first or ">Stop</button>" in first
    assert "The best candidate" in page or "Guessing scores" in page
    assert "Stop and keep the best" in page
    assert kept.state == "done"
    assert kept.facts["model"] == "churn/1"
    assert str(studio.store.models.get("churn@champion")) == "churn/1"
    assert "/models/churn/1/report" in done
    assert "stopped early at your wish" in done
    assert (studio.trainer.folder.of(run) / "report.html").exists()
    assert not list(studio.trainer.folder.of(run).glob("churn.*"))  # the store has the model, the draft the data


def test_before_the_first_score_stop_promises_nothing_and_says_what_to_do_next(
    studio: Studio, client: TestClient, draft: str
) -> None:
    run = begin(client, draft)
    wait(lambda: state(studio, run) == WORKING, "it works")

    page = client.get(f"/runs/{run}").text
    client.post(f"/runs/{run}/stop", data={})
    wait(lambda: state(studio, run) == ENDED, "the end")

    done = client.get(f"/runs/{run}").text
    assert ">Stop</button>" in page
    assert "keep the best" not in page
    assert "it was stopped before there was a model to keep" in done
    assert "from the first score on, a stop keeps the best so far" in done
    assert ">Begin again</button>" in done


def test_events_come_in_order_and_go_on_after_the_last_one_that_was_heard(
    studio: Studio, client: TestClient, draft: str
) -> None:
    run = studio.store.runs.start("churn", "fit", {"target": "churned"})
    studio.store.runs.append(run, [("measured", {"name": "log_loss", "value": n / 10}) for n in range(5)])
    studio.store.runs.finish(run)

    whole = client.get(f"/runs/{run}/events")
    rest = client.get(f"/runs/{run}/events", headers={"Last-Event-ID": "3"})

    assert whole.headers["content-type"].startswith("text/event-stream")
    assert [line for line in whole.text.splitlines() if line.startswith("id:")] == [f"id: {n}" for n in range(1, 6)]
    assert [line for line in rest.text.splitlines() if line.startswith("id:")] == ["id: 4", "id: 5"]
    told = [json.loads(line[6:]) for line in whole.text.splitlines() if line.startswith('data: {"name')]
    assert [one["value"] for one in told] == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert whole.text.rstrip().endswith("event: ended\ndata: {}")


def test_events_of_what_was_cut_off_or_is_unknown_end(studio: Studio, client: TestClient) -> None:
    killed = {"pid": 1, "host": os.uname().nodename, "born": "long ago"}
    run = studio.store.runs.start("rent", "fit", killed)

    for one in (run, "0" * 32):
        assert client.get(f"/runs/{one}/events").text.endswith("event: ended\ndata: {}\n\n")


def test_events_end_when_the_sitting_does(studio: Studio, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mantic.studio.pages.training._BEAT", 0.5)
    run = studio.store.runs.start("rent", "fit", {"target": "spend"})
    with ThreadPoolExecutor() as pool:
        heard = pool.submit(client.get, f"/runs/{run}/events")
        time.sleep(1.5)
        is_open = not heard.done()

        studio.visitors.leave(client.cookies["mantic_sitting"])

        assert is_open
        assert heard.result(SECONDS).text.endswith("event: ended\ndata: {}\n\n")


def test_a_second_training_waits_its_turn_says_so_and_need_not_begin(
    studio: Studio, client: TestClient, draft: str, churn_like: pl.DataFrame
) -> None:
    studio.trainer.most = 1
    first, second = begin(client, draft), begin(client, draft_of(studio, churn_like, budget="20s"))
    wait(lambda: state(studio, first) == WORKING, "the first works")

    page = client.get(f"/runs/{second}").text
    client.post(f"/runs/{second}/stop", data={})
    wait(lambda: state(studio, second) == ENDED, "the second is off the list")

    assert "Waits for 1 training before it" in page
    assert "it was stopped before it began" in client.get(f"/runs/{second}").text
    assert not studio.store.runs.knows(second)
    client.post(f"/runs/{second}/go-on", data={})
    assert state(studio, second) == WAITING


def test_a_question_that_fails_says_why(studio: Studio, client: TestClient, churn_like: pl.DataFrame) -> None:
    draft = draft_of(studio, churn_like, budget="20s", metric="rmse")

    run = begin(client, draft)
    wait(lambda: state(studio, run) == ENDED, "the end")

    page = client.get(f"/runs/{run}").text
    assert "Ended without a model" in page
    assert "rmse" in page
    assert "Ask again" in page
    assert 'id="go-on"' not in page


def test_a_killed_studio_leaves_the_training_alone(
    settings: Settings, studio: Studio, client: TestClient, draft: str
) -> None:
    run = begin(client, draft)
    wait(lambda: n_measured(studio, run) >= 3, "candidates")
    pid = studio.trainer.folder.process(run)["pid"]
    studio.trainer.close()  # as far as a training can tell, this is what a kill does: nobody attends any more

    with open_studio(settings) as again:
        time.sleep(1.0)
        still = again.trainer.folder.process(run)
        again.trainer.stop(run)
        wait(lambda: state(again, run) == ENDED, "the end")
        kept = again.store.runs.get(run)

    assert (still["pid"], still["starts"]) == (pid, 1)
    assert (kept.state, kept.facts["spent"]) == ("done", 0.0)


def test_a_training_that_was_killed_with_its_studio_goes_on_where_it_was(
    settings: Settings, studio: Studio, client: TestClient, draft: str
) -> None:
    run = begin(client, draft)
    wait(lambda: n_measured(studio, run) >= 5, "candidates")
    studio.trainer.close()
    os.kill(int(studio.trainer.folder.process(run)["pid"]), signal.SIGKILL)
    told = studio.store.runs.events(run)

    with open_studio(settings) as again:
        wait(lambda: again.store.runs.events(run)[-1].number > len(told) + 1, "it goes on")
        wait(lambda: state(again, run) == ENDED, "the end")
        kept, events = again.store.runs.get(run), again.store.runs.events(run)

    assert kept.state == "done"
    assert kept.facts["spent"] > 0
    assert events[: len(told)] == told
    assert any(one.facts.get("code") == "resumed" for one in events)
    assert [str(one) for one in studio.store.models.list("churn")] == ["churn/1"]


def test_a_training_that_the_system_killed_waits_for_a_person_and_goes_on(
    studio: Studio, client: TestClient, draft: str
) -> None:
    run = begin(client, draft)
    wait(lambda: n_measured(studio, run) >= 3, "candidates")
    os.kill(int(studio.trainer.folder.process(run)["pid"]), signal.SIGKILL)
    wait(lambda: state(studio, run) == ENDED, "it is noticed")

    page = client.get(f"/runs/{run}").text
    reply = client.post(f"/runs/{run}/go-on", data={})
    wait(lambda: state(studio, run) == WORKING, "it goes on")

    assert "the process was killed" in page
    assert 'id="go-on"' in page
    assert reply.status_code == 303


def test_what_is_killed_again_and_again_is_not_started_for_ever(studio: Studio, draft: str, client: TestClient) -> None:
    studio.trainer.close()
    run = begin(client, draft)
    studio.trainer.folder.note(run, {"pid": 1, "host": os.uname().nodename, "born": "long ago", "starts": 3})

    studio.trainer._look()

    assert state(studio, run) == ENDED
    assert "cut off 3 times" in studio.trainer.folder.fault(run)["what"]


def test_what_was_killed_while_it_stopped_is_not_started_again_by_itself(
    studio: Studio, draft: str, client: TestClient
) -> None:
    studio.trainer.close()
    run = begin(client, draft)
    studio.trainer.folder.note(run, {"pid": 1, "host": os.uname().nodename, "born": "long ago", "starts": 1})
    studio.trainer.stop(run)

    studio.trainer._look()

    assert state(studio, run) == ENDED
    assert "killed while it stopped" in studio.trainer.folder.fault(run)["what"]
    assert 'id="go-on"' in client.get(f"/runs/{run}").text


def test_a_stop_that_falls_into_the_start_is_heard(studio: Studio, draft: str, client: TestClient) -> None:
    studio.trainer.close()
    run = begin(client, draft)
    studio.trainer.stop(run)

    studio.trainer._start(studio.trainer.folder.read(run))

    assert studio.trainer._children.pop(run).wait(SECONDS) != 0
    assert not studio.store.runs.knows(run) or studio.store.runs.get(run).state != "done"


def test_the_data_behind_a_link_are_kept_with_the_training(studio: Studio, draft: str, client: TestClient) -> None:
    studio.trainer.close()
    folder = studio.drafts.of(draft)
    (folder / "data.csv").rename(folder / "elsewhere.csv")
    (folder / "data.csv").symlink_to("elsewhere.csv")

    run = begin(client, draft)

    kept = studio.trainer.folder.of(run) / "churn.csv"
    assert not kept.is_symlink()
    assert kept.read_bytes() == (folder / "elsewhere.csv").read_bytes()


def test_one_of_several_studios_attends(settings: Settings, studio: Studio, client: TestClient, draft: str) -> None:
    wait((studio.trainer.folder.root / "lock").exists, "the first attends")
    time.sleep(0.5)
    with open_studio(settings) as other:
        run = begin(client, draft)
        wait(lambda: state(studio, run) == WORKING, "it works")

        assert run in studio.trainer._children
        assert run not in other.trainer._children


def test_a_run_of_the_command_line_is_shown_too(studio: Studio, client: TestClient) -> None:
    run = studio.store.runs.start("rent", "fit", {"target": "spend", "command": "mantic fit rent.csv"})

    page = client.get(f"/runs/{run}").text

    assert "rent" in page
    assert "Begun" in page
    assert 'id="stop"' not in page
    assert client.post(f"/runs/{run}/stop", data={}).status_code == 404


@pytest.mark.parametrize("run", ["0" * 32, "x", "lock"])
def test_what_is_no_run_is_not_found(client: TestClient, run: str) -> None:
    assert client.get(f"/runs/{run}").status_code == 404


def test_who_may_only_look_stops_nothing(studio: Studio, client: TestClient, enter, draft: str) -> None:
    run = begin(client, draft)
    viewer = enter(Role.VIEWER)

    assert viewer.get(f"/runs/{run}").status_code == 200
    assert viewer.post(f"/runs/{run}/stop", data={}).status_code == 403
    assert 'id="stop"' not in viewer.get(f"/runs/{run}").text
