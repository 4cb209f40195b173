"""The way of a prediction: from the headers and the body of a request to the answer, as short as it can be."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

from mantic.serve.admission import Benches, Turn
from mantic.serve.body import Bodies, Headers, Receive
from mantic.serve.metrics import Metrics
from mantic.serve.problem import RequestError
from mantic.serve.question import Limits, Question
from mantic.serve.served import Served
from mantic.serve.shelf import Shelf, is_alike
from mantic.serve.wire import Wire, wires_of

Listener = Callable[[Served, Question, list[dict[str, Any]]], object]
"""Receives who answered, the rows as a question, and one answer per row, to which it may add; from any thread."""

DEADLINE, KEY = b"x-mantic-deadline-ms", b"x-mantic-key"
_LONGEST_MS = 3_600_000
_LARGE_BYTES = 16_384  # a body that takes longer to be read than a hop to a thread and back


class Reply(NamedTuple):
    """An answer before it is sent."""

    status: int
    media: bytes
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Predict:
    """Answers POST /v1/models/{name}/predict; few plain rows at once, the rest in a thread."""

    def __init__(
        self, shelf: Shelf, *, limits: Limits, benches: Benches, metrics: Metrics, listener: Listener | None
    ) -> None:
        self._shelf, self._limits, self._metrics = shelf, limits, metrics
        self._benches, self._turn, self._listener = benches, Turn(limits), listener
        self.bodies = Bodies(limits)

    async def __call__(self, name: str, headers: Headers, receive: Receive) -> Reply:
        """Return the answer to a request for the model of this name.

        Raises
        ------
        ManticError : says why there is no answer. GoneError : if nobody waits for one.
        """
        served, shadow = self._shelf.choose(name, headers.get(KEY), where=name)
        wire, to = wires_of(headers)
        until = deadline_of(headers)
        body = await self.bodies.read(headers, receive, until=until)
        question = None
        if wire.is_json and len(body) <= _LARGE_BYTES and served.is_quick:
            self._turn.enter()
            question = served.read_quick(body, self._limits)
        if question is None:
            work = partial(self._read_and_answer, served, wire, body, to)
            reply, n_rows = await self._benches.predictions.run(work, until=until)
        else:
            reply, n_rows = self._answer(served, question, to)
        self._metrics.count("mantic_predictions_total", served.labels, n_rows)
        if shadow is not None:
            self._compare(served, shadow, body, wire)
        return reply

    def close(self) -> None:
        """Let what has begun be finished."""
        self._benches.close()

    def _read_and_answer(self, served: Served, wire: Wire, body: bytes, to: Wire) -> tuple[Reply, int]:
        return self._answer(served, wire.read(served, body, self._limits), to)

    def _answer(self, served: Served, question: Question, to: Wire) -> tuple[Reply, int]:
        predictions = served.predictions(question)
        if self._listener is not None:
            self._listener(served, question, predictions)
        body = to.write(served, predictions, question.warnings)
        return Reply(200, to.media, body, () if to.is_json else _facts(served, question.warnings)), len(predictions)

    def _compare(self, served: Served, shadow: Served, body: bytes, wire: Wire) -> None:
        """Ask the version in the shadow some time, unless the server has better things to do."""
        loop = asyncio.get_running_loop()

        def compare() -> bool:
            return is_alike(*(one.predictions(wire.read(one, body, self._limits)) for one in (served, shadow)))

        def count(outcome: str) -> None:
            self._metrics.count("mantic_shadow_total", (*shadow.labels, ("agrees", outcome)))

        def tell(done: "Future[bool]") -> None:
            failed = done.cancelled() or done.exception() is not None
            loop.call_soon_threadsafe(count, "failed" if failed else "yes" if done.result() else "no")

        asked = None if self._benches.predictions.inside else self._benches.shadows.offer(compare)
        if asked is None:
            count("not asked")
        else:
            asked.add_done_callback(tell)


def deadline_of(headers: Headers) -> float | None:
    """Return until when an answer is of use, on `time.monotonic`, by the header X-Mantic-Deadline-Ms.

    Raises
    ------
    RequestError : if it is no whole number of milliseconds.
    """
    text = headers.get(DEADLINE)
    if text is None:
        return None
    if not (text.isdigit() and len(text) < 9 and int(text) <= _LONGEST_MS):
        raise RequestError(
            "the deadline is no number of milliseconds",
            where="header X-Mantic-Deadline-Ms",
            fix=f"send a whole number up to {_LONGEST_MS:,}, for instance 250",
        )
    return time.monotonic() + int(text) / 1000


def _facts(served: Served, warnings: Sequence[Mapping[str, Any]]) -> tuple[tuple[bytes, bytes], ...]:
    """Return as headers what has no place in a body of rows only."""
    return (
        (b"x-mantic-version", served.version.encode("latin-1", "replace")),
        (b"x-mantic-warnings", str(len(warnings)).encode()),
    )
