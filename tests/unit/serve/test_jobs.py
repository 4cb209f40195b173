"""Jobs by HTTP: what is taken, what is refused and how early, and who may see whose."""

import asyncio
import gzip
import io
import json
import resource
import shutil
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest

from mantic.serve.app import House, make_asgi
from mantic.serve.job import DONE, FAILED, JobLimits
from mantic.serve.job_runner import Jobs
from mantic.serve.key_file import KeyFile
from mantic.serve.route import ADDRESSES

MAKE, LIST = "/v1/models/churn/jobs", "/v1/jobs"
TABLE = b"age,plan\n30,basic\n"
LIMITS = JobLimits(max_bytes=10_000, running=0, waiting=5)


@pytest.fixture
def jobs(tmp_path):
    """Return jobs that wait for ever: none may run."""
    with Jobs(tmp_path / "jobs", ["true"], LIMITS) as jobs:
        yield jobs


@pytest.fixture
def ask(jobs, churn, asker):
    return asker(make_asgi({"churn": churn()}, House(jobs=jobs)))


def made(answer):
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def left(jobs):
    return sorted(path.name for path in jobs.folder.iterdir())


def arrow(frame, write):
    packed = io.BytesIO()
    getattr(frame, write)(packed)
    return packed.getvalue()


FRAME = pl.DataFrame({"age": [30]})
TABLES = {
    "csv": ("text/csv; charset=utf-8", TABLE),
    "tsv": ("text/tab-separated-values", b"age\tplan\n"),
    "ndjson": ("application/x-ndjson", b'{"age": 30}\n'),
    "parquet": ("application/vnd.apache.parquet", arrow(FRAME, "write_parquet")),
    "arrow": ("application/vnd.apache.arrow.stream", arrow(FRAME, "write_ipc_stream")),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_put_down_byte_for_byte_and_waits(kind, ask, jobs):
    media, body = TABLES[kind]

    answer = ask("POST", MAKE, content=body, headers={"Content-Type": media})

    name = made(answer)
    assert answer.headers["location"] == f"/v1/jobs/{name}"
    assert (jobs.folder / name / f"table.{kind}").read_bytes() == body
    assert ask("GET", answer.headers["location"]).json()["state"] == "waiting"
    assert [one["id"] for one in ask("GET", LIST).json()["jobs"]] == [name]


@pytest.mark.parametrize("kind", sorted(set(TABLES) - {"tsv"}))
def test_where_nothing_is_said_the_first_bytes_tell_what_a_table_is(kind, ask, jobs):
    name = made(ask("POST", MAKE, content=TABLES[kind][1]))

    assert jobs.kept.read(name).table == f"table.{kind}"


def test_a_table_is_not_taken_where_jobs_have_not_begun(churn, asker, tmp_path):
    ask = asker(make_asgi({"churn": churn()}, House(jobs=Jobs(tmp_path / "jobs", ["true"]))))

    assert ask("POST", MAKE, content=TABLE).status_code == 503
    assert ask("GET", LIST).json() == {"jobs": []}


def test_a_server_without_a_store_says_that_it_has_no_jobs(churn, asker):
    ask = asker(make_asgi({"churn": churn()}))

    for method, path in (("POST", MAKE), ("GET", LIST), ("GET", f"{LIST}/{'0' * 32}"), ("DELETE", f"{LIST}/x")):
        answer = ask(method, path)
        assert answer.status_code == 404
        assert "--log" in answer.json()["fix"]


def zipped():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", b"0" * 1_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("headers", "body", "status", "said"),
    [
        ({}, b"", 400, "the body is empty"),
        ({"Content-Type": "application/json"}, b"{}", 415, "'application/json', no table"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x", 415, "no table"),
        ({"Content-Encoding": "gzip"}, gzip.compress(TABLE, mtime=0), 415, "packed"),
        ({}, gzip.compress(TABLE, mtime=0), 415, "holds gz"),
        ({}, zipped(), 415, "holds zip"),
        ({"Content-Type": "text/csv"}, zipped(), 415, "says to be csv, and holds zip"),
        ({"Content-Type": "application/vnd.apache.parquet"}, TABLE, 415, "says to be parquet, and holds csv"),
        ({}, b"x" * 10_001, 413, "longer than 10,000 bytes"),
        ({"Content-Length": "99999999999999999999999"}, b"x", 413, "longer than 10,000 bytes"),
        ({"Content-Length": "9"}, TABLE, 400, "9 bytes were announced and 18 came"),
        ({"Content-Length": "500"}, TABLE, 400, "500 bytes were announced and 18 came"),
    ],
)
def test_what_is_no_table_is_refused_and_leaves_nothing(headers, body, status, said, ask, jobs):
    answer = ask("POST", MAKE, content=body, headers=headers)

    assert answer.status_code == status
    assert said in answer.json()["what"]
    assert answer.json()["fix"]
    assert left(jobs) == []
    assert made(ask("POST", MAKE, content=TABLE))  # the place is free again


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?format=xlsx", "cannot be 'xlsx'"),
        ("?fromat=csv", "no option 'fromat'"),
        ("?for=spreadsheet&format=parquet", "only CSV"),
    ],
)
def test_a_wish_that_is_not_known_is_refused(query, said, ask, jobs):
    answer = ask("POST", MAKE + query, content=TABLE)

    assert answer.status_code == 400
    assert said in answer.json()["what"]
    assert left(jobs) == []


def test_a_model_that_is_not_served_has_no_jobs(ask, jobs):
    assert ask("POST", "/v1/models/chrun/jobs", content=TABLE).status_code == 404
    assert left(jobs) == []


def talk(app, parts, headers=()):
    """Send a body in parts; return the statuses that were answered, and how many parts were taken."""
    waiting, statuses = list(parts), []
    scope = {
        "type": "http", "method": "POST", "path": MAKE, "query_string": b"", "root_path": "", "scheme": "http",
        "headers": list(headers), "http_version": "1.1", "server": None, "client": None,
    }  # fmt: skip

    async def receive():
        return waiting.pop(0)

    async def send(message):
        statuses.append(message.get("status"))

    asyncio.run(app(scope, receive, send))
    return statuses[0] if statuses else None, len(parts) - len(waiting)


def part(body, *, more):
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_table_that_says_to_be_too_long_is_refused_before_it_is_read(jobs, churn):
    app = make_asgi({"churn": churn()}, House(jobs=jobs))

    assert talk(app, [part(b"x", more=True)], [(b"content-length", b"10001")]) == (413, 0)


def test_a_table_that_does_not_end_is_cut_off(jobs, churn):
    app = make_asgi({"churn": churn()}, House(jobs=jobs))

    assert talk(app, [part(b"x" * 4_000, more=True)] * 9) == (413, 3)
    assert left(jobs) == []


def test_nothing_is_left_of_a_table_whose_sender_goes_away(jobs, churn):
    app = make_asgi({"churn": churn()}, House(jobs=jobs))

    talk(app, [part(TABLE, more=True), {"type": "http.disconnect"}])

    assert left(jobs) == []
    assert jobs.receive("csv").kind == "csv"


def test_a_full_disk_is_told_and_leaves_nothing(ask, jobs):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
    try:
        answer = ask("POST", MAKE, content=b"x" * 9_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert answer.status_code == 507
    assert "cannot be put down" in answer.json()["what"]
    assert left(jobs) == []


def test_a_table_for_which_there_is_no_room_is_refused_before_it_is_read(jobs, churn, monkeypatch):
    app = make_asgi({"churn": churn()}, House(jobs=jobs))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500_008_999))

    assert talk(app, [part(TABLE, more=False)], [(b"content-length", b"9000")]) == (507, 0)
    assert talk(app, [part(TABLE, more=False)]) == (507, 0)  # nobody knows how long it is
    assert talk(app, [part(TABLE, more=False)], [(b"content-length", b"18")]) == (202, 1)


def test_who_comes_when_too_many_wait_is_told_to_come_again(ask, jobs):
    names = [made(ask("POST", MAKE, content=TABLE)) for _ in range(LIMITS.waiting + LIMITS.running)]

    refused = ask("POST", MAKE, content=TABLE)

    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert left(jobs) == sorted(names)
    assert ask("DELETE", f"{LIST}/{names[0]}").status_code == 204
    assert made(ask("POST", MAKE, content=TABLE))


@pytest.mark.parametrize("name", ["..%2Fx", "..", "%2E%2E", "x", "0" * 32, "0" * 31 + "%0A", "%00", "%2Fetc%2Fpasswd"])
def test_no_path_gets_in_by_an_id(name, ask, jobs):
    (jobs.folder.parent / "x").mkdir()
    (jobs.folder.parent / "x" / "job.json").write_text("{}")

    for method, path in (("GET", f"{LIST}/{name}"), ("GET", f"{LIST}/{name}/answers"), ("DELETE", f"{LIST}/{name}")):
        assert ask(method, path).status_code in (404, 405)

    assert (jobs.folder.parent / "x" / "job.json").exists()


def ended(jobs, name, **changes):
    job = jobs.kept.read(name)
    job = replace(job, **({"state": DONE, "ended": 1.0, "share": 1.0, "n_rows": 1} | changes))
    jobs.kept.write(job)
    return jobs.folder / name / job.answers


def test_answers_are_a_file_to_be_kept_that_no_browser_shows(ask, jobs):
    name = made(ask("POST", f"{MAKE}?format=ndjson", content=TABLE))
    ended(jobs, name).write_bytes(b'{"prediction":"<script>alert(1)</script>"}\n')

    about = ask("GET", f"{LIST}/{name}").json()
    answer = ask("GET", about["answers"])

    assert answer.content == b'{"prediction":"<script>alert(1)</script>"}\n'
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_answers_that_are_not_there_are_explained(ask, jobs):
    name = made(ask("POST", MAKE, content=TABLE))

    early = ask("GET", f"{LIST}/{name}/answers")
    ended(jobs, name, state=FAILED, problem={"what": "column 'age' is odd", "where": "row 7", "fix": "mend it"})
    never = ask("GET", f"{LIST}/{name}/answers")

    assert (early.status_code, never.status_code) == (409, 409)
    assert "waiting" in early.json()["what"]
    assert never.json() | {"what": "the job has failed: column 'age' is odd", "where": "row 7"} == never.json()
    assert ask("GET", f"{LIST}/{name}").json()["problem"]["fix"] == "mend it"


def test_a_removed_job_leaves_nothing(ask, jobs):
    name = made(ask("POST", MAKE, content=TABLE))

    assert ask("DELETE", f"{LIST}/{name}").status_code == 204

    assert left(jobs) == []
    assert ask("DELETE", f"{LIST}/{name}").status_code == 404
    assert ask("GET", LIST).json() == {"jobs": []}


def test_a_job_is_seen_by_the_key_that_made_it_and_by_the_administrator_alone(jobs, churn, asker, tmp_path):
    file = KeyFile(tmp_path / "keys.json")
    ask = asker(make_asgi({"churn": churn()}, House(keyring=file, jobs=jobs)))
    roles = {"maker": "predict", "other": "predict", "admin": "admin"}
    keys = {who: {"X-Api-Key": file.new(who, scopes=(scope,))} for who, scope in roles.items()}
    name = made(ask("POST", MAKE, content=TABLE, headers=keys["maker"]))
    ended(jobs, name).write_bytes(b"answers")

    for method, path in (("GET", f"{LIST}/{name}"), ("GET", f"{LIST}/{name}/answers"), ("DELETE", f"{LIST}/{name}")):
        stranger = ask(method, path, headers=keys["other"])
        absent = ask(method, path.replace(name, "0" * 32), headers=keys["other"])
        assert stranger.status_code == absent.status_code == 404
        assert stranger.text == absent.text.replace("0" * 32, name)
    seen = {who: [one["id"] for one in ask("GET", LIST, headers=key).json()["jobs"]] for who, key in keys.items()}
    assert seen == {"maker": [name], "other": [], "admin": [name]}
    assert ask("GET", f"{LIST}/{name}/answers", headers=keys["admin"]).content == b"answers"
    assert ask("DELETE", f"{LIST}/{name}", headers=keys["maker"]).status_code == 204


def test_jobs_are_counted_by_their_state(ask, jobs):
    names = [made(ask("POST", MAKE, content=TABLE)) for _ in range(3)]
    ended(jobs, names[0])

    text = ask("GET", "/metrics").text

    assert 'mantic_jobs{state="waiting"} 2\n' in text
    assert 'mantic_jobs{state="done"} 1\n' in text
    assert text.count("# TYPE mantic_jobs gauge") == 1


def test_every_address_of_jobs_is_in_the_document_and_on_the_page(ask):
    document = ask("GET", "/openapi.json").json()
    page = ask("GET", "/docs").text

    described = {
        (method.upper(), path.replace("{id}", "{name}").replace("churn", "{name}"))
        for path, methods in document["paths"].items()
        for method in methods
        if "jobs" in path
    }
    assert described == {(one.method, one.path) for one in ADDRESSES if "jobs" in one.path}
    assert all(path in page for path in (MAKE, LIST, "/v1/jobs/{id}/answers"))


def test_what_is_told_of_a_job_names_no_path_of_the_server(ask, jobs):
    made(ask("POST", MAKE, content=TABLE))

    assert str(jobs.folder) not in json.dumps(ask("GET", LIST).json())
