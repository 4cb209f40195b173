"""Report: what a fit has said of its model; and versions side by side."""

from dataclasses import replace
from typing import TYPE_CHECKING

from mantic.evaluate.side_by_side import overlaid, side_by_side
from mantic.report.blocks import Group
from mantic.report.html import page
from mantic.studio.charts import live_article
from mantic.studio.route import get
from mantic.studio.view import NoPageError, View

if TYPE_CHECKING:
    from starlette.responses import Response

    from mantic.report.blocks import Report
    from mantic.store.version import Version


def newest(view: View) -> "Response":
    """Lead to the report of the newest version."""
    versions = view.studio.store.models.list(view.path["name"])
    if not versions:
        raise NoPageError("there is no such model", where=view.path["name"][:100], fix="go back to the models")
    return view.go(f"{view.request.url.path}/{versions[0].number}/report")


def show(view: View) -> "Response":
    """Show the report of a version."""
    version, report = _report(view)
    others = [one for one in view.studio.store.models.list(version.name) if one.number != version.number]
    contents, body = live_article(replace(report, title=""))
    return view.page("report.html", version=version, contents=contents, body=body, others=others)


def download(view: View) -> "Response":
    """Give the report as one page that needs nothing else."""
    version, report = _report(view)
    return _file(page(report), "text/html", f"{version.name}-{version.number}.html")


def download_data(view: View) -> "Response":
    """Give the data of the report."""
    version, report = _report(view)
    return _file(report.to_json(), "application/json", f"{version.name}-{version.number}.json")


def compare(view: View) -> "Response":
    """Show two versions side by side."""
    models, name = view.studio.store.models, view.path["name"]
    numbers = [view.query.get(which, "") for which in ("a", "b")]
    if not all(text.isdecimal() and len(text) < 9 for text in numbers):
        raise NoPageError("two versions are compared", where="a and b", fix="choose them on the report's page")
    versions = [models.get(f"{name}/{number}") for number in numbers]
    reports = [view.studio.loaded.get(name, one.number).report_ for one in versions]
    told = side_by_side(versions, [one.facts for one in reports])
    charts = Group("How they answer", tuple(overlaid(versions, reports)), columns=2)
    blocks = (*told.blocks, charts) if charts.blocks else told.blocks
    _, body = live_article(replace(told, title="", blocks=blocks))
    return view.page("compare.html", version=versions[0], versions=models.list(name), chosen=numbers, body=body)


def _report(view: View) -> "tuple[Version, Report]":
    name, number = view.path["name"], view.number()
    return view.studio.store.models.get(f"{name}/{number}"), view.studio.loaded.get(name, number).report_


def _file(text: str, media: str, name: str) -> "Response":
    from starlette.responses import Response

    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text.encode("utf-8", "replace"), media_type=media, headers=headers)


PAGES = (
    get("/models/{name}", newest),
    get("/models/{name}/{number}/report", show),
    get("/models/{name}/{number}/report.html", download),
    get("/models/{name}/{number}/report.json", download_data),
    get("/models/{name}/compare", compare),
)
