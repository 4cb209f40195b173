"""Settings: people and their roles."""

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from mantic.report.numbers import amount
from mantic.store.people import LINK_SECONDS
from mantic.store.person import ROLES, Person, PersonError
from mantic.store.value import now
from mantic.studio.notice import Notice, done, noticed
from mantic.studio.role import Role
from mantic.studio.route import get, post
from mantic.studio.view import View

if TYPE_CHECKING:
    from starlette.responses import Response

_HERE = "/settings/people"
_MAY = {
    "viewer": "sees models, reports and what is watched",
    "editor": "also brings data and trains models",
    "operator": "also deploys, rolls back and answers alerts",
    "admin": "also people, keys, sources, audit and backups",
}


def show(view: View) -> "Response":
    """Show everybody."""
    store = view.studio.store
    sittings = store.sittings.list()
    seen: dict[str, str] = {}
    for one in sittings:  # seen most lately first
        seen.setdefault(one.person, one.seen)
    return view.page(
        "people.html", people=store.people.list(), seen=seen, n_sittings=Counter(one.person for one in sittings),
        roles=ROLES, may_do=_MAY, notice=noticed(view), now=now(),
        is_local=not view.studio.settings.studio.url,
    )  # fmt: skip


def add(view: View) -> "Response":
    """Add somebody, and show the link by which they come in."""
    people = view.studio.store.people
    person = people.add(view.said("name"), view.said("role"), by=view.person)
    return done(view, _HERE, _invited(view, person, f"{person.name} is added as {person.role}."))


def invite(view: View) -> "Response":
    """Show a new link, for somebody who has lost theirs or their password."""
    person = view.studio.store.people.get(view.path["id"])
    return done(view, _HERE, _invited(view, person, f"There is a new link for {person.name}."))


def set_role(view: View) -> "Response":
    """Give somebody another role."""
    role = view.said("role")
    was = view.studio.store.people.set_role(_other(view, "role"), role, by=view.person)
    text = f"{was.name} is now {role} (was {was.role})."
    return done(view, _HERE, Notice(text, _address(was, "role"), {"role": was.role}))


def disable(view: View) -> "Response":
    """Let somebody sign in no more."""
    was = view.studio.store.people.disable(_other(view, "access"), by=view.person)
    text = f"{was.name} is signed out everywhere and cannot sign in any more."
    return done(view, _HERE, Notice(text, _address(was, "enable")))


def enable(view: View) -> "Response":
    """Let somebody sign in again."""
    was = view.studio.store.people.enable(view.path["id"], by=view.person)
    return done(view, _HERE, Notice(f"{was.name} can sign in again.", _address(was, "disable")))


def sign_out(view: View) -> "Response":
    """Sign somebody out everywhere."""
    store = view.studio.store
    person = store.people.get(view.path["id"])
    n_ended = store.sittings.end_all(person, by=view.person)
    return done(view, _HERE, Notice(f"{person.name} is signed out from {amount(n_ended, 'browser')}."))


def _invited(view: View, person: Person, text: str) -> Notice:
    link = f"{view.base}/setup?token={quote(view.studio.store.people.invite(person.id, by=view.person))}"
    days = round(LINK_SECONDS / 86_400)
    about = f"Give this link to {person.name}. It works once, for {amount(days, 'day')}, and is shown only now."
    return Notice(text, secret=link, about=about)


def _other(view: View, what: str) -> str:
    """Return whom a change is about: nobody shuts themselves out."""
    identity = view.path["id"]
    if view.visitor is not None and identity == view.visitor.id:
        raise PersonError(f"you cannot change your own {what}", where="people", fix="another admin can")
    return identity


def _address(person: Person, verb: str) -> str:
    return f"{_HERE}/{person.id}/{verb}"


PAGES = (
    get(_HERE, show, Role.ADMIN),
    post(_HERE, add, Role.ADMIN),
    post(f"{_HERE}/{{id}}/role", set_role, Role.ADMIN),
    post(f"{_HERE}/{{id}}/invite", invite, Role.ADMIN),
    post(f"{_HERE}/{{id}}/disable", disable, Role.ADMIN),
    post(f"{_HERE}/{{id}}/enable", enable, Role.ADMIN),
    post(f"{_HERE}/{{id}}/leave", sign_out, Role.ADMIN),
)
