"""Scripts, styles and pictures; what is asked for by its hash is kept by the browser for good."""

import gzip
import mimetypes
from functools import cache
from typing import TYPE_CHECKING

from mantic.studio.role import Role
from mantic.studio.route import get
from mantic.studio.view import View, fingerprint, static_bytes

if TYPE_CHECKING:
    from starlette.responses import Response

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}  # whatever a system's own table says


def show(view: View) -> "Response":
    """Return a file."""
    from starlette.responses import Response

    name = view.path["name"]
    packs = "gzip" in view.request.headers.get("accept-encoding", "")
    body = _packed(name) if packs else static_bytes(name)
    ending = f".{name.rpartition('.')[2]}"
    media = _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    is_named = view.query.get("v") == fingerprint(name)
    keep = "public, max-age=31536000, immutable" if is_named else "no-cache"
    headers = {"cache-control": keep, "vary": "accept-encoding"}
    return Response(body, media_type=media, headers=headers | ({"content-encoding": "gzip"} if packs else {}))


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(static_bytes(name), mtime=0)


PAGES = (get("/static/{name:path}", show, Role.NOBODY),)
