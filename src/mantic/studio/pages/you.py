"""Settings: what belongs to the person who looks: password, sittings, light or dark."""

from typing import TYPE_CHECKING

from mantic.core.errors import SettingsError
from mantic.studio.notice import Notice, done, noticed
from mantic.studio.pages.signin import WrongError, let_in
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.view import THEME_COOKIE, THEMES, View
from mantic.studio.visitors import Visitor

if TYPE_CHECKING:
    from starlette.responses import Response

_YEAR = 365 * 86_400


def first(view: View) -> "Response":
    """Lead to the first page of the settings."""
    return view.go("/settings/people" if _visitor(view).role is Role.ADMIN else "/settings/you")


def show(view: View) -> "Response":
    """Show what belongs to whom."""
    store, visitor = view.studio.store, _visitor(view)
    person = store.people.get(visitor.id)
    return view.page("you.html", person=person, sittings=store.sittings.list(person), notice=noticed(view))


def change_password(view: View) -> "Response":
    """Take a new password; who has one says it first. Every other browser of theirs is signed out."""
    visitor, visitors = _visitor(view), view.studio.visitors
    old, new, again = (view.fields.get(field, ("",))[0] for field in ("old", "password", "again"))
    if new != again:
        raise SettingsError("the two passwords are not the same", where="password", fix="go back and write it twice")
    person = view.studio.store.people.get(visitor.id)
    if person.has_password and not visitors.knows_password(person, old, address=view.address):
        raise WrongError("the password until now is wrong", where="password", fix="go back and try again")
    renewed = view.studio.store.people.set_password(visitor.id, new, by=visitor.name)
    cookie = visitors.let_in(renewed, agent=view.agent, how="new password")
    return let_in(view, cookie, view.go("/settings/you"))


def leave_everywhere(view: View) -> "Response":
    """Sign out in every browser, this one too."""
    store, visitor = view.studio.store, _visitor(view)
    store.sittings.end_all(store.people.get(visitor.id), by=visitor.name)
    return view.go("/signin")


def choose_theme(view: View) -> "Response":
    """Keep whether pages are light or dark, in this browser."""
    theme = view.said("theme")
    response = done(view, "/settings/you", Notice("Pages look as you chose, in this browser."))
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE, theme, max_age=_YEAR, httponly=True, samesite="strict", secure=view.is_safe, path="/"
        )
    else:
        response.delete_cookie(THEME_COOKIE, path="/")
    return response


def _visitor(view: View) -> Visitor:
    assert view.visitor is not None  # every page here takes a role
    return view.visitor


PAGES = (
    get("/settings", first),
    get("/settings/you", show),
    post("/settings/you/password", change_password, Role.VIEWER),
    post("/settings/you/leave", leave_everywhere, Role.VIEWER),
    post("/settings/you/theme", choose_theme, Role.VIEWER),
)
