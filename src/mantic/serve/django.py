"""Addresses of a server for a Django project."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mantic.core.lazy import need
from mantic.serve.app import House, make_asgi
from mantic.serve.bridge import Bridge
from mantic.serve.served import Estimator
from mantic.serve.shelf import Shelf


def urls(models: Mapping[str, Estimator] | Shelf, house: House | None = None) -> list[Any]:
    """Return URL patterns that answer as `mantic serve` does, for `django.urls.include`.

    They need no CSRF token: where keys are asked for, what another site's page makes a browser send is refused, unless
    the key is in a header that no browser sends by itself.

    Parameters
    ----------
    models, house : as in `app.make_asgi`.
    """
    paths: Any = need("django.urls", why="Django addresses")
    http: Any = need("django.http", why="Django addresses")
    csrf: Any = need("django.views.decorators.csrf", why="Django addresses")
    house = replace(house or House(), jobs=None)
    bridge = Bridge(make_asgi(models, house))

    def answer(request: Any, path: str) -> Any:
        body = request.read(house.limits.max_bytes + 1)
        reply = bridge.ask(request.method, f"/{path}", request.headers.items(), body)
        response = http.HttpResponse(reply.body, status=reply.status, content_type=reply.media.decode("latin-1"))
        for name, value in reply.headers:
            response.headers[name.decode("latin-1")] = value.decode("latin-1")
        return response

    return [paths.re_path(r"^(?P<path>.*)$", csrf.csrf_exempt(answer))]
