"""Settings: who did what, and when."""

import json
from typing import TYPE_CHECKING, Any

from mantic.studio.role import Role
from mantic.studio.route import get
from mantic.studio.view import View

if TYPE_CHECKING:
    from starlette.responses import Response

_AT_ONCE = 50
_MOST_WORDS = 200  # characters


def show(view: View) -> "Response":
    """Show deeds, newest first, that hold the words which are looked for."""
    words = "".join(mark for mark in view.query.get("q", "")[:_MOST_WORDS] if mark.isprintable()).strip()
    said = view.query.get("before", "")
    before = int(said) if said.isdecimal() and len(said) < 18 else None
    deeds = view.studio.store.audit.find(words, limit=_AT_ONCE + 1, before=before)
    older = deeds[_AT_ONCE - 1].id if len(deeds) > _AT_ONCE else None
    return view.page("audit.html", deeds=deeds[:_AT_ONCE], words=words, older=older, is_later=before, told=_told)


def _told(detail: dict[str, Any]) -> str:
    """Return the details of a deed in one line."""
    return ", ".join(
        f"{name.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in detail.items()
    )


PAGES = (get("/settings/audit", show, Role.ADMIN),)
