"""Who comes in and how, and what happens to those who guess."""

import logging
import time
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from mantic.core.errors import SettingsError
from mantic.core.settings import StudioSettings, read_settings
from mantic.store.person import Person
from mantic.studio.app import make_studio
from mantic.studio.backoff import OF_ADDRESS, OF_NAME, Backoff, PatienceError
from mantic.studio.reach import reach
from mantic.studio.role import Role
from mantic.studio.run import first_link, greeting
from mantic.studio.studio import Studio
from mantic.studio.visitors import COOKIE

GOOD, OTHER = "slow tide, old boat", "green lamp by the door"


@pytest.fixture
def door(studio: Studio) -> Iterator[TestClient]:
    """Return the browser of somebody who is not signed in."""
    with TestClient(make_studio(studio), follow_redirects=False) as client:
        yield client


@pytest.fixture
def eve(studio: Studio) -> Person:
    """Return an editor with a password; there is an admin too."""
    studio.store.people.owner("root")
    return studio.store.people.set_password(studio.store.people.add("Eve", "editor").id, GOOD)


def _sign_in(client: TestClient, name: str = "Eve", password: str = GOOD, to: str = "") -> object:
    return client.post("/signin", data={"name": name, "password": password, "to": to})


def test_name_and_password_let_in_and_signing_out_lets_out(studio, door, eve) -> None:
    reply = _sign_in(door)

    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    assert "Eve" in door.get("/").text
    cookie = door.cookies[COOKIE]
    token = studio.visitors.who(cookie).token
    assert door.post("/signout", data={"csrf": token}).headers["location"] == "/signin"
    door.cookies.set(COOKIE, cookie)  # who kept it has nothing
    assert door.get("/").headers["location"] == "/signin?to=/"


def test_the_cookie_is_for_this_site_and_no_script(door, eve) -> None:
    said = _sign_in(door).headers["set-cookie"]

    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(said.split("; "))
    assert "Secure" not in said


def test_where_a_proxy_encrypts_the_cookie_goes_encrypted_only(tmp_path) -> None:
    from mantic.studio.studio import open_studio

    said = {"store.url": str(tmp_path / "store"), "studio.url": "https://studio.example"}
    with open_studio(read_settings(said, environ={}, folder=tmp_path)) as studio:
        studio.store.people.set_password(studio.store.people.add("Eve", "admin").id, GOOD)
        with TestClient(make_studio(studio), follow_redirects=False) as client:
            assert "Secure" in _sign_in(client).headers["set-cookie"].split("; ")


@pytest.mark.parametrize(("name", "password"), [("Eve", OTHER), ("Eve", ""), ("nobody", GOOD), ("root", "")])
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(door, eve, name, password) -> None:
    reply = _sign_in(door, name, password)

    assert reply.status_code == 401
    assert "the name or the password is wrong" in reply.text
    assert "set-cookie" not in reply.headers
    assert reply.text.replace(name, "NAME") == _sign_in(door, "else", OTHER).text.replace("else", "NAME")


def test_after_signing_in_one_goes_on_where_one_wanted_to(door, eve) -> None:
    reply = door.get("/settings/you?a=1&b=2")
    assert reply.headers["location"] == "/signin?to=/settings/you%3Fa%3D1%26b%3D2"
    assert 'value="/settings/you?a=1&amp;b=2"' in door.get(reply.headers["location"]).text

    assert _sign_in(door, to="/settings/you?a=1&b=2").headers["location"] == "/settings/you?a=1&b=2"


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/\nx"])
def test_nobody_is_led_to_another_site(door, eve, to) -> None:
    assert _sign_in(door, to=to).headers["location"] == "/"


def test_a_cookie_that_was_given_to_somebody_is_worth_nothing_after_they_sign_in(studio, door, eve) -> None:
    thief = studio.visitors.sign_in("Eve", GOOD, address="x")
    door.cookies.set(COOKIE, "chosen-by-another")
    _sign_in(door)
    assert door.cookies.get(COOKIE, domain="testserver.local") not in ("chosen-by-another", None)

    door.cookies.clear()
    door.cookies.set(COOKIE, thief)  # set into a browser, which then signs in
    fresh = _sign_in(door).cookies[COOKIE]

    assert fresh != thief
    assert studio.visitors.who(thief) is None
    assert studio.visitors.who(fresh).name == "Eve"


def test_a_sitting_ends_after_hours_without_a_request(studio, door, eve) -> None:
    _sign_in(door)
    assert door.get("/").status_code == 200

    studio.visitors.idle_seconds = 0.05
    time.sleep(0.1)

    assert door.get("/").headers["location"] == "/signin?to=/"


def test_a_sitting_outlives_a_restart_of_studio(studio, settings, door, eve) -> None:
    _sign_in(door)
    from mantic.studio.studio import open_studio

    with open_studio(settings) as again, TestClient(make_studio(again), cookies=door.cookies) as client:
        assert "Eve" in client.get("/").text


def test_a_link_from_another_site_is_followed_again_from_here(door, eve) -> None:
    reply = door.get("/settings/you", headers={"Sec-Fetch-Site": "cross-site"})  # comes without the strict cookie

    assert reply.status_code == 200
    assert '<meta http-equiv="refresh" content="0;url=/settings/you">' in reply.text


# ------------------------------------------------------------------------------------------------------------- links


def test_the_link_of_this_machine_signs_its_user_in_once(studio, door) -> None:
    link = first_link(studio, reach(StudioSettings(), 8770)).partition("8770")[2]

    assert door.get(link).headers["location"] == "/"
    assert studio.visitors.who(door.cookies[COOKIE]).role is Role.ADMIN

    door.cookies.clear()
    reply = door.get(link)
    assert reply.status_code == 403
    assert "used before, or is too old" in reply.text


def test_a_link_ends_after_a_quarter_of_an_hour(studio, door, monkeypatch) -> None:
    link = studio.visitors.invite("root", Role.ADMIN)
    later = time.monotonic() + 901
    monkeypatch.setattr("mantic.studio.visitors.time.monotonic", lambda: later)

    assert door.get(f"/setup?token={link}").status_code == 403


def test_the_first_admin_from_elsewhere_chooses_name_and_password(studio, door) -> None:
    how = reach(StudioSettings(host="0.0.0.0", url="https://studio.example"), 8770)
    link = first_link(studio, how)
    assert link.startswith("https://studio.example/setup?token=")
    token = link.partition("token=")[2]
    said = {"token": token, "name": "Ada"}
    assert "The first administrator" in door.get(f"/setup?token={token}").text

    for wrong, why in (
        ({"password": GOOD, "again": OTHER}, "not the same"),
        ({"password": "x", "again": "x"}, "12 are needed"),
    ):
        reply = door.post("/setup", data=said | wrong)
        assert reply.status_code == 409
        assert why in reply.text
        assert 'value="Ada"' in reply.text
    assert door.post("/setup", data=said | {"password": GOOD, "again": GOOD}).headers["location"] == "/"

    assert studio.visitors.who(door.cookies[COOKIE]).role is Role.ADMIN
    assert first_link(studio, how) == "https://studio.example/signin"
    door.cookies.clear()
    assert door.get(f"/setup?token={token}").status_code == 403
    assert door.post("/setup", data=said | {"name": "Mallory", "password": GOOD, "again": GOOD}).status_code == 409
    assert studio.store.people.find("Mallory") is None


def test_two_first_links_make_one_first_admin(studio, door) -> None:
    one, two = studio.visitors.invite_first(), studio.visitors.invite_first()
    said = {"password": GOOD, "again": GOOD}
    assert door.post("/setup", data=said | {"token": one, "name": "Ada"}).status_code == 303

    assert door.post("/setup", data=said | {"token": two, "name": "Eve"}).status_code == 409
    assert [person.name for person in studio.store.people.list()] == ["Ada"]


def test_who_is_invited_chooses_a_password_and_comes_in(studio, door, eve) -> None:
    bob = studio.store.people.add("Bob", "viewer")
    token = studio.store.people.invite(bob.id)
    assert "Welcome, Bob" in door.get(f"/setup?token={token}").text

    reply = door.post("/setup", data={"token": token, "name": "Eve", "password": OTHER, "again": OTHER})

    assert reply.headers["location"] == "/"
    assert studio.visitors.who(door.cookies[COOKIE]).name == "Bob"  # whatever the form says
    assert _sign_in(door, "Bob", OTHER).status_code == 303


# ------------------------------------------------------------------------------------------------------------ guessing


class Clock:
    """Seconds that a test lets pass."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(studio: Studio) -> Clock:
    clock = Clock()
    studio.visitors.backoff.clock = clock
    return clock


def test_who_guesses_waits_longer_and_longer_and_the_right_password_does_not_help_meanwhile(door, eve, clock) -> None:
    for _ in range(OF_NAME.free):
        assert _sign_in(door, "Eve", OTHER).status_code == 401
        clock.now += 0.01

    reply = _sign_in(door, "eve", GOOD)
    assert reply.status_code == 429
    assert reply.headers["retry-after"] == "1"
    assert "too many tries" in reply.text

    waits = []
    for _ in range(12):
        waits.append(int(_sign_in(door, "Eve", OTHER).headers["retry-after"]))
        clock.now += waits[-1] + 0.1
        assert _sign_in(door, "Eve", OTHER).status_code == 401
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == OF_NAME.most_seconds

    clock.now += OF_NAME.most_seconds + 1
    assert _sign_in(door).status_code == 303
    assert _sign_in(door, "Eve", OTHER).status_code == 401  # and is forgiven


def test_a_name_that_there_is_not_waits_as_one_that_there_is(door, eve, clock) -> None:
    told = {}
    for name in ("Eve", "nobody"):
        told[name] = [_sign_in(door, name, OTHER).status_code for _ in range(OF_NAME.free + 2)]

    assert told["Eve"] == told["nobody"] == [401] * OF_NAME.free + [429, 429]


def test_one_address_that_tries_many_names_waits_too() -> None:
    backoff = Backoff(Clock())
    for number in range(OF_ADDRESS.free):
        backoff.begin(f"name {number}", "2001:db8::1")

    with pytest.raises(PatienceError):
        backoff.begin("another", "2001:db8::2")  # the same household
    backoff.begin("another", "2001:db8:1::2")


def test_signing_in_as_oneself_does_not_wipe_out_the_tries_at_others() -> None:
    backoff = Backoff(Clock())
    for number in range(OF_ADDRESS.free):
        backoff.begin(f"name {number}", "192.0.2.1")
        if number % 2:
            backoff.succeeded(f"name {number}", "192.0.2.1")
    for number in range(OF_ADDRESS.free // 2):
        backoff.begin(f"other {number}", "192.0.2.1")

    with pytest.raises(PatienceError):
        backoff.begin("another", "192.0.2.1")


def test_tries_at_one_moment_are_all_counted() -> None:
    backoff = Backoff(Clock())
    for _ in range(OF_NAME.free):
        backoff.begin("eve", "")  # none of them has been answered yet

    with pytest.raises(PatienceError):
        backoff.begin("eve", "")


def test_a_million_names_take_a_bounded_memory() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    for number in range(25_000):
        clock.now += 1
        backoff.begin(f"name {number}", f"192.0.{number % 250}.{number // 250}")

    assert len(backoff) <= 20_000


def test_a_form_that_is_too_long_is_not_read(door, eve) -> None:
    assert _sign_in(door, "x" * 1_100_000).status_code == 413


def test_no_secret_is_in_a_log_or_on_a_page(studio, door, eve, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    link = studio.store.people.invite(studio.store.people.add("Bob", "viewer").id)
    pages = [door.get(f"/setup?token={link}x").text, _sign_in(door, "Eve", "my secret password").text]
    pages.append(_sign_in(door, "Eve", GOOD).text)
    cookie = door.cookies[COOKIE]
    pages += [door.get(path).text for path in ("/", "/settings/you")]

    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("mantic"))
    hashes = [row.password for row in _passwords(studio)]
    for secret in ("my secret password", GOOD, link, cookie, *hashes):
        assert secret not in logged
        assert not any(secret in page.replace(f"{link}x", "") for page in pages)


def _passwords(studio: Studio) -> list[object]:
    from sqlalchemy import text

    with studio.store.database.reading() as connection:
        return list(connection.execute(text("SELECT password FROM person WHERE password IS NOT NULL")).all())


# --------------------------------------------------------------------------------------------------------------- reach


def test_this_machine_alone_needs_no_more_than_the_link() -> None:
    how = reach(StudioSettings(host="::1"), 80)

    assert (how.base, how.is_local, how.warning) == ("http://[::1]:80", True, "")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "studio.example"])
def test_others_reach_studio_only_where_somebody_said_how(host) -> None:
    with pytest.raises(SettingsError, match="nobody said under which address") as caught:
        reach(StudioSettings(host=host), 8770)

    assert "--url https://studio.example" in caught.value.fix


def test_an_address_without_tls_is_warned_of(studio) -> None:
    plain = reach(StudioSettings(host="0.0.0.0", url="http://192.168.1.5:8770/"), 8770)
    safe = reach(StudioSettings(url="https://studio.example"), 8770)

    assert "go unencrypted" in plain.warning
    assert "warning: passwords and data go unencrypted" in greeting(plain, first_link(studio, plain))
    assert (safe.warning, safe.is_local) == ("", False)  # a proxy on this machine brings strangers too
    assert "192.168.1.5" in plain.hosts


@pytest.mark.parametrize(
    "url", ["studio.example", "ftp://x", "https://", "https://x/folder", "https://u:p@x", "https://x:y"]
)
def test_what_is_no_address_of_a_site_is_said(url) -> None:
    with pytest.raises(SettingsError, match="no address of a site"):
        reach(StudioSettings(url=url), 8770)


def test_a_page_whose_name_was_made_to_point_here_is_refused(studio, eve) -> None:
    with TestClient(
        make_studio(studio, hosts=reach(StudioSettings(), 1).hosts), base_url="http://evil.example"
    ) as client:
        assert client.get("/signin").status_code == 403


def test_a_proxy_that_calls_studio_by_another_name_is_no_other_site(tmp_path) -> None:
    from mantic.studio.studio import open_studio

    said = {"store.url": str(tmp_path / "store"), "studio.url": "https://studio.example"}
    with open_studio(read_settings(said, environ={}, folder=tmp_path)) as studio:
        studio.store.people.set_password(studio.store.people.add("Eve", "admin").id, GOOD)
        with TestClient(make_studio(studio), follow_redirects=False, base_url="http://127.0.0.1:8770") as client:
            form = {"name": "Eve", "password": GOOD}
            for origin, status in (("https://studio.example", 303), ("https://studio.example.evil.example", 403)):
                assert client.post("/signin", data=form, headers={"Origin": origin}).status_code == status
