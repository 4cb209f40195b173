"""The web application made from fitted models: predict, explain, describe, health, and its own documentation."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from mantic.core.artifact import library_versions
from mantic.core.errors import ManticError, SettingsError
from mantic.serve import page
from mantic.serve.openapi import example_row, openapi
from mantic.serve.problem import BrokenError, MethodError, RequestError, UnknownModelError, problem_response
from mantic.serve.question import Limits, Question, read_body, read_question
from mantic.serve.served import Estimator, Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

MAX_EXPLAINED = 100  # rows of one request; an explanation may cost many predictions
_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_Handler = Callable[["Request"], Awaitable["Response"]]


def make_app(models: Mapping[str, Estimator], *, limits: Limits | None = None) -> "FastAPI":
    """Return an application that serves fitted models under their names.

    Parameters
    ----------
    models : name (as it stands in the address) to fitted Classifier or Regressor.
    limits : how much one request may hold.

    Raises
    ------
    SettingsError : if there is no model, or a name that no address can hold.
    """
    from fastapi import FastAPI
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    bad = [name for name in models if not name or "/" in name or name in (".", "..")]
    if bad or not models:
        what = f"'{bad[0]}' is no name for a model" if bad else "there is no model to serve"
        raise SettingsError(what, where="serve", fix="give each model a name without '/'")
    desk = _Desk({name: Served(name, model) for name, model in models.items()}, limits or Limits())
    app = FastAPI(
        title="mantic",
        version=library_versions()["mantic"],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=desk.lifespan,
        routes=[Route(path, handler, methods=[method]) for method, path, handler in desk.routes()],
    )
    app.openapi = desk.document  # type: ignore[method-assign]  # FastAPI's own way to replace the document
    app.add_middleware(_SafeHeaders)
    for kind, handler in ((ManticError, _refuse), (HTTPException, _refuse_http), (Exception, _break)):
        app.add_exception_handler(kind, handler)
    return app


class _Desk:
    """The handlers, and the models they answer for."""

    def __init__(self, models: Mapping[str, Served], limits: Limits) -> None:
        self.models = models
        self.limits = limits
        self.is_ready = False

    def routes(self) -> list[tuple[str, str, _Handler]]:
        """Return method, path and handler of every address."""
        return [
            ("POST", "/v1/models/{name}/predict", self.predict),
            ("POST", "/v1/models/{name}/explain", self.explain),
            ("GET", "/v1/models/{name}", self.about),
            ("GET", "/v1/models", self.list),
            ("GET", "/healthz", self.live),
            ("GET", "/readyz", self.ready),
            ("GET", "/openapi.json", self.openapi),
            ("GET", "/docs", self.docs),
            ("GET", "/docs/style.css", self.style),
            ("GET", "/docs/form.js", self.script),
            ("GET", "/", self.home),
        ]

    @asynccontextmanager
    async def lifespan(self, app: Any) -> "AsyncIterator[None]":
        """Ask every model once, so that the first caller does not wait and a broken model stops the start."""
        from starlette.concurrency import run_in_threadpool

        for model in self.models.values():
            row = dict.fromkeys(model.schema.names) | example_row(model.schema)
            await run_in_threadpool(model.predict, Question(model.schema.align([row])))
            if (plan := model.plan) is not None:
                await run_in_threadpool(plan.predict, row)
        self.is_ready = True
        yield
        self.is_ready = False

    async def predict(self, request: "Request") -> "Response":
        """Answer POST /v1/models/{name}/predict."""
        limits = self.limits

        def answer(model: Served, body: bytes) -> Any:
            return model.predict(read_question(body, model.schema, limits, plan=model.plan))

        return await self._ask(request, answer, limits)

    async def explain(self, request: "Request") -> "Response":
        """Answer POST /v1/models/{name}/explain."""
        limits = Limits(min(MAX_EXPLAINED, self.limits.max_rows), self.limits.max_bytes)

        def answer(model: Served, body: bytes) -> Any:
            return model.explain(read_question(body, model.schema, limits))

        return await self._ask(request, answer, limits)

    async def _ask(self, request: "Request", ask: Callable[[Served, bytes], Any], limits: Limits) -> "Response":
        from starlette.concurrency import run_in_threadpool

        model = self._find(request)
        body = await read_body(request, limits)

        return _reply(await run_in_threadpool(lambda: _bytes(ask(model, body))))

    async def about(self, request: "Request") -> "Response":
        """Answer GET /v1/models/{name}."""
        return _reply(_bytes(self._find(request).about()))

    async def list(self, request: "Request") -> "Response":
        """Answer GET /v1/models."""
        heads = [one.head() | {"task": one.task, "target": one.model.target_.name} for one in self.models.values()]
        return _reply(_bytes({"models": heads}))

    async def live(self, request: "Request") -> "Response":
        """Answer GET /healthz."""
        return _reply(_bytes({"status": "alive"}))

    async def ready(self, request: "Request") -> "Response":
        """Answer GET /readyz."""
        state = {"status": "ready" if self.is_ready else "starting", "models": list(self.models)}
        return _reply(_bytes(state), status=200 if self.is_ready else 503)

    async def openapi(self, request: "Request") -> "Response":
        """Answer GET /openapi.json."""
        return _reply(_bytes(self.document()))

    async def docs(self, request: "Request") -> "Response":
        """Answer GET /docs."""
        text = page.page(list(self.models.values()), version=library_versions()["mantic"])
        return _reply(text.encode(), media="text/html; charset=utf-8", headers={"content-security-policy": page.POLICY})

    async def style(self, request: "Request") -> "Response":
        """Answer GET /docs/style.css."""
        return _reply(page.style().encode(), media="text/css; charset=utf-8")

    async def script(self, request: "Request") -> "Response":
        """Answer GET /docs/form.js."""
        return _reply(page.script().encode(), media="text/javascript; charset=utf-8")

    async def home(self, request: "Request") -> "Response":
        """Send a visitor to the documentation."""
        return _reply(b"", media="text/plain", status=307, headers={"location": "docs"})

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        return openapi(list(self.models.values()), version=library_versions()["mantic"])

    def _find(self, request: "Request") -> Served:
        name = request.path_params["name"]
        if name not in self.models:
            raise UnknownModelError(
                f"there is no model '{name[:80]}'",
                where=request.url.path[:200],
                fix=f"known are: {', '.join(self.models)}",
            )
        return self.models[name]


class _SafeHeaders:
    """Middleware that sets the headers which keep browsers from doing more than showing."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        async def send_with(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                extra = [
                    (name.encode(), value.encode()) for name, value in _HEADERS.items() if name.encode() not in present
                ]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await self.app(scope, receive, send_with)


async def _refuse(request: "Request", error: Exception) -> "Response":
    assert isinstance(error, ManticError)
    return problem_response(error)


async def _refuse_http(request: "Request", error: Exception) -> "Response":
    """Turn the framework's own refusals into problems."""
    status, headers = getattr(error, "status_code", 400), dict(getattr(error, "headers", None) or {})
    where = f"{request.method} {request.url.path}"[:200]
    if status == 404:
        return problem_response(UnknownModelError("there is nothing at this address", where=where, fix="see /docs"))
    if status == 405:
        allowed = headers.get("allow", headers.get("Allow", ""))
        return problem_response(
            MethodError(f"{request.method} is not for this address", where=where, fix=f"use {allowed}"), headers
        )
    return problem_response(RequestError(str(getattr(error, "detail", error)), where=where, fix="see /docs"))


async def _break(request: "Request", error: Exception) -> "Response":
    """Answer for a bug; the server's log has its traceback."""
    where = f"{request.method} {request.url.path}"[:200]
    return problem_response(
        BrokenError("the server made a mistake", where=where, fix="report it with the traceback in the server's log")
    )


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def _reply(
    text: bytes, *, status: int = 200, media: str = "application/json", headers: dict[str, str] | None = None
) -> "Response":
    from starlette.responses import Response

    return Response(text, status_code=status, media_type=media, headers=headers)
