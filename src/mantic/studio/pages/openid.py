"""Sign in by an OpenID provider."""

from typing import TYPE_CHECKING

from mantic.studio.pages.signin import inside, let_in
from mantic.studio.provider import Provider
from mantic.studio.role import Role
from mantic.studio.route import get
from mantic.studio.view import NoPageError, View

if TYPE_CHECKING:
    from starlette.responses import Response

_AWAY_COOKIE = "mantic_away"
_AWAY_SECONDS = 600
_BACK = "/signin/openid/back"


def leave(view: View) -> "Response":
    """Send somebody to the provider."""
    visitors, provider = view.studio.visitors, _provider(view)
    visitors.backoff.begin("", view.address)  # a provider that does not answer is not asked again and again
    address, browser = provider.send(f"{view.base}{_BACK}", inside(view.query.get("to", "")))
    visitors.backoff.succeeded("", view.address)
    response = view.go(address)
    # Lax: the provider sends people back, and a strict cookie would stay behind.
    response.set_cookie(
        _AWAY_COOKIE, browser, max_age=_AWAY_SECONDS, httponly=True, samesite="lax", secure=view.is_safe, path=_BACK
    )
    return response


def come_back(view: View) -> "Response":
    """Let in whom the provider vouches for; who is new comes in by the role of newcomers."""
    browser = view.request.cookies.get(_AWAY_COOKIE, "")
    visitors, provider = view.studio.visitors, _provider(view)
    visitors.backoff.begin("", view.address)
    who = provider.receive(view.query, browser, f"{view.base}{_BACK}")
    role = Role.of(view.studio.settings.studio.oidc_role)
    cookie = visitors.let_in_subject(who.subject, who.names, role=role, agent=view.agent)
    visitors.backoff.succeeded("", view.address)
    response = let_in(view, cookie, view.page("again.html", address=who.to))
    response.delete_cookie(_AWAY_COOKIE, path=_BACK)
    return response


def _provider(view: View) -> Provider:
    found = view.studio.provider
    if found is None:
        raise NoPageError("no OpenID provider is set", where="studio.oidc_issuer", fix="sign in by name and password")
    return found


PAGES = (
    get("/signin/openid", leave, Role.NOBODY),
    get(_BACK, come_back, Role.NOBODY),
)
