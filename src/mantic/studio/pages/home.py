"""Home: the models as rows, what is being worked on, and where to begin."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mantic.store.version import Version
from mantic.studio.route import get
from mantic.studio.sample import SAMPLES
from mantic.studio.view import View

if TYPE_CHECKING:
    from starlette.responses import Response

_MOST_DRAFTS = 6
_MOST_RUNS = 6


@dataclass(frozen=True)
class Row:
    """A model by its name: the version that answers, the newest one, and how many there are."""

    champion: Version
    newest: Version
    n_versions: int


def show(view: View) -> "Response":
    """Show what there is."""
    models = _rows(view)
    drafts = view.studio.drafts.all()[:_MOST_DRAFTS]
    runs = view.studio.store.runs.list(limit=_MOST_RUNS)
    return view.page("home.html", models=models, drafts=drafts, runs=runs, samples=SAMPLES)


def _rows(view: View) -> list[Row]:
    models = view.studio.store.models
    by_name: dict[str, list[Version]] = {}
    for version in models.list():
        by_name.setdefault(version.name, []).append(version)
    aliases = models.aliases()
    rows = []
    for name, versions in by_name.items():
        number = aliases.get(name, {}).get("champion")
        champion = next((one for one in versions if one.number == number), versions[0])
        rows.append(Row(champion, versions[0], len(versions)))
    return sorted(rows, key=lambda row: row.newest.created, reverse=True)


PAGES = (get("/", show),)
