"""A Flask blueprint with the addresses of a server."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mantic.core.lazy import need
from mantic.serve.app import House, make_asgi
from mantic.serve.bridge import METHODS, Bridge
from mantic.serve.served import Estimator
from mantic.serve.shelf import Shelf


def blueprint(models: Mapping[str, Estimator] | Shelf, house: House | None = None) -> Any:
    """Return a blueprint that answers as `mantic serve` does, to be registered under a prefix of one's own.

    Parameters
    ----------
    models, house : as in `app.make_asgi`.
    """
    flask: Any = need("flask", why="a Flask blueprint")
    house = replace(house or House(), jobs=None)
    bridge = Bridge(make_asgi(models, house))
    made = flask.Blueprint("mantic", __name__)

    def answer(path: str) -> Any:
        request = flask.request
        body = request.stream.read(house.limits.max_bytes + 1)
        reply = bridge.ask(request.method, f"/{path}", request.headers.items(), body)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.headers]
        response = flask.Response(reply.body, status=reply.status, headers=headers)
        response.headers["Content-Type"] = reply.media.decode("latin-1")
        return response

    made.add_url_rule("/", "home", answer, defaults={"path": ""}, methods=METHODS)
    made.add_url_rule("/<path:path>", "answer", answer, methods=METHODS)
    return made
