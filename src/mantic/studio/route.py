"""A page of Studio: its address, who may open it, and what answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

from mantic.studio.role import Role

if TYPE_CHECKING:
    from starlette.responses import Response

    from mantic.studio.view import View

Handler = Callable[["View"], Union["Response", Awaitable["Response"]]]


@dataclass(frozen=True)
class Page:
    """One address.

    Parameters
    ----------
    method : GET for what only shows; what changes something is a POST, which is asked for a token.
    path : as Starlette writes it, with ``{name}`` for what varies.
    handler : gets the view. A plain function runs in a thread and has the form read; a coroutine reads the body itself.
    role : the least that may open it.
    """

    method: str
    path: str
    handler: Handler
    role: Role = Role.VIEWER


def get(path: str, handler: Any, role: Role = Role.VIEWER) -> Page:
    """Return a page that shows something."""
    return Page("GET", path, handler, role)


def post(path: str, handler: Any, role: Role = Role.EDITOR) -> Page:
    """Return a page that changes something."""
    return Page("POST", path, handler, role)
