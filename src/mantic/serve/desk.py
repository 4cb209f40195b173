"""The handlers of all addresses but the prediction: reasons, descriptions, health, metrics and documentation."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from mantic.core.artifact import library_versions
from mantic.serve import metrics as counted
from mantic.serve import page
from mantic.serve.admission import Benches
from mantic.serve.body import Bodies
from mantic.serve.client import client
from mantic.serve.feedback import Feedback, nothing_kept, read_truths
from mantic.serve.job_desk import JobDesk
from mantic.serve.metrics import Metrics
from mantic.serve.openapi import openapi
from mantic.serve.predict import KEY, deadline_of
from mantic.serve.problem import UnknownModelError
from mantic.serve.question import Limits, read_question
from mantic.serve.reply import reply
from mantic.serve.route import ADDRESSES, CLEARED, WAY_ON, Address
from mantic.serve.served import to_bytes
from mantic.serve.shelf import Shelf
from mantic.serve.wire import check_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from mantic.serve.job_runner import Jobs

MAX_EXPLAINED = 100  # rows of one request; an explanation may cost many predictions


@dataclass(frozen=True)
class Office:
    """What the handlers work with, beside the models."""

    limits: Limits
    benches: Benches
    metrics: Metrics
    counts: Callable[[], Mapping[str, float]]
    feedback: Feedback | None
    jobs: "Jobs | None"
    bodies: Bodies


class Desk:
    """The handlers, and the models they answer for."""

    def __init__(self, shelf: Shelf, office: Office) -> None:
        self._shelf, self._office = shelf, office
        self._limits, self._benches = office.limits, office.benches
        self.jobs = JobDesk(shelf, office.jobs)
        self._is_ready = False

    def routes(self) -> "list[BaseRoute]":
        """Return a route for every address; the gate has answered a prediction before it gets here."""
        from starlette.routing import Route

        return [Route(one.path, self._cleared(one), methods=[one.method]) for one in ADDRESSES]

    @asynccontextmanager
    async def lifespan(self, app: Any) -> "AsyncIterator[None]":
        """Warm the models before the first caller comes; finish what is being answered at the end."""
        await self._benches.reasons.run(self._shelf.warm, until=None)
        self._is_ready = True
        with nullcontext() if self._office.jobs is None else self._office.jobs:
            yield
        self._is_ready = False
        self._benches.close()

    async def predict(self, request: "Request") -> "Response":
        """Stand in the list of addresses, so that a wrong method is told the right one."""
        raise AssertionError("the gate answers this")

    async def explain(self, request: "Request") -> "Response":
        """Answer POST /v1/models/{name}/explain."""
        headers = dict(reversed(request.scope["headers"]))
        name = request.path_params["name"]
        served, _ = self._shelf.choose(name, headers.get(KEY), where=request.url.path)
        limits = replace(self._limits, max_rows=min(MAX_EXPLAINED, self._limits.max_rows))
        check_json(headers)
        until = deadline_of(headers)
        body = await self._office.bodies.read(headers, request.receive, until=until)

        def answer() -> bytes:
            return to_bytes(served.explain(read_question(body, served.schema, limits)))

        return reply(await self._benches.reasons.run(answer, until=until))

    async def feedback(self, request: "Request") -> "Response":
        """Answer POST /v1/feedback: what was true is on the disk when this returns."""
        headers = dict(reversed(request.scope["headers"]))
        check_json(headers)
        until = deadline_of(headers)
        body = await self._office.bodies.read(headers, request.receive, until=until)
        keep = self._office.feedback

        def kept() -> bytes:
            truths = read_truths(body, self._limits)
            if keep is None:
                raise nothing_kept()
            return to_bytes({"kept": keep(truths)})

        return reply(await self._benches.outcomes.run(kept, until=until))

    async def about(self, request: "Request") -> "Response":
        """Answer GET /v1/models/{name}."""
        served = self._shelf.place(request.path_params["name"], where=request.url.path).live
        return reply(to_bytes(served.about()))

    async def list(self, request: "Request") -> "Response":
        """Answer GET /v1/models."""
        heads = [one.head() | {"task": one.task, "target": one.model.target_.name} for one in self._shelf.live]
        return reply(to_bytes({"models": heads}))

    async def live(self, request: "Request") -> "Response":
        """Answer GET /healthz."""
        return reply(to_bytes({"status": "alive"}))

    async def ready(self, request: "Request") -> "Response":
        """Answer GET /readyz."""
        is_ready = self._is_ready and not self._shelf.is_opening
        state = {"status": "ready" if is_ready else "starting", "models": list(self._shelf.names)}
        return reply(to_bytes(state), status=200 if is_ready else 503)

    async def metrics(self, request: "Request") -> "Response":
        """Answer GET /metrics."""
        counts = await asyncio.to_thread(self._counts)  # not in the queue: nobody needs them more than when it is full
        text = self._office.metrics.text(self._shelf.versions(), counts)
        return reply(text.encode("utf-8", "replace"), media=counted.MEDIA)

    async def openapi(self, request: "Request") -> "Response":
        """Answer GET /openapi.json."""
        return reply(to_bytes(self.document()))

    async def docs(self, request: "Request") -> "Response":
        """Answer GET /docs."""
        text = page.page(self._shelf.live, version=library_versions()["mantic"])
        return reply(text.encode(), media="text/html; charset=utf-8", headers={"content-security-policy": page.POLICY})

    async def style(self, request: "Request") -> "Response":
        """Answer GET /docs/style.css."""
        return reply(page.style().encode(), media="text/css; charset=utf-8")

    async def script(self, request: "Request") -> "Response":
        """Answer GET /docs/form.js."""
        return reply(page.script().encode(), media="text/javascript; charset=utf-8")

    async def client(self, request: "Request") -> "Response":
        """Answer GET /docs/client.py."""
        return reply(client(self._shelf.live).encode(), media="text/x-python; charset=utf-8")

    async def home(self, request: "Request") -> "Response":
        """Send a visitor to the documentation."""
        return reply(b"", status=307, headers={"location": "docs"})

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        return openapi(self._shelf.live, version=library_versions()["mantic"])

    def _counts(self) -> Mapping[str, float]:
        jobs = self._office.jobs
        return {**self._office.counts(), **({} if jobs is None else jobs.counts())}

    def _cleared(self, address: Address) -> "Callable[[Request], Awaitable[Response]]":
        """Return a handler that only answers what the gate took for its address.

        A router is lenient about paths (one that ends in a line break still matches); who may ask was decided by the
        exact one.
        """
        handler: Callable[[Request], Awaitable[Response]] = attrgetter(address.handler)(self)

        async def answer(request: "Request") -> "Response":
            if request.scope.get(CLEARED) is not address:
                where = f"{request.method} {request.url.path}"[:200]
                raise UnknownModelError("there is nothing at this address", where=where, fix=WAY_ON)
            return await handler(request)

        return answer
