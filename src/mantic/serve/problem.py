"""What is wrong with a request, in the form of RFC 9457 (application/problem+json)."""

import json
import re
from typing import TYPE_CHECKING

from mantic.core.errors import ManticError

if TYPE_CHECKING:
    from starlette.responses import Response

MEDIA = "application/problem+json"


class RequestError(ManticError, ValueError):
    """A request cannot be understood."""


class UnknownModelError(ManticError, LookupError):
    """No model of this name, or no such address, is served here."""

    status = 404


class MethodError(ManticError):
    """The address is right, the method is not."""

    status = 405


class TooLargeError(ManticError, ValueError):
    """A request holds more than the server takes at once."""

    status = 413


class MediaError(ManticError, ValueError):
    """A request is no plain JSON."""

    status = 415


class BrokenError(ManticError, RuntimeError):
    """A bug in the server; the log has the traceback."""

    status = 500


def problem(error: ManticError) -> dict[str, str | int]:
    """Return an error as a problem: type, title, status, and the three fields what, where and fix.

    >>> problem(TooLargeError("20,000 rows are too many", fix="send 10,000 at a time"))["status"]
    413
    """
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__.removesuffix("Error")).lower()
    return {
        "type": f"urn:mantic:{kind}",
        "title": (type(error).__doc__ or "").partition("\n")[0].rstrip("."),
        "status": error.status,
        "detail": error.what,
        "what": error.what,
        "where": error.where,
        "fix": error.fix,
    }


def problem_response(error: ManticError, headers: dict[str, str] | None = None) -> "Response":
    """Return an error as an HTTP response."""
    from starlette.responses import Response

    text = json.dumps(problem(error), ensure_ascii=False).encode("utf-8", "replace")
    return Response(text, status_code=error.status, media_type=MEDIA, headers=headers)
