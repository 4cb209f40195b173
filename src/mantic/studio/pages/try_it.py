"""Try it: a row by hand, its answer with reasons, what would change it, rows like it, and a file of rows."""

import math
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mantic.core.errors import SettingsError
from mantic.report.numbers import say
from mantic.serve.job import ANSWERS, DONE, Job, Wish
from mantic.serve.job_upload import declared_bytes, declared_kind
from mantic.serve.problem import UnknownModelError
from mantic.serve.question import Limits, question_of
from mantic.serve.served import Served
from mantic.studio.charts import live
from mantic.studio.form import fields_of, row_of
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.view import View

if TYPE_CHECKING:
    from starlette.responses import Response

_LIMITS = Limits()
_MOST_REASONS = 8
_N_LIKE = 5
_OWNER = "studio"  # of jobs that are made here; everybody who may open Studio may see them


def show(view: View) -> "Response":
    """Show the form, filled with a row of the middle or with a known one, and its answer."""
    if view.studio.store.models.get(f"{view.path['name']}/{view.number()}").task == "forecast":
        return view.go(f"/models/{quote(view.path['name'])}/{view.number()}/forecast")
    served, version = _served(view)
    known = view.query.get("known", "")
    model = served.model
    row = _known(model, int(known)) if known.isdecimal() and len(known) < 6 else None
    fields = fields_of(model.schema_, row, first=_by_importance(model))
    said = {f"row.{one.name}": (one.value,) for one in fields}
    return view.page(
        "try.html", version=version, fields=fields, next_known=(int(known) + 1 if row else 0), known=row is not None,
        **_answer(served, said), jobs=_jobs(view, served)
    )  # fmt: skip


def answer(view: View) -> "Response":
    """Answer the row in the form."""
    served, version = _served(view)
    found = _answer(served, view.fields)
    if view.is_part:
        return view.part("_answer.html", version=version, **found)
    fields = fields_of(served.schema, row_of(served.schema, view.fields), first=_by_importance(served.model))
    return view.page(
        "try.html", version=version, fields=fields, next_known=0, known=False, **found, jobs=_jobs(view, served)
    )


def change(view: View) -> "Response":
    """Say what the least changes are that lead to another answer."""
    served, version = _served(view)
    row = row_of(served.schema, view.fields)
    keep = tuple(name.removeprefix("keep.") for name in view.fields if name.startswith("keep."))
    model: Any = served.model
    found = model.counterfactuals([row], _wanted(served, view), keep=keep)
    return view.page("_blocks.html" if view.is_part else "blocks.html", version=version, title="What would change it",
                     markup=live([found.group()]))  # fmt: skip


def similar(view: View) -> "Response":
    """Show known rows like the one in the form."""
    served, version = _served(view)
    model: Any = served.model
    found = model.similar([row_of(served.schema, view.fields)], n=_N_LIKE)
    return view.page("_blocks.html" if view.is_part else "blocks.html", version=version, title="Known rows like it",
                     markup=live([found.group()]))  # fmt: skip


async def begin(view: View) -> "Response":
    """Take a table of rows to be answered beside the pages."""
    from starlette.concurrency import run_in_threadpool

    served, version = await run_in_threadpool(_served, view)
    jobs = view.studio.jobs
    headers = {name: value for name, value in view.request.headers.raw if name != b"content-type"}
    kind, n_bytes = declared_kind(headers), declared_bytes(headers, jobs.limits.max_bytes)
    upload = await run_in_threadpool(jobs.receive, kind, n_bytes)
    limits = jobs.limits
    try:
        async with upload:
            await upload.receive(view.request.receive, declared=n_bytes, most=limits.max_bytes, seconds=limits.seconds)
            wish = Wish("csv", is_for_spreadsheet=True)
            await run_in_threadpool(lambda: jobs.begin(upload, served, wish, owner=_OWNER))
    finally:
        jobs.forget(upload)
    return view.go(f"/models/{quote(version.name)}/{version.number}/try")


def progress(view: View) -> "Response":
    """Show how far the files are."""
    served, version = _served(view)
    return view.part("_jobs.html", version=version, jobs=_jobs(view, served))


def answers(view: View) -> "Response":
    """Give the answers of a file."""
    from starlette.responses import FileResponse

    job = view.studio.jobs.kept.read(view.path["job"])
    if job is None or job.state != DONE:
        raise UnknownModelError("there are no such answers", where=view.path["job"][:40], fix="bring the file again")
    path = view.studio.jobs.kept.of(job.id) / job.answers
    return FileResponse(path, media_type=ANSWERS[job.format], filename=f"{job.model}-answers.{job.format}")


def forget(view: View) -> "Response":
    """Remove a file and its answers."""
    job = view.studio.jobs.kept.read(view.path["job"])
    if job is not None:
        view.studio.jobs.remove(job.id)
    return view.go(view.said("back") if view.said("back").startswith("/models/") else "/")


def _served(view: View) -> tuple[Served, Any]:
    name, number = view.path["name"], view.number()
    version = view.studio.store.models.get(f"{name}/{number}")
    served = view.studio.loaded.served(name, number)
    if served.task == "forecast":
        fix = f"mantic predict {name}/{number} --out forecast.csv"
        raise SettingsError("a forecast is about series, and this page about rows", where=f"{name}/{number}", fix=fix)
    return served, version


def _answer(served: Served, said: Any) -> dict[str, Any]:
    """Return what the page says of a row: the answer, its probabilities or interval, and the reasons."""
    row = row_of(served.schema, said)
    question = question_of([row], served.schema, _LIMITS, plan=served.plan)
    found = served.predictions(question)[0]
    explained = served.model.explain([row]).to_facts()["rows"][0]
    reasons = explained["contributions"][:_MOST_REASONS]
    most = max((abs(one["contribution"] or 0.0) for one in reasons), default=0.0) or 1.0
    shown = [
        {**one, "share": round(100 * abs(one["contribution"] or 0.0) / most), "up": (one["contribution"] or 0.0) >= 0}
        for one in reasons
    ]
    chances = sorted((found.get("probability") or {}).items(), key=lambda one: -one[1])
    return {
        "prediction": found["prediction"], "chances": chances[:10], "ends": found.get("interval"),
        "decision": found.get("decision"), "reasons": shown, "toward": explained["toward"],
        "sentence": explained["sentence"], "warnings": [one["text"] for one in question.warnings if "text" in one],
        "target": served.model.target_.name, "classes": [str(one) for one in getattr(served.model, "classes_", ())],
        "unit": served.model.target_.unit or "", "shown": say,
    }  # fmt: skip


def _wanted(served: Served, view: View) -> Any:
    """Return the answer that is wished for: a class, or a number and more or less."""
    text, model = view.exact("wanted"), served.model
    if served.task == "classify":
        labels = {str(one): one for one in getattr(model, "classes_", ())}
        return labels.get(text)
    now = float(served.model.predict([row_of(served.schema, view.fields)])[0])
    step = _step(view) or 0.1 * abs(now) or 1.0
    return (now + step, None) if text == "more" else (None, now - step)


def _step(view: View) -> float:
    """Return by how much the answer should change at least; 0 where nobody says."""
    text = view.said("by")
    try:
        step = float(text.replace(",", ".")) if text else 0.0
    except ValueError:
        step = math.nan
    if text and not 0 < step < math.inf:
        raise SettingsError(
            f"'{text[:40]}' is no change of an answer", where="by at least", fix="give a number above 0"
        )
    return step


def _by_importance(model: Any) -> tuple[str, ...]:
    found = model.report_.facts.get("importance", [])
    return tuple(one["column"] for one in found if isinstance(one, dict) and "column" in one)


def _known(model: Any, place: int) -> dict[str, Any]:
    """Return one of the rows that were kept beside the model."""
    kept = model.background_
    row: dict[str, Any] = kept.row(place % max(1, kept.height), named=True)
    return row


def _jobs(view: View, served: Served) -> list[Job]:
    found = [job for job in view.studio.jobs.kept.all() if job.owner == _OWNER and job.model == served.name]
    return found[::-1][:5]


PAGES = (
    get("/models/{name}/{number}/try", show),
    post("/models/{name}/{number}/try", answer, Role.VIEWER),
    post("/models/{name}/{number}/try/change", change, Role.VIEWER),
    post("/models/{name}/{number}/try/similar", similar, Role.VIEWER),
    post("/models/{name}/{number}/try/file", begin, Role.EDITOR),
    get("/models/{name}/{number}/try/files", progress),
    get("/jobs/{job}/answers", answers),
    post("/jobs/{job}/remove", forget, Role.EDITOR),
)
