"""The handlers of jobs: a table comes in, its answers are fetched when they are there."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mantic.core.errors import ManticError
from mantic.serve.job import ANSWERS, DONE, FAILED, Job, Wish
from mantic.serve.job_upload import declared_bytes, declared_kind
from mantic.serve.keyring import Grant
from mantic.serve.predict import KEY
from mantic.serve.problem import RequestError, UnavailableError, UnknownModelError
from mantic.serve.reply import reply
from mantic.serve.route import GRANTED
from mantic.serve.served import to_bytes
from mantic.serve.shelf import Shelf

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from mantic.serve.job_runner import Jobs

_WISHES: Mapping[str, tuple[str, ...]] = {"format": tuple(ANSWERS), "for": ("spreadsheet",)}
_BEGIN = "let the server begin first; an application that mounts this one has to be given its lifespan"


class EarlyError(ManticError):
    """What is asked for is not there yet, or never will be."""

    status = 409


@dataclass(frozen=True)
class JobDesk:
    """The handlers; every one of them refuses where the server has no jobs."""

    shelf: Shelf
    jobs: "Jobs | None"

    async def make(self, request: "Request") -> "Response":
        """Answer POST /v1/models/{name}/jobs: the table is on the disk when this returns."""
        jobs = self._jobs()
        if not jobs.has_begun:
            raise UnavailableError("jobs have not begun", where="/v1/jobs", fix=_BEGIN)
        headers = dict(reversed(request.scope["headers"]))
        served, _ = self.shelf.choose(request.path_params["name"], headers.get(KEY), where=request.url.path)
        wish = read_wish(request.query_params.multi_items())
        kind, n_bytes = declared_kind(headers), declared_bytes(headers, jobs.limits.max_bytes)
        limits, grant = jobs.limits, _grant(request)
        owner = "" if grant is None else grant.id
        upload = await asyncio.to_thread(jobs.receive, kind, n_bytes)
        try:
            async with upload:
                await upload.receive(request.receive, declared=n_bytes, most=limits.max_bytes, seconds=limits.seconds)
                job = await asyncio.to_thread(partial(jobs.begin, upload, served, wish, owner=owner))
        finally:
            jobs.forget(upload)
        root = request.scope.get("root_path", "")
        return reply(to_bytes(job.about(root=root)), status=202, headers={"location": f"{root}/v1/jobs/{job.id}"})

    async def list(self, request: "Request") -> "Response":
        """Answer GET /v1/jobs: those that the key may see."""
        found = await asyncio.to_thread(self._jobs().kept.all)
        grant, root = _grant(request), request.scope.get("root_path", "")
        return reply(to_bytes({"jobs": [job.about(root=root) for job in found if may_see(grant, job)]}))

    async def about(self, request: "Request") -> "Response":
        """Answer GET /v1/jobs/{name}."""
        job = await self._job(request)
        return reply(to_bytes(job.about(root=request.scope.get("root_path", ""))))

    async def answers(self, request: "Request") -> "Response":
        """Answer GET /v1/jobs/{name}/answers with the file."""
        from starlette.responses import FileResponse

        job = await self._job(request)
        path = self._jobs().kept.of(job.id) / job.answers
        if job.state != DONE or not await asyncio.to_thread(path.exists):
            raise _early(job)
        return FileResponse(path, media_type=ANSWERS[job.format], filename=f"{job.id}.{job.format}")

    async def remove(self, request: "Request") -> "Response":
        """Answer DELETE /v1/jobs/{name}."""
        job = await self._job(request)
        await asyncio.to_thread(self._jobs().remove, job.id)
        return reply(b"", status=204)

    def _jobs(self) -> "Jobs":
        if self.jobs is None:
            raise UnknownModelError(
                "this server has no store, so it has no jobs",
                where="/v1/jobs",
                fix="serve a model from the store (mantic serve NAME), or a file with --log",
            )
        return self.jobs

    async def _job(self, request: "Request") -> Job:
        """Return the job that is asked for; one that the key may not see is not there for it."""
        name = request.path_params["name"]
        job = await asyncio.to_thread(self._jobs().kept.read, name)
        if job is None or not may_see(_grant(request), job):
            raise UnknownModelError(
                f"there is no job '{name[:40]}'",
                where="/v1/jobs",
                fix="GET /v1/jobs names those that this key has made and that are kept",
            )
        return job


def may_see(grant: Grant | None, job: Job) -> bool:
    """Whether who asks may see a job: its maker, an administrator, and everybody where nobody is asked for a key.

    >>> job = Job("0" * 32, "k1", "churn", "1", "table.csv", "csv", False, 0.0)
    >>> [may_see(Grant(key, "shop", frozenset({"predict"})), job) for key in ("k1", "k2")]
    [True, False]
    """
    return grant is None or grant.allows("admin") or grant.id == job.owner


def read_wish(query: Iterable[tuple[str, str]]) -> Wish:
    """Return how the answers are wanted, from what stands behind the question mark.

    Raises
    ------
    RequestError : if it is not known, or does not go together.

    >>> read_wish([("for", "spreadsheet")])
    Wish(format='csv', is_for_spreadsheet=True)
    """
    wish = {"format": "csv"}
    for name, value in query:
        if name not in _WISHES:
            raise RequestError(
                f"there is no option '{name[:40]}'", where="the address", fix=f"known are: {', '.join(_WISHES)}"
            )
        if value not in _WISHES[name]:
            fix = f"known are: {', '.join(_WISHES[name])}"
            raise RequestError(f"'{name}' cannot be '{value[:40]}'", where="the address", fix=fix)
        wish[name] = value
    if "for" in wish and wish["format"] != "csv":
        fix = "leave one of them out"
        raise RequestError("only CSV is made for a spreadsheet", where="the address", fix=fix)
    return Wish(wish["format"], "for" in wish)


def _grant(request: "Request") -> Grant | None:
    found: Grant | None = request.scope[GRANTED]
    return found


def _early(job: Job) -> EarlyError:
    if job.state == FAILED:
        about = job.problem or {}
        return EarlyError(f"the job has failed: {about.get('what')}", where=about["where"], fix=about["fix"])
    return EarlyError(
        f"the job is {job.state}: {job.n_rows:,} rows are answered ({job.share:.0%} of the table)",
        where=f"/v1/jobs/{job.id}",
        fix=f"ask again when GET /v1/jobs/{job.id} says that it is done",
    )
