"""The answer of a handler."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response


def reply(
    text: bytes, *, status: int = 200, media: str = "application/json", headers: dict[str, str] | None = None
) -> "Response":
    """Return an answer; one without a body says nothing of its media."""
    from starlette.responses import Response

    return Response(text, status_code=status, media_type=media if text else None, headers=headers)
