"""The web application made from fitted models: predict, explain, describe, health, and its own documentation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mantic.core.artifact import library_versions
from mantic.core.errors import ManticError
from mantic.serve.admission import Bench, Room
from mantic.serve.desk import Desk
from mantic.serve.gate import Gate
from mantic.serve.keyring import Guard, Keyring
from mantic.serve.metrics import Metrics
from mantic.serve.predict import Listener, Predict
from mantic.serve.problem import MethodError, RequestError, UnknownModelError, broken, problem_response
from mantic.serve.question import Limits
from mantic.serve.served import Estimator
from mantic.serve.shelf import Shelf

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response


def make_app(
    models: Mapping[str, Estimator] | Shelf,
    *,
    limits: Limits | None = None,
    room: Room | None = None,
    keyring: Keyring | None = None,
    listener: Listener | None = None,
) -> "FastAPI":
    """Return an application that serves fitted models under their names.

    Parameters
    ----------
    models : name (as it stands in the address) to fitted Classifier or Regressor; or a shelf, whose models can be
        switched while requests are answered.
    limits : how much one request may hold.
    room : how many requests may wait.
    keyring : who may ask; everybody when absent.
    listener : is told every prediction before it is sent: name, version, question and answers, to which it may add.

    Raises
    ------
    SettingsError : if there is no model, or a name that no address can hold.
    """
    from fastapi import FastAPI
    from starlette.exceptions import HTTPException

    shelf = models if isinstance(models, Shelf) else Shelf(models)
    limits, room, metrics = limits or Limits(), room or Room(), Metrics()
    bench = Bench(room)
    desk = Desk(shelf, limits=limits, bench=bench, metrics=metrics)
    predict = Predict(shelf, limits=limits, bench=bench, room=room, metrics=metrics)
    predict.listeners = () if listener is None else (listener,)

    class Application(FastAPI):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            """Go through the gate first: what lies between costs more than a prediction."""
            await gate(scope, receive, send)

    app = Application(
        title="mantic",
        version=library_versions()["mantic"],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=desk.lifespan,
        routes=desk.routes(),
    )
    app.openapi = desk.document  # type: ignore[method-assign]  # FastAPI's own way to replace the document
    guard = None if keyring is None else Guard(keyring)
    gate = Gate(super(Application, app).__call__, predict, guard, metrics)
    for kind, handler in ((ManticError, _refuse), (HTTPException, _refuse_http), (Exception, _break)):
        app.add_exception_handler(kind, handler)
    return app


async def _refuse(request: "Request", error: Exception) -> "Response":
    assert isinstance(error, ManticError)
    return problem_response(error)


async def _break(request: "Request", error: Exception) -> "Response":
    """Answer for a bug; the server's log has its traceback."""
    return problem_response(broken(request.method, request.url.path))


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
