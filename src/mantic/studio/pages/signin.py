"""Who comes in, and who leaves."""

from typing import TYPE_CHECKING

from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.view import DeniedError, View
from mantic.studio.visitors import COOKIE

if TYPE_CHECKING:
    from starlette.responses import Response


def show(view: View) -> "Response":
    """Say how to come in."""
    return view.go("/") if view.visitor else view.page("signin.html", status=401)


def enter(view: View) -> "Response":
    """Let in who has a link that was not used yet."""
    cookie = view.studio.visitors.enter(view.query.get("token", ""))
    if cookie is None:
        if view.visitor is not None:
            return view.go("/")
        raise DeniedError(
            "this link was used before, or is too old",
            where="the link",
            fix="start 'mantic studio' again: it prints a new one",
        )
    response = view.go("/")
    is_safe = view.request.url.scheme == "https"
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=is_safe, path="/")
    return response


def leave(view: View) -> "Response":
    """Sign out."""
    view.studio.visitors.leave(view.request.cookies.get(COOKIE, ""))
    response = view.go("/signin")
    response.delete_cookie(COOKIE, path="/")
    return response


PAGES = (
    get("/signin", show, Role.NOBODY),
    get("/setup", enter, Role.NOBODY),
    post("/signout", leave, Role.VIEWER),
)
