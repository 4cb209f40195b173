"""The addresses of a server, and what a key must be allowed in order to ask there."""

from collections.abc import Mapping
from dataclasses import dataclass

SCOPES: Mapping[str, str] = {
    "predict": "ask for predictions",
    "explain": "ask for reasons",
    "feedback": "say how it turned out",
    "read": "see models, documentation and metrics",
    "admin": "all of it",
}


@dataclass(frozen=True)
class Address:
    """Method and path, with the scope that it needs (none: open to everybody) and who answers."""

    method: str
    path: str
    scope: str | None
    handler: str


CLEARED = "mantic.cleared"  # where a request carries the address that the gate let it ask
PREDICT = "/v1/models/{name}/predict"
ADDRESSES = (
    Address("POST", PREDICT, "predict", "predict"),
    Address("POST", "/v1/models/{name}/explain", "explain", "explain"),
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
_MODELS = "/v1/models/"


def address_of(method: str, path: str) -> tuple[Address | None, str]:
    """Return the address that a request is for, if there is one, and the name of the model in its path.

    >>> address, name = address_of("POST", "/v1/models/churn/predict")
    >>> address.scope, name
    ('predict', 'churn')
    """
    name = ""
    if path.startswith(_MODELS):
        name, slash, verb = path[len(_MODELS) :].partition("/")
        path = f"{_MODELS}{{name}}{slash}{verb}"
    return _BY_PATH.get(("GET" if method == "HEAD" else method, path)), name
