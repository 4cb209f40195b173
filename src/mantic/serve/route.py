"""The addresses of a server, and what a key must be allowed in order to ask there."""

from collections.abc import Mapping
from dataclasses import dataclass

SCOPES: Mapping[str, str] = {
    "predict": "ask for predictions, and make jobs",
    "explain": "ask for reasons",
    "feedback": "say how it turned out",
    "read": "see models, documentation and metrics",
    "admin": "all of it",
}


@dataclass(frozen=True)
class Address:
    """Method and path, with the scope that it needs (none: open to everybody) and which handler of the desk answers."""

    method: str
    path: str
    scope: str | None
    handler: str


CLEARED = "mantic.cleared"  # where a request carries the address that the gate let it ask
GRANTED = "mantic.granted"  # where it carries the `Grant` of its key; None where nobody is asked for one
PREDICT = "/v1/models/{name}/predict"
WAY_ON = "POST /v1/models/NAME/predict asks a model, GET /v1/models lists them"  # for who is lost, at every server
ADDRESSES = (
    Address("POST", PREDICT, "predict", "predict"),
    Address("POST", "/v1/models/{name}/explain", "explain", "explain"),
    Address("POST", "/v1/models/{name}/jobs", "predict", "jobs.make"),
    Address("GET", "/v1/jobs", "predict", "jobs.list"),
    Address("GET", "/v1/jobs/{name}", "predict", "jobs.about"),
    Address("GET", "/v1/jobs/{name}/answers", "predict", "jobs.answers"),
    Address("DELETE", "/v1/jobs/{name}", "predict", "jobs.remove"),
    Address("POST", "/v1/feedback", "feedback", "feedback"),
    Address("GET", "/v1/models/{name}", "read", "about"),
    Address("GET", "/v1/models", "read", "list"),
    Address("GET", "/metrics", "read", "metrics"),
    Address("GET", "/healthz", None, "live"),
    Address("GET", "/readyz", None, "ready"),
    Address("GET", "/openapi.json", "read", "openapi"),
    Address("GET", "/docs", "read", "docs"),
    Address("GET", "/docs/style.css", "read", "style"),
    Address("GET", "/docs/form.js", "read", "script"),
    Address("GET", "/docs/client.py", "read", "client"),
    Address("GET", "/", "read", "home"),
)
_BY_PATH = {(one.method, one.path): one for one in ADDRESSES}
_NAMED = ("/v1/models/", "/v1/jobs/")


def address_of(method: str, path: str) -> tuple[Address | None, str]:
    """Return the address that a request is for, if there is one, and the name of the model or job in its path.

    >>> address, name = address_of("POST", "/v1/models/churn/predict")
    >>> address.scope, name
    ('predict', 'churn')
    """
    for head in _NAMED:
        if path.startswith(head):
            name, slash, verb = path[len(head) :].partition("/")
            return _found(method, f"{head}{{name}}{slash}{verb}"), name
    return _found(method, path), ""


def _found(method: str, path: str) -> Address | None:
    return _BY_PATH.get(("GET" if method == "HEAD" else method, path))
