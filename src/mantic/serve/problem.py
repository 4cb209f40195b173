"""What is wrong with a request, in the form of RFC 9457 (application/problem+json)."""

import json
import math
import re
from typing import TYPE_CHECKING, Any

from mantic.core.errors import ManticError

if TYPE_CHECKING:
    from starlette.responses import Response

MEDIA = "application/problem+json"
_CHALLENGE = 'Bearer realm="mantic", Basic realm="mantic"'  # a browser asks for the second one's password: the key


class RequestError(ManticError, ValueError):
    """A request cannot be understood."""


class UnknownModelError(ManticError, LookupError):
    """No model of this name, or no such address, is served here."""

    status = 404


class MethodError(ManticError):
    """The address is right, the method is not."""

    status = 405


class SlowError(ManticError, TimeoutError):
    """The request has not come as a whole in time."""

    status = 408


class TooLargeError(ManticError, ValueError):
    """A request holds more than the server takes at once."""

    status = 413


class MediaError(ManticError, ValueError):
    """A request is no plain JSON."""

    status = 415


class KeyMissingError(ManticError):
    """The address asks for an API key, and there is none, or none that is known."""

    status = 401


class ForbiddenError(ManticError):
    """The API key is known, and is not for this."""

    status = 403


class BusyError(ManticError):
    """More is asked than can be answered in time."""

    status = 429

    def __init__(self, what: str, *, where: str = "", fix: str = "", seconds: float = 1.0) -> None:
        super().__init__(what, where=where, fix=fix)
        self.seconds = seconds


class UnavailableError(ManticError):
    """The model is deployed, and cannot be asked at the moment."""

    status = 503


class LateError(ManticError, TimeoutError):
    """The caller's deadline has passed."""

    status = 504


class BrokenError(ManticError, RuntimeError):
    """A bug in the server; the log has the traceback."""

    status = 500


def broken(method: str, path: str) -> BrokenError:
    """Return what a caller is told of a bug: nothing that only the log should have."""
    return BrokenError(
        "the server made a mistake",
        where=f"{method} {path}"[:200],
        fix="report it with the traceback in the server's log",
    )


def problem_document(text: str) -> dict[str, Any]:
    """Return how the OpenAPI document describes a refusal."""
    return {"description": text, "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def too_many_bytes(most: int) -> TooLargeError:
    """Return the refusal of a body that is too long."""
    return TooLargeError(
        f"the body is longer than {most:,} bytes",
        where="the request",
        fix="send fewer rows at a time, or score a file with 'mantic predict'",
    )


def too_many_rows(n_rows: int, most: int) -> TooLargeError:
    """Return the refusal of a body that holds too many rows."""
    return TooLargeError(
        f"{n_rows:,} rows are too many for one request", where="rows", fix=f"send at most {most:,} at a time"
    )


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


def problem_bytes(error: ManticError) -> bytes:
    """Return an error as problem+json."""
    return json.dumps(problem(error), ensure_ascii=False).encode("utf-8", "replace")


def problem_headers(error: ManticError) -> dict[str, str]:
    """Return what a client needs to know beside the text: when to come again, or how to say who it is."""
    if isinstance(error, BusyError):
        return {"retry-after": str(max(1, math.ceil(error.seconds)))}
    return {"www-authenticate": _CHALLENGE} if isinstance(error, KeyMissingError) else {}


def problem_response(error: ManticError, headers: dict[str, str] | None = None) -> "Response":
    """Return an error as an HTTP response."""
    from starlette.responses import Response

    more = problem_headers(error) | (headers or {})
    return Response(problem_bytes(error), status_code=error.status, media_type=MEDIA, headers=more)
