"""Training live: how a fit stands, what it tried, and what it has told; Stop keeps the best."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from mantic.core.errors import AbsentError, ManticError
from mantic.store.runs import CUT_OFF, DONE, FAILED, RUNNING, KeptEvent, KeptRun, is_run
from mantic.studio.live import live_of
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.trainer import command_of
from mantic.studio.training import ENDED, WAITING, Training
from mantic.studio.view import View
from mantic.studio.visitors import COOKIE

if TYPE_CHECKING:
    from starlette.responses import Response

_EVERY = 0.4  # seconds between two looks at the store
_BEAT = 10.0  # seconds after which who listens is looked at, and a line is sent: what lies between keeps it open
_OVER = (DONE, FAILED, ENDED, CUT_OFF)
_MOST_AT_ONCE = 500


def show(view: View) -> "Response":
    """Show how a training stands; for a script only the part that changes."""
    return view.page("_training.html" if view.is_part else "training.html", **_facts(view))


async def events(view: View) -> "Response":
    """Send what is told as it is told; a browser that was cut off says after which event it goes on."""
    from starlette.responses import StreamingResponse

    run = view.path["run"]
    if not is_run(run):
        raise _unknown(run)
    after = view.request.headers.get("Last-Event-ID") or view.query.get("after", "0")
    number = int(after) if after.isdecimal() and len(after) < 10 else 0
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_told(view, run, number), media_type="text/event-stream", headers=headers)


def stop(view: View) -> "Response":
    """End a training early, with the best that it has."""
    run = _training(view).run
    view.studio.trainer.stop(run)
    return view.go(f"/runs/{run}")


def go_on(view: View) -> "Response":
    """Start a training again that was cut off."""
    run = _training(view).run
    view.studio.trainer.go_on(run)
    return view.go(f"/runs/{run}")


def _training(view: View) -> Training:
    return view.studio.trainer.folder.read(view.path["run"])


def _facts(view: View) -> dict[str, Any]:
    """Return all that the page shows."""
    studio, run = view.studio, view.path["run"]
    if not is_run(run):
        raise _unknown(run)
    kept = studio.store.runs.get(run) if studio.store.runs.knows(run) else None
    training = _training(view) if kept is None or (studio.trainer.folder.of(run)).exists() else None
    told = studio.store.runs.events(run) if kept is not None else []
    state = _state(view, training, kept)
    fault = _fault(view, training, kept)
    return {
        "run": run, "training": training, "state": state, "fault": fault,
        "live": live_of(kept or _unborn(training), told),
        "after": told[-1].number if told else 0,
        "name": training.name if training else kept.name if kept else "",
        "target": training.target if training else kept.facts.get("target", "") if kept else "",
        "score": kept.facts.get("score") if kept and kept.state == DONE else None,
        "model": kept.facts.get("model", "") if kept else "",
        "before": studio.trainer.before(run) if state == WAITING else 0,
        "command": command_of(training.words) if training else kept.facts.get("command", "") if kept else "",
        "can_go_on": bool(training and fault and studio.trainer.can_go_on(run)),
    }  # fmt: skip


def _state(view: View, training: Training | None, kept: KeptRun | None) -> str:
    """Return waiting, working, stopping, done, failed, or how else the run stands."""
    if kept is not None and kept.state != RUNNING:
        return kept.state
    if training is None:
        return kept.standing if kept is not None else ENDED
    state = view.studio.trainer.folder.state(training.run)
    return FAILED if state == ENDED else state


def _fault(view: View, training: Training | None, kept: KeptRun | None) -> dict[str, str]:
    """Return what, where and fix of a fit that did not end well."""
    if kept is not None and kept.facts.get("what"):
        return {key: str(kept.facts.get(key, "")) for key in ("what", "where", "fix")}
    if training is not None:
        return {key: str(value) for key, value in view.studio.trainer.folder.fault(training.run).items()}
    if kept is not None and kept.is_cut_off:
        what = "the process that worked on it was killed; what it had finished is kept"
        return {"what": what, "where": "", "fix": f"{kept.facts.get('command', 'mantic fit ...')} --resume"}
    return {}


def _unborn(training: Training | None) -> KeptRun:
    """Return a run that has told nothing yet."""
    name = training.name if training else ""
    return KeptRun(training.run if training else "", name, "fit", RUNNING, "", None, {})


async def _told(view: View, run: str, number: int) -> AsyncIterator[str]:
    """Give the events after a number until the run or the sitting has ended, and a word when it starts or stops."""
    from starlette.concurrency import run_in_threadpool

    cookie, beat = view.request.cookies.get(COOKIE, ""), time.monotonic()
    state = ""
    yield "retry: 1000\n\n"
    while True:
        try:
            found, now = await run_in_threadpool(_news, view, run, number)
        except ManticError:  # the store refuses for a moment: the next look may find it well
            found, now = [], state
        for one in found:
            number = one.number
            yield f"id: {one.number}\nevent: {one.kind}\ndata: {json.dumps(one.facts)}\n\n"
        if now != state:
            state = now
            yield f"event: state\ndata: {json.dumps(state)}\n\n"
        is_over = not found and state in _OVER
        if not is_over and time.monotonic() - beat >= _BEAT:
            beat = time.monotonic()
            is_over = not await run_in_threadpool(view.studio.visitors.is_in, cookie)
            yield ": still here\n\n"
        if is_over:
            yield "event: ended\ndata: {}\n\n"
            return
        await asyncio.sleep(0.0 if len(found) == _MOST_AT_ONCE else _EVERY)


def _news(view: View, run: str, number: int) -> tuple[list[KeptEvent], str]:
    runs = view.studio.store.runs
    kept = runs.get(run) if runs.knows(run) else None
    training = _training(view) if view.studio.trainer.folder.of(run).exists() else None
    state = _state(view, training, kept)  # before the events: what is told before the end is sent before it
    return (runs.events(run, after=number, limit=_MOST_AT_ONCE) if kept is not None else []), state


def _unknown(run: str) -> AbsentError:
    return AbsentError(f"there is no run '{run[:40]}'", where="Studio", fix="go back to the models")


PAGES = (
    get("/runs/{run}", show),
    get("/runs/{run}/events", events),
    post("/runs/{run}/stop", stop, Role.EDITOR),
    post("/runs/{run}/go-on", go_on, Role.EDITOR),
)
