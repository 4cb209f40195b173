"""Settings: people, keys, sources, audit, backup, and what is one's own."""

import html
import json
import re
import time
import zipfile
from io import BytesIO

import pytest
from starlette.testclient import TestClient

from mantic.core.errors import SettingsError
from mantic.store.store import open_store
from mantic.studio.drawer import Drawer, TooLateError
from mantic.studio.role import Role
from mantic.studio.source_file import SourceFile
from mantic.studio.studio import Studio
from mantic.studio.visitors import COOKIE

GOOD, OTHER = "slow tide, old boat", "green lamp by the door"


def _follow(client: TestClient, to: str, /, **said: object) -> str:
    """Send a form and return the page that it leads to."""
    reply = client.post(to, data=said)
    assert reply.status_code == 303, reply.text
    return client.get(reply.headers["location"]).text


def _secret(page: str) -> str:
    return html.unescape(re.search(r'<input id="secret" value="([^"]*)"', page)[1])


def _undo(client: TestClient, page: str) -> str:
    """Press Undo."""
    form = re.search(r'<form method="post" action="([^"]+)">(.*?)Undo</button>', page, re.S)
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[2]))
    return _follow(client, form[1], **{name: html.unescape(value) for name, value in fields.items()})


# -------------------------------------------------------------------------------------------------------------- people


def test_somebody_is_added_by_a_link_that_is_shown_once(studio, client) -> None:
    page = _follow(client, "/settings/people", name="Eve", role="editor")
    link = _secret(page)

    assert link.startswith("http://testserver/setup?token=")
    assert link.partition("token=")[2] not in client.get("/settings/people").text
    assert studio.store.people.invited(link.partition("token=")[2]).name == "Eve"
    assert "was given a link" in page


def test_a_role_is_changed_and_changed_back(studio, client) -> None:
    eve = studio.store.people.add("Eve", "editor")

    page = _follow(client, f"/settings/people/{eve.id}/role", role="operator")
    assert "Eve is now operator (was editor)" in page
    assert studio.store.people.get(eve.id).role == "operator"

    _undo(client, page)
    assert studio.store.people.get(eve.id).role == "editor"
    assert [deed.by for deed in studio.store.audit.list("person Eve")][:2] == ["ada", "ada"]


def test_somebody_is_disabled_and_let_in_again_with_their_link(studio, client) -> None:
    eve = studio.store.people.add("Eve", "editor")
    link = studio.store.people.invite(eve.id)
    page = _follow(client, f"/settings/people/{eve.id}/disable")
    assert studio.store.people.get(eve.id).disabled is not None
    assert studio.store.people.invited(link) is None

    _undo(client, page)

    assert studio.store.people.get(eve.id).disabled is None
    assert studio.store.people.invited(link) is not None


def test_somebody_is_signed_out_everywhere(studio, client, enter) -> None:
    other = enter(Role.EDITOR)
    eve = studio.store.people.find("ada the editor")
    assert other.get("/").status_code == 200

    assert "signed out from 1 browser" in _follow(client, f"/settings/people/{eve.id}/leave")

    assert other.get("/").status_code == 303


def test_nobody_shuts_themselves_out(studio, client) -> None:
    ada = studio.store.people.find("ada")
    for verb, said in (("role", {"role": "viewer"}), ("disable", {})):
        reply = client.post(f"/settings/people/{ada.id}/{verb}", data=said)
        assert reply.status_code == 409
        assert "you cannot change your own" in reply.text
    assert studio.store.people.get(ada.id).is_admin


@pytest.mark.parametrize(("name", "role"), [("ada", "viewer"), ("", "viewer"), ("Eve", "root"), ("<b>", "")])
def test_who_cannot_be_added_is_said(studio, client, name, role) -> None:
    assert client.post("/settings/people", data={"name": name, "role": role}).status_code == 409
    assert [one.name for one in studio.store.people.list()] == ["ada"]


def test_a_name_is_text_and_nothing_more(client) -> None:
    page = _follow(client, "/settings/people", name="<script>alert(1)</script>", role="viewer")

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_notice_is_for_one_person_and_one_time(studio, client, enter) -> None:
    reply = client.post("/settings/people", data={"name": "Eve", "role": "editor"})
    studio.store.people.set_role(studio.store.people.add("Bob", "viewer").id, "admin")
    other = enter(Role.VIEWER)
    studio.store.people.set_role(studio.store.people.find("ada the viewer").id, "admin")

    assert '<input id="secret"' not in other.get(reply.headers["location"]).text


# ---------------------------------------------------------------------------------------------------------------- you


def test_a_password_is_chosen_and_then_changed_by_who_knows_it(studio, client) -> None:
    before = client.cookies[COOKIE]
    assert client.post("/settings/you/password", data={"password": GOOD, "again": GOOD}).status_code == 303
    assert studio.visitors.who(before) is None
    fresh = client.cookies[COOKIE]
    client.headers["X-CSRF"] = studio.visitors.who(fresh).token

    wrong = client.post("/settings/you/password", data={"old": OTHER, "password": OTHER, "again": OTHER})
    assert wrong.status_code == 401
    unlike = client.post("/settings/you/password", data={"old": GOOD, "password": OTHER, "again": GOOD})
    assert unlike.status_code == 400
    assert (
        client.post("/settings/you/password", data={"old": GOOD, "password": OTHER, "again": OTHER}).status_code == 303
    )

    assert studio.store.people.check("ada", OTHER) is not None


def test_guessing_the_password_of_an_open_browser_is_slowed_down(studio, client) -> None:
    ada = studio.store.people.find("ada")
    studio.store.people.set_password(ada.id, GOOD)
    cookie = studio.visitors.let_in(ada, how="test")
    client.cookies.clear()
    client.cookies.set(COOKIE, cookie)
    client.headers["X-CSRF"] = studio.visitors.who(cookie).token

    told = [
        client.post("/settings/you/password", data={"old": "x", "password": OTHER, "again": OTHER}).status_code
        for _ in range(7)
    ]

    assert told == [401] * 5 + [429] * 2


def test_one_sees_where_one_is_signed_in_and_leaves_everywhere(studio, client) -> None:
    client.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    second = studio.visitors.let_in(studio.store.people.find("ada"), how="test", agent=client.headers["User-Agent"])
    page = client.get("/settings/you").text
    assert "Firefox on Linux" in page
    assert page.count("this one") == 1

    client.post("/settings/you/leave")

    assert studio.visitors.who(second) is None
    assert client.get("/").status_code == 303


@pytest.mark.parametrize(
    ("theme", "shown"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"'), ("", "")]
)
def test_pages_are_light_or_dark_as_one_chose(client, theme, shown) -> None:
    _follow(client, "/settings/you/theme", theme="dark")
    page = _follow(client, "/settings/you/theme", theme=theme)

    assert f'<html lang="en"{shown}>' in page


def test_a_theme_that_there_is_not_is_none(client) -> None:
    client.cookies.set("mantic_theme", '"><script>')

    assert '<html lang="en">' in client.get("/").text


def test_the_settings_lead_to_what_one_may_see(client, enter) -> None:
    assert client.get("/settings").headers["location"] == "/settings/people"
    viewer = enter(Role.VIEWER)
    assert viewer.get("/settings").headers["location"] == "/settings/you"
    assert "/settings/people" not in viewer.get("/settings/you").text


# --------------------------------------------------------------------------------------------------------------- keys


def test_a_key_is_made_shown_once_and_good(studio, client) -> None:
    said = {"name": "web shop", "scope": ["predict", "explain"], "days": "30", "per_second": "2.5"}
    key = _secret(_follow(client, "/settings/keys", **said))

    grant = studio.keys.find(key)
    assert (grant.name, grant.scopes, grant.per_second) == ("web shop", {"predict", "explain"}, 2.5)
    assert abs(grant.expires - time.time() - 30 * 86_400) < 60
    assert key not in client.get("/settings/keys").text
    assert key not in studio.keys.path.read_text()
    assert studio.keys.path.stat().st_mode & 0o077 == 0
    (deed,) = studio.store.audit.list(f"key {grant.id}")
    assert (deed.by, deed.detail["scopes"]) == ("ada", ["explain", "predict"])


def test_a_revoked_key_is_refused_and_may_come_back(studio, client) -> None:
    key = studio.keys.new("shop", scopes=("predict",))
    identity = studio.keys.find(key).id

    page = _follow(client, f"/settings/keys/{identity}/revoke")
    assert studio.keys.find(key) is None
    assert key not in page

    _undo(client, page)
    assert studio.keys.find(key).id == identity
    assert client.post("/settings/keys/back", data={"ticket": "none"}).status_code == 410


@pytest.mark.parametrize(
    "said",
    [{}, {"name": "x"}, {"name": "x", "scope": "all"}, {"name": "x", "scope": "predict", "days": "soon"},
     {"name": "x", "scope": "predict", "per_second": "0"}, {"name": "x", "scope": "predict", "days": "nan"},
     {"name": "x", "scope": "predict", "days": "inf"},
     {"name": "", "scope": "predict"}],
)  # fmt: skip
def test_a_key_that_makes_no_sense_is_not_made(studio, client, said) -> None:
    assert client.post("/settings/keys", data=said).status_code == 400
    assert studio.keys.grants() == []


# -------------------------------------------------------------------------------------------------------------- sources

ADDRESS = "postgresql://reader:s3cr3t@db.example/shop?table=orders"


def test_a_source_is_named_and_its_password_is_seen_nowhere(studio, client, enter) -> None:
    page = _follow(client, "/settings/sources", name="orders", address=ADDRESS)
    seen = [page, *(client.get(path).text for path in ("/settings/sources", "/settings/audit", "/new"))]
    gone = _follow(client, "/settings/sources/orders/remove")
    seen += [gone, _undo(client, gone), enter(Role.EDITOR).get("/new").text]

    assert not any("s3cr3t" in page for page in seen)
    assert "reader:***@db.example" in page
    assert studio.sources.address("orders") == ADDRESS
    assert "s3cr3t" not in repr(studio.sources.list())
    assert studio.sources.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "address",
    ["", "x", "http://me:s3cr3t@host/x", "postgresql//me:s3cr3t@host/db", "postgresql://me:s3cr3t@host",
     "/not/there.csv", "../store.sqlite", "postgresql://me:s3cr3t@[host/db"],
)  # fmt: skip
def test_what_is_no_source_is_said_without_its_password(studio, client, address) -> None:
    reply = client.post("/settings/sources", data={"name": "orders", "address": address})

    assert reply.status_code == 400
    assert "s3cr3t" not in reply.text
    assert studio.sources.list() == []


def test_a_name_of_a_source_is_given_once(studio, client, tmp_path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    studio.sources.add("rows", str(tmp_path / "rows.csv"), by="ada")

    assert client.post("/settings/sources", data={"name": "rows", "address": ADDRESS}).status_code == 400
    assert client.post("/settings/sources", data={"name": "a/b", "address": ADDRESS}).status_code >= 400
    assert client.post("/settings/sources/none/remove").status_code == 422


def test_an_editor_reads_a_source_by_its_name(studio, enter, tmp_path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n" + "1,2\n" * 50)
    studio.sources.add("rows", str(tmp_path / "rows.csv"), by="ada")
    editor = enter(Role.EDITOR)

    reply = editor.post("/new/source", data={"source": "rows"})

    name = reply.headers["location"].rpartition("/")[2]
    deadline = time.monotonic() + 60
    while studio.drafts.read(name).state == "reading" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (studio.drafts.read(name).state, studio.drafts.read(name).fault) == ("ready", {})


def test_a_file_of_this_machine_is_chosen_by_an_admin_only(studio, enter, client) -> None:
    address = f"sqlite:///{studio.store.address.folder}/store.sqlite?table=person"

    reply = enter(Role.EDITOR).post("/new/address", data={"address": address})

    assert reply.status_code == 403
    assert studio.drafts.all() == []


def test_a_damaged_file_of_sources_is_said_without_its_content(tmp_path) -> None:
    path = tmp_path / "sources.json"
    path.write_text('{"format": 1, "sources": [{"name": "x", "address": "postgresql://me:s3cr3t@h/d"')

    with pytest.raises(SettingsError, match="no file of sources") as caught:
        SourceFile(path).list()

    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None


# ---------------------------------------------------------------------------------------------------------------- audit


def test_the_audit_is_searched_and_read_on(studio, client) -> None:
    for number in range(120):
        studio.store.audit.note("promote", f"churn-{number}", by="Eve", detail={"after": number})
    studio.store.audit.note("promote", "100%_of it", by="Grace", detail={})

    first = client.get("/settings/audit").text
    assert first.count("<tr><td") == 50
    older = html.unescape(re.search(r'href="(/settings/audit\?q=[^"]*before=\d+)"', first)[1])
    assert "churn-68" in client.get(older).text
    assert "churn-119" not in client.get(older).text
    found = client.get("/settings/audit", params={"q": "EVE churn-11"}).text
    assert found.count("<tr><td") == 11
    assert client.get("/settings/audit", params={"q": "%_"}).text.count("<tr><td") == 1
    assert "Nothing was done that holds" in client.get("/settings/audit", params={"q": "<x>\x00"}).text


def test_what_stands_in_the_audit_is_text_and_nothing_more(studio, client) -> None:
    studio.store.audit.note("promote", "<script>1</script>", by="<b>", detail={"x": "<i>"})

    page = client.get("/settings/audit?before=abc").text

    assert "<script>1" not in page
    assert "<i>" not in page


# --------------------------------------------------------------------------------------------------------------- backup


def test_a_backup_is_made_beside_the_pages_and_taken_away(studio, client) -> None:
    assert client.get("/settings/backup/file").status_code == 404
    assert client.post("/settings/backup").headers["location"] == "/settings/backup"
    deadline = time.monotonic() + 60
    while "Take it away" not in (page := client.get("/settings/backup/progress").text) and time.monotonic() < deadline:
        assert "being made" in page
        time.sleep(0.05)

    reply = client.get("/settings/backup/file")

    with zipfile.ZipFile(BytesIO(reply.content)) as archive:
        assert json.loads(archive.read("manifest.json"))["kind"] == "mantic store"
        assert "rows/sitting.jsonl" not in archive.namelist()
    assert re.search(r'filename="mantic-[0-9-]+\.backup"', reply.headers["content-disposition"])
    assert reply.headers["cache-control"] == "no-store"
    assert studio.backups.file.stat().st_mode & 0o077 == 0
    assert {"backup", "download"} <= {deed.action for deed in studio.store.audit.list()}


def test_a_backup_that_goes_wrong_is_said(studio, client, tmp_path) -> None:
    studio.backups.folder = tmp_path / "file" / "below"
    (tmp_path / "file").write_text("in the way")

    client.post("/settings/backup")
    deadline = time.monotonic() + 60
    while studio.backups.job().state == "running" and time.monotonic() < deadline:
        time.sleep(0.02)

    assert studio.backups.job().state == "failed"


def test_a_backup_is_not_left_lying_about(studio) -> None:
    import os

    studio.backups.folder.mkdir()
    studio.backups.file.write_bytes(b"all")
    old = time.time() - 25 * 3600
    assert studio.backups.is_ready()

    os.utime(studio.backups.file, (old, old))

    assert not studio.backups.is_ready()
    assert not studio.backups.file.exists()


def test_a_backup_is_restored_beside_the_store_in_use(studio, client, tmp_path) -> None:
    studio.store.audit.note("promote", "churn", by="ada", detail={"version": 3})
    made = studio.store.back_up(tmp_path / "monday.backup")
    before = len(studio.store.audit.list())

    page = _restored(client, made.path.read_bytes())

    folder = studio.restores.job.folder
    assert f"MANTIC_STORE_URL='{folder}' mantic studio" in html.unescape(page)
    assert folder.parent == tmp_path / "store" / "restored"
    with open_store(str(folder)) as other:
        assert ("promote", "churn") in {(deed.action, deed.subject) for deed in other.audit.list()}
    assert len(studio.store.audit.list()) == before + 1
    assert not list(folder.parent.glob("*.arriving"))
    assert folder.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("spoil", [lambda whole: b"", lambda whole: whole[:-400], lambda whole: b"PK" + bytes(999)])
def test_what_is_no_backup_is_not_restored(studio, client, tmp_path, spoil) -> None:
    whole = studio.store.back_up(tmp_path / "monday.backup").path.read_bytes()

    page = _restored(client, spoil(whole))

    assert "monday.backup" in page
    assert "MANTIC_STORE_URL" not in page
    assert list((tmp_path / "store" / "restored").iterdir()) == []


def test_a_restore_needs_a_file_and_an_administrator(client, enter) -> None:
    nothing = client.post("/settings/backup/restore", files={"other": b""})
    assert nothing.status_code == 422
    assert "no file was chosen" in nothing.text
    assert enter(Role.OPERATOR).post("/settings/backup/restore", files={"file": b"x"}).status_code == 403


def _restored(client, content: bytes) -> str:
    """Bring a backup; return the page when it is done."""
    reply = client.post("/settings/backup/restore", files={"file": ("monday.backup", content)})
    assert reply.headers["location"] == "/settings/backup#restore"
    deadline = time.monotonic() + 60
    while "is being checked" in (page := client.get("/settings/backup/restore").text) and time.monotonic() < deadline:
        time.sleep(0.05)
    return page


# --------------------------------------------------------------------------------------------------------------- drawer


def test_what_was_thrown_away_is_given_back_once_and_not_for_ever(monkeypatch) -> None:
    drawer = Drawer()
    tickets = [drawer.put(number) for number in range(300)]
    with pytest.raises(TooLateError):
        drawer.take(tickets[0])  # 200 are kept
    assert drawer.take(tickets[-1]) == 299
    with pytest.raises(TooLateError):
        drawer.take(tickets[-1])

    later = time.monotonic() + 901
    monkeypatch.setattr("mantic.studio.drawer.time.monotonic", lambda: later)
    with pytest.raises(TooLateError):
        drawer.take(tickets[-2])


def test_every_settings_page_says_what_it_is_for_and_names_its_fields(studio: Studio, client: TestClient) -> None:
    studio.sources.add("orders", ADDRESS, by="ada")
    studio.keys.new("shop", scopes=("predict",))
    for path in ("people", "keys", "sources", "audit", "backup", "you"):
        page = client.get(f"/settings/{path}").text
        assert page.count("<h1>") == 1
        assert 'aria-current="page"' in page
        assert " style=" not in page
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path
        named = set(re.findall(r'<label for="([^"]+)"', page))
        assert named <= set(ids), path
