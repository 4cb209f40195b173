"""Settings: the keys that programs show to the API."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mantic.core.errors import SettingsError
from mantic.serve.key_file import Kept
from mantic.serve.route import SCOPES
from mantic.studio.drawer import TooLateError
from mantic.studio.notice import Notice, done, noticed
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.view import View

if TYPE_CHECKING:
    from starlette.responses import Response

_HERE = "/settings/keys"
_DAYS = (30, 90, 365)
_MOST = 1e6  # days, and requests a second


def show(view: View) -> "Response":
    """Show which keys there are."""
    keys = view.studio.keys
    return view.page("keys.html", grants=keys.grants(), scopes=SCOPES, days=_DAYS, file=keys.path, notice=noticed(view))


def make(view: View) -> "Response":
    """Make a key, and show it this once."""
    limits = {"days": _number(view, "days"), "per_second": _number(view, "per_second")}
    return done(view, _HERE, made(view, view.said("name"), scopes=view.fields.get("scope", ()), limits=limits))


def made(view: View, name: str, *, scopes: Iterable[str], limits: Mapping[str, float | None]) -> Notice:
    """Make a key; return what shows it.

    Parameters
    ----------
    limits : `days` and `per_second`, as `KeyFile.new` takes them.
    """
    if not name or len(name) > 100 or not name.isprintable():
        raise SettingsError("a key needs a name", where="the name", fix="say in a few words who will use it")
    scopes = frozenset(scopes)
    key = view.studio.keys.new(name, scopes=scopes, days=limits.get("days"), per_second=limits.get("per_second"))
    grant = view.studio.keys.find(key)
    identity = grant.id if grant else ""
    detail = {"name": name, "scopes": sorted(scopes), **{one: value for one, value in limits.items() if value}}
    view.studio.store.audit.note("add", f"key {identity}", by=view.person, detail=detail)
    about = "Copy it now: it is shown only this once. Programs send it as the header Authorization: Bearer KEY."
    return Notice(f"The key '{name}' is made.", secret=key, about=about)


def revoke(view: View) -> "Response":
    """Forget a key; whoever shows it is refused from now on."""
    kept = view.studio.keys.take(view.path["id"])
    view.studio.store.audit.note("revoke", f"key {kept.grant.id}", by=view.person, detail={"name": kept.grant.name})
    ticket = view.studio.drawer.put(kept)
    text = f"The key '{kept.grant.name}' is revoked: a program that shows it is refused."
    return done(view, _HERE, Notice(text, f"{_HERE}/back", {"ticket": ticket}))


def put_back(view: View) -> "Response":
    """Know a key again that was revoked a moment ago."""
    kept = view.studio.drawer.take(view.said("ticket"))
    if not isinstance(kept, Kept):
        raise TooLateError("this cannot be undone any more", where="undo", fix="make a new key")
    view.studio.keys.put_back(kept)
    view.studio.store.audit.note(
        "undo revoke", f"key {kept.grant.id}", by=view.person, detail={"name": kept.grant.name}
    )
    return done(view, _HERE, Notice(f"The key '{kept.grant.name}' is good again."))


def _number(view: View, name: str) -> float | None:
    said = view.said(name)
    if not said:
        return None
    try:
        number = float(said)
    except ValueError:
        number = math.nan
    if not 0 < number < _MOST:
        what = f"'{said[:40]}' is no number that makes sense"
        raise SettingsError(what, where=name.replace("_", " "), fix="give a number above 0, or leave it empty")
    return number


PAGES = (
    get(_HERE, show, Role.ADMIN),
    post(_HERE, make, Role.ADMIN),
    post(f"{_HERE}/back", put_back, Role.ADMIN),
    post(f"{_HERE}/{{id}}/revoke", revoke, Role.ADMIN),
)
