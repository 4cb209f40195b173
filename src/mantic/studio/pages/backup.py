"""Settings: take a backup away, and how one is brought back."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.view import NoPageError, View

if TYPE_CHECKING:
    from starlette.responses import Response

_HERE = "/settings/backup"


def show(view: View) -> "Response":
    """Show how the backup stands, and how to restore one."""
    return view.page("backup.html", **_facts(view), store=str(view.studio.store.address))


def progress(view: View) -> "Response":
    """Show how far the backup is."""
    return view.part("_backup.html", **_facts(view))


def start(view: View) -> "Response":
    """Begin a backup; it is made beside the pages."""
    view.studio.backups.start(view.person)
    return view.go(_HERE)


def take(view: View) -> "Response":
    """Give the file of the newest backup."""
    from starlette.responses import FileResponse

    backups = view.studio.backups
    if not backups.is_ready():
        raise NoPageError("there is no backup to take", where="backup", fix="make one; it is kept for a day")
    made = datetime.fromtimestamp(backups.file.stat().st_mtime, UTC)
    view.studio.store.audit.note("download", "backup", by=view.person)
    return FileResponse(
        backups.file, media_type="application/octet-stream", filename=f"mantic-{made:%Y-%m-%d-%H%M}.backup"
    )


def _facts(view: View) -> dict[str, Any]:
    backups = view.studio.backups
    return {"job": backups.job(), "made": backups.file.stat() if backups.is_ready() else None}


PAGES = (
    get(_HERE, show, Role.ADMIN),
    get(f"{_HERE}/progress", progress, Role.ADMIN),
    get(f"{_HERE}/file", take, Role.ADMIN),
    post(_HERE, start, Role.ADMIN),
)
