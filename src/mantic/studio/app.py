"""Studio as an ASGI application: finds the page, asks who is there, and answers."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from mantic.core.errors import ManticError
from mantic.serve.gate import Gate
from mantic.studio.role import Role
from mantic.studio.route import Page
from mantic.studio.studio import Studio
from mantic.studio.view import DeniedError, NoPageError, TooLargeError, View
from mantic.studio.visitors import COOKIE, Visitor, is_same

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_LOG = logging.getLogger("mantic.studio")
_MOST_FORM_BYTES = 1_000_000
_MOST_FIELDS = 20_000  # a table may have so many columns
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def make_studio(studio: Studio, *, hosts: frozenset[str] = frozenset()) -> "Starlette":
    """Return the application.

    Parameters
    ----------
    hosts : names by which it may be called in the header Host; any when empty. A page from elsewhere, whose name was
        made to point at this machine, calls it by that name.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.routing import Route

    from mantic.studio.pages import PAGES

    async def lost(request: "Request", _: Exception) -> "Response":
        error = NoPageError("there is no such page", where=request.url.path[:200], fix="go back to the models")
        return _dressed(View(request, studio, await _visitor(request, studio)).fault(error))

    async def broken(request: "Request", _: Exception) -> "Response":
        return _dressed(_broken(View(request, studio, None)))

    routes = [Route(page.path, _endpoint(page, studio, hosts), methods=[page.method]) for page in PAGES]
    door = Middleware(Door, gate=studio.deployed.gate)
    return Starlette(routes=routes, middleware=[door], exception_handlers={HTTPException: lost, Exception: broken})


class Door:
    """Leads programs to the models that are deployed, and everybody else to the pages.

    A program shows a key and never a cookie, so that no page can make a browser ask for its reader.
    """

    def __init__(self, app: Any, gate: Gate) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer a request."""
        is_program = scope["type"] == "http" and scope["path"].startswith("/v1/")
        await (self._gate if is_program else self._app)(scope, receive, send)


def _endpoint(page: Page, studio: Studio, hosts: frozenset[str]) -> Callable[["Request"], Awaitable["Response"]]:
    async def answer(request: "Request") -> "Response":
        view = View(request, studio, None)
        try:
            if hosts and (request.url.hostname or "") not in hosts:
                raise DeniedError("Studio has another name", where="header Host", fix=f"call it {sorted(hosts)[0]}")
            view = View(request, studio, await _visitor(request, studio))
            if page.role > Role.NOBODY and view.visitor is None:
                return _dressed(_at_the_door(view))
            if view.visitor is not None and view.visitor.role < page.role:
                raise DeniedError(
                    f"this takes the role {page.role.word}; {view.visitor.name} is {view.visitor.role.word}",
                    where=request.url.path[:200],
                    fix="ask an administrator for the role",
                )
            return _dressed(await _answered(page, view))
        except ManticError as error:
            return _dressed(view.fault(error))

    return answer


async def _answered(page: Page, view: View) -> "Response":
    """Let the handler answer; what changes something comes from a page of ours."""
    from starlette.concurrency import run_in_threadpool

    is_coroutine = iscoroutinefunction(page.handler)
    fields = await _fields(view.request) if page.method == "POST" and not is_coroutine else {}
    if page.method == "POST":
        _check_ours(view, fields, page.role)
    known = View(view.request, view.studio, view.visitor, fields)
    handler: Any = page.handler
    found: Response = await handler(known) if is_coroutine else await run_in_threadpool(handler, known)
    return found


def _check_ours(view: View, fields: Mapping[str, tuple[str, ...]], role: Role) -> None:
    """Refuse what a page from elsewhere makes a browser send.

    Raises
    ------
    DeniedError : if the browser says that the page was another site's, or if the token of who is signed in is not in
        the form, the header X-CSRF or the address. Who signs in has none yet.
    """
    headers = view.request.headers
    origin = headers.get("Origin")
    ours = (headers.get("Host"), urlsplit(view.base).netloc)  # the second is another where a proxy changes the first
    is_elsewhere = origin is not None and urlsplit(origin).netloc not in ours
    is_elsewhere = is_elsewhere or headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
    given = headers.get("X-CSRF") or fields.get("csrf", ("",))[0] or view.query.get("csrf", "")
    is_known = role is Role.NOBODY or (view.visitor is not None and is_same(given, view.visitor.token))
    if is_elsewhere or not is_known:
        fix = "reload the page and try again; nothing was changed"
        raise DeniedError("this did not come from a page of this sitting", where=view.request.url.path[:200], fix=fix)


async def _fields(request: "Request") -> Mapping[str, tuple[str, ...]]:
    """Return the form that was sent."""
    n_bytes = request.headers.get("content-length", "")
    if not n_bytes.isdecimal() or int(n_bytes) > _MOST_FORM_BYTES:
        raise TooLargeError("the form is too long", where=request.url.path[:200], fix="send less at once")
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    return {name: tuple(str(value) for value in form.getlist(name)) for name in form}


async def _visitor(request: "Request", studio: Studio) -> Visitor | None:
    """Return who asks; who shows no cookie costs the store nothing."""
    from starlette.concurrency import run_in_threadpool

    cookie = request.cookies.get(COOKIE)
    return await run_in_threadpool(studio.visitors.who, cookie) if cookie else None


def _at_the_door(view: View) -> "Response":
    """Lead to the sign-in; a link on another site comes without the cookie, and is followed again from here."""
    if view.request.headers.get("Sec-Fetch-Site") == "cross-site" and view.request.method == "GET":
        return view.page("again.html", address=_to(view.request))
    return view.go(f"/signin?to={quote(_to(view.request))}")


def _to(request: "Request") -> str:
    """Return where to go on after signing in: only pages that show something."""
    path = request.url.path if request.method == "GET" else "/"
    return f"{path}?{request.url.query}" if request.url.query and request.method == "GET" else path


def _broken(view: View) -> "Response":
    """Answer for a bug: the log has the traceback, which follows, and the number that the page shows."""
    number = secrets.token_hex(4)
    _LOG.error("%s %s went wrong (error %s)", view.request.method, view.request.url.path, number)
    error = ManticError(
        "this went wrong inside mantic; what was kept before is still kept",
        where=f"error {number}",
        fix="go back and try again; if it happens again, report it with the lines that Studio printed",
    )
    error.status = 500
    return view.fault(error)


def _dressed(response: "Response") -> "Response":
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("cache-control", "no-store")
    return response
