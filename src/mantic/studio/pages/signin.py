"""Who comes in, and who leaves."""

from typing import TYPE_CHECKING

from mantic.core.errors import ManticError
from mantic.store.person import PersonError
from mantic.studio.backoff import PatienceError
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.view import DeniedError, View
from mantic.studio.visitors import COOKIE

if TYPE_CHECKING:
    from starlette.responses import Response


class WrongError(ManticError, PermissionError):
    """A name and a password do not belong together."""

    status = 401


def show(view: View) -> "Response":
    """Ask for name and password."""
    to = inside(view.query.get("to", ""))
    return view.go(to) if view.visitor else _form(view, to, status=200)


def sign_in(view: View) -> "Response":
    """Let in who knows the password of a name."""
    to = inside(view.said("to"))
    password = view.fields.get("password", ("",))[0]
    try:
        cookie = view.studio.visitors.sign_in(view.said("name"), password, address=view.address, agent=view.agent)
    except PatienceError as error:
        response = _form(view, to, error=error, status=error.status)
        response.headers["Retry-After"] = str(max(1, round(error.seconds)))
        return response
    if cookie is None:
        wrong = WrongError("the name or the password is wrong", fix="try again, or ask an administrator for a new link")
        return _form(view, to, error=wrong, status=wrong.status)
    return let_in(view, cookie, view.go(to))


def enter(view: View) -> "Response":
    """Let in who has a link that was not used yet, or ask them for a password."""
    link, visitors = view.query.get("token", ""), view.studio.visitors
    cookie = visitors.enter(link, agent=view.agent)
    if cookie is not None:
        return let_in(view, cookie, view.go("/"))
    if visitors.is_first(link):
        return view.page("setup.html", token=link, person=None, name="", error=None)
    invited = view.studio.store.people.invited(link)
    if invited is not None:
        return view.page("setup.html", token=link, person=invited, name=invited.name, error=None)
    if view.visitor is not None:
        return view.go("/")
    visitors.backoff.begin("", view.address)
    raise DeniedError(
        "this link was used before, or is too old",
        where="the link",
        fix="whoever runs Studio starts 'mantic studio' again, which prints a new one; others ask an administrator",
    )


def set_up(view: View) -> "Response":
    """Take the password that somebody chose by their link."""
    visitors, link, name = view.studio.visitors, view.said("token"), view.said("name")
    password, again = (view.fields.get(field, ("",))[0] for field in ("password", "again"))
    invited = view.studio.store.people.invited(link)
    try:
        if password != again:
            raise PersonError("the two passwords are not the same", where="password", fix="write it twice")
        if invited is None:
            visitors.backoff.begin("", view.address)
            cookie = visitors.found(link, name, password, agent=view.agent)
            visitors.backoff.succeeded("", view.address)
        else:
            cookie = visitors.accept(link, password, agent=view.agent)
    except PersonError as error:
        return view.page("setup.html", status=error.status, token=link, person=invited, name=name, error=error)
    return let_in(view, cookie, view.go("/"))


def leave(view: View) -> "Response":
    """Sign out."""
    view.studio.visitors.leave(view.request.cookies.get(COOKIE, ""))
    response = view.go("/signin")
    response.delete_cookie(COOKIE, path="/")
    return response


def let_in(view: View, cookie: str, response: "Response") -> "Response":
    """Give a browser its new cookie; what it had before ends, so that nobody can give it theirs."""
    view.studio.visitors.leave(view.request.cookies.get(COOKIE, ""))
    most = round(view.studio.visitors.sitting_seconds)
    response.set_cookie(COOKIE, cookie, max_age=most, httponly=True, samesite="strict", secure=view.is_safe, path="/")
    return response


def _form(view: View, to: str, *, status: int, error: ManticError | None = None) -> "Response":
    has_password = any(one.has_password for one in view.studio.store.people.list())
    return view.page(
        "signin.html",
        status=status,
        to=to,
        name=view.said("name"),
        error=error,
        has_password=has_password,
        provider=view.studio.provider,
    )


def inside(address: str) -> str:
    """Return an address of ours, or the first page: a link to the sign-in must not lead elsewhere."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_ours else "/"


PAGES = (
    get("/signin", show, Role.NOBODY),
    post("/signin", sign_in, Role.NOBODY),
    get("/setup", enter, Role.NOBODY),
    post("/setup", set_up, Role.NOBODY),
    post("/signout", leave, Role.VIEWER),
)
