"""Settings: take a backup away, and bring one back."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mantic.core.errors import SourceError
from mantic.serve.job_upload import check_room, full_disk_told
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


async def restore(view: View) -> "Response":
    """Take a backup, and restore it into a new folder beside the store in use."""
    from starlette.concurrency import run_in_threadpool

    restores = view.studio.restores
    file = await run_in_threadpool(restores.place)
    check_room(file.parent, 3 * int(view.request.headers.get("content-length") or 0))  # the form's, ours, the store's
    try:
        async with view.request.form(max_files=1, max_fields=10) as form:
            given: Any = form.get("file")
            name = str(getattr(given, "filename", None) or "")
            if not name:
                raise SourceError("no file was chosen", where="the form", fix="choose a backup, then press the button")
            with full_disk_told(), file.open("wb") as kept:
                while piece := await given.read(1 << 20):
                    kept.write(piece)
        restores.start(file, name[:200], view.person)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return view.go(f"{_HERE}#restore")


def restored(view: View) -> "Response":
    """Show how the restore stands."""
    return view.part("_restore.html", restore=view.studio.restores.job)


def _facts(view: View) -> dict[str, Any]:
    backups = view.studio.backups
    made = backups.file.stat() if backups.is_ready() else None
    return {"job": backups.job(), "made": made, "restore": view.studio.restores.job}


PAGES = (
    get(_HERE, show, Role.ADMIN),
    get(f"{_HERE}/progress", progress, Role.ADMIN),
    get(f"{_HERE}/file", take, Role.ADMIN),
    post(_HERE, start, Role.ADMIN),
    get(f"{_HERE}/restore", restored, Role.ADMIN),
    post(f"{_HERE}/restore", restore, Role.ADMIN),
)
