"""Every page, asked as everybody: the one list of pages says who may open what."""

from collections.abc import Iterator
from dataclasses import replace
from inspect import iscoroutinefunction

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from mantic.store.person import ROLES
from mantic.studio import pages
from mantic.studio.app import make_studio
from mantic.studio.role import Role
from mantic.studio.studio import Studio
from mantic.studio.view import View

EVERY = [pytest.param(page, id=f"{page.method} {page.path}") for page in pages.PAGES]
CHANGES = [one for one in EVERY if one.values[0].method == "POST"]


def test_the_roles_of_studio_are_those_of_the_store() -> None:
    assert tuple(role.word for role in Role if role > Role.NOBODY) == ROLES


def test_no_two_pages_have_one_address() -> None:
    assert len({(page.method, page.path) for page in pages.PAGES}) == len(pages.PAGES)


def test_only_those_pages_are_open_that_let_somebody_in() -> None:
    is_open = {page.path for page in pages.PAGES if page.role is Role.NOBODY}

    assert is_open == {"/signin", "/signin/openid", "/signin/openid/back", "/setup", "/static/{name:path}"}


def test_what_only_shows_is_a_get_and_what_changes_something_a_post() -> None:
    assert {page.method for page in pages.PAGES} <= {"GET", "POST"}


def _address(path: str) -> str:
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


def _answer(view: View) -> PlainTextResponse:
    return PlainTextResponse("the page itself")


async def _answer_later(view: View) -> PlainTextResponse:
    return PlainTextResponse("the page itself")


@pytest.fixture
def browsers(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[Role, TestClient]]:
    """Return a browser for each role, of a Studio in which every page says that it was reached."""
    bare = [
        replace(page, handler=_answer_later if iscoroutinefunction(page.handler) else _answer) for page in pages.PAGES
    ]
    app = make_studio(studio)
    monkeypatch.setattr(pages, "PAGES", bare)
    guarded = make_studio(studio)
    made = {}
    for role in Role:
        client = TestClient(app, follow_redirects=False)
        if role > Role.NOBODY:
            client.get(f"/setup?token={studio.visitors.invite(f'the {role.word}', role)}")
        made[role] = TestClient(guarded, follow_redirects=False, cookies=client.cookies)
    yield made
    for one in made.values():
        one.close()


def _token(studio: Studio, client: TestClient) -> str:
    visitor = studio.visitors.who(client.cookies.get("mantic_sitting", ""))
    return visitor.token if visitor else ""


@pytest.mark.parametrize("page", EVERY)
def test_a_page_is_opened_by_its_role_and_those_above_and_by_nobody_else(studio, browsers, page) -> None:
    for role, client in browsers.items():
        headers = {"X-CSRF": _token(studio, client)}
        reply = client.request(
            page.method, _address(page.path), headers=headers, data={} if page.method == "POST" else None
        )

        if role >= page.role:
            assert (reply.status_code, reply.text) == (200, "the page itself"), role
        elif role is Role.NOBODY:
            assert reply.status_code == 303, role
            assert reply.headers["location"].startswith("/signin?to="), role
        else:
            assert reply.status_code == 403, role
            assert f"this takes the role {page.role.word}" in reply.text, role


@pytest.mark.parametrize("page", CHANGES)
def test_a_change_that_another_site_sends_is_refused_whoever_is_signed_in(studio, browsers, page) -> None:
    client = browsers[Role.ADMIN]
    token = _token(studio, client)
    for headers in (
        {"X-CSRF": token, "Origin": "https://evil.example"},
        {"X-CSRF": token, "Origin": "null"},
        {"X-CSRF": token, "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF": token, "Sec-Fetch-Site": "same-site"},
    ):
        reply = client.post(_address(page.path), headers=headers, data={})
        assert reply.status_code == 403, headers
        assert "did not come from a page of this sitting" in reply.text


@pytest.mark.parametrize("page", [one for one in CHANGES if one.values[0].role > Role.NOBODY])
def test_a_change_without_the_token_of_this_sitting_is_refused(studio, browsers, page) -> None:
    client = browsers[Role.ADMIN]
    for token in ("", "x", _token(studio, browsers[Role.VIEWER])):
        reply = client.post(_address(page.path), headers={"X-CSRF": token}, data={"csrf": token})
        assert reply.status_code == 403, token
        assert "did not come from a page of this sitting" in reply.text


def test_a_role_that_was_taken_away_counts_with_the_next_request(studio, browsers) -> None:
    editor = studio.store.people.find("the editor")
    assert browsers[Role.EDITOR].get("/new").status_code == 200

    studio.store.people.set_role(editor.id, "viewer")

    assert browsers[Role.EDITOR].get("/new").status_code == 403
