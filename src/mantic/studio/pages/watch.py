"""Watch: what became of a model since it answers, its alerts, and outcomes that somebody brings."""

import tempfile
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mantic.core.errors import SettingsError, SourceError, StoreError
from mantic.core.run import Run
from mantic.report.blocks import Group
from mantic.serve.job_upload import full_disk_told
from mantic.studio.charts import live
from mantic.studio.question_forecast import FORECAST
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.view import NoPageError, TooLargeError, View
from mantic.watch.alert import CODES
from mantic.watch.health import health_of
from mantic.watch.page import about, quality_blocks
from mantic.watch.period import last
from mantic.watch.traffic import traffic_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from mantic.store.alerts import KeptAlert
    from mantic.store.version import Version
    from mantic.watch.look import Watched

PERIODS = {"24h": "24 hours", "7d": "7 days", "4w": "4 weeks", "13w": "13 weeks"}
_USUAL = "7d"
_MOST_DRAWN = 3  # columns whose pictures are shown at once; the others on demand
_MOST_ALERTS = 30
_ENDINGS = (".csv", ".tsv", ".parquet", ".xlsx", ".json", ".ndjson", ".jsonl", ".arrow")


def show(view: View) -> "Response":
    """Show what was seen a moment ago, or the page that waits for a look."""
    version, since = _version(view), _since(view)
    if version.task == FORECAST:
        traffic = traffic_of(view.studio.store, version.name, last(since))
        return view.page(
            "watch_forecast.html", version=version, since=since, periods=PERIODS, traffic=live([traffic.block()])
        )
    is_now = bool(view.query.get("look"))
    looks = view.studio.looks
    seen = looks.look if is_now else looks.fresh
    watched = seen(version.name, version.number, since)
    facts = {} if watched is None else _facts(view, watched)
    kept = view.query.get("kept", "")
    return view.page(
        "watch.html", version=version, since=since, periods=PERIODS, watched=watched,
        kept=kept if kept.isdecimal() and len(kept) < 12 else "", **facts,
    )  # fmt: skip


def look(view: View) -> "Response":
    """Look, and give what was seen to the page that waits."""
    version, since = _version(view), _since(view)
    watched = view.studio.looks.look(version.name, version.number, since)
    return view.part("_look.html", version=version, since=since, watched=watched, **_facts(view, watched))


def column(view: View) -> "Response":
    """Show a column in training and lately, side by side."""
    version, since, name = _version(view), _since(view), view.query.get("column", "")
    watched = view.studio.looks.look(version.name, version.number, since)
    one = next((one for one in watched.drift if one.column == name), None)
    if one is None:
        raise NoPageError("there is no such column", where=name[:100], fix="go back to the model")
    pictures = live([Group(one.column, one.charts, note=about(one), columns=2)])
    if view.is_part:
        return view.part("_blocks.html", markup=pictures)
    return view.page("watch_column.html", version=version, since=since, column=name, markup=pictures)


def answer(view: View) -> "Response":
    """Keep whether an alert was useful, or take that back."""
    alert = _alert(view)
    view.studio.store.alerts.answer(alert.id, view.said("useful"), by=view.person)
    return _changed(view, alert.id)


def close(view: View) -> "Response":
    """Put an alert aside."""
    alert = _alert(view)
    view.studio.store.alerts.close(alert.id, by=view.person)
    return _changed(view, alert.id)


def reopen(view: View) -> "Response":
    """Take back that an alert was put aside."""
    alert = _alert(view)
    view.studio.store.alerts.reopen(alert.id, by=view.person)
    return _changed(view, alert.id)


async def bring(view: View) -> "Response":
    """Take a table of outcomes."""
    from starlette.concurrency import run_in_threadpool

    version = await run_in_threadpool(_version, view)
    most = view.studio.settings.studio.max_bytes
    if int(view.request.headers.get("content-length") or 0) > most:
        raise TooLargeError(f"the file holds more than {most:,} bytes", where="the file", fix="bring fewer rows")
    async with view.request.form(max_files=1, max_fields=10) as form:
        file: Any = form.get("file")
        if not getattr(file, "filename", ""):
            raise SourceError("no file was chosen", where="the form", fix="choose a file, then press the button")
        ending = PurePath(file.filename).suffix.lower()
        if ending not in _ENDINGS:
            raise SourceError("this is no table", where=file.filename[:200], fix=f"bring one of: {', '.join(_ENDINGS)}")
        columns = [str(form.get(name) or usual) for name, usual in (("id", "id"), ("value", ""))]
        with tempfile.TemporaryDirectory(prefix="mantic-outcomes-") as folder:
            path = Path(folder) / f"outcomes{ending}"
            with full_disk_told(), path.open("wb") as kept:
                while piece := await file.read(1 << 20):
                    kept.write(piece)
            n_kept = await run_in_threadpool(_keep, view, path, columns)
    view.studio.looks.forget(version.name)
    return view.go(f"/models/{quote(version.name)}/watch?kept={n_kept}")


def _keep(view: View, path: Path, columns: list[str]) -> int:
    from mantic.studio.outcome_reading import read_outcomes
    from mantic.watch.outcomes import keep_outcomes

    if not columns[1]:
        raise SettingsError("the column with the outcome is not named", where="the form", fix="write its name")
    store, (id_column, value_column) = view.studio.store, columns
    return sum(
        keep_outcomes(store, str(piece), Run(), id_column=id_column, value_column=value_column, by=view.person)
        for piece in read_outcomes(path, columns, view.studio.readers.limits)
    )


def _version(view: View) -> "Version":
    """Return the version that answers: the champion, or where there is none the newest."""
    models, name = view.studio.store.models, view.path["name"]
    versions = models.list(name)
    if not versions:
        raise NoPageError("there is no such model", where=name[:100], fix="go back to the models")
    number = models.aliases(name).get(name, {}).get("champion")
    return next((one for one in versions if one.number == number), versions[0])


def _since(view: View) -> str:
    since = view.query.get("since", _USUAL)
    if since not in PERIODS:
        raise SettingsError("this is no stretch of time", where=since[:20], fix=f"one of: {', '.join(PERIODS)}")
    return since


def _facts(view: View, watched: "Watched") -> dict[str, Any]:
    alerts = _alerts(view, watched.name)
    drawn = [one for one in watched.drift if one.state != "few"][:_MOST_DRAWN]
    most = max((one.effect for one in watched.drift if one.effect == one.effect), default=0.0) or 1.0
    return {
        "health": health_of(watched, [one for one in alerts if one.closed is None]),
        "alerts": alerts,
        "traffic": live([watched.traffic.block()]),
        "quality": live(quality_blocks(watched)),
        "pictures": live([Group(one.column, one.charts, note=about(one), columns=2) for one in drawn]),
        "most": most,
    }


def _alerts(view: View, name: str) -> "list[KeptAlert]":
    found = [one for one in view.studio.store.alerts.find(name) if one.code in CODES]
    return sorted(found, key=lambda one: one.closed is not None)[:_MOST_ALERTS]


def _alert(view: View) -> "KeptAlert":
    """Return the alert of an address; it must be about the model there."""
    alert = view.studio.store.alerts.get(view.number("alert"))
    if alert.name != view.path["name"]:
        raise StoreError("there is no such alert", where=view.path["name"][:100], fix="reload the page")
    return alert


def _changed(view: View, identity: int) -> "Response":
    if not view.is_part:
        return view.go(f"/models/{quote(view.path['name'])}/watch?look=1#alerts")
    return view.part("_alert.html", alert=view.studio.store.alerts.get(identity), name=view.path["name"])


PAGES = (
    get("/models/{name}/watch", show),
    get("/models/{name}/watch/look", look),
    get("/models/{name}/watch/column", column),
    post("/models/{name}/watch/alerts/{alert}/answer", answer, Role.OPERATOR),
    post("/models/{name}/watch/alerts/{alert}/close", close, Role.OPERATOR),
    post("/models/{name}/watch/alerts/{alert}/reopen", reopen, Role.OPERATOR),
    post("/models/{name}/watch/outcomes", bring, Role.EDITOR),
)
