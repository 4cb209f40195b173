"""Settings: databases and files by name."""

from typing import TYPE_CHECKING

from mantic.studio.drawer import TooLateError
from mantic.studio.notice import Notice, done, noticed
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.source_file import NamedSource
from mantic.studio.view import View

if TYPE_CHECKING:
    from starlette.responses import Response

_HERE = "/settings/sources"


def show(view: View) -> "Response":
    """Show which sources there are; never their passwords."""
    return view.page("sources.html", sources=view.studio.sources.list(), notice=noticed(view))


def add(view: View) -> "Response":
    """Keep an address under a name."""
    source = view.studio.sources.add(view.said("name"), view.said("address"), by=view.person)
    _note(view, "add", source)
    return done(view, _HERE, Notice(f"The source '{source.name}' can be read by every editor, under “New from data”."))


def remove(view: View) -> "Response":
    """Forget a source; what was read from it stays."""
    source = view.studio.sources.remove(view.path["name"])
    _note(view, "remove", source)
    ticket = view.studio.drawer.put(source)
    text = f"The source '{source.name}' is removed. What was read from it stays."
    return done(view, _HERE, Notice(text, f"{_HERE}/back", {"ticket": ticket}))


def put_back(view: View) -> "Response":
    """Know a source again that was removed a moment ago."""
    source = view.studio.drawer.take(view.said("ticket"))
    if not isinstance(source, NamedSource):
        raise TooLateError("this cannot be undone any more", where="undo", fix="name the source again")
    view.studio.sources.put_back(source)
    _note(view, "undo remove", source)
    return done(view, _HERE, Notice(f"The source '{source.name}' is back."))


def _note(view: View, action: str, source: NamedSource) -> None:
    detail = {"address": source.shown}
    view.studio.store.audit.note(action, f"source {source.name}", by=view.person, detail=detail)


PAGES = (
    get(_HERE, show, Role.ADMIN),
    post(_HERE, add, Role.ADMIN),
    post(f"{_HERE}/back", put_back, Role.ADMIN),
    post(f"{_HERE}/{{name}}/remove", remove, Role.ADMIN),
)
