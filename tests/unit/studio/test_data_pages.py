"""From a file to what is known of it."""

import os
import time
from pathlib import Path

import polars as pl
import pytest
from starlette.testclient import TestClient

from mantic.core.settings import Settings
from mantic.studio.draft import FAILED, READY, Draft
from mantic.studio.role import Role
from mantic.studio.studio import Studio, open_studio

ROWS = [f"{20 + n % 50},{'ab'[n % 2]},{'no' if n % 3 else 'yes'}" for n in range(120)]
CSV = "\n".join(["age,plan,churned", *ROWS, ""]).encode()


def bring(client: TestClient, body: bytes, name: str) -> str:
    """Send a file as a browser's script does; return the id of its draft."""
    reply = client.post("/new", content=body, headers={"X-File-Name": name, "HX-Request": "true"})
    assert reply.status_code == 204, reply.text
    return reply.headers["HX-Redirect"].rpartition("/")[2]


def read(studio: Studio, name: str) -> Draft:
    """Wait until a draft is read."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        draft = studio.drafts.read(name)
        if draft.state in (READY, FAILED):
            return draft
        time.sleep(0.05)
    raise AssertionError("the draft was not read within a minute")


def test_who_has_not_signed_in_is_led_to_the_door(client: TestClient) -> None:
    client.cookies.clear()

    reply = client.get("/")

    assert (reply.status_code, reply.headers["location"]) == (303, "/signin?to=/")


def test_a_link_signs_in_once(studio: Studio, client: TestClient) -> None:
    link = f"/setup?token={studio.visitors.invite('eve', Role.VIEWER)}"
    client.cookies.clear()

    first, second = client.get(link), client.get(link)

    client.cookies.clear()
    third = client.get(link)
    assert (first.status_code, second.status_code, third.status_code) == (303, 303, 403)
    assert "set-cookie" not in second.headers


def test_a_file_becomes_rows_columns_and_problems(studio: Studio, client: TestClient) -> None:
    name = bring(client, CSV, "My churn (2).csv")
    assert read(studio, name).state == READY

    page = client.get(f"/drafts/{name}")
    cells = client.get(f"/drafts/{name}/rows?row=1&rows=2&column=0&columns=2").json()

    assert page.status_code == 200
    assert "my-churn-2" in page.text
    assert "120 rows, 3 columns" in page.text
    assert cells == {"row": 1, "column": 0, "n_rows": 120, "cells": [["21", "b"], ["22", "a"]]}


def test_a_form_without_scripts_brings_a_file_too(studio: Studio, client: TestClient) -> None:
    token = client.headers.pop("X-CSRF")

    reply = client.post(f"/new?csrf={token}", files={"file": ("churn.csv", CSV)})

    assert reply.status_code == 303
    assert read(studio, reply.headers["location"].rpartition("/")[2]).state == READY


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("empty.csv", b"", "empty"),
        ("head.csv", b"a,b\n", "no row below"),
        ("not.parquet", b"PAR1 nothing", "parquet"),
        ("not.xlsx", b"PK\x03\x04 nothing", "xlsx"),
    ],
)
def test_what_cannot_be_read_says_why_and_is_kept(
    studio: Studio, client: TestClient, name: str, body: bytes, words: str
) -> None:
    draft = read(studio, bring(client, body, name))

    page = client.get(f"/drafts/{draft.id}").text

    assert draft.state == FAILED
    assert "could not be read" in page
    assert words in " ".join(draft.fault.values()).lower()
    assert str(studio.drafts.root) not in page
    assert (studio.drafts.of(draft.id) / draft.source).read_bytes() == body


def test_a_file_of_another_kind_is_refused_at_the_door(studio: Studio, client: TestClient) -> None:
    reply = client.post("/new", content=b"x", headers={"X-File-Name": "tune.mp3", "HX-Request": "true"})

    assert reply.status_code == 422
    assert "this is no table" in reply.text
    assert studio.drafts.all() == []


def test_too_large_a_file_leaves_nothing(tmp_path: Path, studio: Studio, client: TestClient) -> None:
    object.__setattr__(studio.settings.studio, "max_bytes", 1000)

    reply = client.post("/new", content=CSV, headers={"X-File-Name": "a.csv", "HX-Request": "true"})

    assert reply.status_code == 413
    assert list(studio.drafts.root.iterdir()) == []


def test_names_and_cells_are_text_and_nothing_more(studio: Studio, client: TestClient) -> None:
    evil = "<script>alert(1)</script>"
    frame = pl.DataFrame({evil: [1, 2, 3] * 20, "=cmd|' /C calc'!A0": [evil, "=1+1", None] * 20, "😀": ["a"] * 60})

    draft = read(studio, bring(client, frame.write_csv().encode(), f"{evil}.csv"))
    page = client.get(f"/drafts/{draft.id}").text
    cells = client.get(f"/drafts/{draft.id}/rows?row=0&rows=3&column=0&columns=3")

    assert evil not in page
    assert "😀" in page
    assert cells.headers["content-type"] == "application/json"
    assert cells.json()["cells"][1] == ["2", "=1+1", "a"]


def test_the_word_of_a_person_counts_over_what_was_found(studio: Studio, client: TestClient) -> None:
    name = bring(client, CSV, "churn.csv")
    read(studio, name)

    reply = client.post(f"/drafts/{name}/kind", data={"column": "age", "kind": "category"})
    again = client.post(f"/drafts/{name}/kind", data={"column": "plan", "kind": "category"})

    assert (reply.status_code, again.status_code) == (303, 303)
    assert studio.drafts.read(name).kinds == {"age": "category"}
    assert "found: number" in client.get(f"/drafts/{name}").text


def test_what_is_removed_comes_back(studio: Studio, client: TestClient) -> None:
    name = bring(client, CSV, "churn.csv")
    read(studio, name)

    removed = client.post(f"/drafts/{name}/remove", data={})
    gone = client.get(f"/drafts/{name}")
    back = client.post(f"/drafts/{name}/restore", data={})

    assert (removed.status_code, gone.status_code, back.status_code) == (200, 404, 303)
    assert client.get(f"/drafts/{name}").status_code == 200


def test_what_is_removed_while_it_is_read_is_read_anew_when_it_comes_back(studio: Studio, client: TestClient) -> None:
    name = bring(client, CSV, "churn.csv")
    client.post(f"/drafts/{name}/remove", data={})

    client.post(f"/drafts/{name}/restore", data={})

    assert read(studio, name).state == READY


def test_what_is_still_being_read_is_neither_shown_nor_changed(studio: Studio, client: TestClient) -> None:
    draft = studio.drafts.make("churn", "data.csv", "ada")
    studio.drafts.write(draft)

    replies = [
        client.get(f"/drafts/{draft.id}/rows?rows=5&columns=5"),
        client.post(f"/drafts/{draft.id}/kind", data={"column": "age", "kind": "text"}),
        client.post(f"/drafts/{draft.id}/train", data={"target": "churned"}),
    ]

    assert [one.status_code for one in replies] == [409, 409, 409]


def test_what_was_removed_a_day_ago_goes_for_good_when_studio_starts(
    settings: Settings, studio: Studio, client: TestClient
) -> None:
    old, new = bring(client, CSV, "old.csv"), bring(client, CSV, "new.csv")
    for name in (old, new):
        read(studio, name)
        studio.drafts.remove(name)
    broken = studio.drafts.make("broken", "data.csv", "ada")
    studio.backups.folder.mkdir()
    studio.backups.file.write_bytes(b"everything")
    long_ago = [studio.drafts.root / f"gone-{old}", studio.drafts.of(broken.id), studio.backups.file]
    for path in long_ago:
        os.utime(path, (0, time.time() - 25 * 3600))

    with open_studio(settings):
        until = time.monotonic() + 60
        while any(path.exists() for path in long_ago):
            assert time.monotonic() < until
            time.sleep(0.05)

    assert studio.drafts.restore(new).name == "new"


@pytest.mark.parametrize("name", ["tumours", "diabetes", "wines"])
def test_an_example_is_a_table_like_any_other(studio: Studio, client: TestClient, name: str) -> None:
    reply = client.post(f"/new/sample/{name}", data={})

    draft = read(studio, reply.headers["location"].rpartition("/")[2])
    assert (draft.name, draft.state) == (name, READY)


def test_pasted_rows_are_read(studio: Studio, client: TestClient) -> None:
    reply = client.post("/new/text", data={"text": "a\tb\n1\t2\n3\t4\n"})

    draft = read(studio, reply.headers["location"].rpartition("/")[2])
    assert client.get(f"/drafts/{draft.id}/rows?rows=5&columns=5").json()["cells"] == [["1", "2"], ["3", "4"]]


def test_a_studio_that_was_killed_reads_on(studio: Studio, client: TestClient) -> None:
    draft = studio.drafts.make("churn", "data.csv", "ada")
    (studio.drafts.of(draft.id) / "data.csv").write_bytes(CSV)
    studio.drafts.write(draft)

    studio.readers.resume()

    assert read(studio, draft.id).state == READY


def test_a_form_of_another_page_is_refused(client: TestClient) -> None:
    del client.headers["X-CSRF"]

    reply = client.post("/new/text", data={"text": "a,b\n1,2\n"})
    other = client.post("/new/text", data={"text": "a,b\n1,2\n", "csrf": "guess"})

    assert (reply.status_code, other.status_code) == (403, 403)


def test_every_page_has_the_headers_that_keep_strangers_out(client: TestClient) -> None:
    for path in ("/", "/new", "/nowhere", "/drafts/0", "/static/studio.css"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "unsafe" not in headers["content-security-policy"]
