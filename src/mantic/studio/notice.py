"""What is said once, on the page that follows a change: what was done, how to take it back, a secret to copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mantic.studio.drawer import TooLateError
from mantic.studio.view import View

if TYPE_CHECKING:
    from starlette.responses import Response


@dataclass(frozen=True)
class Notice:
    """One thing that is said.

    Parameters
    ----------
    text : what was done.
    undo : where a form is sent that takes it back; empty where nothing can.
    fields : of that form.
    secret : shown this once, to be copied; `about` says what it is.
    to : the id of the person who reads it.
    """

    text: str
    undo: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    about: str = ""
    to: str = ""


def done(view: View, address: str, notice: Notice) -> "Response":
    """Lead to a page, which says the notice once; a reload does not say it again, nor does anybody else's browser."""
    to = view.visitor.id if view.visitor else ""
    said = Notice(notice.text, notice.undo, notice.fields, notice.secret, notice.about, to)
    return view.go(f"{address}?note={view.studio.drawer.put(said)}")


def noticed(view: View) -> Notice | None:
    """Return the notice that this page should say."""
    ticket = view.query.get("note", "")
    if not ticket:
        return None
    try:
        found = view.studio.drawer.take(ticket)
    except TooLateError:
        return None
    return found if isinstance(found, Notice) and view.visitor is not None and found.to == view.visitor.id else None
