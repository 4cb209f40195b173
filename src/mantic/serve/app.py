"""The web application made from fitted models: predict, explain, describe, health, and its own documentation."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mantic.core.artifact import library_versions
from mantic.core.errors import ManticError
from mantic.serve.admission import Benches
from mantic.serve.desk import Desk, Office
from mantic.serve.feedback import Feedback
from mantic.serve.gate import Gate
from mantic.serve.keyring import Guard, Keyring
from mantic.serve.metrics import Metrics
from mantic.serve.predict import Listener, Predict
from mantic.serve.problem import MethodError, RequestError, UnknownModelError, broken, problem_response
from mantic.serve.question import Limits
from mantic.serve.route import WAY_ON
from mantic.serve.served import Estimator
from mantic.serve.shelf import Shelf

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from mantic.serve.job_runner import Jobs


@dataclass(frozen=True)
class House:
    """How a server treats those who ask.

    Parameters
    ----------
    limits : how much one request may hold, and how many may wait.
    keyring : who may ask; everybody when absent.
    listener : is told every prediction before it is sent: who answered, question and answers, to which it may add.
    hosts : names by which it may be called in the header Host; any when empty.
    feedback : keeps how predictions turned out, by their ids; nothing is kept when absent.
    counts : returns what is counted elsewhere and belongs to the metrics.
    jobs : answer whole tables beside the requests, from when the application begins; a server without them says so.
        Not behind Flask or Django, which read a body as a whole.
    """

    limits: Limits = field(default_factory=Limits)
    keyring: Keyring | None = None
    listener: Listener | None = None
    hosts: Collection[str] = ()
    feedback: Feedback | None = None
    counts: Callable[[], Mapping[str, float]] = dict
    jobs: "Jobs | None" = None


def make_asgi(models: Mapping[str, Estimator] | Shelf, house: House | None = None) -> Gate:
    """Return an ASGI application that serves fitted models under their names.

    Parameters
    ----------
    models : name (as it stands in the address) to fitted Classifier or Regressor; or a shelf, whose models can be
        switched while requests are answered.

    Raises
    ------
    SettingsError : if there is no model, or a name that no address can hold.
    """
    from starlette.applications import Starlette

    desk, gate = _built(models, house or House())
    return gate(Starlette(routes=desk.routes(), lifespan=desk.lifespan, exception_handlers=_handlers()))


def make_app(models: Mapping[str, Estimator] | Shelf, house: House | None = None) -> "FastAPI":
    """Return the same as a FastAPI application, to which routes of one's own can be added.

    FastAPI takes a third of a second to be loaded, which `mantic serve` leaves out.

    Parameters
    ----------
    models, house : as in `make_asgi`.
    """
    from fastapi import FastAPI

    class Application(FastAPI):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            """Go through the gate first: what lies between costs more than a prediction."""
            await gated(scope, receive, send)

    desk, gate = _built(models, house or House())
    app = Application(
        title="mantic",
        version=library_versions()["mantic"],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=desk.lifespan,
        routes=desk.routes(),
        exception_handlers=_handlers(),
    )
    app.openapi = desk.document  # type: ignore[method-assign]  # FastAPI's own way to replace the document
    gated = gate(super(Application, app).__call__)
    return app


def _built(models: Mapping[str, Estimator] | Shelf, house: House) -> tuple[Desk, Callable[[Any], Gate]]:
    """Return the handlers, and what puts the gate before an application that has them."""
    shelf = models if isinstance(models, Shelf) else Shelf(models)
    metrics, benches = Metrics(), Benches(house.limits)
    predict = Predict(shelf, limits=house.limits, benches=benches, metrics=metrics, listener=house.listener)
    office = Office(house.limits, benches, metrics, house.counts, house.feedback, house.jobs, predict.bodies)
    desk = Desk(shelf, office)
    guard = None if house.keyring is None else Guard(house.keyring)
    hosts = frozenset(map(str.encode, house.hosts))
    return desk, lambda app: Gate(app, predict, guard, metrics, desk.lifespan, hosts)


def _handlers() -> dict[Any, Any]:
    from starlette.exceptions import HTTPException

    return {ManticError: _refuse, HTTPException: _refuse_http, Exception: _break}


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
        return problem_response(UnknownModelError("there is nothing at this address", where=where, fix=WAY_ON))
    if status == 405:
        allowed = headers.get("allow", headers.get("Allow", ""))
        return problem_response(
            MethodError(f"{request.method} is not for this address", where=where, fix=f"use {allowed}"), headers
        )
    return problem_response(RequestError(str(getattr(error, "detail", error)), where=where, fix=WAY_ON))
