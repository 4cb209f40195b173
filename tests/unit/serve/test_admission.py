"""More than can be answered: who is let in, who is told when to come again, and who waits no longer."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import httpx
import pytest

from mantic.serve.admission import Bench, Turn
from mantic.serve.app import House, make_asgi
from mantic.serve.body import Bodies
from mantic.serve.problem import BusyError, LateError, SlowError
from mantic.serve.question import Limits
from mantic.serve.served import Served
from mantic.serve.shelf import Shelf

ROW = {"age": 30, "plan": "basic", "since": "2023-05-01", "is_member": True}
PREDICT = "/v1/models/churn/predict"


@pytest.fixture
def slow(churn):
    """Return a model that answers when it is let go, and says when it has begun."""

    class Slow(churn):
        def __init__(self) -> None:
            super().__init__()
            self.begun, self.go = threading.Event(), threading.Event()

        def predict_proba(self, frame: Any) -> Any:
            self.begun.set()
            assert self.go.wait(60)
            return super().predict_proba(frame)

    return Slow()


def messages(*bodies: bytes) -> list[dict[str, Any]]:
    return [{"type": "http.request", "body": body, "more_body": True} for body in bodies]


async def read(bodies: Bodies, parts: list[dict[str, Any]], *, until: float | None = None) -> bytes:
    """Read a body that stalls after its parts."""
    waiting = iter(parts)

    async def receive() -> Any:
        part = next(waiting, None)
        if part is None:
            await asyncio.sleep(60)
        return part

    return await bodies.read({}, receive, until=until)


async def crowd(app: Any, n: int, **options: Any) -> list[httpx.Response]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        return await asyncio.gather(*(client.post(PREDICT, json={"rows": [ROW]}, **options) for _ in range(n)))


def test_who_finds_no_room_is_told_when_to_come_again(slow):
    app = make_asgi({"churn": slow}, House(Limits(threads=1, max_waiting=2)))

    async def talk() -> list[httpx.Response]:
        asked = [asyncio.create_task(crowd(app, 1)) for _ in range(10)]
        while sum(task.done() for task in asked) < 7:
            await asyncio.sleep(0.01)
        slow.go.set()
        return [answer for answers in await asyncio.gather(*asked) for answer in answers]

    answers = asyncio.run(talk())

    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [200] * 3 + [429] * 7
    refused = answers[statuses.index(429)]
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert asyncio.run(crowd(app, 3))[0].status_code == 200


def test_who_has_a_deadline_is_told_when_it_has_passed(slow):
    app = make_asgi({"churn": slow}, House(Limits(threads=1)))

    async def talk() -> list[httpx.Response]:
        return await crowd(app, 2, headers={"X-Mantic-Deadline-Ms": "30"})

    answers = asyncio.run(talk())
    slow.go.set()

    assert [answer.status_code for answer in answers] == [504, 504]
    assert "deadline" in answers[0].json()["what"]


def test_a_slow_version_in_the_shadow_leaves_the_others_their_places(slow, churn):
    slow.go.set()
    shelf = Shelf({"churn": churn()})
    shelf.shadow("churn", slow)
    slow.go.clear()
    app = make_asgi(shelf, House(Limits(max_waiting=2)))

    async def talk() -> list[int]:
        async with asyncio.timeout(30):
            statuses = [(await crowd(app, 1))[0].status_code for _ in range(5)]
        slow.go.set()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            while 'agrees="yes"' not in (await client.get("/metrics")).text:
                await asyncio.sleep(0.01)
        return statuses

    assert asyncio.run(talk()) == [200] * 5


def test_what_the_server_counts_is_told_while_it_is_full(slow):
    app = make_asgi({"churn": slow}, House(Limits(threads=1, max_waiting=0)))

    async def talk() -> str:
        asked = asyncio.create_task(crowd(app, 1))
        while not slow.begun.is_set():
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            text = (await client.get("/metrics")).text
        slow.go.set()
        await asked
        return text

    assert "mantic_in_flight 2" in asyncio.run(talk()).splitlines()


def test_a_deadline_far_away_changes_nothing(slow):
    slow.go.set()
    app = make_asgi({"churn": slow})

    assert asyncio.run(crowd(app, 1, headers={"X-Mantic-Deadline-Ms": "60000"}))[0].status_code == 200


@pytest.mark.parametrize("text", ["soon", "-1", "1.5", "9" * 30, ""])
def test_a_deadline_is_a_whole_number(text, churn):
    app = make_asgi({"churn": churn()})

    assert asyncio.run(crowd(app, 1, headers={"X-Mantic-Deadline-Ms": text}))[0].status_code == 400


def test_the_deadline_counts_while_the_body_comes():
    with pytest.raises(LateError):
        asyncio.run(read(Bodies(Limits()), messages(b"{"), until=time.monotonic() + 0.05))


def test_a_body_that_stalls_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr("mantic.serve.body._MOST_SECONDS", 0.05)

    with pytest.raises(SlowError, match="has not come"):
        asyncio.run(read(Bodies(Limits()), messages(b"{")))


def test_bodies_that_come_at_once_may_not_fill_the_memory():
    async def talk() -> None:
        bodies = Bodies(Limits(max_bytes=1_000))
        coming = [asyncio.create_task(read(bodies, messages(b" " * 900))) for _ in range(22)]
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError):
            await read(bodies, messages(b" " * 900))
        for one in coming:
            one.cancel()
        await asyncio.gather(*coming, return_exceptions=True)
        assert await read(bodies, [*messages(b"{"), {"type": "http.request", "body": b"}"}]) == b"{}"

    asyncio.run(talk())


def test_what_has_waited_too_long_is_not_begun():
    done: list[int] = []

    async def talk() -> None:
        bench, gate = Bench(Limits(threads=1)), threading.Event()
        first = asyncio.create_task(bench.run(lambda: gate.wait(60), until=None))
        await asyncio.sleep(0)
        with pytest.raises(LateError):
            await bench.run(lambda: done.append(1), until=time.monotonic() + 0.01)
        gate.set()
        await first
        await bench.run(lambda: done.append(2), until=None)
        assert bench.inside == 0
        bench.close()

    asyncio.run(talk())

    assert done == [2]


def test_those_who_come_together_are_answered_up_to_a_number():
    async def talk() -> list[bool]:
        turn, let_in = Turn(Limits(max_together=3)), []
        for _ in range(10):
            try:
                turn.enter()
            except BusyError:
                let_in.append(False)
            else:
                let_in.append(True)
        await asyncio.sleep(0)
        turn.enter()
        return let_in

    assert asyncio.run(talk()) == [True] * 3 + [False] * 7


_SERVER = """
import sys, threading, time
sys.path.insert(0, {folder!r})
import conftest
from mantic.serve.run import serve

class Slow(conftest.Churn):
    is_warm = False
    def predict_proba(self, frame):
        if self.is_warm:
            print("begun", file=sys.stderr, flush=True)
            time.sleep(1.5)
        self.is_warm = True
        return super().predict_proba(frame)

serve({{"churn": Slow()}}, port=0)
"""


def test_what_is_being_answered_is_finished_when_the_server_is_told_to_stop():
    folder = os.path.dirname(__file__)  # noqa: PTH120  (as text, for another process)
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER.format(folder=folder)], stderr=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert process.stderr is not None
        greeting = next(line for line in process.stderr if line.startswith("serving "))
        base = greeting.partition(" at ")[2].split()[0]
        found: list[httpx.Response] = []
        asked = threading.Thread(
            target=lambda: found.append(httpx.post(f"{base}{PREDICT}", json={"rows": [ROW]}, timeout=30))
        )
        asked.start()
        next(line for line in process.stderr if line.startswith("begun"))

        process.send_signal(signal.SIGTERM)
        asked.join(30)

        assert found[0].status_code == 200
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.stderr.close()


def test_the_server_counts_what_it_does(churn, asker):
    ask = asker(make_asgi({"churn": churn()}, House(Limits(max_rows=3))))
    for rows in ([ROW], [ROW, ROW], [ROW] * 4):
        ask("POST", PREDICT, content=json.dumps({"rows": rows}))
    for path in ("/nothing", "/elsewhere"):
        ask("GET", path)

    lines = ask("GET", "/metrics").text.splitlines()

    path = "/v1/models/{name}/predict"
    assert f'mantic_requests_total{{address="{path}",method="POST",status="200"}} 2' in lines
    assert f'mantic_requests_total{{address="{path}",method="POST",status="413"}} 1' in lines
    assert 'mantic_requests_total{address="elsewhere",method="GET",status="404"} 2' in lines
    assert 'mantic_predictions_total{model="churn",version="0123456789ab"} 3' in lines
    assert f'mantic_request_seconds_bucket{{address="{path}",le="+Inf"}} 3' in lines
    assert f'mantic_request_seconds_count{{address="{path}"}} 3' in lines
    assert "mantic_in_flight 1" in lines
    assert "# TYPE mantic_request_seconds histogram" in lines


def test_buckets_of_the_histogram_only_grow(churn, asker):
    ask = asker(make_asgi({"churn": churn()}))
    for _ in range(5):
        ask("GET", "/healthz")

    counts = [
        int(line.rpartition(" ")[2])
        for line in ask("GET", "/metrics").text.splitlines()
        if line.startswith('mantic_request_seconds_bucket{address="/healthz"')
    ]

    assert counts == sorted(counts)
    assert counts[-1] == 5


def test_names_of_models_cannot_break_the_metrics(churn, asker):
    ask = asker(make_asgi({'a"b\\c\nd': churn()}))

    text = ask("GET", "/metrics").text

    assert 'model="a\\"b\\\\c\\nd"' in text


def test_whoever_listens_is_told_every_prediction_and_may_add_to_it(churn, asker):
    told: list[tuple[str, str, int]] = []

    def listener(served: Served, question: Any, answers: list[dict[str, Any]]) -> None:
        told.append((served.name, served.version, question.frame.height))
        for number, answer in enumerate(answers):
            answer["id"] = f"p{number}"

    ask = asker(make_asgi({"churn": churn()}, House(listener=listener)))

    answers = ask("POST", PREDICT, json={"rows": [ROW, ROW]}).json()["predictions"]

    assert told == [("churn", "0123456789ab", 2)]
    assert [one["id"] for one in answers] == ["p0", "p1"]


def test_reasons_predictions_and_outcomes_take_no_place_from_each_other(slow, churn, monkeypatch):
    def explain(*_: Any) -> list[Any]:
        slow.go.wait(60)
        return []

    monkeypatch.setattr(Served, "explain", explain)
    app = make_asgi({"churn": churn()}, House(feedback=len))
    outcomes = {"outcomes": [{"id": "01", "value": "yes"}]}

    async def talk() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            asked = asyncio.create_task(client.post("/v1/models/churn/explain", json={"rows": [ROW]}))
            async with asyncio.timeout(30):
                many = await client.post(PREDICT, json={"rows": [ROW] * 500})
                told = await client.post("/v1/feedback", json=outcomes)
            slow.go.set()
            return [many.status_code, told.status_code, (await asked).status_code]

    assert asyncio.run(talk()) == [200, 200, 200]


def test_a_shadow_is_not_asked_while_predictions_wait(slow, churn):
    asked = []

    class Shadow(churn):
        def predict_proba(self, frame: Any) -> Any:
            asked.append(len(frame))
            return super().predict_proba(frame)

    shelf = Shelf({"churn": slow})
    slow.go.set()
    shelf.shadow("churn", Shadow())
    asked.clear()
    slow.go.clear()
    app = make_asgi(shelf)

    async def talk() -> None:
        waiting = [asyncio.create_task(crowd(app, 1)) for _ in range(5)]
        while not slow.begun.is_set():
            await asyncio.sleep(0.01)
        slow.go.set()
        await asyncio.gather(*waiting)

    asyncio.run(talk())

    assert len(asked) <= 1  # when the last of them was answered


def test_who_offers_work_to_a_closed_bench_hears_no():
    bench = Bench(Limits())
    bench.close()

    assert bench.offer(lambda: 1) is None
    assert bench.inside == 0


def test_at_the_end_what_is_being_answered_is_finished(slow):
    app = make_asgi({"churn": slow})

    async def talk() -> list[httpx.Response]:
        slow.go.set()  # the models are warmed when the application begins
        async with app.lifespan(app):
            slow.begun.clear()
            slow.go.clear()
            asked = asyncio.create_task(crowd(app, 1))
            while not slow.begun.is_set():
                await asyncio.sleep(0.01)
            threading.Timer(0.2, slow.go.set).start()
        assert slow.go.is_set()
        return await asked

    assert [answer.status_code for answer in asyncio.run(talk())] == [200]
