"""Home: the models as rows, what is being worked on, and where to begin."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mantic.store.deployments import Deployment
from mantic.store.version import Version
from mantic.studio.route import get
from mantic.studio.sample import SAMPLES
from mantic.studio.view import View
from mantic.watch.health import Health, health

if TYPE_CHECKING:
    from starlette.responses import Response

_MOST_DRAFTS = 6
_MOST_RUNS = 6


@dataclass(frozen=True)
class Row:
    """A model by its name: the version that answers, the newest one, how many there are, and how it does.

    Parameters
    ----------
    deployment : how programs ask it; None where they may not.
    """

    champion: Version
    newest: Version
    n_versions: int
    health: Health
    deployment: Deployment | None


def show(view: View) -> "Response":
    """Show what there is."""
    models = _rows(view)
    if models:  # the one that is most likely to be opened
        view.studio.loaded.begin(models[0].champion.name, models[0].champion.number)
    drafts = view.studio.drafts.all()[:_MOST_DRAFTS]
    runs = view.studio.store.runs.list(limit=_MOST_RUNS)
    return view.page("home.html", models=models, drafts=drafts, runs=runs, samples=SAMPLES)


def _rows(view: View) -> list[Row]:
    models = view.studio.store.models
    by_name: dict[str, list[Version]] = {}
    for version in models.list():
        by_name.setdefault(version.name, []).append(version)
    aliases = models.aliases()
    deployed = {one.name: one for one in view.studio.store.deployments.list()}
    rows = []
    for name, versions in by_name.items():
        number = aliases.get(name, {}).get("champion")
        champion = next((one for one in versions if one.number == number), versions[0])
        how = health(view.studio.store, name)
        rows.append(Row(champion, versions[0], len(versions), how, deployed.get(name)))
    return sorted(rows, key=lambda row: row.newest.created, reverse=True)


PAGES = (get("/", show),)
