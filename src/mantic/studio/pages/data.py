"""Data: what was brought, what its columns mean, and what is wrong with it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mantic.core.errors import SettingsError
from mantic.core.schema import Kind
from mantic.report.blocks import Alert, Group, Report
from mantic.studio.draft import FAILED, READING, Draft
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.spark import sparks
from mantic.studio.table import piece, profile_of, progress
from mantic.studio.view import View

if TYPE_CHECKING:
    from starlette.responses import Response

_MOST_ROWS, _MOST_COLUMNS = 200, 40  # that one request gives
_MOST_LISTED = 100  # columns whose kinds are shown at once; a search finds the others


def show(view: View) -> "Response":
    """Show the data, or how far their reading is."""
    draft = _draft(view)
    if draft.state == READING:
        facts = progress(view.studio.drafts.of(draft.id))
        return view.page("_reading.html" if view.is_part else "reading.html", draft=draft, **facts)
    if draft.state == FAILED:
        return view.page("unread.html", draft=draft)
    if view.is_part and view.query.get("waits"):  # the page that waited is replaced as a whole
        return view.go(f"/drafts/{draft.id}")
    report = profile_of(view.studio.drafts.of(draft.id))
    names = [one["name"] for one in report.facts["columns"]]
    return view.page(
        "data.html", draft=draft, facts=report.facts, columns=_columns(report, draft, view.query.get("find", "")),
        kinds=[kind.value for kind in Kind], problems=_problems(report), sparks=sparks(report.blocks),
        names=names,
        find=view.query.get("find", ""), most=_MOST_LISTED,
    )  # fmt: skip


def rows(view: View) -> "Response":
    """Return some cells for the grid."""
    from starlette.responses import JSONResponse

    draft = view.studio.drafts.ready(view.path["draft"])
    first, left = _count(view, "row", 10**12), _count(view, "column", 10**6)
    found = piece(
        view.studio.drafts.of(draft.id), first, min(_count(view, "rows", 10**6), _MOST_ROWS),
        columns=(left, left + min(_count(view, "columns", 10**6), _MOST_COLUMNS)),
    )  # fmt: skip
    return JSONResponse({"row": found.first, "column": left, "n_rows": found.n_rows, "cells": found.rows})


def set_kind(view: View) -> "Response":
    """Let a column mean what a person says, or again what was found."""
    draft = view.studio.drafts.ready(view.path["draft"])
    column, kind = view.exact("column"), view.said("kind")
    known = {one["name"]: one["kind"] for one in profile_of(view.studio.drafts.of(draft.id)).facts["columns"]}
    if column not in known or kind not in [one.value for one in Kind]:
        raise SettingsError("there is no such column or kind", where=column[:100], fix="reload the page")
    kinds = {name: word for name, word in draft.kinds.items() if name != column}
    if kind != known[column]:
        kinds[column] = kind
    view.studio.drafts.write(replace(draft, kinds=kinds))
    return view.part("_kind.html", column=column, kind=kind, found=known[column], draft=draft,
                     kinds=[one.value for one in Kind]) if view.is_part else view.go(f"/drafts/{draft.id}")  # fmt: skip


def again(view: View) -> "Response":
    """Read the data once more."""
    draft = view.studio.drafts.change(_draft(view).id, state=READING, fault={})
    view.studio.readers.start(draft.id)
    return view.go(f"/drafts/{draft.id}")


def remove(view: View) -> "Response":
    """Put the draft aside; a button brings it back."""
    draft = _draft(view)
    view.studio.readers.stop(draft.id)
    view.studio.drafts.remove(draft.id)
    return view.page("removed.html", draft=draft)


def restore(view: View) -> "Response":
    """Bring a draft back that was put aside."""
    draft = view.studio.drafts.restore(view.path["draft"])
    if draft.state == READING:  # the reading ended when it was removed
        view.studio.readers.start(draft.id)
    return view.go(f"/drafts/{draft.id}")


def _draft(view: View) -> Draft:
    return view.studio.drafts.read(view.path["draft"])


def _count(view: View, name: str, most: int) -> int:
    text = view.query.get(name, "0")
    return min(int(text), most) if text.isdecimal() and len(text) < 15 else 0


def _columns(report: Report, draft: Draft, find: str) -> list[dict[str, Any]]:
    """Return the columns that a search finds, with the kind that counts."""
    found = [one for one in report.facts["columns"] if find.casefold() in one["name"].casefold()]
    return [{**one, "chosen": draft.kinds.get(one["name"], one["kind"])} for one in found[:_MOST_LISTED]]


def _problems(report: Report) -> list[Alert]:
    return [block for group in _groups(report, "Problems") for block in group.blocks if isinstance(block, Alert)]


def _groups(report: Report, title: str) -> list[Group]:
    return [block for block in report.blocks if isinstance(block, Group) and block.title == title]


PAGES = (
    get("/drafts/{draft}", show),
    get("/drafts/{draft}/rows", rows),
    post("/drafts/{draft}/kind", set_kind),
    post("/drafts/{draft}/again", again),
    post("/drafts/{draft}/remove", remove),
    post("/drafts/{draft}/restore", restore, Role.EDITOR),
)
