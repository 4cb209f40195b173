"""Question: which column, by what it is judged, how long it may take, and what is left out."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mantic.core.errors import SettingsError
from mantic.studio.draft import READY, Draft, Question
from mantic.studio.outlook import outlook_of
from mantic.studio.question import BUDGETS, Asked, asked_of, changed, data_of, words_of
from mantic.studio.question_forecast import FORECAST, HORIZON, MOST_AHEAD, can_be_listed, n_steps, suited
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.table import profile_of
from mantic.studio.trainer import command_of
from mantic.studio.training import new_training
from mantic.studio.view import View

if TYPE_CHECKING:
    from starlette.responses import Response

_MOST_AMOUNT = 1e12
_OF_THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+")  # never begin with 0: "0,125" is an eighth
_MOST_LISTED = 300  # columns that are shown to be left out; a search finds the others


def show(view: View) -> "Response":
    """Show the question as far as it goes."""
    draft = view.studio.drafts.read(view.path["draft"])
    if draft.state != READY:
        return view.go(f"/drafts/{draft.id}")
    return view.page("question.html", **_facts(view, draft))


def change(view: View) -> "Response":
    """Take what the form says; for a script only what changes by it."""
    draft = _draft(view)
    draft = replace(draft, question=_question(view, draft))
    view.studio.drafts.write(draft)
    if not view.is_part:
        return view.go(f"/drafts/{draft.id}/question")
    answer = view.part("_asked.html", **_facts(view, draft))
    answer.headers["HX-Trigger-After-Settle"] = "asked"  # the look at the rows is for another question now
    return answer


def outlook(view: View) -> "Response":
    """Say what a look at the rows shows: suspects, and what the budget is good for."""
    draft = _draft(view)
    found = outlook_of(view.studio.drafts.of(draft.id), draft)
    return view.part("_outlook.html", draft=draft, outlook=found, expect=found.expect(draft.question.budget))


def leave_out(view: View) -> "Response":
    """Leave a column out; a second click changes nothing, the list of columns takes it in again."""
    draft = _draft(view)
    name, left = view.exact("column"), draft.question.drop
    if name not in _names(view, draft) or name == draft.question.target:
        raise SettingsError("there is no such column to leave out", where=name[:100], fix="reload the page")
    drop = left if name in left else (*left, name)
    view.studio.drafts.write(replace(draft, question=replace(draft.question, drop=drop)))
    return view.go(f"/drafts/{draft.id}/question")


def train(view: View) -> "Response":
    """Begin a training of the question as it stands in the form; of one that nobody has seen yet, show it first."""
    draft = _draft(view)
    if target := view.exact("target"):
        is_unseen = draft.question.target not in ("", target) and view.exact("shown") != target
        draft = replace(draft, question=_question(view, draft))
        view.studio.drafts.write(draft)
        if is_unseen:
            return view.go(f"/drafts/{draft.id}/question")
    asked = asked_of(view.studio.drafts.of(draft.id), draft)
    if not asked.task:
        what = asked.fault or "nothing is asked yet"
        raise SettingsError(what, where=draft.name, fix="click the column that you want to know in advance")
    path, data = data_of(view.studio.drafts.of(draft.id), draft)
    training = new_training(draft, data=data, words=words_of(draft, data), owner=view.person)
    return view.go(f"/runs/{view.studio.trainer.begin(training, path)}")


def _draft(view: View) -> Draft:
    return view.studio.drafts.ready(view.path["draft"])


def _names(view: View, draft: Draft) -> list[str]:
    columns = profile_of(view.studio.drafts.of(draft.id)).facts["columns"]
    return [one["name"] for one in columns]


def _question(view: View, draft: Draft) -> Question:
    """Return the question that the form says.

    Raises
    ------
    SettingsError : names what is none of the choices.
    """
    names, said, exact = _names(view, draft), view.said, view.exact
    target = exact("target")
    if target not in names:
        raise SettingsError("there is no such column", where=target[:100], fix="reload the page")
    if target != draft.question.target:
        if exact("shown") != target:
            return changed(draft.question, target=target)
        draft = replace(draft, question=Question(target, budget=draft.question.budget))  # asked otherwise elsewhere
    pace = said("pace")
    if pace and pace not in map(str, range(len(BUDGETS))):
        raise SettingsError("there is no such length of time", where=pace[:40], fix="reload the page")
    budget = BUDGETS[int(pace)] if pace else draft.question.budget
    for role in ("time", "group", "as_of"):
        if exact(role) and (exact(role) not in names or exact(role) == target):
            raise SettingsError(f"there is no such column for {role}", where=exact(role)[:100], fix="reload the page")
    is_forecast, was_forecast = said("task") == FORECAST, draft.question.task == FORECAST
    drop = tuple(name for name in view.fields.get("drop", ()) if name in names and name != target)
    found = changed(
        draft.question, budget=budget, task=said("task"), metric=said("metric"), positive=exact("positive"),
        time=exact("time"), group=exact("group"), drop=drop, cost=_cost(view), unit=said("unit")[:20],
        capacity=_over(view) if is_forecast else "" if was_forecast else _capacity(view), horizon=_horizon(view),
        **_of_series(view, names, taken=(target, exact("time"))),
    )  # fmt: skip
    if is_forecast and not was_forecast:
        return suited(found, profile_of(view.studio.drafts.of(draft.id)).facts["columns"])
    return found


def _of_series(view: View, names: list[str], *, taken: tuple[str, ...]) -> dict[str, Any]:
    """Return which columns play a part in a forecast; each plays one, and sums are over what tells series apart."""
    as_of = view.exact("as_of") if view.exact("as_of") not in taken else ""
    free = [name for name in names if name not in (*taken, as_of) and can_be_listed(name)]
    series = tuple(name for name in view.fields.get("series", ()) if name in free)
    known = tuple(name for name in view.fields.get("known", ()) if name in free and name not in series)
    sums = tuple(name for name in view.fields.get("hierarchy", ()) if name in series)
    return {"series": series, "hierarchy": sums, "known": known, "as_of": as_of, "country": _country(view)}


def _country(view: View) -> str:
    """Return whose holidays are reckoned with, as it is written."""
    from mantic.features.series.holidays import checked_place

    text = view.said("country")
    return checked_place(text[:40]) if text else ""


def _cost(view: View) -> str:
    """Return the costs of errors as the command line takes them; empty where none was said."""
    parts = [f"{name}={_number(view, name)}" for name in ("fp", "fn") if view.said(name)]
    return ",".join(parts)


def _number(view: View, name: str) -> str:
    value = _amount(view.said(name))
    if value is None:
        raise SettingsError(
            "a cost is a number, 0 or more", where=view.said(name)[:40], fix="write 10 or 2.5, for instance"
        )
    return value


def _amount(text: str) -> str | None:
    """Return an amount with all its digits, as the command line takes it; None if it is none.

    A comma before three digits could be a decimal one, or part thousands: that is not guessed.

    >>> [_amount(text) for text in ("80,5", "0,125", "1234567", "12,500", "-1", "1e99")]
    ['80.5', '0.125', '1234567', None, None, None]
    """
    if _OF_THOUSANDS.fullmatch(text):
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return f"{value:.15g}" if 0 <= value < _MOST_AMOUNT else None


def _horizon(view: View) -> str:
    text = view.said("horizon")
    if not text:
        return ""
    if (found := n_steps(text)) is None:
        fix = f"write a whole number, 1 to {MOST_AHEAD:,}"
        raise SettingsError("this is no number of steps", where=text[:40], fix=fix)
    return str(found)


def _capacity(view: View) -> str:
    from mantic.evaluate.capacity import read_capacity

    text = view.said("capacity")
    if text:
        read_capacity(text)
    return text


def _over(view: View) -> str:
    """Return the value of a forecast that is watched."""
    text = view.said("capacity")
    value = _amount(text) if text else ""
    if value is None:
        fix = "write a number in the target's own unit and without marks of thousands, as in 12500 or 0.5"
        raise SettingsError("the value to watch is a number, 0 or more", where=text[:40], fix=fix)
    return value


def _facts(view: View, draft: Draft) -> dict[str, Any]:
    folder = view.studio.drafts.of(draft.id)
    columns = profile_of(folder).facts["columns"]
    asked: Asked = asked_of(folder, draft)
    question = draft.question
    costs = dict(part.split("=") for part in question.cost.split(",") if part)
    find = view.query.get("find", "").casefold()
    return {
        "draft": draft, "asked": asked, "question": question, "columns": columns,
        "listed": [one for one in columns if find in one["name"].casefold()][:_MOST_LISTED], "find": find,
        "most": _MOST_LISTED, "budgets": BUDGETS,
        "costs": costs, "dates": _of_kind(columns, ("date", "number", "id"), question.time),
        "groups": _of_kind(columns, ("category", "id", "number"), question.group),
        "apart": _free(_of_kind(columns, ("category", "id", "number")), question),
        "knowable": [one for one in _free(_of_kind(columns, ("number",)), question) if one not in question.series],
        "told": [one for one in _of_kind(columns, ("date",), question.as_of) if one not in _taken(question)],
        "has_days": question.time in _of_kind(columns, ("date",)),
        "is_forecast": question.task == FORECAST, "horizon": question.horizon or HORIZON,
        "command": command_of(words_of(draft, data_of(folder, draft)[1])) if asked.task else "",
    }  # fmt: skip


def _taken(question: Question) -> tuple[str, str]:
    return question.target, question.time


def _free(names: list[str], question: Question) -> list[str]:
    """Return those that can tell series apart or be known beforehand."""
    return [name for name in names if name not in (*_taken(question), question.as_of) and can_be_listed(name)]


def _of_kind(columns: list[dict[str, Any]], kinds: tuple[str, ...], chosen: str = "") -> list[str]:
    """Return the names of columns of some kinds, at most 300, the first kind first; the chosen one is among them."""
    found = [one["name"] for kind in kinds for one in columns if one["kind"] == kind][:_MOST_LISTED]
    return found if chosen in ("", *found) else [chosen, *found]


PAGES = (
    get("/drafts/{draft}/question", show),
    post("/drafts/{draft}/question", change),
    get("/drafts/{draft}/question/outlook", outlook),
    post("/drafts/{draft}/question/leave-out", leave_out),
    post("/drafts/{draft}/train", train, Role.EDITOR),
)
