"""New from data: a file that is dropped, text that is pasted, an address, or an example."""

import re
import shutil
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mantic.core.errors import SettingsError, SourceError
from mantic.serve.job_upload import check_room, full_disk_told
from mantic.sources.read import KINDS
from mantic.store.address import masked
from mantic.studio.draft import Draft
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.sample import SAMPLES, write_sample
from mantic.studio.view import TooLargeError, View

if TYPE_CHECKING:
    from starlette.responses import Response

_FILES = tuple(sorted(ending for ending, kind in KINDS.items() if kind != "sql"))
_PACKED = ("gz", "bz2", "xz", "zst", "zip")
_SCHEMES = ("postgresql", "mysql", "sqlite")
_MOST_NAME = 60


def show(view: View) -> "Response":
    """Show the ways to bring data."""
    return view.page("new.html", samples=SAMPLES, endings=(*_FILES, *_PACKED))


async def upload(view: View) -> "Response":
    """Take a file, either as the body itself (named in the header X-File-Name) or as a part of a form."""
    from starlette.concurrency import run_in_threadpool

    named = view.request.headers.get("X-File-Name")
    if named is not None:
        draft = await run_in_threadpool(_make, view, unquote(named))
        await _receive(view, view.studio.drafts.of(draft.id) / draft.source)
    else:
        draft = await _of_form(view)
    return await run_in_threadpool(_begin, view, draft)


def paste(view: View) -> "Response":
    """Take text that was copied from a sheet or a file."""
    text = view.fields.get("text", ("",))[0]
    if not text.strip():
        raise SourceError("nothing was pasted", where="the text", fix="copy rows with their header, and paste them")
    draft = _make(view, "pasted.tsv" if "\t" in text.split("\n", 1)[0] else "pasted.csv")
    with full_disk_told():
        (view.studio.drafts.of(draft.id) / draft.source).write_text(text, encoding="utf-8")
    return _begin(view, draft)


def address(view: View) -> "Response":
    """Read a database."""
    text = view.said("address")
    scheme = text.partition("://")[0].partition("+")[0].lower()
    if "://" not in text or scheme not in _SCHEMES:
        raise SourceError(
            "this is no address of a database",
            where=masked(text)[:200],
            fix="write postgresql://user@host/database?table=NAME, mysql://... or sqlite:///FILE?table=NAME",
        )
    name = text.partition("table=")[2].partition("&")[0] or scheme
    draft = view.studio.drafts.make(_name(name), text, view.person)
    return _begin(view, draft)


def sample(view: View) -> "Response":
    """Take an example."""
    found = next((one for one in SAMPLES if one.name == view.path["name"]), None)
    if found is None:
        raise SettingsError("there is no such example", where=view.path["name"][:100], fix="choose one of those shown")
    draft = _make(view, f"{found.name}.csv")
    write_sample(found, view.studio.drafts.of(draft.id) / draft.source)
    return _begin(view, draft)


def _make(view: View, file: str) -> Draft:
    """Make a draft of a file that will come; its name says what it is."""
    bare = PurePath(file.replace("\\", "/")).name
    endings = [part.lower() for part in bare.split(".")[1:]]
    packed = endings.pop() if endings and endings[-1] in _PACKED else ""
    ending = endings[-1] if endings and endings[-1] in _FILES else ""
    if not ending and packed != "zip":
        known = ", ".join(_FILES)
        raise SourceError("this is no table", where=bare[:200] or "the file", fix=f"bring one of: {known}")
    source = ".".join(filter(None, ("data", ending, packed)))
    return view.studio.drafts.make(_name(bare.split(".")[0]), source, view.person)


def _name(words: str) -> str:
    """Return a name that a model may have."""
    plain = re.sub(r"[^\w-]+", "-", words, flags=re.ASCII).strip("-_").lower()
    return plain[:_MOST_NAME] or "table"


async def _receive(view: View, path: Path) -> None:
    """Write the body to a file; nothing is left of what does not arrive."""
    most = view.studio.settings.studio.max_bytes
    check_room(path.parent, int(view.request.headers.get("content-length") or 0))
    n_bytes = 0
    try:
        with full_disk_told(), path.open("wb") as file:
            async for piece in view.request.stream():
                n_bytes += len(piece)
                if n_bytes > most:
                    raise _too_large(most)
                file.write(piece)
    except BaseException:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise


async def _of_form(view: View) -> Draft:
    """Take the file of a form: the way of a browser without scripts."""
    most = view.studio.settings.studio.max_bytes
    if int(view.request.headers.get("content-length") or 0) > most:
        raise _too_large(most)
    async with view.request.form(max_files=1, max_fields=10) as form:
        file: Any = form.get("file")
        if not getattr(file, "filename", ""):
            raise SourceError("no file was chosen", where="the form", fix="choose a file, then press the button")
        draft = _make(view, file.filename)
        with full_disk_told(), (view.studio.drafts.of(draft.id) / draft.source).open("wb") as kept:
            while piece := await file.read(1 << 20):
                kept.write(piece)
    return draft


def _begin(view: View, draft: Draft) -> "Response":
    """Let the draft be seen, and read it."""
    with full_disk_told():
        view.studio.drafts.write(draft)
    view.studio.readers.start(draft.id)
    return view.go(f"/drafts/{draft.id}")


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(
        f"the file holds more than {most:,} bytes",
        where="the file",
        fix="bring fewer rows, or a Parquet file, or raise the setting studio.max_bytes",
    )


PAGES = (
    get("/new", show, Role.EDITOR),
    post("/new", upload),
    post("/new/text", paste),
    post("/new/address", address),
    post("/new/sample/{name}", sample),
)
