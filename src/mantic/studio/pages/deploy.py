"""Deploy: one button; then address, key, calls, latency, versions, a canary, and every step taken back."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mantic.core.errors import SettingsError
from mantic.evaluate.difference import Difference, difference
from mantic.serve.call import calls
from mantic.serve.client import client as client_of
from mantic.serve.example import example_row
from mantic.serve.latency import measure
from mantic.serve.route import PREDICT
from mantic.serve.served import Served, json_ready
from mantic.store.deployments import Change, Deployment
from mantic.studio.drawer import TooLateError
from mantic.studio.notice import Notice, done, noticed
from mantic.studio.pages.keys import made
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.view import NoPageError, View
from mantic.watch.canary import FEW_ROWS, Beside, beside

if TYPE_CHECKING:
    from starlette.responses import Response

    from mantic.store.version import Version

_KEY_DAYS = 90.0
_STANDS_FOR_KEY = "YOUR_KEY"


@dataclass(frozen=True)
class Row:
    """A version in the table: which part it plays, and how its score differs from the champion's."""

    version: "Version"
    part: str
    apart: Difference | None


def show(view: View) -> "Response":
    """Show how the model stands."""
    notice = noticed(view)
    facts = _facts(view, notice)
    view.studio.loaded.begin(facts["version"].name, facts["version"].number)
    latency = _latency(view) if view.query.get("measure") else None
    facts["beside"] = _beside(view, facts["stands"])  # not of those that `standing` shows while it waits
    return view.page("deploy.html", notice=notice, latency=latency, is_bare=False, **facts)


def standing(view: View) -> "Response":
    """Show what answers, to a page that waits for it."""
    is_bare = bool(view.query.get("bare"))
    return view.part("_standing.html", latency=None, is_bare=is_bare, **_facts(view, None))


def latency(view: View) -> "Response":
    """Measure how long the model takes, for a page that is there already."""
    return view.part("_latency.html", latency=_latency(view), name=view.path["name"])


def client(view: View) -> "Response":
    """Give a client in Python, made from the columns of the model."""
    from starlette.responses import Response

    headers = {"content-disposition": f'attachment; filename="{view.path["name"]}_client.py"'}
    return Response(client_of([_live(view)]), media_type="text/x-python", headers=headers)


def deploy(view: View) -> "Response":
    """Let programs ask the model."""
    number, name = view.said("number"), view.path["name"]
    words = f"{name}/{number}" if number else name
    change = view.studio.store.deployments.put(words, by=view.person)
    return _done(view, change, f"{name}/{change.after.champion} is deployed.")


def withdraw(view: View) -> "Response":
    """Let programs ask it no more."""
    change = view.studio.store.deployments.remove(view.path["name"], by=view.person)
    return _done(view, change, f"{change.after.name} is withdrawn: programs that ask it are told that it is not there.")


def promote(view: View) -> "Response":
    """Let another version answer."""
    change = view.studio.store.deployments.promote(f"{view.path['name']}/{view.said('number')}", by=view.person)
    return _done(view, change, f"{change.after.name}/{change.after.champion} answers.")


def rollback(view: View) -> "Response":
    """Let the version before answer again."""
    change = view.studio.store.deployments.rollback(view.path["name"], by=view.person)
    return _done(view, change, f"Back to {change.after.name}/{change.after.champion}.")


def canary(view: View) -> "Response":
    """Let a version answer a share of the callers."""
    try:
        share = float(view.said("percent").replace(",", ".")) / 100
    except ValueError:
        share = math.nan
    if not 0 < share <= 1:
        what = f"'{view.said('percent')[:40]}' is no share of the callers"
        raise SettingsError(what, where="per cent of the callers", fix="give a number above 0 and up to 100")
    words = f"{view.path['name']}/{view.said('number')}"
    change = view.studio.store.deployments.canary(words, share, by=view.person)
    return _done(view, change, f"{words} answers {100 * share:g} % of the callers.")


def end_canary(view: View) -> "Response":
    """Let the champion answer all callers again."""
    change = view.studio.store.deployments.end_canary(view.path["name"], by=view.person)
    return _done(view, change, f"{change.after.name}/{change.after.champion} answers all callers again.")


def undo(view: View) -> "Response":
    """Take a change back."""
    change = view.studio.drawer.take(view.said("ticket"))
    if not isinstance(change, Change) or change.before.name != view.path["name"]:
        raise TooLateError("this cannot be undone any more", where="undo", fix="look how the model stands, and decide")
    return _done(view, view.studio.store.deployments.undo(change, by=view.person), "Taken back.")


def key(view: View) -> "Response":
    """Make a key by which a program may ask, and show it this once."""
    return done(view, _here(view), made(view, view.said("name"), scopes=("predict",), limits={"days": _KEY_DAYS}))


def _facts(view: View, notice: Notice | None) -> dict[str, Any]:
    store, name = view.studio.store, view.path["name"]
    versions = store.models.list(name)
    if not versions:
        raise NoPageError("there is no such model", where=name[:100], fix="go back to the models")
    stands = store.deployments.get(name)
    champion = next((one for one in versions if one.number == stands.champion), None)
    is_there = stands.is_deployed and view.studio.deployed.is_there(stands)
    address = f"{view.base}{PREDICT.format(name=quote(name))}"
    return {
        "version": champion or versions[0],
        "stands": stands,
        "rows": [Row(one, _part(one, stands), _apart(one, champion)) for one in versions],
        "back": store.deployments.way_back(name),
        "is_there": is_there,
        "fault": view.studio.deployed.fault(name) if stands.is_deployed and not is_there else None,
        "address": address,
        "calls": _calls(view, address, notice) if stands.is_deployed else {},
        "few_rows": FEW_ROWS,
        "traffic": _traffic(view),
        "here": _here(view),
        "command": f"mantic serve --deployed --keys {view.studio.keys.path}",
        "n_keys": sum(1 for one in view.studio.keys.grants() if one.allows("predict")),
    }


def _part(version: "Version", stands: Deployment) -> str:
    if version.number == stands.champion:
        return "answers" if stands.is_deployed else "champion"
    if version.number == stands.canary:
        return f"canary, {100 * stands.share:g} %"
    return "challenger" if version.number == stands.challenger else ""


def _apart(version: "Version", champion: "Version | None") -> Difference | None:
    return None if champion is None or champion.number == version.number else difference(version, champion)


def _calls(view: View, address: str, notice: Notice | None) -> dict[str, str]:
    """Return the calls with a row of the middle; with the key, where it has just been made."""
    place = view.studio.deployed.shelf.find(view.path["name"])
    if place is None:
        return {}
    row = json_ready(example_row(place.live.schema))
    return calls(address, row, key=(notice.secret if notice else "") or _STANDS_FOR_KEY)


def _beside(view: View, stands: Deployment) -> Beside | None:
    """Return champion and canary side by side since the canary has answered its share."""
    store = view.studio.store
    since = store.deployments.canary_since(stands.name)
    if stands.canary is None or stands.champion is None or since is None:
        return None
    return beside(store, stands.name, champion=stands.champion, canary=stands.canary, since=since)


def _traffic(view: View) -> dict[str, Any]:
    """Return how many requests this process has answered, and within which time."""
    metrics = view.studio.deployed.gate.metrics
    return {
        "n": metrics.n_answered(PREDICT),
        "half": metrics.within(PREDICT, 0.5),
        "most": metrics.within(PREDICT, 0.99),
    }


def _latency(view: View) -> Any:
    place = view.studio.deployed.shelf.find(view.path["name"])
    return None if place is None else measure(place.live)


def _live(view: View) -> Served:
    return view.studio.deployed.shelf.place(view.path["name"]).live


def _here(view: View) -> str:
    return f"/models/{quote(view.path['name'])}/deploy"


def _done(view: View, change: Change, text: str) -> "Response":
    """Say what was done, with the way to take it back; what answers follows at once."""
    view.studio.deployed.wake()
    if change.before == change.after:
        return view.go(_here(view))
    return done(view, _here(view), Notice(text, f"{_here(view)}/undo", {"ticket": view.studio.drawer.put(change)}))


def _change(verb: str, handler: "Callable[[View], Response]") -> Any:
    return post(f"/models/{{name}}/deploy{verb}", handler, Role.OPERATOR)


PAGES = (
    get("/models/{name}/deploy", show),
    get("/models/{name}/deploy/standing", standing),
    get("/models/{name}/deploy/latency", latency),
    get("/models/{name}/deploy/client.py", client),
    _change("", deploy),
    _change("/withdraw", withdraw),
    _change("/promote", promote),
    _change("/rollback", rollback),
    _change("/canary", canary),
    _change("/canary/end", end_canary),
    _change("/undo", undo),
    _change("/key", key),
)
